package chart_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui/chart"
	"parley/shared/quality"
)

// TestAreasLieUponEachOther: each on the sum of those below it, with the gaps of all.
func TestAreasLieUponEachOther(t *testing.T) {
	at := []int64{0, 10, 20}
	all := []chart.Series{{At: at, Values: []float64{1, 2, 3}}, {At: at, Values: []float64{4, math.NaN(), 0}}, {At: at, Values: []float64{1, 1, 1}}}
	got := chart.Stack(all)
	for i, want := range []string{"[1 2 3]", "[5 NaN 3]", "[6 NaN 4]"} {
		if text := fmt.Sprint(got[i].Values); text != want {
			t.Errorf("%d: %s, not %s", i, text, want)
		}
	}
	if all[1].Values[0] != 4 {
		t.Error("the values themselves were changed")
	}
}

// TestAnAreaGoesThereAndBack, down to the axis or the area below, and breaks where
// its line does.
func TestAnAreaGoesThereAndBack(t *testing.T) {
	over := chart.Span{From: 0, To: 100}
	s := chart.Series{At: []int64{0, 50, 100}, Values: []float64{10, 20, 10}}
	below := chart.Series{At: s.At, Values: []float64{5, 5, 5}}
	gap := chart.Series{At: []int64{0, 25, 50, 100}, Values: []float64{10, 10, math.NaN(), 10}}
	for name, c := range map[string]struct{ got, want string }{
		"to the axis":        {chart.AreaPath(s, nil, over, 0, 20, 0), "M0 500L5000 0L10000 500L10000 1000L5000 1000L0 1000z"},
		"to the one below":   {chart.AreaPath(s, &below, over, 0, 20, 0), "M0 500L5000 0L10000 500L10000 750L5000 750L0 750z"},
		"a gap":              {chart.AreaPath(gap, nil, over, 0, 20, 0), "M0 500L2500 500L2500 1000L0 1000z"},
		"too far apart":      {chart.AreaPath(s, nil, over, 0, 20, 40), ""},
		"nothing to be seen": {chart.AreaPath(chart.Series{}, nil, over, 0, 20, 0), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, not %s", name, c.got, c.want)
		}
	}
}

// TestAStackedChartTellsEachOnesOwn values, and names no area of nothing.
func TestAStackedChartTellsEachOnesOwn(t *testing.T) {
	at := []int64{0, 60_000}
	var line chart.Timeline
	c := &chart.TimeChart{ID: "c", Title: "Calls", Unit: "calls", Stacked: true, Time: &line, Write: func(v float64) string { return fmt.Sprint(v) },
		Series: []chart.Series{{Name: "Poor", Level: quality.Poor, At: at, Values: []float64{1, 0}}, {Name: "Good", Level: quality.Good, At: at, Values: []float64{3, 7}}}}
	line.Extend(time.UnixMilli(0), time.UnixMilli(60_000))
	html := app.HTMLString(c)
	for _, want := range []string{"Poor: 0, from 0 to 1.", "Good: 7, from 3 to 7.", "chart-area chart-stacked q1", "chart-area chart-stacked q3"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
	if n := strings.Count(html, "chart-end "); n != 1 {
		t.Errorf("%d areas have a name", n)
	}
}
