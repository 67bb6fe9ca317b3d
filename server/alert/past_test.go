package alert_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/alert"
	"parley/server/fault"
	"parley/shared/rest"
)

// TestAPreviewIsWhatFired: each of the built-in rules, tried on the time in which it
// was on, gives the very alerts that it raised.
func TestAPreviewIsWhatFired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		for range 3 {
			r.seconds(100)
			r.set(func(now *alert.Readings) {
				now.Live, now.Calls = 92, calls(92, 12)
				now.Setups, now.SetupFailures = now.Setups+20, now.SetupFailures+4
				now.Answers, now.SlowAnswers = now.Answers+60, now.SlowAnswers+9
				now.StorageAttempts, now.LogFailures, now.StreamsRefused, now.CapRefusals = now.StorageAttempts+1, now.LogFailures+2, now.StreamsRefused+1, now.CapRefusals+7
				now.DiskUsed, now.CertificateDays, now.AreKeysStale, now.IsAuditChainBroken = .95, new(3.5), true, true
				now.Anomalies = []rest.Anomaly{{Series: rest.AnomalyFirstWord, Value: 2.4, Usual: .8, Low: .6, High: 1.1, Unit: "s", Text: "First word takes 2.4 s"}}
			})
			for range 12 {
				r.alerts.SignInsRefused("192.0.2.1", 1)
			}
			r.seconds(200)
			r.set(func(now *alert.Readings) {
				now.Live, now.Calls, now.DiskUsed, now.CertificateDays, now.AreKeysStale, now.IsAuditChainBroken = 3, calls(3, 0), .5, new(89.0), false, false
				now.Anomalies = nil
			})
			r.seconds(700)
		}
		for _, rule := range alert.DefaultRules() {
			var fired []rest.Alert
			for _, a := range r.all() {
				if a.Rule == rule.ID && a.State == rest.AlertFiring {
					fired = append(fired, a)
				}
			}
			got, err := r.alerts.Preview(t.Context(), rule)
			if err != nil || len(fired) == 0 || got.Fired != len(fired) {
				t.Errorf("%s: would have fired %d times (%v), and fired %d times", rule.ID, got.Fired, err, len(fired))
				continue
			}
			slices.Reverse(fired)
			for i, would := range got.Alerts {
				if !would.RaisedAt.Equal(fired[i].RaisedAt) || would.Unit != fired[i].Unit {
					t.Errorf("%s: would have been raised at %s, and was at %s", rule.ID, would.RaisedAt, fired[i].RaisedAt)
				}
			}
			if !got.From.Equal(r.start.Add(time.Second).UTC()) || got.To.Sub(got.From) < 2990*time.Second {
				t.Errorf("%s: of %s to %s", rule.ID, got.From, got.To)
			}
		}
		higher, err := r.alerts.Preview(t.Context(), rest.AlertRule{Metric: rest.AlertLiveOfCap, Above: .93})
		if err != nil || higher.Fired != 0 || higher.Alerts == nil {
			t.Errorf("a limit that was never reached: %+v, %v", higher, err)
		}
	})
}

// TestAPreviewReachesBackADay, to the second, and no further.
func TestAPreviewReachesBackADay(t *testing.T) {
	live := 95
	a := alert.New(alert.Config{Readings: func() alert.Readings { return alert.Readings{Live: live, Cap: 100} }})
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	pass := func(seconds int) {
		for range seconds {
			now = now.Add(time.Second)
			a.Judge(now)
		}
	}
	rule := rest.AlertRule{Metric: rest.AlertLiveOfCap, Above: .9}
	pass(10)
	live = 1
	day := int(alert.PastSpan / time.Second)
	for _, step := range []struct{ seconds, want int }{
		{day - 10, 1},
		{8, 1}, // of the ten seconds over the limit the last three count still
		{1, 0},
	} {
		pass(step.seconds)
		if got, err := a.Preview(t.Context(), rule); err != nil || got.Fired != step.want || got.To.Sub(got.From) > alert.PastSpan || got.To.Sub(got.From) < alert.PastSpan-time.Second {
			t.Errorf("%s later: %d of %s, %v", time.Duration(step.seconds)*time.Second, got.Fired, got.To.Sub(got.From), err)
		}
	}
}

// TestAPreviewHasLimits: of the rule, of what is told, and of who waits.
func TestAPreviewHasLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		if got, err := r.alerts.Preview(t.Context(), rest.AlertRule{Metric: rest.AlertDiskUsed, Above: 1}); err != nil || got.Fired != 0 {
			t.Errorf("before the first second: %+v, %v", got, err)
		}
		for range alert.MaxPreviewed + 1 {
			r.set(func(now *alert.Readings) { now.DiskUsed = 1 })
			r.seconds(10)
			r.set(func(now *alert.Readings) { now.DiskUsed = 0 })
			r.seconds(10)
		}
		got, err := r.alerts.Preview(t.Context(), rest.AlertRule{Metric: rest.AlertDiskUsed, Above: 1})
		if err != nil || got.Fired != alert.MaxPreviewed+1 || len(got.Alerts) != alert.MaxPreviewed || !got.Alerts[0].RaisedAt.After(got.Alerts[1].RaisedAt) {
			t.Errorf("%d fired, %d are told, %v", got.Fired, len(got.Alerts), err)
		}
		for field, rule := range map[string]rest.AlertRule{
			"metric": {Metric: "weather"}, "above": {Metric: rest.AlertLiveOfCap, Above: 1.1}, "for_s": {Metric: rest.AlertLiveOfCap, Above: 1, ForS: 3601},
			"at_least": {Metric: rest.AlertPoorCalls, AtLeast: -1},
		} {
			var bad *fault.BadField
			if _, err := r.alerts.Preview(t.Context(), rule); !errors.As(err, &bad) || bad.Field != field {
				t.Errorf("%+v: %v, not a bad %s", rule, err, field)
			}
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.alerts.Preview(gone, rest.AlertRule{Metric: rest.AlertDiskUsed, Above: 1}); !errors.Is(err, context.Canceled) {
			t.Errorf("for nobody: %v", err)
		}
	})
}
