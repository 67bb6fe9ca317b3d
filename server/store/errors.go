package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// The kinds of errors. Ask with errors.Is; the text says more.
var (
	// ErrUnavailable: the store can't be read or written now. What was to be
	// written is not kept. Callers that must not go on without it fail closed.
	ErrUnavailable = errors.New("store unavailable")
	// ErrFull is the kind of ErrUnavailable that space cures.
	ErrFull = fmt.Errorf("%w: no space left", ErrUnavailable)
	// ErrNotFound: there is no such row, or not for the one who asks.
	ErrNotFound = errors.New("not found")
	// ErrConflict: it was changed since it was read.
	ErrConflict = errors.New("changed since it was read")
	// ErrCursor: a cursor that no page of this store ended with.
	ErrCursor = errors.New("not a cursor")
	// ErrNewerSchema: the files were written by a newer version of the program.
	ErrNewerSchema = errors.New("the database is of a newer version of Parley")
)

// classify gives an error of the driver its kind and says what was being done.
// What a caller's own function returned passes through untouched.
func classify(what string, err error) error {
	var e *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnavailable), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %s took too long", ErrUnavailable, what)
	case errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone), isClosed(err):
		return fmt.Errorf("%w: %s: closed", ErrUnavailable, what)
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.As(err, &e):
		return fmt.Errorf("%w: %s: %s", kindOf(e.Code()), what, e.Error())
	}
	return err
}

// errBroken is for statements that SQLite refuses: a defect, not a state.
var errBroken = errors.New("store refused")

// kindOf sorts SQLite's result codes; the low byte is the primary one.
func kindOf(code int) error {
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_PERM:
		return ErrUnavailable
	}
	return errBroken
}

// isClosed: database/sql has no value for this error, only a text.
func isClosed(err error) bool { return err.Error() == "sql: database is closed" }
