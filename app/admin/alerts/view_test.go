package alerts

import (
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/rest"
)

// TestAnAlertTellsItsLife: since when, how far over, who has it, and where to look.
func TestAnAlertTellsItsLife(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	at := func(d time.Duration) *time.Time { return new(now.Add(d)) }
	firing := rest.Alert{ID: "a1", Rule: rest.AlertPoorCalls, Title: "Poor calls above 10 %", State: rest.AlertFiring, Value: .142, Limit: .1, Unit: "ratio", RaisedAt: now.Add(-6 * time.Minute)}
	taken, silenced, over := firing, firing, firing
	taken.AcknowledgedAt, taken.AcknowledgedBy = at(-time.Minute), "root"
	silenced.SilencedUntil, silenced.Session = at(time.Hour), "sess_1"
	over.State, over.ResolvedAt = rest.AlertResolved, at(-2*time.Minute)
	firing.Trend = []float64{.1, .2, .142}
	for name, test := range map[string]struct {
		alert     rest.Alert
		has, lack []string
	}{
		"firing": {firing, []string{"firing 6 min", "14 % (limit 10 %)", "Acknowledge", "Silence…", `href="/admin/sessions?quality=poor"`, "now 14 %, lowest 10 %, highest 20 %",
			`aria-current="step">fired`, "not acknowledged"}, []string{"acknowledged by"}},
		"taken":    {taken, []string{"acknowledged by root", `aria-current="step">acknowledged `, "not over"}, []string{"Acknowledge<", "not acknowledged", "spark"}},
		"silenced": {silenced, []string{"silenced until", `href="/admin/sessions/sess_1"`}, nil},
		"over":     {over, []string{"lasted 4 min", "over 2 min ago", `aria-current="step">resolved `, "not acknowledged"}, []string{"Acknowledge", "Silence…", "is-firing"}},
	} {
		html := app.HTMLString((&Page{now: now}).alert(test.alert))
		for _, want := range test.has {
			if !strings.Contains(html, want) {
				t.Errorf("%s: no %q in %s", name, want, html)
			}
		}
		for _, bad := range test.lack {
			if strings.Contains(html, bad) {
				t.Errorf("%s: %q in %s", name, bad, html)
			}
		}
	}
	if valueText(3.04, "mos") != "3.0" || valueText(12, "count") != "12" || valueText(2.4, "s") != "2.4 s" {
		t.Error("values are not in their units")
	}
}

// TestWhereAnAlertIsLookedInto: each of the metrics leads somewhere.
func TestWhereAnAlertIsLookedInto(t *testing.T) {
	for _, m := range measures() {
		if label, href := lookAt(rest.Alert{Rule: m.metric}); label == "" || !strings.HasPrefix(href, "/admin") {
			t.Errorf("%s leads to %q by %q", m.metric, href, label)
		}
	}
	if _, href := lookAt(rest.Alert{Rule: rest.AlertSetupFailures}); href != "/admin/sessions?tab=ended" {
		t.Errorf("set-ups that failed are looked for among the live calls, at %s", href)
	}
}
