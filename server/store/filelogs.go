package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// refillPages is how many pages a file must have to fill again before lines go
	// on where the disk has no more than the reserve: 2 MiB, two of the largest
	// commits.
	refillPages = 512
	// rowsAtOnce is how many log lines go into one statement: the work per
	// statement is most of the work per line.
	rowsAtOnce = 32
)

// fileLogs keeps the access log in a file of SQLite.
type fileLogs struct {
	*file
	reserve   int64     // of the disk, in bytes
	one, many *sql.Stmt // add lines

	mu       sync.Mutex
	logBytes int64 // of the access log with its indexes, when it was last measured
	allBytes int64 // of all in its file, at the same time
}

func newFileLogs(ctx context.Context, f *file, reserve int64) (*fileLogs, error) {
	l := &fileLogs{file: f, reserve: cmp.Or(reserve, DefaultDiskReserve)}
	// OR IGNORE: nothing else can fail in it, so SQLite needs no journal to take back one
	// statement.
	insert := "INSERT OR IGNORE INTO log (" + strings.Join(logColumns, ", ") + ") VALUES "
	line := "(" + placeholders(len(logColumns)) + ")"
	if err := f.prepare(ctx, &l.one, insert+line); err != nil {
		return nil, err
	}
	return l, f.prepare(ctx, &l.many, insert+strings.Repeat(line+", ", rowsAtOnce-1)+line)
}

func (l *fileLogs) insertLogs(ctx context.Context, tx *sql.Tx, values []any) error {
	// The transaction watches the context; a statement that did, too, would start
	// a goroutine each time.
	calm := context.WithoutCancel(ctx)
	many, one := tx.StmtContext(calm, l.many), tx.StmtContext(calm, l.one)
	for width := rowsAtOnce * len(logColumns); len(values) >= width; values = values[width:] {
		if _, err := many.ExecContext(calm, values[:width]...); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	for ; len(values) > 0; values = values[len(logColumns):] {
		if _, err := one.ExecContext(calm, values[:len(logColumns)]...); err != nil {
			return err
		}
	}
	return nil
}

// makePlace does nothing: a file grows.
func (*fileLogs) makePlace(context.Context, string, int64) error { return nil }

// dropBelow deletes nothing: rows go in small steps, for they are all in one file.
func (*fileLogs) dropBelow(context.Context, string, int64) (int64, error) { return 0, nil }

// checkRoom refuses what would eat the reserve. What was deleted left pages in
// the file, which are filled first and take nothing of the disk.
func (l *fileLogs) checkRoom(ctx context.Context) error {
	free, reserve := l.room()
	if free >= reserve {
		return nil
	}
	_, unused, err := l.pages(ctx)
	if err != nil || unused >= refillPages {
		return err
	}
	return fmt.Errorf("%w: %d MiB of disk are free, %d are kept for the audit log: make room", ErrFull, free>>20, reserve>>20)
}

// room is what the disk has left, and what of it log lines leave alone: of a
// small disk a quarter. Where the disk can't be asked there is room.
func (l *fileLogs) room() (free, reserve int64) {
	free, all, known := DiskOf(filepath.Dir(l.path))
	if !known {
		return 0, 0
	}
	return free, min(l.reserve, all/4)
}

func (l *fileLogs) diskUsed() float64 {
	free, all, known := DiskOf(filepath.Dir(l.path))
	if !known || all <= 0 {
		return 0
	}
	return 1 - float64(free)/float64(all)
}

func (l *fileLogs) shareToKeep(ctx context.Context, maxBytes int64) (float64, error) {
	all, unused, err := l.pages(ctx)
	if err != nil {
		return 1, err
	}
	used := (all - unused) * pageSize
	limit := maxBytes
	if free, reserve := l.room(); free < reserve && unused < refillPages {
		// Deleting takes room in the write-ahead log first, and leaves pages half full.
		limit = min(limit, l.estimate(used)-(reserve-free)-4*refillPages*pageSize)
	}
	if l.estimate(used) <= limit {
		return 1, nil
	}
	size, err := l.measure(ctx, used)
	if err != nil || size <= limit {
		return 1, err
	}
	return max(0, float64(limit)) * trimTo / float64(size), nil
}

// estimate is the most that the log can have grown to since it was measured.
func (l *fileLogs) estimate(used int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.logBytes + max(0, used-l.allBytes)
}

// measure asks SQLite for the pages of the log. It reads all of them, and so
// is asked only when the log may have grown over its limit.
func (l *fileLogs) measure(ctx context.Context, used int64) (size int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, measurePatience)
	defer cancel()
	err = l.reader.QueryRowContext(ctx, `SELECT coalesce(sum(pgsize), 0) FROM dbstat
		WHERE aggregate = TRUE AND name IN (SELECT name FROM sqlite_schema WHERE tbl_name IN ('log', 'person'))`).Scan(&size)
	if err != nil {
		return 0, classify("measuring the access log", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.logBytes, l.allBytes = size, used
	return size, nil
}

// measurePatience is for a log of many GiB on a slow disk; nobody waits for it.
const measurePatience = time.Minute
