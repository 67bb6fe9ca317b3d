package admin_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/alert"
	"parley/server/fault"
	"parley/shared/quality"
	"parley/shared/rest"
)

// poor lets a call of an organization be poor until an alert fires.
func (r *rig) poor() rest.Alert {
	r.t.Helper()
	r.readings = alert.Readings{Live: 1, Cap: 10, Calls: []alert.Call{{ID: "s1", Org: "acme", Level: quality.Poor, MOS: 2}}}
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan struct{})
	go func() { r.alerts.Run(ctx); close(done) }()
	time.Sleep(10 * time.Second)
	cancel()
	<-done
	firing, _, err := r.alerts.List(rest.AlertQuery{State: rest.AlertFiring})
	if err != nil || len(firing) != 1 {
		r.t.Fatalf("firing: %+v, %v", firing, err)
	}
	return firing[0]
}

func TestActsOnAlerts(t *testing.T) {
	for name, c := range map[string]struct {
		action rest.AuditAction
		do     func(r *rig, id, org string) (rest.Alert, error)
		done   func(rest.Alert) bool
	}{
		"acknowledge": {rest.AuditAcknowledge, func(r *rig, id, org string) (rest.Alert, error) {
			return r.Acknowledge(r.t.Context(), id, org, root())
		}, func(a rest.Alert) bool { return a.AcknowledgedBy == "root" }},
		"silence": {rest.AuditSilence, func(r *rig, id, org string) (rest.Alert, error) {
			return r.Silence(r.t.Context(), id, org, 10, root())
		}, func(a rest.Alert) bool { return a.SilencedUntil != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				a := r.poor()
				if _, err := c.do(r, a.ID, "zeta"); !errors.Is(err, fault.NotFound) {
					t.Errorf("of another organization: %v", err)
				}
				if len(r.lines()) != 0 {
					t.Error("it is on record")
				}
				got, err := c.do(r, a.ID, "acme")
				if err != nil || !c.done(got) {
					t.Fatalf("%+v, %v", got, err)
				}
				if line := r.lines()[0]; line.Action != c.action || line.Target != a.ID || line.Org != "acme" {
					t.Errorf("the line %+v", line)
				}
				if kept, _, err := r.store.Alerts(t.Context(), rest.AlertQuery{}); err != nil || len(kept) != 1 || kept[0].ID != a.ID || !c.done(kept[0]) {
					t.Errorf("on disk %+v, %v", kept, err)
				}
				r.breakAudit()
				if _, err := c.do(r, a.ID, ""); !errors.Is(err, fault.Unrecorded) {
					t.Errorf("without a log: %v", err)
				}
			})
		})
	}
}

func TestSetAlertRules(t *testing.T) {
	r := newRig(t)
	want := rest.AlertRules{Version: rest.AnyVersion, Rules: []rest.AlertRule{{ID: "a", Title: "A", Metric: rest.AlertLiveOfCap, Above: 0.5}}}
	got, err := r.SetAlertRules(t.Context(), want, root())
	if err != nil || got.Version != 1 || len(got.Rules) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if kept, err := r.store.AlertRules(t.Context()); err != nil || kept.Version != 1 || kept.Rules[0].ID != "a" {
		t.Errorf("on disk %+v, %v", kept, err)
	}
	if line := r.lines()[0]; line.Action != rest.AuditRules {
		t.Errorf("the line %+v", line)
	}
	want.Version = 0
	if _, err := r.SetAlertRules(t.Context(), want, root()); !errors.Is(err, fault.Conflict) {
		t.Errorf("an old version: %v", err)
	}
	want.Version, want.Rules[0].Above = 1, 2
	var field *fault.BadField
	if _, err := r.SetAlertRules(t.Context(), want, root()); !errors.As(err, &field) || field.Field != "rules[0].above" {
		t.Errorf("out of range: %v", err)
	}
	if lines := r.lines(); len(lines) != 1 {
		t.Errorf("%d lines: what was refused is on record", len(lines))
	}
}
