package alert_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/alert"
	"parley/server/fault"
	"parley/server/store"
	"parley/shared/rest"
)

// What fires, who took it and the rules are there after a restart, in the real
// store.
func TestAlertsOutliveTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var before rest.Alert
		for life := range 2 {
			s, err := store.Open(t.Context(), dir, store.Options{Node: "a"})
			if err != nil {
				t.Fatal(err)
			}
			r := newRig(t, s)
			if life == 0 {
				before = r.full()
				if before, err = r.alerts.Acknowledge(t.Context(), before.ID, "", "root", s.PutAlert); err != nil {
					t.Fatal(err)
				}
			} else if a := r.firing(); a.ID != before.ID || a.AcknowledgedBy != "root" || a.RaisedAt.Sub(before.RaisedAt).Abs() > time.Millisecond {
				t.Errorf("after the restart %+v, before %+v", a, before)
			}
			r.stop()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &memoryStore{}
		before := newRig(t, s)
		before.set(func(now *alert.Readings) { now.Calls = calls(1, 1) })
		before.seconds(3)
		before.set(func(now *alert.Readings) { now.Live = 100 })
		before.seconds(3)
		page, _, err := before.alerts.List(rest.AlertQuery{State: rest.AlertFiring})
		if err != nil || len(page) != 2 || page[0].Rule != "live_of_cap" {
			t.Fatalf("%+v, %v", page, err)
		}
		if _, err := before.alerts.Silence(t.Context(), page[0].ID, "", 60, s.PutAlert); err != nil {
			t.Fatal(err)
		}
		before.stop()

		after := newRig(t, s)
		if a := after.firing(); a.ID != page[0].ID || a.SilencedUntil == nil {
			t.Errorf("after the restart %+v", a)
		}
		// The session is no more, and so is its alert.
		if a, err := after.alerts.Alert(page[1].ID, ""); err != nil || a.State != rest.AlertResolved || a.ResolvedAt == nil {
			t.Errorf("%+v, %v", a, err)
		}
		after.seconds(2)
		after.set(func(now *alert.Readings) { now.Live = 100 })
		after.seconds(10)
		// Told once at the start, both, and not again: it is still the same alert.
		if told := after.all(); len(told) != 2 || told[0].State != rest.AlertResolved || told[1].ID != page[0].ID || told[1].State != rest.AlertFiring {
			t.Errorf("told %+v", told)
		}
		after.calm()
		if after.alerts.Firing() != 0 || len(after.log()) != 3 {
			t.Errorf("told %q", after.log())
		}
		again := after.full()
		if again.ID == page[0].ID || again.SilencedUntil == nil {
			t.Errorf("the silence is lost: %+v", again)
		}
	})
}

// A store that is away delays nobody and loses nothing.
func TestAStoreThatIsAway(t *testing.T) {
	cases := map[string]struct {
		away func(*memoryStore)
		back func(*memoryStore)
	}{
		"refusing": {func(s *memoryStore) { s.fail = errors.New("disk full") }, func(s *memoryStore) { s.fail = nil }},
		"hanging":  {func(s *memoryStore) { s.slow = make(chan struct{}) }, func(s *memoryStore) { close(s.slow); s.slow = nil }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &memoryStore{}
				r := newRig(t, s)
				s.mu.Lock()
				c.away(s)
				s.mu.Unlock()
				r.full()
				r.calm()
				r.wantLog("live_of_cap firing 3", "live_of_cap resolved 8")
				r.seconds(30)
				if len(s.all()) != 0 {
					t.Error("it was not away")
				}
				s.mu.Lock()
				c.back(s)
				s.mu.Unlock()
				r.seconds(2)
				if all := s.all(); len(all) != 1 || all[0].State != rest.AlertResolved {
					t.Errorf("kept %+v", all)
				}
			})
		})
	}
}

// What happened in the last moment is saved before Run comes back.
func TestTheLastMomentIsSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &memoryStore{fail: errors.New("away")}
		s.fail = nil
		r := newRig(t, s)
		s.mu.Lock()
		s.fail = errors.New("away")
		s.mu.Unlock()
		r.full()
		s.mu.Lock()
		s.fail = nil
		s.mu.Unlock()
		r.stop()
		if all := s.all(); len(all) != 1 || all[0].State != rest.AlertFiring {
			t.Errorf("kept %+v", all)
		}
	})
}

func TestLoadSaysWhatIsAway(t *testing.T) {
	a := alert.New(alert.Config{Readings: func() alert.Readings { return alert.Readings{} }, Store: &memoryStore{fail: errors.New("away")}})
	if err := a.Load(t.Context()); err == nil {
		t.Error("loaded from a store that is away")
	}
}

// The rules that were put are those of the next life, with their secrets.
func TestRulesOutliveTheServer(t *testing.T) {
	s, err := store.Open(t.Context(), t.TempDir(), store.Options{Node: "a"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	config := quiet()
	config.Store = s
	first := alert.New(config)
	if err := first.Load(t.Context()); err != nil || first.Rules().Version != 0 || len(first.Rules().Rules) != len(alert.DefaultRules()) {
		t.Fatalf("%+v, %v", first.Rules(), err)
	}
	put := func(ctx context.Context, ifVersion int64, rules []rest.AlertRule, hooks []rest.Webhook) (version int64, err error) {
		seal := func(string, rest.AuditEntry) string { return "sealed" }
		_, err = s.AppendAudit(ctx, rest.AuditEntry{T: time.Now(), Action: rest.AuditRules, Outcome: "done"}, seal, func(tx *store.Tx) error {
			version, err = tx.PutAlertRules(ifVersion, rules, hooks)
			return err
		})
		return version, err
	}
	want := rules(func(r *rest.AlertRules) { r.Rules = r.Rules[:1] })
	got, err := first.Change(t.Context(), want, put)
	if err != nil || got.Version != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := first.Change(t.Context(), want, put); !errors.Is(err, fault.Conflict) {
		t.Errorf("version 0 twice: %v", err)
	}
	second := alert.New(config)
	if err := second.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := second.Rules()
	if r.Version != 1 || len(r.Rules) != 1 || len(r.Webhooks) != 1 || !r.Webhooks[0].HasSecret {
		t.Errorf("%+v", r)
	}
	r.Webhooks[0].Secret = "" // as it was shown: the secret is still there
	if _, err := second.Change(t.Context(), r, put); err != nil {
		t.Errorf("the secret is lost: %v", err)
	}
}

// TestRulesOfARelease: who set rules of their own in an earlier release gets the
// built-in rules that were added since, once; who put rules in this one had them
// to take out.
func TestRulesOfARelease(t *testing.T) {
	own := alert.DefaultRules()[:1]
	chain := ruleNamed("audit_chain_broken")
	fifth := []string{"slow_answers"}
	fourth := append([]string{"anomaly"}, fifth...)
	third := append([]string{"certificate_days", "disk_used", "cap_refusals", "stale_keys"}, fourth...)
	later := append([]string{"audit_chain_broken"}, third...)
	for name, c := range map[string]struct {
		kept rest.AlertRules
		want []string
	}{
		"none set":                     {rest.AlertRules{}, nil},
		"of the first release":         {rest.AlertRules{Version: 4, Rules: own}, append([]string{"poor_calls"}, later...)},
		"all taken out, then":          {rest.AlertRules{Version: 4}, later},
		"of the second":                {rest.AlertRules{Version: 4, Rules: own, Edition: 2}, append([]string{"poor_calls"}, third...)},
		"of the third":                 {rest.AlertRules{Version: 4, Rules: own, Edition: 3}, append([]string{"poor_calls"}, fourth...)},
		"of the fourth":                {rest.AlertRules{Version: 4, Rules: own, Edition: 4}, append([]string{"poor_calls"}, fifth...)},
		"of this release":              {rest.AlertRules{Version: 4, Rules: own, Edition: rest.AlertRulesEdition}, []string{"poor_calls"}},
		"all taken out, now":           {rest.AlertRules{Version: 4, Edition: rest.AlertRulesEdition}, []string{}},
		"the same id is theirs":        {rest.AlertRules{Version: 4, Rules: []rest.AlertRule{chain}}, later},
		"of a later release, restored": {rest.AlertRules{Version: 4, Rules: own, Edition: rest.AlertRulesEdition + 1}, []string{"poor_calls"}},
		"as many as there may be":      {rest.AlertRules{Version: 4, Rules: many(alert.MaxRules)}, ids(many(alert.MaxRules))},
		"one fewer":                    {rest.AlertRules{Version: 4, Rules: many(alert.MaxRules - 1)}, append(ids(many(alert.MaxRules-1)), "audit_chain_broken")},
	} {
		if c.want == nil {
			c.want = ids(alert.DefaultRules())
		}
		config := quiet()
		config.Store = &memoryStore{rules: c.kept}
		a := alert.New(config)
		if err := a.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := ids(a.Rules().Rules); !slices.Equal(got, c.want) || a.Rules().Version != c.kept.Version {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func ruleNamed(id string) rest.AlertRule {
	i := slices.IndexFunc(alert.DefaultRules(), func(r rest.AlertRule) bool { return r.ID == id })
	return alert.DefaultRules()[i]
}

func many(n int) (rules []rest.AlertRule) {
	for i := range n {
		rules = append(rules, rest.AlertRule{ID: fmt.Sprint("r", i)})
	}
	return rules
}

func ids(rules []rest.AlertRule) []string {
	names := make([]string, len(rules))
	for i, r := range rules {
		names[i] = r.ID
	}
	return names
}

// TestRulesAreMasked when they are put, and when they are of a time without masks.
func TestRulesAreMasked(t *testing.T) {
	config := quiet()
	config.Mask = func(s string) string { return strings.ReplaceAll(s, "ada", "•••") }
	config.Store = &memoryStore{rules: rest.AlertRules{Version: 1, Edition: rest.AlertRulesEdition, Rules: []rest.AlertRule{{ID: "a", Title: "ada's"}}}}
	a := alert.New(config)
	if err := a.Load(t.Context()); err != nil || a.Rules().Rules[0].Title != "•••'s" {
		t.Errorf("%v %+v", err, a.Rules())
	}
	want := rules(func(r *rest.AlertRules) { r.Version = 1; r.Rules[0].Title = "calls of ada" })
	put := ""
	got, err := a.Change(t.Context(), want, func(_ context.Context, _ int64, rules []rest.AlertRule, _ []rest.Webhook) (int64, error) {
		put = rules[0].Title
		return 2, nil
	})
	if err != nil || put != "calls of •••" || got.Rules[0].Title != put {
		t.Errorf("%v: %q is put, %+v", err, put, got)
	}
}
