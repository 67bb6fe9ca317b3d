package alerts

import (
	"strings"
	"testing"
	"time"

	"parley/shared/rest"
)

// TestAPreviewInWords: how often, over which time, and how the newest was.
func TestAPreviewInWords(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.Local)
	day, hour := now.Add(-24*time.Hour), now.Add(-time.Hour)
	over := rest.PreviewedAlert{RaisedAt: now.Add(-30 * time.Minute), ResolvedAt: new(now.Add(-26 * time.Minute)), Value: .142, Unit: "ratio"}
	still := rest.PreviewedAlert{RaisedAt: now.Add(-30 * time.Minute), Value: 12, Unit: "count"}
	for want, p := range map[string]rest.AlertPreview{
		"Would not have fired in the last 24 hours.":                                         {From: day, To: now},
		"Would have fired once in the last 24 hours, at 11:30:00 for 4 min with 14 %.":       {From: day, To: now, Fired: 1, Alerts: []rest.PreviewedAlert{over}},
		"Would have fired 21 times in the last 24 hours, last at 11:30:00 for 4 min with 14": {From: day, To: now, Fired: 21, Alerts: []rest.PreviewedAlert{over, still}},
		", when the server started, at 11:30:00 and still, with 12.":                         {From: hour, To: now, Fired: 1, Alerts: []rest.PreviewedAlert{still}},
		"Would not have fired since ":                                                        {From: hour, To: now},
	} {
		if got := previewWords(p); !strings.Contains(got, want) {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// TestWhatARuleDid: how often it fired, and since when that is known.
func TestWhatARuleDid(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.Local)
	week, today := now.Add(-7*24*time.Hour), now.Add(-time.Hour)
	rules := []rest.AlertRule{{ID: "poor", Metric: rest.AlertPoorCalls}, {ID: "odd", Metric: rest.AlertAnomaly}}
	fired := func(at time.Time, n int) []rest.RuleFired {
		return []rest.RuleFired{{Rule: "poor", Count: n, LastAt: at}}
	}
	for want, c := range map[string]struct {
		rule  string
		saved rest.AlertRules
	}{
		"Has not fired in the last 7 days.":                              {"poor", rest.AlertRules{Rules: rules, FiredSince: week}},
		"Has not fired since 4 Mar, 11:00:00.":                           {"poor", rest.AlertRules{Rules: rules, FiredSince: today}},
		"Fired 1 time in the last 7 days, last at 11:00:00.":             {"poor", rest.AlertRules{Rules: rules, FiredSince: week, Fired: fired(today, 1)}},
		"Fired 12 times in the last 7 days, last at 12:00:00 on 25 Feb.": {"poor", rest.AlertRules{Rules: rules, FiredSince: week, Fired: fired(week, 12)}},
		"Learning: 20 h left.":                                           {"odd", rest.AlertRules{Rules: rules, FiredSince: week, LearningHours: 20}},
		"Learning: 2 d left.":                                            {"odd", rest.AlertRules{Rules: rules, FiredSince: week, LearningHours: 41}},
		"Has not fired in the last 7 days. ":                             {"odd", rest.AlertRules{Rules: rules, FiredSince: week}},
	} {
		if got := strings.ReplaceAll(firedWords(c.saved, c.rule, now), "\u00a0", " "); got != strings.TrimSpace(want) {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
