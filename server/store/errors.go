package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parley/server/fault"
)

// Kinds of errors that the store has beside those of package fault.
var (
	// ErrFull is the kind of fault.Unavailable that space cures.
	ErrFull = fmt.Errorf("%w: no space left", fault.Unavailable)
	// ErrNewerSchema: the files were written by a newer version of the program.
	ErrNewerSchema = errors.New("the database is of a newer version of Parley")
)

// classify gives an error of the driver its kind and says what was being done.
// What a caller's own function returned passes through untouched.
func classify(what string, err error) error {
	switch kind := kindOf(err); {
	case err == nil:
		return nil
	case errors.Is(err, fault.Unavailable), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %s took too long", fault.Unavailable, what)
	case errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone), isClosed(err):
		return fmt.Errorf("%w: %s: closed", fault.Unavailable, what)
	case errors.Is(err, sql.ErrNoRows):
		return fault.NotFound
	case kind != nil:
		return fmt.Errorf("%w: %s: %s", kind, what, err)
	}
	return err
}

// errBroken is for statements that an engine refuses: a defect, not a state.
var errBroken = errors.New("store refused")

// kindOf is the kind of a driver's error; nil of all others.
func kindOf(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return kindOfSQLite(e.Code())
	}
	return kindOfPostgres(err)
}

// kindOfSQLite sorts SQLite's result codes; the low byte is the primary one.
func kindOfSQLite(code int) error {
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_PERM:
		return fault.Unavailable
	}
	return errBroken
}

// isBusy reports that others held the file for as long as a statement waits.
func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY || errors.Is(err, context.DeadlineExceeded)
}

// isClosed: database/sql has no value for this error, only a text.
func isClosed(err error) bool { return err.Error() == "sql: database is closed" }
