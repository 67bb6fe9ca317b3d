package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"parley/server/fault"
)

// Patience is how long one read or one write may take. A reader that takes longer
// keeps the engine from giving room back; a writer, all others from writing.
const Patience = 2 * time.Second

// database is one of the two that the record is in: one connection that writes, and a
// pool apart that only reads, so that neither waits for the other.
type database struct {
	name   string  // as errors have it
	writer *sql.DB // nil where it was opened to be read
	reader *sql.DB
	stmts  []*sql.Stmt // the writer's
	engine engine
	room   room
	// stepRows is how many rows one step of deleting takes.
	stepRows int
}

// engine is what each engine does in a way of its own with one database.
type engine interface {
	// check refuses to write to what nobody would find again, or to what is another's.
	check(ctx context.Context) error
	// lockChain has all others wait who would add to the audit log, until tx ends.
	lockChain(ctx context.Context, tx *sql.Tx) error
	// lockName has all others wait who would lock the same name, until tx ends.
	lockName(ctx context.Context, tx *sql.Tx, name string) error
	// clock is the present in SQL, in milliseconds: by the one clock that all go by who
	// use the database.
	clock(now func() time.Time) string
	// release gives back what is not of the pools.
	release() error
}

// room is what one database takes on the disk.
type room interface {
	// size is what the database takes on the disk, in bytes.
	size(ctx context.Context) (int64, error)
	// hasDeleted reports whether room of deleted rows has not been given back.
	hasDeleted(ctx context.Context) (bool, error)
	// erase takes the bytes of deleted rows off the disk, by writing anew what takes
	// no more than most bytes.
	erase(ctx context.Context, most int64) error
}

// logSpace is how an engine keeps the access log to its room.
type logSpace interface {
	// checkRoom refuses what would eat what the audit log may need.
	checkRoom(ctx context.Context) error
	// shareToKeep is the share of the lines, the newest, that may stay of a log that
	// takes more than maxBytes; 1 where it takes less.
	shareToKeep(ctx context.Context, maxBytes int64) (float64, error)
	// diskUsed is the used share of the disk below; 0 where it can't be asked.
	diskUsed() float64
}

// bulkTables is how an engine keeps the tables that rows come into by the thousand.
type bulkTables interface {
	// insertLogs adds lines, the values of logColumns one line after the other. What is
	// there under the same id stays: a group whose commit nobody knows the end of is
	// brought again.
	insertLogs(ctx context.Context, tx *sql.Tx, values []any) error
	// makePlace prepares a table for a row of an id, before the transaction that adds it.
	makePlace(ctx context.Context, table string, id int64) error
	// dropBelow deletes what it can at once of the rows below an id, and counts them.
	dropBelow(ctx context.Context, table string, id int64) (int64, error)
}

// prepare compiles a statement for the writer, who keeps it until close. In a
// transaction it is had by sql.Tx.StmtContext.
func (d *database) prepare(ctx context.Context, into **sql.Stmt, query string) error {
	stmt, err := d.writer.PrepareContext(ctx, query)
	if err != nil {
		return classify("preparing", err)
	}
	d.stmts = append(d.stmts, stmt)
	*into = stmt
	return nil
}

func (d *database) close() error {
	var errs []error
	for _, s := range d.stmts {
		errs = append(errs, s.Close())
	}
	if d.engine != nil {
		errs = append(errs, d.engine.release())
	}
	for _, db := range []*sql.DB{d.reader, d.writer} { // the writer last: SQLite's folds the log in
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
func (d *database) write(ctx context.Context, what string, fn func(context.Context, *sql.Tx) error) error {
	if d.writer == nil {
		return fmt.Errorf("%w: %s: opened to be read", fault.Unavailable, what)
	}
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	if err := d.engine.check(ctx); err != nil {
		return err
	}
	tx, err := d.writer.BeginTx(ctx, nil)
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
	if err != nil && ctx.Err() != nil && (errors.Is(err, sql.ErrTxDone) || kindOf(err) != nil) {
		return ctx.Err()
	}
	return err
}

// read runs one query and gives each row to scan.
func (d *database) read(ctx context.Context, what, query string, args []any, scan func(rowScanner) error) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	rows, err := d.reader.QueryContext(ctx, query, args...)
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
func (d *database) queryRow(ctx context.Context, what, query string, args []any, into ...any) error {
	found := false
	err := d.read(ctx, what, query, args, func(r rowScanner) error {
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
