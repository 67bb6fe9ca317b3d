package store

import (
	"context"
	"sync"
	"time"
)

// How the access log keeps to its size.
const (
	// DefaultDiskReserve is what log lines leave free on the disk, so that an
	// admin's act can be recorded, and hence done, whatever strangers ask: it holds
	// a year of audit lines of a busy server.
	DefaultDiskReserve = 64 << 20
	// trimTo is how far a log that grew over its limit is cut, so that it is not
	// cut again at once.
	trimTo = 0.9
	// trimRows is how many lines go in one step: they go faster than they come.
	trimRows = 4000
	// eraseAtOnce is up to which size a file is written anew as soon as something
	// was deleted: it takes about a second. A larger one is, once in eraseEach.
	eraseAtOnce = 64 << 20
	eraseEach   = 24 * time.Hour
	// DefaultMaxRewrite is the largest file or table that is written anew: SQLite holds
	// the new one in memory, and PostgreSQL has all others wait.
	DefaultMaxRewrite = 256 << 20
)

// deletedSpace is what is known of the room of deleted rows.
type deletedSpace struct {
	maxRewrite int64 // bytes of the largest file or table that is written anew

	mu       sync.Mutex
	pending  map[*database]bool
	erasedAt map[*database]time.Time
}

func (s *deletedSpace) setPending(d *database, pending bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending == nil {
		s.pending, s.erasedAt = map[*database]bool{}, map[*database]time.Time{}
	}
	s.pending[d] = pending
	if !pending {
		s.erasedAt[d] = now
	}
}

// isDue tells whether a file holds the bytes of deleted rows and may be written
// anew now.
func (s *deletedSpace) isDue(d *database, size int64, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending[d] && (size <= eraseAtOnce || now.Sub(s.erasedAt[d]) >= eraseEach)
}

// EraseDeleted takes the bytes of deleted rows off the disk, where there are
// any.
func (s *Store) EraseDeleted(ctx context.Context) error {
	for _, d := range []*database{s.control, s.telemetry} {
		size, err := d.room.size(ctx)
		if err != nil {
			return err
		}
		now := s.ids.now()
		if !s.deleted.isDue(d, size, now) {
			continue
		}
		if err := d.room.erase(ctx, s.deleted.maxRewrite); err != nil {
			return err
		}
		s.deleted.setPending(d, false, now)
	}
	return nil
}

// findDeleted looks for what a life before this one deleted and did not erase.
func (s *Store) findDeleted(ctx context.Context) error {
	for _, d := range []*database{s.control, s.telemetry} {
		pending, err := d.room.hasDeleted(ctx)
		if err != nil {
			return err
		}
		s.deleted.setPending(d, pending, time.Time{})
	}
	return nil
}

// DiskUsed is the share of the disk below the record that may not be written to any more;
// 0 where it can't be asked.
func (s *Store) DiskUsed() float64 { return s.space.diskUsed() }

// Size is what the store takes on the disk, in bytes; 0 where it can't be asked now.
func (s *Store) Size() (size int64) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	for _, d := range []*database{s.control, s.telemetry} {
		n, err := d.room.size(ctx)
		if err != nil {
			return 0
		}
		size += n
	}
	return size
}

// TrimLogs deletes the oldest lines of the access log while it takes more than
// maxBytes, its indexes included, or the disk has less left than the reserve. It
// tells how many went.
func (s *Store) TrimLogs(ctx context.Context, maxBytes int64) (int64, error) {
	share, err := s.space.shareToKeep(ctx, maxBytes)
	if err != nil || share >= 1 {
		return 0, err
	}
	return s.trimLogs(ctx, share)
}

// trimLogs leaves a share of the lines, the newest.
func (s *Store) trimLogs(ctx context.Context, share float64) (deleted int64, err error) {
	var count, before int64
	if err := s.telemetry.queryRow(ctx, "counting lines", "SELECT count(*) FROM log", nil, &count); err != nil {
		return 0, err
	}
	surplus := count - int64(share*float64(count))
	err = s.telemetry.queryRow(ctx, "finding the oldest line to keep",
		"SELECT coalesce(max(id), 0) FROM (SELECT id FROM log ORDER BY id LIMIT ?) AS oldest", []any{surplus}, &before)
	if err != nil {
		return 0, err
	}
	if err := s.countUnsent(ctx, before+1); err != nil { // the disk is full all the same
		s.log.Error("lines that no collector has could not be counted", "event", "log_export", "err", err)
	}
	dropped, err := s.bulk.dropBelow(ctx, "log", before+1)
	if err != nil {
		return 0, err
	}
	deleted, err = s.deleteInSteps(ctx, s.telemetry, "trimming the access log",
		"DELETE FROM log WHERE id IN (SELECT id FROM log WHERE id <= ? ORDER BY id LIMIT ?)", before, trimRows)
	deleted += dropped
	if err != nil || deleted == 0 {
		return deleted, err
	}
	s.deleted.setPending(s.telemetry, true, s.ids.now())
	_, err = s.forgetPersons(ctx)
	return deleted, err
}
