// Package fault owns the kinds of errors that cross rooms: what went wrong, in
// words that whoever asked can act on. A package wraps a kind with what it was
// doing (fmt.Errorf("…: %w", fault.NotFound)), and whoever answers asks for the
// kind with errors.Is. It refuses to know statuses, codes and texts for people:
// server/api has the one table of those. An error that is none of these is a
// defect of ours.
package fault

//lint:file-ignore ST1012 fault.NotFound says already that it is an error.

import "errors"

// The kinds. Ask with errors.Is; the text says more.
var (
	// NotFound: there is none, or none for the one who asks; the two can't be
	// told apart.
	NotFound = errors.New("not found")
	// Conflict: it was changed since it was read, or is not what the change is
	// for anymore. Read it again.
	Conflict = errors.New("changed since it was read")
	// BadCursor: a cursor that no page ended with. Begin at the first page.
	BadCursor = errors.New("not a cursor")
	// Unavailable: what was asked for can't be read or written now, and what was
	// to be written is not kept. Try again later.
	Unavailable = errors.New("unavailable")
	// Unrecorded: it can't be put on the audit log now, and so it didn't happen.
	// Try again later.
	Unrecorded = errors.New("can't be recorded, so it isn't done")
)

// BadField is a value that can't be taken: of the wrong kind, out of its range,
// needed and missing, or not known at all.
type BadField struct {
	Field  string // as it is called on the wire: rules[2].above
	Detail string // says to the one who sent it what would be taken
}

// Error implements error.
func (e *BadField) Error() string { return e.Field + ": " + e.Detail }

// Explained is a kind with a sentence for the one who asked.
type Explained struct {
	Kind   error
	Detail string
}

// Error implements error.
func (e *Explained) Error() string { return e.Kind.Error() + ": " + e.Detail }

// Unwrap gives the kind to errors.Is.
func (e *Explained) Unwrap() error { return e.Kind }
