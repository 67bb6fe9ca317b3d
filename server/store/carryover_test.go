package store_test

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/server/fault"
	"parley/server/store"
	"parley/server/store/postgres"
	"parley/shared/rest"
)

// filledFiles opens a store in files that has something in every table: an audit log whose
// first lines are gone by retention, lines of two days, people, and what is made up.
func filledFiles(t *testing.T) *rig {
	r := &rig{t: t}
	dir := t.TempDir()
	r.open = func(o store.Options) (*store.Store, error) { return store.Open(t.Context(), dir, o) }
	r.set(noon)
	r.start()
	t.Cleanup(r.stop)
	must(t, fill(t.Context(), r.Store, 5))
	r.pass(48 * time.Hour)
	for range 4 {
		r.audit(rest.AuditEntry{T: r.now(), Actor: "ada", Details: map[string]any{"max_sessions": 7.5, "ü": "\"x\""}}, nil)
	}
	_, err := r.RetainAudit(t.Context(), r.now().Add(-time.Hour), rest.AuditEntry{T: r.now(), Actor: "system"}, seal)
	must(t, err)
	r.logs(rest.LogEntry{User: "ann", UserKey: "k", Path: "/a\x00b\xff"}, rest.LogEntry{User: "bob", UserKey: "l"})
	r.pass(24 * time.Hour)
	r.logs(rest.LogEntry{User: "ann", UserKey: "k"})
	must(t, r.SessionStarted(t.Context(), begun("s_1")))
	must(t, r.SessionEnded(t.Context(), over("s_1")))
	must(t, r.FillTables(t.Context()))
	return r
}

func carriedTo(t *testing.T, r *rig, a postgres.Address) (map[string]int64, error) {
	t.Helper()
	told := make(map[string]int64)
	err := r.CarryOver(t.Context(), a, func(table string, rows int64) { told[table] += rows })
	return told, err
}

func TestARecordIsCarriedOverWhole(t *testing.T) {
	r, a := filledFiles(t), newDatabase(t)
	want, err := r.Dump(t.Context(), r.Store)
	must(t, err)
	told, err := carriedTo(t, r, a)
	must(t, err)
	s := openDatabase(t, a)
	defer func() { must(t, s.Close()) }()
	got, err := s.Dump(t.Context(), r.Store)
	must(t, err)
	if !reflect.DeepEqual(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) || len(got) < 20 {
		t.Fatalf("tables %v", slices.Sorted(maps.Keys(got)))
	}
	for table, rows := range want {
		if len(rows) == 0 || !reflect.DeepEqual(got[table], rows) {
			t.Errorf("%s has\n%s\ninstead of\n%s", table, got[table], rows)
		}
	}
	if told["session"] != int64(len(want["control.session"])) || told["log"] != int64(len(want["telemetry.log"])) {
		t.Errorf("told %v", told)
	}
	last := r.chain()
	if there, err := checkChain(t.Context(), s); err != nil || there != last || last != 10 {
		t.Errorf("%d audit lines, %v; here %d", there, err, last)
	}
	goesOn(t, s, last)
}

// goesOn holds what only shows when something is added.
func goesOn(t *testing.T, s *store.Store, last int64) {
	t.Helper()
	next, err := s.AppendAudit(t.Context(), rest.AuditEntry{Actor: "eve"}, seal, nil)
	if err != nil || next.Seq != last+1 {
		t.Errorf("the next line is %d, %v", next.Seq, err)
	}
	if err := s.Write(t.Context(), false, "UPDATE audit SET actor = 'eve'"); err == nil || errors.Is(err, fault.Unavailable) {
		t.Errorf("a line is changed: %v", err)
	}
	must(t, s.AppendLogs(t.Context(), []rest.LogEntry{{T: time.Now(), User: "a new one", UserKey: "m"}}))
	lines, _, err := s.Logs(t.Context(), rest.LogQuery{Limit: 1})
	if err != nil || len(lines) != 1 || lines[0].User != "a new one" {
		t.Errorf("the newest line is %+v, %v", lines, err)
	}
}

// TestARecordIsCarriedOverOnce: again the same is the same, what else is there is refused,
// and nothing comes of what breaks off.
func TestARecordIsCarriedOverOnce(t *testing.T) {
	r, a := filledFiles(t), newDatabase(t)
	must(t, cluster.Do(nameOf(a), "ALTER TABLE parley_telemetry.turn ADD CONSTRAINT late CHECK (session = '')"))
	if _, err := carriedTo(t, r, a); err == nil {
		t.Error("the last table can't be loaded")
	}
	must(t, cluster.Do(nameOf(a), "ALTER TABLE parley_telemetry.turn DROP CONSTRAINT late"))
	first, err := carriedTo(t, r, a)
	must(t, err)
	again, err := carriedTo(t, r, a)
	if err != nil || !reflect.DeepEqual(again, first) {
		t.Errorf("again: %v, %v", again, err)
	}
	r.logs(rest.LogEntry{User: "ann", UserKey: "k"})
	if _, err := carriedTo(t, r, a); !errors.Is(err, store.ErrNotEmpty) || !strings.Contains(err.Error(), "createdb") {
		t.Errorf("over an older copy: %v", err)
	}
	other := newDatabase(t)
	s := openDatabase(t, other)
	_, err = s.AppendAudit(t.Context(), rest.AuditEntry{Actor: "eve"}, seal, nil)
	must(t, err)
	if _, err := carriedTo(t, r, other); !errors.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "another server") {
		t.Errorf("beside a server: %v", err)
	}
	must(t, s.Close())
	if _, err := carriedTo(t, r, other); !errors.Is(err, store.ErrNotEmpty) {
		t.Errorf("over another's record: %v", err)
	}
}

func nameOf(a postgres.Address) string {
	return a.String()[strings.LastIndex(a.String(), "/")+1:]
}

// TestAnAuditLineThatPostgreSQLCantHold, of a version that kept bytes as they came, is not
// made into another.
func TestAnAuditLineThatPostgreSQLCantHold(t *testing.T) {
	r := filledFiles(t)
	must(t, r.Write(t.Context(), false, `INSERT INTO audit SELECT id + 1, seq + 1, t, CAST(x'61ff' AS TEXT), actor_org, org, remote, action, target,
		outcome, reason, request_id, node, details, prev_hash, hash FROM audit ORDER BY seq DESC LIMIT 1`))
	if _, err := carriedTo(t, r, newDatabase(t)); err == nil || !strings.Contains(err.Error(), "line 11 of the audit log has characters in actor") {
		t.Errorf("%v", err)
	}
}
