package settings_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"parley/server/audit"
	"parley/server/privacy"
	"parley/server/settings"
	"parley/server/store"
	"parley/shared/rest"
)

// rig is settings on a real store and a real audit log.
type rig struct {
	*settings.Settings
	store *store.Store
	t     *testing.T
	dir   string

	mu     sync.Mutex
	heard  []settings.Values // by the hook
	before []settings.Values
	told   []toldAfter
	ended  int // times that all that is overdue was
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir()}
	r.start(settings.Defaults())
	t.Cleanup(r.stop)
	return r
}

func (r *rig) start(first settings.Values, hooks ...settings.Hook) {
	r.t.Helper()
	s, err := store.Open(context.Background(), r.dir, store.Options{Node: "n1"})
	if err != nil {
		r.t.Fatal(err)
	}
	mask, err := privacy.New(privacy.Config{On: true})
	if err != nil {
		r.t.Fatal(err)
	}
	log := audit.New(audit.Config[*store.Tx]{Store: s, Mask: mask, Node: "n1"})
	r.store = s
	r.Settings = settings.New(s, log, settings.Config{
		First: first, Hooks: append([]settings.Hook{r.hear}, hooks...), Changed: r.hearAll,
		EndOverdue: func() { r.ended++ },
	})
	if err := r.Load(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) stop() {
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) restart(first settings.Values) {
	r.t.Helper()
	r.stop()
	r.start(first)
}

func (r *rig) hear(old, current settings.Values) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before, r.heard = append(r.before, old), append(r.heard, current)
}

func (r *rig) hearAll(all rest.Settings) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, toldAfter{all, len(r.heard)})
}

// toldAfter is what was told of all settings, after how many hooks.
type toldAfter struct {
	rest.Settings
	heard int
}

// patch makes the values of a change from their text on the wire.
func patch(pairs ...string) map[string]json.RawMessage {
	m := make(map[string]json.RawMessage)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	return m
}

// set changes values whatever the version.
func (r *rig) set(pairs ...string) (rest.Settings, error) {
	return r.Change(r.t.Context(), rest.SettingsChange{By: ada(), Patch: patch(pairs...), IfVersion: rest.AnyVersion})
}

func (r *rig) must(pairs ...string) rest.Settings {
	r.t.Helper()
	got, err := r.set(pairs...)
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

func ada() rest.AuditEntry {
	return rest.AuditEntry{Actor: "ada", ActorOrg: "acme", Remote: "203.0.113.7", RequestID: "req_1", Action: "anything", Target: "anything"}
}

// entries are the audit lines, the oldest first.
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
