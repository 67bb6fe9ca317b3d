package health_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/alert"
	"parley/server/anomaly"
	"parley/server/health"
	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rest"
)

// baselines is a store of what hours came to.
type baselines struct {
	mu        sync.Mutex
	hours     []anomaly.Hour
	forgotten []anomaly.Forgotten
	fault     error
	asked     int
}

func (b *baselines) Baselines(context.Context, int64) ([]anomaly.Hour, error) {
	return b.hours, b.fault
}

func (b *baselines) AddBaselines(_ context.Context, hours []anomaly.Hour, forgotten []anomaly.Forgotten) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asked++; b.fault != nil {
		return b.fault
	}
	b.hours, b.forgotten = append(b.hours, hours...), append(b.forgotten, forgotten...)
	return nil
}

// setFault has it fail from now on, or not, and returns how often it was asked before.
func (b *baselines) setFault(err error) (asked int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = err
	return b.asked
}

// sum adds up what was kept of a series.
func (b *baselines) sum(series, org string) (s anomaly.Sum) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.hours {
		if h.Series == series && h.Org == org {
			s.Weight, s.Total, s.Squares = s.Weight+h.Weight, s.Total+h.Total, s.Squares+h.Squares
		}
	}
	return s
}

// quietWeeks are five of 200 calls an hour, all alike, until a time.
func quietWeeks(until time.Time) (out []anomaly.Hour) {
	for hour := anomaly.HourOf(until) - 5*7*24; hour < anomaly.HourOf(until); hour++ {
		for series, sum := range map[string]anomaly.Sum{
			rest.AnomalyFailureRate: {Weight: 200, Total: 4}, rest.AnomalyFirstWord: {Weight: 1000, Total: 800, Squares: 700},
			rest.AnomalyMOS: {Weight: 1500, Total: 6300, Squares: 26500}, rest.AnomalyRefusals: {Weight: 1, Total: 1},
			rest.AnomalySignIns: {Weight: 1, Total: 2}, rest.AnomalySignInsNetwork: {Weight: 4, Total: 2}, rest.AnomalySignInsOrg: {Weight: 4, Total: 2},
		} {
			out = append(out, anomaly.Hour{Hour: hour, Series: series, Sum: sum})
		}
	}
	return out
}

// TestAnAnomalyGoesToAWebhook: what is not as usual is an alert by its own rule, with the
// sentence, and over when it is as usual again. A rule that is off tells nothing.
func TestAnAnomalyGoesToAWebhook(t *testing.T) {
	t.Parallel()
	got := make(chan rest.Alert, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct{ Alert rest.Alert }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		got <- body.Alert
	}))
	defer receiver.Close()
	next := func() (a rest.Alert) {
		t.Helper()
		select {
		case a = <-got:
		case <-time.After(time.Minute):
			t.Fatal("no webhook came")
		}
		return a
	}
	now := time.Now()
	kept := &baselines{hours: quietWeeks(now)}
	watch, err := health.LoadAnomalies(t.Context(), health.AnomalyConfig{
		Counted: func() monitor.Counted { return monitor.Counted{} }, Ratings: func() []monitor.Rating { return nil }, Store: kept, Network: alert.NetworkOf,
	})
	if err != nil {
		t.Fatal(err)
	}
	alerts := alert.New(alert.Config{AllowPrivate: true, Readings: func() alert.Readings { return alert.Readings{Anomalies: watch.Current()} }})
	rules := alert.DefaultRules()
	put := func(isOn bool) {
		t.Helper()
		for i := range rules {
			if rules[i].Metric == rest.AlertAnomaly {
				rules[i].Enabled = isOn
			}
		}
		want := rest.AlertRules{Version: -1, Rules: rules, Webhooks: []rest.Webhook{{URL: receiver.URL, Secret: "0123456789abcdef"}}}
		_, err := alerts.Change(t.Context(), want, func(_ context.Context, was int64, _ []rest.AlertRule, _ []rest.Webhook) (int64, error) {
			return was + 1, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(true)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { alerts.Run(ctx) })
	defer running.Wait()
	defer stop()
	step := func(refused int) {
		now = now.Add(time.Minute)
		for i := range refused {
			watch.SignInsRefused(fmt.Sprintf("192.0.2.%d", i), "", 1)
		}
		watch.EndMinute(now)
	}
	for range anomaly.QuickMinutes {
		step(20)
	}
	a := next()
	// It was raised within the quarter of an hour, so how many they were depends on when.
	if a.Rule != "anomaly" || a.State != rest.AlertFiring || !strings.HasPrefix(a.Detail, "Sign-ins refused from 192.0.2.0/24: ") ||
		!strings.Contains(a.Detail, " in 15 min; usual of the busiest network at this hour: 1 (") {
		t.Fatalf("fired %+v", a)
	}
	for range 3 * anomaly.QuickMinutes {
		step(0)
	}
	if b := next(); b.ID != a.ID || b.State != rest.AlertResolved {
		t.Errorf("then %+v", b)
	}
	put(false)
	for range anomaly.QuickMinutes {
		step(20)
	}
	if len(watch.Current()) != 1 {
		t.Errorf("found %+v", watch.Current())
	}
	if n := alerts.Firing(); n != 0 {
		t.Errorf("%d alerts fire though their rule is off", n)
	}
}

// TestWhatHoursCameToIsKept: each few minutes and at the end, each thing once, though the
// store was away meanwhile.
func TestWhatHoursCameToIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := new(baselines)
		var counted monitor.Counted
		var mu sync.Mutex
		var told atomic.Int64
		watch, err := health.LoadAnomalies(t.Context(), health.AnomalyConfig{
			Counted: func() monitor.Counted { mu.Lock(); defer mu.Unlock(); return counted },
			Ratings: func() []monitor.Rating {
				return []monitor.Rating{{Verdict: quality.Verdict{Level: quality.Good, MOS: 4}}, {Verdict: quality.Verdict{Level: quality.None}}}
			},
			Store: kept, OnChange: func([]rest.Anomaly) { told.Add(1) }, Network: alert.NetworkOf,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { watch.Run(ctx) })
		watch.SignInsRefused("192.0.2.1", "acme", 1)
		watch.SignInsRefused("192.0.2.2", "", 1)
		mu.Lock()
		counted = monitor.Counted{Ended: 5, Faults: 2, Refused: 3, Turns: 4, Waits: 2, WaitSquares: 1}
		mu.Unlock()
		kept.setFault(errors.New("away"))
		wait(5 * health.AnomalyInterval)
		if asked := kept.setFault(nil); asked != 1 || kept.sum(rest.AnomalyMOS, "").Weight != 0 || told.Load() != 5 {
			t.Fatalf("after five minutes asked %d times, told %d times", asked, told.Load())
		}
		wait(5 * health.AnomalyInterval)
		wait(2 * health.AnomalyInterval)
		stop()
		running.Wait()
		for key, want := range map[[2]string]anomaly.Sum{
			{rest.AnomalyFailureRate}: {Weight: 5, Total: 2}, {rest.AnomalyFirstWord}: {Weight: 4, Total: 2, Squares: 1},
			{rest.AnomalyMOS}: {Weight: 12, Total: 48, Squares: 192},
		} {
			if got := kept.sum(key[0], key[1]); got != want {
				t.Errorf("%v: %+v, want %+v", key, got, want)
			}
		}
		for key, want := range map[[2]string]float64{{rest.AnomalyRefusals}: 3, {rest.AnomalySignIns}: 2, {rest.AnomalySignInsOrg, "acme"}: 1} {
			if got := kept.sum(key[0], key[1]); got.Total != want {
				t.Errorf("%v: %+v, want %v", key, got, want)
			}
		}
		if old := anomaly.HourOf(time.Now().Add(-anomaly.Span)); len(kept.forgotten) == 0 || kept.forgotten[0] != (anomaly.Forgotten{Before: old}) {
			t.Errorf("forgotten %+v, want those before %d", kept.forgotten, old)
		}
	})
}
