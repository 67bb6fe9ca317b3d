package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"parley/server/fault"
)

// Limits of one database file.
const (
	// busyTimeout is how long SQLite itself waits for a lock: only checkpoints
	// and other processes hold one that our single writer could meet.
	busyTimeout = time.Second
	readers     = 4        // pages in parallel; two cores gain nothing from more
	cacheKiB    = 16 << 10 // of the writer: the hot pages of a dozen indexes
	readKiB     = 4 << 10  // of each reader
	walPages    = 1000     // 4 MB of log between checkpoints
	bulkPages   = 8000     // 32 MB where rows come in by the thousand: pages of indexes are written once, not often
	walBytes    = 64 << 20 // what a log that grew is cut to again
	fileMode    = 0o600    // also of -wal and -shm: SQLite gives them the mode of the file
)

// file is the engine of one SQLite database.
//
// No other part of the process may open the file by itself: closing it would
// drop SQLite's locks, for POSIX locks belong to the process.
type file struct {
	*database
	path string
	born fs.FileInfo
}

// newFile returns a file that is not open.
func newFile(path string) *file {
	f := &file{database: &database{name: filepath.Base(path), stepRows: sweepRows}, path: path}
	f.engine, f.room = f, f
	return f
}

// openFile opens a database, and makes it where needed. Its log is folded in
// when it has so many pages.
func openFile(ctx context.Context, path string, checkpoint int) (*file, error) {
	err := create(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", fault.Unavailable, err)
	}
	f := newFile(path)
	if f.writer, err = f.connect(writing(checkpoint)); err != nil {
		return nil, err
	}
	f.writer.SetMaxOpenConns(1)
	if err := f.writer.PingContext(ctx); err != nil { // makes it WAL before a reader comes
		return nil, errors.Join(classify("opening "+filepath.Base(path), err), f.close())
	}
	return f.readable()
}

// openFiles opens both files of a directory, and makes or migrates them.
func (s *Store) openFiles(ctx context.Context, dir string, o Options) error {
	control, err := openMigrated(ctx, dir, ControlName, "control", walPages)
	if err != nil {
		return err
	}
	s.control = control.database
	telemetry, err := openMigrated(ctx, dir, telemetryName, "telemetry", bulkPages)
	if err != nil {
		return err
	}
	s.telemetry = telemetry.database
	logs, err := newFileLogs(ctx, telemetry, o.DiskReserve)
	s.space, s.bulk = logs, logs
	return err
}

func openMigrated(ctx context.Context, dir, name, folder string, checkpoint int) (*file, error) {
	f, err := openFile(ctx, filepath.Join(dir, name), checkpoint)
	if err != nil {
		return nil, err
	}
	files, err := migrationFiles("sqlite", folder)
	if err == nil {
		err = migrate(ctx, goose.DialectSQLite3, f.writer, files)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.close())
	}
	return f, nil
}

// create makes the file before SQLite does, for nobody else to read.
func create(path string) error {
	made, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, fileMode)
	if errors.Is(err, fs.ErrExist) {
		return os.Chmod(path, fileMode)
	}
	if err != nil {
		return err
	}
	return errors.Join(made.Chmod(fileMode), made.Close())
}

// openToRead opens a database that is there, perhaps in use by another process.
func openToRead(path string) (*file, error) { return newFile(path).readable() }

func (f *file) readable() (*file, error) {
	var err error
	if f.born, err = os.Stat(f.path); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", fault.Unavailable, err), f.close())
	}
	if f.reader, err = f.connect(reading()); err != nil {
		return nil, errors.Join(err, f.close())
	}
	f.reader.SetMaxOpenConns(readers)
	f.reader.SetMaxIdleConns(readers)
	return f, nil
}

// writing: FULL syncs the log at every commit, and group commit makes that
// cheap. What is deleted is overwritten: what is past its time is gone from the
// disk, not only from the answers.
func writing(pages int) url.Values {
	q := commonOptions(cacheKiB)
	q.Set("_txlock", "immediate")
	q.Set("_journal_mode", "WAL")
	q.Set("_synchronous", "FULL")
	q.Add("_pragma", "secure_delete=ON")
	q.Add("_pragma", "wal_autocheckpoint="+strconv.Itoa(pages))
	q.Add("_pragma", "journal_size_limit="+strconv.Itoa(walBytes))
	return q
}

func reading() url.Values {
	q := commonOptions(readKiB)
	q.Set("_query_only", "1")
	return q
}

// commonOptions: no mmap, for a fault of the disk would then kill the process.
func commonOptions(cache int) url.Values {
	return url.Values{
		"_busy_timeout": {strconv.FormatInt(busyTimeout.Milliseconds(), 10)},
		"_foreign_keys": {"1"},
		"_defensive":    {"1"},
		"_dqs":          {"0"},
		"_pragma":       {"temp_store=MEMORY", "mmap_size=0", "cache_size=-" + strconv.Itoa(cache)},
	}
}

func (f *file) connect(q url.Values) (*sql.DB, error) {
	path, err := filepath.Abs(f.path)
	if err != nil {
		return nil, err
	}
	name := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	connector, err := sqlite.NewConnector(name.String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// erase takes the bytes of deleted rows off the disk. SQLite overwrites a row
// where it stands, but copies stay behind where a page was rearranged, and pages
// as they were before stay in the write-ahead log. So the file is written anew, or
// where it is larger than most, or the disk has no room for that, the copies are
// overwritten one by one; and the log is emptied. It fails while a reader still looks
// at an old page, which no read does for longer than Patience.
func (f *file) erase(ctx context.Context, most int64) error {
	size, err := f.size(ctx)
	if err != nil {
		return err
	}
	free, _, known := DiskOf(filepath.Dir(f.path))
	if size > most || known && free <= 2*size {
		if err := f.scrub(ctx); err != nil {
			return err
		}
	} else if _, err := f.writer.ExecContext(ctx, "VACUUM"); err != nil {
		return classify("writing the file anew", err)
	}
	return f.emptyLog(ctx)
}

func (f *file) emptyLog(ctx context.Context) error {
	var busy, pages, folded int
	err := f.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &folded)
	if err == nil && busy != 0 {
		return fmt.Errorf("%w: a reader is in the way of emptying the write-ahead log", fault.Unavailable)
	}
	return classify("emptying the write-ahead log", err)
}

// check tells a file that was deleted or whose disk is gone: SQLite would write
// on to what nobody can find again.
func (f *file) check(context.Context) error {
	now, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("%w: %w", fault.Unavailable, err)
	}
	if !os.SameFile(f.born, now) {
		return fmt.Errorf("%w: %s is another file than the one that was opened", fault.Unavailable, f.path)
	}
	return nil
}

// lockChain does nothing: who writes is alone.
func (*file) lockChain(context.Context, *sql.Tx) error { return nil }

// lockName does nothing, for the same reason.
func (*file) lockName(context.Context, *sql.Tx, string) error { return nil }

// clock is ours: who has the file is on this machine.
func (*file) clock(now func() time.Time) string { return strconv.FormatInt(ms(now()), 10) }

// release does nothing: a file is no more than its pools.
func (*file) release() error { return nil }

// size is what the file and its log take on the disk.
func (f *file) size(context.Context) (n int64, err error) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(f.path + suffix); err == nil {
			n += info.Size()
		}
	}
	return n, nil
}

// hasDeleted reports whether the file has pages that hold nothing.
func (f *file) hasDeleted(ctx context.Context) (bool, error) {
	_, unused, err := f.pages(ctx)
	return unused > 0, err
}

// pages counts those of a file, and of them the ones that hold nothing.
func (f *file) pages(ctx context.Context) (all, unused int64, err error) {
	err = f.queryRow(ctx, "counting pages", "SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count", nil, &all, &unused)
	return all, unused, err
}

// pageSize is SQLite's own, which openFile leaves as it is.
const pageSize = 4096
