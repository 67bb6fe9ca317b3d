package alerts

import (
	"strconv"
	"time"

	"parley/app/ui"
	"parley/shared/rest"
)

// previewWords say what a rule would have fired, and over which time.
func previewWords(p rest.AlertPreview) string {
	span := " in the last 24 hours"
	if p.To.Sub(p.From) < 24*time.Hour-time.Minute {
		span = " since " + ui.Clock(p.From) + ", when the server started"
	}
	switch p.Fired {
	case 0:
		return "Would not have fired" + span + "."
	case 1:
		return "Would have fired once" + span + ", at " + ui.Clock(p.Alerts[0].RaisedAt) + lasted(p.Alerts[0]) + "."
	}
	return "Would have fired " + ui.Count(int64(p.Fired)) + " times" + span + ", last at " + ui.Clock(p.Alerts[0].RaisedAt) + lasted(p.Alerts[0]) + "."
}

// firedWords say how often a rule that is saved fired of late, and that it can't yet.
func firedWords(saved rest.AlertRules, rule string, now time.Time) string {
	text, span := "Has not fired", " in the last 7 days."
	if now.Sub(saved.FiredSince) < 7*24*time.Hour-time.Hour {
		span = " since " + ui.Day(saved.FiredSince, now) + ", " + ui.Clock(saved.FiredSince) + "."
	}
	for _, r := range saved.Rules {
		if r.ID == rule && r.Metric == rest.AlertAnomaly && saved.LearningHours > 0 {
			left := strconv.Itoa(saved.LearningHours) + " h"
			if saved.LearningHours > 24 {
				left = strconv.Itoa((saved.LearningHours+23)/24) + " d"
			}
			return "Learning: " + left + " left."
		}
	}
	for _, of := range saved.Fired {
		if of.Rule == rule {
			text = "Fired " + ui.Plural(of.Count, "time")
			span = span[:len(span)-1] + ", last at " + ui.Clock(of.LastAt) + "."
			if day := ui.Day(of.LastAt, now); day != ui.Day(now, now) {
				span = span[:len(span)-1] + " on " + day + "."
			}
		}
	}
	return text + span
}

// lasted says how long one would have fired, and with which value.
func lasted(a rest.PreviewedAlert) string {
	if a.ResolvedAt == nil {
		return " and still, with " + valueText(a.Value, a.Unit)
	}
	return " for " + ui.Age(a.ResolvedAt.Sub(a.RaisedAt)) + " with " + valueText(a.Value, a.Unit)
}
