package alert_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/alert"
	"parley/server/fault"
	"parley/shared/rest"
)

// firing gives the one alert that is firing.
func (r *rig) firing() rest.Alert {
	r.t.Helper()
	page, _, err := r.alerts.List(rest.AlertQuery{State: rest.AlertFiring})
	if err != nil || len(page) != 1 {
		r.t.Fatalf("firing %+v, %v", page, err)
	}
	return page[0]
}

// full makes the server full for three seconds.
func (r *rig) full() rest.Alert {
	r.set(func(now *alert.Readings) { now.Live = 100 })
	r.seconds(3)
	return r.firing()
}

func (r *rig) calm() {
	r.set(func(now *alert.Readings) { now.Live = 0 })
	r.seconds(5)
}

func TestListPagesAndFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		for i := range 5 {
			r.set(func(now *alert.Readings) {
				now.Calls = calls(1, 1)
				now.Calls[0].ID, now.Calls[0].Org = fmt.Sprint("s", i), []string{"acme", "other"}[i%2]
			})
			r.seconds(3) // and the one before goes on to its five clean seconds
		}
		r.seconds(4)
		if n := r.alerts.Firing(); n != 1 {
			t.Fatalf("%d firing", n)
		}
		cases := map[string]struct {
			q    rest.AlertQuery
			want string
		}{
			"all":             {rest.AlertQuery{}, "s4 s3 s2 s1 s0"},
			"firing":          {rest.AlertQuery{State: rest.AlertFiring}, "s4"},
			"resolved":        {rest.AlertQuery{State: rest.AlertResolved}, "s3 s2 s1 s0"},
			"an organization": {rest.AlertQuery{Org: "acme"}, "s4 s2 s0"},
			"both":            {rest.AlertQuery{Org: "other", State: rest.AlertResolved}, "s3 s1"},
			"nobody's":        {rest.AlertQuery{Org: "third"}, ""},
		}
		for name, c := range cases {
			for _, limit := range []int{0, 1, 2, 5} {
				got, cursor := []string{}, ""
				for range 10 {
					q := c.q
					q.Limit, q.Cursor = limit, cursor
					page, next, err := r.alerts.List(q)
					if err != nil {
						t.Fatal(err)
					}
					for _, a := range page {
						got = append(got, a.Session)
					}
					if cursor = next; next == "" {
						break
					}
				}
				if strings.Join(got, " ") != c.want {
					t.Errorf("%s by %d: %q", name, limit, got)
				}
			}
		}
		if _, _, err := r.alerts.List(rest.AlertQuery{Cursor: "x"}); !errors.Is(err, fault.BadCursor) {
			t.Errorf("%v", err)
		}
	})
}

func TestResolvedAlertsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		for i := range 3 {
			r.set(func(now *alert.Readings) {
				now.Calls = calls(500, 500)
				for j := range now.Calls {
					now.Calls[j].ID = fmt.Sprint(i, ".", j)
				}
			})
			r.seconds(4)
		}
		r.set(func(now *alert.Readings) { now.Calls = nil })
		r.seconds(6)
		n, cursor := 0, ""
		for {
			page, next, err := r.alerts.List(rest.AlertQuery{State: rest.AlertResolved, Limit: rest.MaxLimit, Cursor: cursor})
			if err != nil {
				t.Fatal(err)
			}
			n += len(page)
			if cursor = next; next == "" {
				break
			}
		}
		if n != alert.MaxResolved {
			t.Errorf("%d kept", n)
		}
	})
}

func TestAcknowledge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		a := r.full()
		refused := errors.New("no")
		_, err := r.alerts.Acknowledge(t.Context(), a.ID, "", "root", func(context.Context, rest.Alert) error { return refused })
		if !errors.Is(err, refused) || r.firing().AcknowledgedAt != nil {
			t.Errorf("not recorded, and yet %+v, %v", r.firing(), err)
		}
		var kept rest.Alert
		got, err := r.alerts.Acknowledge(t.Context(), a.ID, "", "root", func(_ context.Context, a rest.Alert) error {
			kept = a
			return nil
		})
		if err != nil || got.AcknowledgedBy != "root" || !got.AcknowledgedAt.Equal(time.Now()) || kept.AcknowledgedBy != "root" {
			t.Errorf("%+v, kept %+v, %v", got, kept, err)
		}
		if told := r.all(); told[len(told)-1].AcknowledgedBy != "root" || told[len(told)-1].State != rest.AlertFiring {
			t.Errorf("told %+v", told)
		}
		for name, c := range map[string]struct{ id, org string }{"unknown": {"x", ""}, "another's": {a.ID, "acme"}} {
			if _, err := r.alerts.Acknowledge(t.Context(), c.id, c.org, "root", put); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		r.calm()
		if _, err := r.alerts.Acknowledge(t.Context(), a.ID, "", "root", put); !errors.Is(err, fault.Conflict) {
			t.Errorf("%v", err)
		}
	})
}

// An alert may end while its acknowledgment is being recorded: neither is lost.
func TestAcknowledgedWhileItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &memoryStore{}
		r := newRig(t, s)
		a := r.full()
		_, err := r.alerts.Acknowledge(t.Context(), a.ID, "", "root", func(ctx context.Context, a rest.Alert) error {
			r.calm()
			return s.PutAlert(ctx, a) // as it was
		})
		if err != nil {
			t.Fatal(err)
		}
		r.seconds(1)
		if kept := s.all(); len(kept) != 1 || kept[0].State != rest.AlertResolved || kept[0].AcknowledgedBy != "root" {
			t.Errorf("kept %+v", kept)
		}
	})
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		a := r.full()
		for minutes, ok := range map[int]bool{0: false, -1: false, 1: true, 1440: true, 1441: false} {
			got, err := r.alerts.Silence(t.Context(), a.ID, "", minutes, put)
			var field *fault.BadField
			if ok != (err == nil) || !ok && (!errors.As(err, &field) || field.Field != "minutes") {
				t.Errorf("%d minutes: %v", minutes, err)
			}
			if want := time.Now().Add(time.Duration(minutes) * time.Minute); ok && !got.SilencedUntil.Equal(want) {
				t.Errorf("%d minutes: until %v", minutes, got.SilencedUntil)
			}
		}
		if _, err := r.alerts.Silence(t.Context(), a.ID, "", 10, put); err != nil {
			t.Fatal(err)
		}
		until := *r.firing().SilencedUntil
		r.calm()
		if again := r.full(); again.ID == a.ID || again.SilencedUntil == nil || !again.SilencedUntil.Equal(until) {
			t.Errorf("the next of the same rule: %+v", again)
		}
		r.calm()
		r.seconds(600)
		if later := r.full(); later.SilencedUntil != nil {
			t.Errorf("ten minutes later: %+v", later)
		}
	})
}

// TestHowOftenRulesFired is told of seven days, and by when it was last.
func TestHowOftenRulesFired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		if now := r.alerts.Rules(); now.Fired != nil || !now.FiredSince.Equal(time.Now().Add(-7*24*time.Hour)) {
			t.Errorf("of a new server: %+v since %v", now.Fired, now.FiredSince)
		}
		for range 2 {
			r.full()
			r.calm()
		}
		last := r.full()
		now := r.alerts.Rules()
		if want := (rest.RuleFired{Rule: "live_of_cap", Count: 3, LastAt: last.RaisedAt.UTC()}); len(now.Fired) != 1 || now.Fired[0] != want {
			t.Errorf("%+v, not %+v", now.Fired, want)
		}
	})
}
