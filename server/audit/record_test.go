package audit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/audit"
	"parley/server/fault"
	"parley/server/store"
	"parley/shared/rest"
)

// put is a change that is seen when it was made.
func put(value string) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		_, err := tx.PutSettings(0, map[string]json.RawMessage{"max_sessions": json.RawMessage(value)})
		return err
	}
}

func (r *rig) kept() string {
	r.t.Helper()
	_, values, err := r.store.Settings(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return string(values["max_sessions"])
}

func TestALineIsFilledIn(t *testing.T) {
	r := newRig(t)
	if err := r.Record(t.Context(), rest.AuditEntry{
		ID: 7, Seq: 7, PrevHash: "made up", Hash: "made up", Action: rest.AuditView, Details: map[string]any{"rows": 3},
	}); err != nil {
		t.Fatal(err)
	}
	if err := r.Record(t.Context(), rest.AuditEntry{
		Action: rest.AuditDenied, Outcome: audit.Denied, Node: "n9", T: noon.Add(-time.Hour + time.Nanosecond),
	}); err != nil {
		t.Fatal(err)
	}
	got := r.entries()
	want := []rest.AuditEntry{
		{Seq: 1, T: noon, Action: rest.AuditView, Outcome: audit.Done, Node: "n1", Details: map[string]any{"rows": json.Number("3")}},
		{Seq: 2, T: noon.Add(-time.Hour), Action: rest.AuditDenied, Outcome: audit.Denied, Node: "n9", PrevHash: got[0].Hash},
	}
	for i := range want {
		want[i].ID, want[i].Hash = got[i].ID, audit.Seal(want[i].PrevHash, got[i])
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestAChangeAndItsLineAreOne(t *testing.T) {
	refused := errors.New("refused")
	line := rest.AuditEntry{Action: rest.AuditSettings}
	for name, c := range map[string]struct {
		e      rest.AuditEntry
		change func(*store.Tx) error
		want   error
		lines  int
		kept   string
	}{
		"a change":                  {line, put("7"), nil, 1, "7"},
		"no change":                 {line, nil, nil, 1, ""},
		"one that refuses":          {line, func(tx *store.Tx) error { return errors.Join(put("7")(tx), refused) }, refused, 0, ""},
		"one that comes too late":   {line, func(tx *store.Tx) error { return errors.Join(put("7")(tx), put("8")(tx)) }, fault.Conflict, 0, ""},
		"a line that can't be kept": {rest.AuditEntry{Details: map[string]any{"f": func() {}}}, put("7"), audit.ErrDetails, 0, ""},
		"details that are too long": {rest.AuditEntry{Details: details(t, audit.MaxDetails+1)}, put("7"), audit.ErrDetails, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if err := r.Change(t.Context(), c.e, c.change); !errors.Is(err, c.want) || errors.Is(err, fault.Unrecorded) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if got := r.entries(); len(got) != c.lines || r.kept() != c.kept {
				t.Errorf("%d lines, %q kept", len(got), r.kept())
			}
		})
	}
}

// details are exactly so many bytes long as JSON.
func details(t *testing.T, bytes int) map[string]any {
	t.Helper()
	const piece = 1000
	var list []string
	size := func() int {
		text, err := json.Marshal(map[string]any{"x": list})
		if err != nil {
			t.Fatal(err)
		}
		return len(text)
	}
	for list = []string{""}; size()+2*piece < bytes; {
		list = append(list, strings.Repeat("x", piece))
	}
	list[0] = strings.Repeat("x", bytes-size())
	if size() != bytes {
		t.Fatalf("%d bytes", size())
	}
	return map[string]any{"x": list}
}

func TestDetailsHaveALimit(t *testing.T) {
	r := newRig(t)
	if err := r.Record(t.Context(), rest.AuditEntry{Details: details(t, audit.MaxDetails)}); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if err := r.Record(t.Context(), rest.AuditEntry{Details: details(t, audit.MaxDetails+1)}); !errors.Is(err, audit.ErrDetails) {
		t.Errorf("beyond the limit: %v", err)
	}
}

// Whoever holds the file, whatever is in it: within two seconds there is an
// answer, and nothing has happened.
func TestFailsClosed(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(t *testing.T, r *rig) (heal func())
		over bool // by the time that a second one asks
	}{
		"the lock is held": {func(t *testing.T, r *rig) func() {
			db := raw(t, r.dir)
			if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
				t.Fatal(err)
			}
			return func() { db.Close() }
		}, false},
		"the file is gone": {func(t *testing.T, r *rig) func() {
			path := filepath.Join(r.dir, "control.db")
			if err := os.Rename(path, path+".away"); err != nil {
				t.Fatal(err)
			}
			return func() { os.Rename(path+".away", path) }
		}, false},
		"another file is in its place": {func(t *testing.T, r *rig) func() {
			path := filepath.Join(r.dir, "control.db")
			if err := errors.Join(os.Rename(path, path+".away"), os.WriteFile(path, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			return func() { os.Rename(path+".away", path) }
		}, false},
		"the disk is full": {func(t *testing.T, r *rig) func() { return fill(t) }, false},
		"the table refuses": {func(t *testing.T, r *rig) func() {
			tamper(t, r.dir, "CREATE TRIGGER no BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END")
			return func() { tamper(t, r.dir, "DROP TRIGGER no") }
		}, false},
		"another transaction takes too long": {func(t *testing.T, r *rig) func() { return occupy(r) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.record(1)
			heal := sync.OnceFunc(c.harm(t, r))
			defer heal()
			begun := time.Now()
			err := r.Change(t.Context(), rest.AuditEntry{Action: rest.AuditSettings}, put("7"))
			if took := time.Since(begun); took > audit.DefaultTimeout+100*time.Millisecond { // the answer's own way
				t.Errorf("took %v", took)
			}
			if !errors.Is(err, fault.Unrecorded) {
				t.Errorf("%v", err)
			}
			if !c.over {
				if err := r.Record(t.Context(), rest.AuditEntry{Action: rest.AuditView}); !errors.Is(err, fault.Unrecorded) {
					t.Errorf("a look: %v", err)
				}
			}
			heal()
			if got := len(r.entries()); got != 1 || r.kept() != "" {
				t.Errorf("%d lines, %q kept", got, r.kept())
			}
			if err := r.Change(t.Context(), rest.AuditEntry{}, put("8")); err != nil || r.kept() != "8" {
				t.Errorf("healed, but %v, %q kept", err, r.kept())
			}
			if at := r.broken(); at != 0 {
				t.Errorf("chain broken at %d", at)
			}
		})
	}
}

// occupy holds the store's only writer.
func occupy(r *rig) (free func()) {
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		refuse := errors.New("gave way")
		_, _ = r.store.AppendAudit(r.t.Context(), rest.AuditEntry{}, audit.Seal, func(*store.Tx) error {
			close(held)
			<-hold
			return refuse
		})
	})
	<-held
	return func() { close(hold); wg.Wait() }
}

func TestParallelLinesHaveNoGaps(t *testing.T) {
	const writers, each = 8, 25
	r := newRig(t)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				var err error
				if i%5 == 0 {
					err = r.Change(t.Context(), rest.AuditEntry{Actor: fmt.Sprint(w)}, func(*store.Tx) error { return errGaveWay })
				} else {
					err = r.Record(t.Context(), rest.AuditEntry{Actor: fmt.Sprint(w), Details: map[string]any{"rows": i}})
				}
				if (i%5 == 0) != errors.Is(err, errGaveWay) || err != nil && i%5 != 0 {
					t.Error(err)
				}
			}
		})
	}
	for range 20 { // who looks meanwhile sees a whole chain
		if at := r.broken(); at != 0 {
			t.Errorf("broken at %d", at)
		}
	}
	all.Wait()
	if at := r.broken(); at != 0 || r.Chain().CheckedTo != writers*each*4/5 {
		t.Errorf("broken at %d, %+v", at, r.Chain())
	}
}

var errGaveWay = errors.New("gave way")

func TestCommitsAreObserved(t *testing.T) {
	type commit struct {
		took   time.Duration
		failed bool
	}
	var seen []commit
	r := newRig(t, func(c *audit.Config[*store.Tx]) {
		c.Observe = func(took time.Duration, err error) { seen = append(seen, commit{took, err != nil}) }
	})
	r.record(1)
	if err := r.Change(t.Context(), rest.AuditEntry{}, func(*store.Tx) error { return errGaveWay }); !errors.Is(err, errGaveWay) {
		t.Fatal(err)
	}
	if len(seen) != 2 || seen[0].failed || !seen[1].failed || seen[0].took <= 0 {
		t.Errorf("%+v", seen)
	}
}

func BenchmarkRecord(b *testing.B) {
	r := newRig(b)
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		begun := time.Now()
		err := r.Record(b.Context(), rest.AuditEntry{
			Actor: "ada", Remote: "203.0.113.7", Action: rest.AuditView, Target: "logs", RequestID: "req_1",
			Details: map[string]any{"resource": "logs", "filters": map[string]any{"status": "5xx"}, "rows": 100},
		})
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	report(b, took)
}
