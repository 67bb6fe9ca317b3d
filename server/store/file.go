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

	"modernc.org/sqlite"

	"parley/server/fault"
)

// Limits of one database file.
const (
	// Patience is how long one read or one write may take. A reader that takes
	// longer keeps the write-ahead log from shrinking; a writer, all others from
	// writing.
	Patience = 2 * time.Second
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

// file is one SQLite database: one connection that writes, and a pool apart
// that only reads, so that neither waits for the other.
//
// No other part of the process may open the file by itself: closing it would
// drop SQLite's locks, for POSIX locks belong to the process.
type file struct {
	path   string
	born   fs.FileInfo
	writer *sql.DB // nil where the file was opened to be read
	reader *sql.DB
	stmts  []*sql.Stmt // the writer's
}

// openFile opens a database, and makes it where needed. Its log is folded in
// when it has so many pages.
func openFile(ctx context.Context, path string, checkpoint int) (*file, error) {
	err := create(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", fault.Unavailable, err)
	}
	f := &file{path: path}
	if f.writer, err = f.connect(writing(checkpoint)); err != nil {
		return nil, err
	}
	f.writer.SetMaxOpenConns(1)
	if err := f.writer.PingContext(ctx); err != nil { // makes it WAL before a reader comes
		return nil, errors.Join(classify("opening "+filepath.Base(path), err), f.close())
	}
	return f.readable()
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
func openToRead(path string) (*file, error) { return (&file{path: path}).readable() }

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

// prepare compiles a statement for the writer, who keeps it until close. In a
// transaction it is had by sql.Tx.StmtContext.
func (f *file) prepare(ctx context.Context, into **sql.Stmt, query string) error {
	stmt, err := f.writer.PrepareContext(ctx, query)
	if err != nil {
		return classify("preparing", err)
	}
	f.stmts = append(f.stmts, stmt)
	*into = stmt
	return nil
}

// erase takes the bytes of deleted rows off the disk. SQLite overwrites a row
// where it stands, but copies stay behind where a page was rearranged, and pages
// as they were before stay in the write-ahead log. So the file is written anew, or
// where it is larger than most, or the disk has no room for that, the copies are
// overwritten one by one; and the log is emptied. It fails while a reader still looks
// at an old page, which no read does for longer than Patience.
func (f *file) erase(ctx context.Context, size, most int64) error {
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

func (f *file) close() error {
	var errs []error
	for _, s := range f.stmts {
		errs = append(errs, s.Close())
	}
	for _, db := range []*sql.DB{f.reader, f.writer} { // the writer last: it folds the log in
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// write runs fn in one transaction and commits it to the disk, or leaves
// nothing behind. fn must not touch the store but by its transaction, for it
// holds the only writer, and must use the context it is given: database/sql can't
// interrupt a statement that has another.
func (f *file) write(ctx context.Context, what string, fn func(context.Context, *sql.Tx) error) error {
	if f.writer == nil {
		return fmt.Errorf("%w: %s: opened to be read", fault.Unavailable, what)
	}
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	if err := f.exists(); err != nil {
		return err
	}
	tx, err := f.writer.BeginTx(ctx, nil)
	if err != nil {
		return classify(what, err)
	}
	if err := fn(ctx, tx); err != nil {
		// A failed roll-back leaves nothing behind either: the commit never was.
		_ = tx.Rollback()
		return classify(what, inTime(ctx, err))
	}
	return classify(what, inTime(ctx, tx.Commit()))
}

// inTime gives the context's word where the driver or database/sql only knew
// that it was interrupted.
func inTime(ctx context.Context, err error) error {
	var e *sqlite.Error
	if err != nil && ctx.Err() != nil && (errors.Is(err, sql.ErrTxDone) || errors.As(err, &e)) {
		return ctx.Err()
	}
	return err
}

// exists tells a file that was deleted or whose disk is gone: SQLite would write
// on to what nobody can find again.
func (f *file) exists() error {
	now, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("%w: %w", fault.Unavailable, err)
	}
	if !os.SameFile(f.born, now) {
		return fmt.Errorf("%w: %s is another file than the one that was opened", fault.Unavailable, f.path)
	}
	return nil
}

// read runs one query and gives each row to scan.
func (f *file) read(ctx context.Context, what, query string, args []any, scan func(rowScanner) error) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	rows, err := f.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return classify(what, inTime(ctx, err))
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return classify(what, err)
		}
	}
	return classify(what, inTime(ctx, rows.Err()))
}

// queryRow reads the one row of a query; fault.NotFound where there is none.
func (f *file) queryRow(ctx context.Context, what, query string, args []any, into ...any) error {
	found := false
	err := f.read(ctx, what, query, args, func(r rowScanner) error {
		found = true
		return r.Scan(into...)
	})
	if err == nil && !found {
		return fault.NotFound
	}
	return err
}

// rowScanner is what sql.Rows and sql.Row have in common.
type rowScanner interface{ Scan(...any) error }

// size is what the file and its log take on the disk.
func (f *file) size() int64 {
	var n int64
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(f.path + suffix); err == nil {
			n += info.Size()
		}
	}
	return n
}
