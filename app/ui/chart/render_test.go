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
		"the event":                      `d="M5000 0v85"`,
		"the stage takes the focus":      `role="slider"`,
		"another form for who needs one": "Show as table: Loss",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("%s is missing: %s in\n%s", what, want, html)
		}
	}
}

// A whole call: who spoke, the wait for the first word, the line, and whose fault it
// was.
func TestARibbonIsDrawn(t *testing.T) {
	line := &chart.Timeline{}
	line.Extend(time.UnixMilli(0), time.UnixMilli(100_000))
	html := app.HTMLString(&chart.Ribbon{
		Label: "Ribbon of the call: 2 turns.", Time: line,
		You: []chart.Block{{From: 0, To: 10_000}, {From: 200_000, To: 300_000}}, Agent: []chart.Block{{From: 20_000, To: 30_000}},
		Waits:  []chart.Block{{From: 10_000, To: 20_000, Level: quality.Fair}},
		Line:   []chart.Block{{From: 0, To: 50_000, Level: quality.Excellent}, {From: 50_000, To: 60_000, Level: quality.Poor}, {From: 60_000, To: 100_000}},
		Owners: []chart.Block{{From: 50_000, To: 60_000, Text: "the caller's network"}},
		Events: []chart.Event{{At: 50_000, Text: "Quality fell to poor", Grave: true}},
	})
	for what, want := range map[string]string{
		"its sentence":          `aria-label="Ribbon of the call: 2 turns."`,
		"you, and only in time": `d="M0 100h1000v210h-1000z"`,
		"the agent":             `d="M2000 375h1000v210h-1000z"`,
		"the wait":              `d="M1000 480h1000v105h-1000z"`,
		"a good line is low":    `d="M0 825h5000v35h-5000z"`,
		"a poor line is tall":   `d="M5000 650h1000v210h-1000z"`,
		"whose fault":           `d="M5000 925h1000v60h-1000z"`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("%s is missing: %s", what, want)
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
