package admin

import (
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/rest"
)

// TestAnomaliesAreSeen as the server tells them; without one there is no heading.
func TestAnomaliesAreSeen(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	if html := app.HTMLString(anomalies(nil, now)); strings.Contains(html, "usual") || strings.Contains(html, "<li") {
		t.Errorf("of none: %s", html)
	}
	html := app.HTMLString(anomalies([]rest.Anomaly{{Text: "MOS is 3.1; usual at this hour: 4.2 (4.0–4.4)", Since: now.Add(-12 * time.Minute)}}, now))
	for _, want := range []string{"Not as usual", "MOS is 3.1; usual at this hour: 4.2 (4.0–4.4)", "12 min"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
}
