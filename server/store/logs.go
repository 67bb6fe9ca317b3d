package store

import (
	"context"
	"database/sql"
	"math"
	"strconv"
	"strings"
	"sync"

	"parley/server/fault"
	"parley/shared/rest"
)

// maxPersons bounds the persons whose numbers are remembered.
const maxPersons = 20_000

var logColumns = []string{
	"id", "t", "kind", "method", "path", "route", "status", "duration_us", "person_id", "org",
	"remote", "session", "request_id", "node", "bytes", "user_agent", "code", "count",
}

// persons remembers the numbers of persons that lines were added of.
type persons struct {
	mu  sync.Mutex
	ids map[person]int64
}

// person is a caller as one line shows them.
type person struct{ key, shown string }

func (p *persons) known(who person) (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, ok := p.ids[who]
	return id, ok
}

func (p *persons) remember(fresh map[person]int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ids == nil || len(p.ids)+len(fresh) > maxPersons {
		p.ids = map[person]int64{}
	}
	for who, id := range fresh {
		p.ids[who] = id
	}
}

// forget is called by whoever holds the writer and deletes persons.
func (p *persons) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ids = nil
}

// AppendLogs adds lines to the access log, all in one transaction: one sync to
// the disk however many there are. An entry without an ID is given one.
func (s *Store) AppendLogs(ctx context.Context, entries []rest.LogEntry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := s.space.checkRoom(ctx); err != nil {
		return err
	}
	if s.isShared { // another node may delete persons, too
		s.persons.forget()
	}
	fresh := map[person]int64{}
	err := s.telemetry.write(ctx, "adding to the access log", func(ctx context.Context, tx *sql.Tx) error {
		return s.insertLogs(ctx, tx, entries, fresh)
	})
	if err == nil && len(fresh) > 0 {
		s.persons.remember(fresh)
	}
	return err
}

func (s *Store) insertLogs(ctx context.Context, tx *sql.Tx, entries []rest.LogEntry, fresh map[person]int64) error {
	values := make([]any, 0, len(entries)*len(logColumns))
	for i := range entries {
		e := &entries[i]
		who, err := s.personID(ctx, tx, person{e.UserKey, e.User}, fresh)
		if err != nil {
			return err
		}
		if e.ID == 0 {
			e.ID = s.ids.next()
		}
		values = append(values, e.ID, ms(e.T), string(e.Kind), e.Method, e.Path, e.Route, e.Status,
			int64(math.Round(e.DurationMS*1000)), who, orNull(e.Org),
			e.Remote, orNull(e.Session), e.RequestID, e.Node, e.Bytes, e.UserAgent, e.Code, e.Count)
	}
	return s.bulk.insertLogs(ctx, tx, values)
}

func (s *Store) personID(ctx context.Context, tx *sql.Tx, p person, fresh map[person]int64) (any, error) {
	if p == (person{}) {
		return nil, nil
	}
	if id, ok := s.persons.known(p); ok {
		return id, nil
	}
	if id, ok := fresh[p]; ok {
		return id, nil
	}
	var id int64
	err := tx.QueryRowContext(ctx, `INSERT INTO person (user_key, user_shown) VALUES (?, ?)
		ON CONFLICT (user_key, user_shown) DO UPDATE SET user_key = excluded.user_key RETURNING id`, p.key, p.shown).Scan(&id)
	if err != nil {
		return nil, err
	}
	fresh[p] = id
	return id, nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Logs gives a page of the access log and the cursor of the next. A search that
// finds little looks back for about a second: then the page is short, but has a
// cursor from which the search goes on. Only an empty cursor is the end.
func (s *Store) Logs(ctx context.Context, q rest.LogQuery) ([]rest.LogEntry, string, error) {
	var f filter
	ids, err := f.between("log.t", q.From, q.To, q.Cursor)
	if err == nil {
		err = f.lines(q)
	}
	if err != nil {
		return nil, "", err
	}
	if q.UserKey != "" || q.User != "" {
		known, err := s.filterPerson(ctx, &f, q)
		if err != nil || !known {
			return []rest.LogEntry{}, "", err
		}
	}
	entries := make([]rest.LogEntry, 0, limit(q.Limit))
	next, err := s.logTable().walk(ctx, &f, ids, limit(q.Limit), func(r rowScanner) (int64, error) {
		e, err := scanLog(r)
		if err != nil {
			return 0, err
		}
		maskLog(s.mask, &e)
		if !isShown(&e, q) {
			return e.ID, errUnseen
		}
		entries = append(entries, e)
		return e.ID, nil
	})
	return entries, next, err
}

// lines adds the conditions of a query but those on time and person. Beside an
// index that holds only part of the lines stands the condition that says which.
func (f *filter) lines(q rest.LogQuery) error {
	f.is("log.session", q.Session)
	f.is("log.org", q.Org)
	f.is("log.node", q.Node)
	if q.LeastMS > 0 {
		f.add("log.duration_us >= ?", int64(q.LeastMS)*1000)
	}
	if q.Method != "" {
		f.is("log.method", q.Method)
		f.partial(q.Method, "log.method <> 'GET'", "GET")
	}
	if q.Kind != "" {
		f.is("log.kind", string(q.Kind))
		f.partial(string(q.Kind), "log.kind <> 'api'", "api")
	}
	if begin, ok := strings.CutSuffix(q.Path, "*"); ok {
		if !strings.Contains(begin, maskSign) {
			f.add("substr(log.path, 1, ?) = ?", len([]rune(begin)), begin)
		}
	} else if !strings.Contains(q.Path, maskSign) {
		f.is("log.path", q.Path)
	}
	if q.Q != "" && !strings.Contains(q.Q, maskSign) {
		f.add(`lower(log.path || ' ' || coalesce(person.user_shown, '') || ' ' || log.remote || ' ' || log.user_agent || ' ' ||
			log.request_id || ' ' || log.code) LIKE ? ESCAPE '\'`, like(q.Q))
	}
	return f.status(q.Status)
}

// maskSign is in every mask. Who searches for it searches for what is shown, which
// is not what was kept where the row is of a time without masks.
const maskSign = "•"

// isShown reports whether what a reader sees of a line has the texts that were asked
// for. A line of a time when privacy mode was off has more in it: who could search
// that could guess it, letter by letter.
func isShown(e *rest.LogEntry, q rest.LogQuery) bool {
	if begin, ok := strings.CutSuffix(q.Path, "*"); ok && !strings.HasPrefix(e.Path, begin) || !ok && q.Path != "" && e.Path != q.Path {
		return false
	}
	text := strings.ToLower(strings.Join([]string{e.Path, e.User, e.Remote, e.UserAgent, e.RequestID, e.Code}, " "))
	return strings.Contains(text, strings.ToLower(q.Q))
}

func (f *filter) partial(value, cond, most string) {
	if value != most {
		f.add(cond)
	}
}

func (f *filter) status(status string) error {
	if status == "" {
		return nil
	}
	class, isClass := strings.CutSuffix(status, "xx")
	n, err := strconv.Atoi(class)
	if err != nil || isClass && (n < 1 || n > 5) || !isClass && (n < 100 || n > 599) {
		return &fault.BadField{Field: "status", Detail: "Use 100 to 599, or a class: 4xx."}
	}
	if isClass {
		f.add("log.status / 100 = ?", n)
		f.partial(class, "log.status / 100 <> 2", "2")
		return nil
	}
	f.add("log.status = ?", n)
	f.partial(class, "log.status <> 200", "200")
	return nil
}

// maxShown bounds the persons that one mask can stand for in a filter.
const maxShown = 50

// filterPerson adds who is asked for; false if nobody here was ever that.
func (s *Store) filterPerson(ctx context.Context, f *filter, q rest.LogQuery) (bool, error) {
	var found []any
	err := s.telemetry.read(ctx, "finding a person",
		"SELECT id FROM person WHERE user_key = ? UNION SELECT id FROM person WHERE user_shown = ? LIMIT ?",
		[]any{orNull(q.UserKey), orNull(q.User), maxShown}, func(r rowScanner) error {
			var id int64
			err := r.Scan(&id)
			found = append(found, id)
			return err
		})
	if len(found) == 1 { // with IN, engines sort what = gives in order
		f.add("log.person_id = ?", found[0])
	} else {
		f.add("log.person_id IN ("+placeholders(len(found))+")", found...)
	}
	return len(found) > 0, err
}

func (s *Store) logTable() queryTable {
	return queryTable{database: s.telemetry, name: "log", from: `SELECT log.id, log.t, log.kind, log.method,
		log.path, log.route, log.status, log.duration_us, coalesce(person.user_key, ''), coalesce(person.user_shown, ''),
		coalesce(log.org, ''), log.remote, coalesce(log.session, ''), log.request_id, log.node, log.bytes, log.user_agent, log.code, log.count
		FROM log LEFT JOIN person ON person.id = log.person_id`}
}

func scanLog(r rowScanner) (e rest.LogEntry, err error) {
	var t, us int64
	err = r.Scan(&e.ID, &t, &e.Kind, &e.Method, &e.Path, &e.Route, &e.Status, &us, &e.UserKey, &e.User,
		&e.Org, &e.Remote, &e.Session, &e.RequestID, &e.Node, &e.Bytes, &e.UserAgent, &e.Code, &e.Count)
	e.T, e.DurationMS = fromMS(t), float64(us)/1000
	return e, err
}
