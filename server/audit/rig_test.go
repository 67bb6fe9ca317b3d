package audit_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/audit"
	"parley/server/privacy"
	"parley/server/store"
	"parley/shared/rest"
)

// noon is when tests begin.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// rig is an audit log on a real store, with a clock of the test's.
type rig struct {
	*audit.Log[*store.Tx]
	store   *store.Store
	privacy *privacy.Privacy
	dir     string
	t       testing.TB
	clock   atomic.Int64
}

func newRig(t testing.TB, change ...func(*audit.Config[*store.Tx])) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir()}
	r.clock.Store(noon.UnixMilli())
	mask, err := privacy.New(privacy.Config{On: true})
	if err != nil {
		t.Fatal(err)
	}
	r.privacy = mask
	r.start(change...)
	t.Cleanup(r.stop)
	return r
}

func (r *rig) now() time.Time { return time.UnixMilli(r.clock.Load()).UTC() }

func (r *rig) pass(d time.Duration) { r.clock.Add(d.Milliseconds()) }

// start opens the store and the log as a server does, with the head of its
// directory.
func (r *rig) start(change ...func(*audit.Config[*store.Tx])) {
	r.t.Helper()
	s, err := store.Open(context.Background(), r.dir, store.Options{Node: "n1", Now: r.now})
	if err != nil {
		r.t.Fatal(err)
	}
	file := audit.HeadIn(r.dir)
	checkpoint, err := file.Load()
	if err != nil {
		r.t.Fatal(err)
	}
	cfg := audit.Config[*store.Tx]{Store: s, Mask: r.privacy, Node: "n1", Now: r.now, Checkpoint: checkpoint, SaveCheckpoint: file.Save}
	for _, f := range change {
		f(&cfg)
	}
	r.store, r.Log = s, audit.New(cfg)
}

// stop may be called twice.
func (r *rig) stop() {
	r.t.Helper()
	if r.store == nil {
		return
	}
	if err := r.Log.Close(); err != nil {
		r.t.Error(err)
	}
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
	r.store = nil
}

func (r *rig) record(n int) {
	r.t.Helper()
	for i := range n {
		r.pass(time.Second)
		err := r.Record(r.t.Context(), rest.AuditEntry{
			Actor: "ada", ActorOrg: "acme", Org: "zeta", Remote: "203.0.113.7", Action: rest.AuditView, Target: "sess",
			Reason: "a look", RequestID: "req", Details: map[string]any{"ids": []string{fmt.Sprint("s", i)}, "rows": i},
		})
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

// entries are all lines, oldest first.
func (r *rig) entries() (all []rest.AuditEntry) {
	r.t.Helper()
	err := r.store.AuditAll(r.t.Context(), 1, func(e rest.AuditEntry) error {
		all = append(all, e)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// broken verifies and gives the first line that doesn't fit.
func (r *rig) broken() int64 {
	r.t.Helper()
	chain, err := r.Verify(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	if chain.Intact != (chain.BrokenAt == 0) {
		r.t.Fatalf("%+v", chain)
	}
	return chain.BrokenAt
}

// raw opens the file itself, as somebody with a shell does.
func raw(t testing.TB, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

// tamper runs statements on the file, with what the schema has against that out
// of the way.
func tamper(t testing.TB, dir string, statements ...string) {
	t.Helper()
	db := raw(t, dir)
	defer db.Close()
	guards := []string{"audit_append", "audit_no_update", "audit_no_delete", "audit_anchor_forward", "audit_anchor_stays", "audit_anchor_alone"}
	for _, g := range guards {
		statements = append([]string{"DROP TRIGGER IF EXISTS " + g}, statements...)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}
