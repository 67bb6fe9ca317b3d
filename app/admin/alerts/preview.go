package alerts

import (
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

// lasted says how long one would have fired, and with which value.
func lasted(a rest.PreviewedAlert) string {
	if a.ResolvedAt == nil {
		return " and still, with " + valueText(a.Value, a.Unit)
	}
	return " for " + ui.Age(a.ResolvedAt.Sub(a.RaisedAt)) + " with " + valueText(a.Value, a.Unit)
}
