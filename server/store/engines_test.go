package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/server/store"
	"parley/shared/rest"
)

// engines are what the suite runs on: each gives an empty place, and opens the
// store that is in it, as often as a test wants to start anew.
var engines = map[string]func(t *testing.T) func(store.Options) (*store.Store, error){
	"sqlite": func(t *testing.T) func(store.Options) (*store.Store, error) {
		dir := t.TempDir()
		return func(o store.Options) (*store.Store, error) { return store.Open(t.Context(), dir, o) }
	},
	"postgres": func(t *testing.T) func(store.Options) (*store.Store, error) {
		a := newDatabase(t)
		return func(o store.Options) (*store.Store, error) { return store.OpenPostgres(t.Context(), a, o) }
	},
}

// rig is an open store with a clock of the test's.
type rig struct {
	*store.Store
	t      *testing.T
	engine string
	clock  atomic.Int64
	open   func(store.Options) (*store.Store, error)
}

// noon is when tests begin.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// onEach runs a test on every engine, on an empty store.
func onEach(t *testing.T, test func(t *testing.T, r *rig)) {
	for name, place := range engines {
		t.Run(name, func(t *testing.T) {
			r := &rig{t: t, engine: name, open: place(t)}
			r.set(noon)
			r.start()
			t.Cleanup(func() { r.stop() })
			test(t, r)
		})
	}
}

func (r *rig) now() time.Time       { return time.UnixMilli(r.clock.Load()).UTC() }
func (r *rig) set(t time.Time)      { r.clock.Store(t.UnixMilli()) }
func (r *rig) pass(d time.Duration) { r.set(r.now().Add(d)) }

func (r *rig) start() {
	r.t.Helper()
	s, err := r.open(store.Options{Node: "n1", NodeID: 7, Now: r.now})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Store = s
}

func (r *rig) stop() {
	r.t.Helper()
	if err := r.Store.Close(); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) restart() {
	r.t.Helper()
	r.stop()
	r.start()
}

// seal is a chain like the real one: every field counts.
func seal(prev string, e rest.AuditEntry) string {
	e.PrevHash, e.Hash = prev, ""
	text, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// auditReader is what checking a chain takes.
type auditReader interface {
	AuditAnchor(ctx ctx) (int64, string, error)
	AuditAll(ctx ctx, from int64, yield func(rest.AuditEntry) error) error
}

// checkChain reads the whole audit log and tells its last seq, and what of it
// doesn't fit.
func checkChain(c ctx, l auditReader) (last int64, err error) {
	last, prev, err := l.AuditAnchor(c)
	if err != nil {
		return 0, err
	}
	err = l.AuditAll(c, 0, func(e rest.AuditEntry) error {
		if e.Seq != last+1 || e.PrevHash != prev || e.Hash != seal(prev, e) {
			return fmt.Errorf("line %d does not follow line %d", e.Seq, last)
		}
		last, prev = e.Seq, e.Hash
		return nil
	})
	return last, err
}

// chain checks the audit log and gives its last seq.
func (r *rig) chain() int64 {
	r.t.Helper()
	last, err := checkChain(r.t.Context(), r)
	if err != nil {
		r.t.Error(err)
	}
	return last
}

func (r *rig) audit(e rest.AuditEntry, change func(*store.Tx) error) rest.AuditEntry {
	r.t.Helper()
	kept, err := r.AppendAudit(r.t.Context(), e, seal, change)
	if err != nil {
		r.t.Fatal(err)
	}
	return kept
}

func (r *rig) logs(entries ...rest.LogEntry) []rest.LogEntry {
	r.t.Helper()
	for i := range entries {
		if entries[i].T.IsZero() {
			entries[i].T = r.now()
		}
	}
	if err := r.AppendLogs(r.t.Context(), entries); err != nil {
		r.t.Fatal(err)
	}
	return entries
}

// pages reads a list to its end and gives all items; no page may hold more than
// it was asked for.
func pages[T any](t *testing.T, limit int, page func(cursor string) ([]T, string, error)) (all []T) {
	t.Helper()
	for cursor, n := "", 0; ; n++ {
		items, next, err := page(cursor)
		if err != nil {
			t.Fatal(err)
		}
		if len(items) > limit {
			t.Fatalf("a page of %d, asked for %d", len(items), limit)
		}
		all = append(all, items...)
		if next == "" {
			return all
		}
		if next == cursor || n > 10_000 {
			t.Fatalf("the cursor stands still at %q", cursor)
		}
		cursor = next
	}
}

func TestMain(m *testing.M) {
	if role := os.Getenv("STORE_TEST_CHILD"); role != "" {
		os.Exit(child(role))
	}
	code := m.Run()
	err := closeCluster()
	if code == 0 {
		err = errors.Join(err, goleak.Find())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
