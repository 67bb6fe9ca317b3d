package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// clock slack: a row's own time and the time in its id differ by what the row
// waited to be written, and by what the clock was set back in between.
const clockSlack = time.Minute

// filter is the WHERE of a list, newest first by id.
type filter struct {
	conds []string
	args  []any
}

func (f *filter) add(cond string, args ...any) {
	f.conds = append(f.conds, cond)
	f.args = append(f.args, args...)
}

// is adds a condition where a value is asked for.
func (f *filter) is(column, value string) {
	if value != "" {
		f.add(column+" = ?", value)
	}
}

// where gives the clause over from ≤ id < to, and its arguments.
func (f *filter) where(id string, from, to int64) (string, []any) {
	conds := append([]string{id + " >= ?", id + " < ?"}, f.conds...)
	return " WHERE " + strings.Join(conds, " AND "), append([]any{from, to}, f.args...)
}

// timeSpan is a stretch of ids, from ≤ id < to.
type timeSpan struct{ from, to int64 }

// between gives the ids that rows of from ≤ t < to can have below a cursor, and
// adds the exact condition on t.
func (f *filter) between(column string, from, to time.Time, cursor string) (timeSpan, error) {
	before, err := idOf(cursor)
	if err != nil {
		return timeSpan{}, err
	}
	s := timeSpan{to: before}
	if !from.IsZero() {
		s.from = firstID(from.Add(-clockSlack))
		f.add(column+" >= ?", ms(from))
	}
	if !to.IsZero() {
		s.to = min(s.to, firstID(to.Add(clockSlack)))
		f.add(column+" < ?", ms(to))
	}
	return s, nil
}

// queryTable is where a list comes from.
type queryTable struct {
	database *database
	name     string // of the table
	from     string // SELECT … FROM …
}

func (t queryTable) id() string { return t.name + ".id" }

// pagedList takes the rows of a page, newest first: n of them, and a look at whether
// there is one more. scan gives the row's id, with errUnseen where it isn't taken.
type pagedList struct {
	n, count int
	last     int64 // id of the newest taken
	seen     int64 // id of the newest read
	next     string
	scan     func(rowScanner) (int64, error)
}

func (l *pagedList) take(r rowScanner) error {
	if l.count == l.n {
		l.count, l.next = l.count+1, cursorOf(l.last)
		return nil
	}
	id, err := l.scan(r)
	l.seen = id
	if errors.Is(err, errUnseen) {
		return nil
	}
	if err == nil { // a row that came as the time was up is not taken
		l.count, l.last = l.count+1, id
	}
	return err
}

// errUnseen says of a row that a reader wouldn't find in it what was asked for.
var errUnseen = errors.New("store: the row doesn't show what was asked for")

// page reads a page out of a span and gives the cursor of the next.
func (t queryTable) page(ctx context.Context, f *filter, s timeSpan, n int, scan func(rowScanner) (int64, error)) (next string, err error) {
	l := &pagedList{n: n, scan: scan}
	err = t.fill(ctx, f, s, l)
	return l.next, err
}

// fill reads until the page is full or the span is searched: rows that aren't
// shown take no room in it.
func (t queryTable) fill(ctx context.Context, f *filter, s timeSpan, l *pagedList) error {
	for {
		clause, args := f.where(t.id(), s.from, s.to)
		room, read := l.n+1-l.count, 0
		err := t.database.read(ctx, "reading the "+t.name, t.from+clause+" ORDER BY "+t.id()+" DESC LIMIT ?", append(args, room), func(r rowScanner) error {
			read++
			return l.take(r)
		})
		if err != nil || read < room || l.next != "" {
			return err
		}
		s.to = l.seen
	}
}

// like makes a pattern of a substring, whatever characters it has. Both sides
// are lowered: engines differ in what LIKE thinks of case.
func like(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(s)) + "%"
}

// placeholders are n parameters: ?, ?, ?.
func placeholders(n int) string { return strings.Join(slices.Repeat([]string{"?"}, n), ", ") }
