package chart_test

import (
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/app/ui/chart"
	"parley/shared/quality"
)

func TestAChartIsDrawn(t *testing.T) {
	line := &chart.Timeline{}
	line.Extend(time.UnixMilli(0), time.UnixMilli(60_000))
	html := app.HTMLString(&chart.TimeChart{
		ID: "loss", Title: "Loss", Unit: "%", Time: line, Write: ui.Percent, Low: 0, High: 10,
		Series: []chart.Series{{Name: "Caller ↑", At: []int64{0, 1000}, Values: []float64{0, 10}}, {Name: "Caller ↓"}},
		Bands:  []chart.Band{{From: 5, To: 10, Level: quality.Poor}},
		Events: []chart.Event{{At: 30_000, Text: "Reconnecting", Grave: true}},
	})
	for what, want := range map[string]string{
		"what it shows, in words":        `aria-label="Loss. Caller ↑: 10 %, from 0 % to 10 %."`,
		"the unit on the axis":           "10\u202f%",
		"the line":                       `d="M0 1000L167 0"`,
		"a second line told apart":       `class="chart-line s2"`,
		"the band":                       `d="M0 0h10000v500h-10000z"`,
		"the name at the line's end":     `class="chart-end s1"`,
		"the event":                      `d="M5000 0v110"`,
		"the stage takes the focus":      `role="slider"`,
		"another form for who needs one": "Show as table: Loss",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("%s is missing: %s in\n%s", what, want, html)
		}
	}
}

// What a link says is what the page says again.
func TestALinkIsReadBack(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	line := &chart.Timeline{}
	line.Open(at.Add(20*time.Second), at.Add(10*time.Second), at.Add(30*time.Second))
	line.Extend(at, at.Add(time.Minute))
	from, to, zoomed := line.Zoom()
	if !zoomed || !from.Equal(at.Add(10*time.Second)) || !to.Equal(at.Add(30*time.Second)) || !line.Cursor().Equal(at.Add(20*time.Second)) {
		t.Errorf("%v to %v, zoomed %v, cursor %v", from, to, zoomed, line.Cursor())
	}
	line.MoveTo(at.Add(50 * time.Second))
	if from, to, _ := line.Zoom(); from.After(line.Cursor()) || to.Before(line.Cursor()) {
		t.Errorf("the cursor is out of sight: %v to %v", from, to)
	}
	line.Reset()
	if _, _, zoomed := line.Zoom(); zoomed || !line.Cursor().IsZero() {
		t.Error("a reset leaves something")
	}
	line.Open(time.Time{}, time.Time{}, time.Time{})
	if !line.Cursor().IsZero() {
		t.Error("a link without a moment has one")
	}
}
