package alert_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/alert"
	"parley/shared/quality"
	"parley/shared/rest"
)

// rig is Alerts that run in a bubble, with a server to look at.
type rig struct {
	t      *testing.T
	alerts *alert.Alerts
	start  time.Time
	stop   func()

	mu   sync.Mutex
	now  alert.Readings
	told []rest.Alert
}

func newRig(t *testing.T, store alert.Store) *rig {
	t.Helper()
	r := &rig{t: t, now: alert.Readings{Cap: 100}}
	r.alerts = alert.New(alert.Config{Readings: r.read, Store: store, AllowPrivate: true, OnChange: func(a rest.Alert) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.told = append(r.told, a)
	}})
	if err := r.alerts.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	r.start = time.Now()
	go func() { defer close(done); r.alerts.Run(ctx) }()
	r.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(r.stop)
	synctest.Wait()
	time.Sleep(alert.Tick / 2) // half a beat off, so that changes and ticks never fall on one instant
	return r
}

func (r *rig) read() alert.Readings {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now
	now.Calls = slices.Clone(now.Calls)
	return now
}

func (r *rig) set(change func(*alert.Readings)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.now)
}

// seconds lets ticks pass.
func (r *rig) seconds(n int) { time.Sleep(time.Duration(n) * time.Second) }

// all gives what was told.
func (r *rig) all() []rest.Alert {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.told)
}

// log gives what was told: the rule, what it was, and at which second.
func (r *rig) log() (out []string) {
	for _, a := range r.all() {
		at := a.RaisedAt
		if a.State == rest.AlertResolved {
			at = *a.ResolvedAt
		}
		out = append(out, fmt.Sprintf("%s %s %d", a.Rule, a.State, int(at.Sub(r.start)/time.Second)))
	}
	return out
}

func (r *rig) wantLog(want ...string) {
	r.t.Helper()
	if got := r.log(); !slices.Equal(got, want) {
		r.t.Errorf("told %q, want %q", got, want)
	}
}

// calls are live ones, the first of them poor.
func calls(live, poor int) (out []alert.Call) {
	for i := range live {
		c := alert.Call{ID: fmt.Sprint("s", i), Org: "acme", Level: quality.Good, MOS: 3.8}
		if i < poor {
			c.Level, c.MOS = quality.Poor, 2.4
		}
		out = append(out, c)
	}
	return out
}

// memoryStore is a store in memory, which can fail or hang.
type memoryStore struct {
	mu     sync.Mutex
	rules  rest.AlertRules
	alerts map[string]rest.Alert
	fail   error
	slow   chan struct{} // while it isn't nil, nothing comes back
}

func (s *memoryStore) AlertRules(context.Context) (rest.AlertRules, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rules, s.fail
}

func (s *memoryStore) PutAlert(ctx context.Context, a rest.Alert) error {
	s.mu.Lock()
	slow := s.slow
	s.mu.Unlock()
	if slow != nil {
		select {
		case <-slow:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if s.alerts == nil {
		s.alerts = make(map[string]rest.Alert)
	}
	s.alerts[a.ID] = a
	return nil
}

func (s *memoryStore) Alerts(_ context.Context, q rest.AlertQuery) (out []rest.Alert, next string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.alerts {
		if a.State == q.State {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b rest.Alert) int { return b.RaisedAt.Compare(a.RaisedAt) })
	from, _ := strconv.Atoi(q.Cursor)
	if to := from + q.Limit; to < len(out) {
		return out[from:to], strconv.Itoa(to), s.fail
	}
	return out[from:], "", s.fail
}

func (s *memoryStore) all() (out []rest.Alert) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.alerts {
		out = append(out, a)
	}
	return out
}

// put is a change that is kept.
func put(context.Context, rest.Alert) error { return nil }

func putRules(_ context.Context, ifVersion int64, _ []rest.AlertRule, _ []rest.Webhook) (int64, error) {
	return ifVersion + 1, nil
}
