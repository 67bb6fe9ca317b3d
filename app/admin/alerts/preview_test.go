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
