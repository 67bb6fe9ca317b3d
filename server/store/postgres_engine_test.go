package store_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/fault"
	"parley/server/store"
	"parley/server/store/postgres"
	"parley/shared/rest"
)

func openDatabase(t *testing.T, a postgres.Address) *store.Store {
	t.Helper()
	s, err := store.OpenPostgres(t.Context(), a, store.Options{Node: "n1"})
	must(t, err)
	return s
}

func TestOneServerHasADatabase(t *testing.T) {
	a := newDatabase(t)
	first := openDatabase(t, a)
	short, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := store.OpenPostgres(short, a, store.Options{}); !errors.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "another server") {
		t.Errorf("a second one: %v", err)
	}
	if _, err := first.AppendAudit(t.Context(), rest.AuditEntry{Actor: "ada"}, seal, nil); err != nil {
		t.Error(err)
	}
	l, err := store.OpenPostgresAuditReader(t.Context(), a) // reading is another matter
	must(t, err)
	if last, err := checkChain(t.Context(), l); err != nil || last != 1 {
		t.Errorf("%d lines, %v", last, err)
	}
	must(t, l.Close())
	must(t, first.Close())
	must(t, openDatabase(t, a).Close())
}

// While it is away nothing is promised; when it is back, all is well by itself, and all
// that was promised is there.
func TestADatabaseThatGoesAwayAndComesBack(t *testing.T) {
	s := openDatabase(t, newDatabase(t))
	defer func() { must(t, s.Close()) }()
	must(t, fill(t.Context(), s, 3))
	must(t, s.Healthy(t.Context()))
	must(t, cluster.Stop(true))
	for range 2 {
		if _, err := s.AppendAudit(t.Context(), rest.AuditEntry{}, seal, nil); !errors.Is(err, fault.Unavailable) {
			t.Errorf("audit: %v", err)
		}
	}
	if err := s.AppendLogs(t.Context(), []rest.LogEntry{{}}); !errors.Is(err, fault.Unavailable) {
		t.Errorf("logs: %v", err)
	}
	if _, _, err := s.Logs(t.Context(), rest.LogQuery{}); !errors.Is(err, fault.Unavailable) {
		t.Errorf("reading: %v", err)
	}
	waitFor(t, "it is told to be away", func() bool { return errors.Is(s.Healthy(t.Context()), fault.Unavailable) })
	must(t, cluster.Resume())
	waitFor(t, "it is well again", func() bool { return s.Healthy(t.Context()) == nil })
	must(t, fill(t.Context(), s, 2))
	if last, err := checkChain(t.Context(), s); err != nil || last != 5 {
		t.Errorf("%d lines, %v", last, err)
	}
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(20 * time.Millisecond) { // the rhythm of looking
		if time.Since(began) > time.Minute {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func TestMigrationsWaitForEachOther(t *testing.T) {
	newDatabase(t) // has the cluster running
	must(t, cluster.Do("postgres", "CREATE DATABASE together"))
	a, err := postgres.ParseAddress(cluster.Address("together"))
	must(t, err)
	var all sync.WaitGroup
	results := make([]error, 4)
	for i := range results {
		all.Go(func() {
			s, err := store.OpenPostgres(t.Context(), a, store.Options{})
			if results[i] = err; err == nil {
				results[i] = s.Close()
			}
		})
	}
	all.Wait()
	served := 0
	for _, err := range results {
		if err == nil {
			served++
		} else if !strings.Contains(err.Error(), "another server") { // whose turn to serve didn't come
			t.Error(err)
		}
	}
	if served == 0 {
		t.Errorf("none: %v", results)
	}
}

func TestSchemasOfBothEnginesAreTheSame(t *testing.T) {
	lite, err := store.Open(t.Context(), t.TempDir(), store.Options{})
	must(t, err)
	defer func() { must(t, lite.Close()) }()
	s := openDatabase(t, newDatabase(t))
	defer func() { must(t, s.Close()) }()
	want, err := lite.Texts(t.Context(), `SELECT m.name || '.' || p.name || ' ' ||
		CASE WHEN p."notnull" OR p.pk THEN 'not null' ELSE 'null' END FROM sqlite_schema m, pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'goose_db_version'`)
	must(t, err)
	got, err := s.Texts(t.Context(), `SELECT table_name || '.' || column_name || ' ' || CASE is_nullable WHEN 'NO' THEN 'not null' ELSE 'null' END
		FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT IN ('goose_db_version', 'erased') AND table_name !~ '_d[0-9]+$'`)
	must(t, err)
	slices.Sort(want)
	slices.Sort(got)
	if !reflect.DeepEqual(got, want) || len(got) < 100 {
		t.Errorf("PostgreSQL has\n%s\nSQLite has\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	versions := "SELECT '' || max(version_id) FROM goose_db_version"
	want, err = lite.Texts(t.Context(), versions)
	must(t, err)
	if got, err := s.Texts(t.Context(), versions); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("versions %v and %v, %v", got, want, err)
	}
}

func TestNoAuditLineInPostgreSQLIsChangedByAnybody(t *testing.T) {
	s := openDatabase(t, newDatabase(t))
	defer func() { must(t, s.Close()) }()
	for range 5 {
		_, err := s.AppendAudit(t.Context(), rest.AuditEntry{Actor: "ada"}, seal, nil)
		must(t, err)
	}
	for name, query := range map[string]string{
		"change":              "UPDATE audit SET actor = 'eve' WHERE seq = 3",
		"delete":              "DELETE FROM audit WHERE seq = 3",
		"delete the last":     "DELETE FROM audit WHERE seq = 5",
		"truncate":            "TRUNCATE audit",
		"a gap":               "INSERT INTO audit SELECT id + 1000000, 7, t, actor, actor_org, org, remote, action, target, outcome, reason, request_id, node, details, prev_hash, hash FROM audit WHERE seq = 5",
		"anchor without hash": "UPDATE audit_anchor SET seq = 3",
		"anchor past the end": "UPDATE audit_anchor SET seq = 5, hash = (SELECT hash FROM audit WHERE seq = 5)",
		"no anchor":           "DELETE FROM audit_anchor",
		"another anchor":      "INSERT INTO audit_anchor VALUES (1, 3, '') ON CONFLICT (one) DO UPDATE SET seq = 3",
		"no anchors":          "TRUNCATE audit_anchor",
	} {
		if err := s.Write(t.Context(), false, query); err == nil || errors.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if last, err := checkChain(t.Context(), s); err != nil || last != 5 {
		t.Errorf("%d lines, %v", last, err)
	}
}

// What is past its time, and what is of a person who is erased, is in no table's file
// anymore.
func TestDeletedRowsAreOffTheDisk(t *testing.T) {
	r := &rig{t: t}
	a := newDatabase(t)
	r.open = func(o store.Options) (*store.Store, error) { return store.OpenPostgres(t.Context(), a, o) }
	r.set(noon)
	r.start()
	defer r.stop()
	lines := func(mark string) {
		for range 40 {
			r.logs(rest.LogEntry{User: mark, UserKey: "key-" + mark, UserAgent: strings.Repeat(mark, 9)})
		}
	}
	lines("mark-of-old")
	r.pass(48 * time.Hour)
	lines("mark-of-person")
	lines("mark-that-stays")
	got, err := r.Retain(t.Context(), store.Before{Logs: r.now().Add(-24 * time.Hour)})
	if err != nil || got.Logs != 40 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := r.ErasePerson(t.Context(), rest.PersonRef{UserKey: "key-mark-of-person", Shown: "mark-of-person"}); err != nil {
		t.Error(err)
	}
	must(t, r.EraseDeleted(t.Context()))
	must(t, cluster.Do("postgres", "CHECKPOINT"))
	for mark, want := range map[string]bool{"mark-of-old": false, "mark-of-person": false, "mark-that-stays": true} {
		if is := isInFiles(t, cluster.TableFiles(), mark); is != want {
			t.Errorf("%s is there: %v", mark, is)
		}
	}
	if left, _, err := r.Logs(t.Context(), rest.LogQuery{Limit: 100}); err != nil || len(left) != 40 {
		t.Errorf("%d lines, %v", len(left), err)
	}
}

func isInFiles(t *testing.T, dir, mark string) (found bool) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		page, err := os.ReadFile(path)
		found = found || bytes.Contains(page, []byte(mark))
		return err
	}))
	return found
}

// The access log keeps to its size, in which the room of deleted lines counts for nothing.
func TestTheAccessLogInPostgreSQLKeepsToItsSize(t *testing.T) {
	s := openDatabase(t, newDatabase(t))
	defer func() { must(t, s.Close()) }()
	group := make([]rest.LogEntry, 1000)
	for i := range group {
		group[i] = rest.LogEntry{T: time.Now(), UserAgent: strings.Repeat("x", 300)}
	}
	for range 4 {
		must(t, s.AppendLogs(t.Context(), slices.Clone(group)))
	}
	const limit = 1 << 20
	for range 5 { // deleting, and then giving the room back
		_, err := s.TrimLogs(t.Context(), limit)
		must(t, err)
	}
	n, err := s.TrimLogs(t.Context(), limit)
	left, _, readErr := s.Logs(t.Context(), rest.LogQuery{Limit: 200})
	if err := errors.Join(err, readErr); err != nil || n != 0 || len(left) != 200 {
		t.Errorf("%d went in the end, %d are there, %v", n, len(left), err)
	}
}

// Who can't be let in is told what to do.
func TestWhatToDoAboutADatabase(t *testing.T) {
	newDatabase(t)
	must(t, cluster.Do("postgres", "CREATE ROLE humble LOGIN"))
	for address, part := range map[string]string{
		cluster.Address("nowhere"):                                          "createdb",
		cluster.AddressOf("stranger", "postgres"):                           "pg_hba.conf",
		cluster.AddressOf("humble", "postgres"):                             "GRANT CREATE ON DATABASE",
		"postgres://parley@/postgres?host=" + t.TempDir():                   "look whether it runs",
		cluster.Address("postgres") + "&options=-csynchronous_commit%3Doff": "SET synchronous_commit = on",
	} {
		a, err := postgres.ParseAddress(address)
		must(t, err)
		s, err := store.OpenPostgres(t.Context(), a, store.Options{})
		if err == nil {
			err = errors.Join(errors.New("opened"), s.Close())
		}
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
