package store

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// How the access log keeps to its size.
const (
	// DefaultDiskReserve is what log lines leave free on the disk, so that an
	// admin's act can be recorded, and hence done, whatever strangers ask: it holds
	// a year of audit lines of a busy server.
	DefaultDiskReserve = 64 << 20
	// refillPages is how many pages a file must have to fill again before lines go
	// on where the disk has no more than the reserve: 2 MiB, two of the largest
	// commits.
	refillPages = 512
	// trimTo is how far a log that grew over its limit is cut, so that it is not
	// cut again at once.
	trimTo = 0.9
	// trimRows is how many lines go in one step: they go faster than they come.
	trimRows = 4000
	// eraseAtOnce is up to which size a file is written anew as soon as something
	// was deleted: it takes about a second. A larger one is, once in eraseEach.
	eraseAtOnce = 64 << 20
	eraseEach   = 24 * time.Hour
	// DefaultMaxRewrite is the largest file that is written anew, for SQLite holds
	// the new one in memory. In a larger one what was deleted is overwritten where it
	// stands.
	DefaultMaxRewrite = 256 << 20
)

// diskSpace is what is known of the room that the store takes.
type diskSpace struct {
	reserve    int64 // of the disk, in bytes
	maxRewrite int64 // bytes of the largest file that is written anew

	mu       sync.Mutex
	logBytes int64 // of the access log with its indexes, when it was last measured
	allBytes int64 // of all in its file, at the same time
	pending  map[*file]bool
	erasedAt map[*file]time.Time
}

func (s *diskSpace) setPending(f *file, pending bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending == nil {
		s.pending, s.erasedAt = map[*file]bool{}, map[*file]time.Time{}
	}
	s.pending[f] = pending
	if !pending {
		s.erasedAt[f] = now
	}
}

// isDue tells whether a file holds the bytes of deleted rows and may be written
// anew now.
func (s *diskSpace) isDue(f *file, size int64, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending[f] && (size <= eraseAtOnce || now.Sub(s.erasedAt[f]) >= eraseEach)
}

// EraseDeleted takes the bytes of deleted rows off the disk, where there are
// any.
func (s *Store) EraseDeleted(ctx context.Context) error {
	for _, f := range []*file{s.control, s.telemetry} {
		size, now := f.size(), s.ids.now()
		if !s.space.isDue(f, size, now) {
			continue
		}
		if err := f.erase(ctx, size, s.space.maxRewrite); err != nil {
			return err
		}
		s.space.setPending(f, false, now)
	}
	return nil
}

// findDeleted looks for what a life before this one deleted and did not erase.
func (s *Store) findDeleted(ctx context.Context) error {
	for _, f := range []*file{s.control, s.telemetry} {
		_, unused, err := f.pages(ctx)
		if err != nil {
			return err
		}
		s.space.setPending(f, unused > 0, time.Time{})
	}
	return nil
}

// checkRoom refuses what would eat the reserve. What was deleted left pages in
// the file, which are filled first and take nothing of the disk.
func (s *Store) checkRoom(ctx context.Context) error {
	free, reserve := s.room()
	if free >= reserve {
		return nil
	}
	_, unused, err := s.telemetry.pages(ctx)
	if err != nil || unused >= refillPages {
		return err
	}
	return fmt.Errorf("%w: %d MiB of disk are free, %d are kept for the audit log: make room", ErrFull, free>>20, reserve>>20)
}

// room is what the disk has left, and what of it log lines leave alone: of a
// small disk a quarter. Where the disk can't be asked there is room.
func (s *Store) room() (free, reserve int64) {
	free, all, known := DiskOf(filepath.Dir(s.telemetry.path))
	if !known {
		return 0, 0
	}
	return free, min(s.space.reserve, all/4)
}

// DiskUsed is the share of the disk below the record that may not be written to any more;
// 0 where it can't be asked.
func (s *Store) DiskUsed() float64 {
	free, all, known := DiskOf(filepath.Dir(s.telemetry.path))
	if !known || all <= 0 {
		return 0
	}
	return 1 - float64(free)/float64(all)
}

// pages counts those of a file, and of them the ones that hold nothing.
func (f *file) pages(ctx context.Context) (all, unused int64, err error) {
	err = f.queryRow(ctx, "counting pages", "SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count", nil, &all, &unused)
	return all, unused, err
}

// pageSize is SQLite's own, which openFile leaves as it is.
const pageSize = 4096

// TrimLogs deletes the oldest lines of the access log while it takes more than
// maxBytes, its indexes included, or the disk has less left than the reserve. It
// tells how many went.
func (s *Store) TrimLogs(ctx context.Context, maxBytes int64) (int64, error) {
	all, unused, err := s.telemetry.pages(ctx)
	if err != nil {
		return 0, err
	}
	used := (all - unused) * pageSize
	limit := maxBytes
	if free, reserve := s.room(); free < reserve && unused < refillPages {
		// Deleting takes room in the write-ahead log first, and leaves pages half full.
		limit = min(limit, s.space.estimate(used)-(reserve-free)-4*refillPages*pageSize)
	}
	if s.space.estimate(used) <= limit {
		return 0, nil
	}
	size, err := s.measureLogs(ctx, used)
	if err != nil || size <= limit {
		return 0, err
	}
	return s.trimLogs(ctx, max(0, float64(limit))*trimTo/float64(size))
}

// estimate is the most that the log can have grown to since it was measured.
func (s *diskSpace) estimate(used int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logBytes + max(0, used-s.allBytes)
}

// measureLogs asks SQLite for the pages of the log. It reads all of them, and so
// is asked only when the log may have grown over its limit.
func (s *Store) measureLogs(ctx context.Context, used int64) (size int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, measurePatience)
	defer cancel()
	err = s.telemetry.reader.QueryRowContext(ctx, `SELECT coalesce(sum(pgsize), 0) FROM dbstat
		WHERE aggregate = TRUE AND name IN (SELECT name FROM sqlite_schema WHERE tbl_name IN ('log', 'person'))`).Scan(&size)
	if err != nil {
		return 0, classify("measuring the access log", err)
	}
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	s.space.logBytes, s.space.allBytes = size, used
	return size, nil
}

// measurePatience is for a log of many GiB on a slow disk; nobody waits for it.
const measurePatience = time.Minute

// trimLogs leaves a share of the lines, the newest.
func (s *Store) trimLogs(ctx context.Context, share float64) (deleted int64, err error) {
	var count, before int64
	if err := s.telemetry.queryRow(ctx, "counting lines", "SELECT count(*) FROM log", nil, &count); err != nil {
		return 0, err
	}
	surplus := count - int64(share*float64(count))
	err = s.telemetry.queryRow(ctx, "finding the oldest line to keep",
		"SELECT coalesce(max(id), 0) FROM (SELECT id FROM log ORDER BY id LIMIT ?)", []any{surplus}, &before)
	if err != nil {
		return 0, err
	}
	if err := s.countUnsent(ctx, before+1); err != nil { // the disk is full all the same
		s.log.Error("lines that no collector has could not be counted", "event", "log_export", "err", err)
	}
	deleted, err = s.deleteInSteps(ctx, s.telemetry, "trimming the access log",
		"DELETE FROM log WHERE id IN (SELECT id FROM log WHERE id <= ? ORDER BY id LIMIT ?)", before, trimRows)
	if err != nil || deleted == 0 {
		return deleted, err
	}
	s.space.setPending(s.telemetry, true, s.ids.now())
	_, err = s.forgetPersons(ctx)
	return deleted, err
}
