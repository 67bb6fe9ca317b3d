package chart_test

import (
	"testing"

	"parley/app/ui/chart"
)

// A call of 100 s, of which something is shown.
func TestZoom(t *testing.T) {
	whole := chart.Span{From: 0, To: 100_000}
	all := chart.Window{}.Extend(whole)
	for name, test := range map[string]struct {
		window chart.Window
		shown  chart.Span
		zoomed bool
		frozen bool
	}{
		"all at first":             {all, whole, false, false},
		"it goes on":               {all.Extend(chart.Span{From: 0, To: 101_000}), chart.Span{From: 0, To: 101_000}, false, false},
		"zoomed":                   {all.ZoomTo(chart.Span{From: 20_000, To: 40_000}), chart.Span{From: 20_000, To: 40_000}, true, true},
		"zoomed stays":             {all.ZoomTo(chart.Span{From: 20_000, To: 40_000}).Extend(chart.Span{From: 0, To: 101_000}), chart.Span{From: 20_000, To: 40_000}, true, true},
		"not under five seconds":   {all.ZoomTo(chart.Span{From: 20_000, To: 21_000}), chart.Span{From: 18_000, To: 23_000}, true, true},
		"not beyond the end":       {all.ZoomTo(chart.Span{From: 99_000, To: 100_000}), chart.Span{From: 95_000, To: 100_000}, true, true},
		"not before the beginning": {all.ZoomTo(chart.Span{From: -5_000, To: 5_000}), chart.Span{From: 0, To: 10_000}, true, true},
		"more than there is":       {all.ZoomTo(chart.Span{From: -5_000, To: 500_000}), whole, false, false},
		"in, around a moment":      {all.ZoomBy(0.5, 20_000), chart.Span{From: 10_000, To: 60_000}, true, true},
		"in, around the middle":    {all.ZoomTo(chart.Span{From: 0, To: 40_000}).ZoomBy(0.5, 90_000), chart.Span{From: 10_000, To: 30_000}, true, true},
		"out to all":               {all.ZoomTo(chart.Span{From: 20_000, To: 80_000}).ZoomBy(2, 50_000), whole, false, false},
		"reset":                    {all.ZoomTo(chart.Span{From: 20_000, To: 40_000}).Reset(), whole, false, false},
		"live at the same width":   {all.ZoomTo(chart.Span{From: 20_000, To: 40_000}).GoLive().Extend(chart.Span{From: 0, To: 101_000}), chart.Span{From: 81_000, To: 101_000}, true, false},
		"held while looked at":     {all.Hold(true).Extend(chart.Span{From: 0, To: 105_000}), whole, false, true},
		"a link before any data":   {chart.Window{}.ZoomTo(chart.Span{From: 20_000, To: 40_000}).Extend(whole), chart.Span{From: 20_000, To: 40_000}, true, true},
	} {
		shown, zoomed, frozen := test.window.State()
		if shown != test.shown || zoomed != test.zoomed || frozen != test.frozen {
			t.Errorf("%s: %v zoomed %v frozen %v, want %v %v %v", name, shown, zoomed, frozen, test.shown, test.zoomed, test.frozen)
		}
	}
}

func TestKeysMoveTheCursor(t *testing.T) {
	times := make([]int64, 100)
	for i := range times {
		times[i] = int64(i) * 1000
	}
	shown := chart.Span{From: 20_000, To: 60_000}
	for name, test := range map[string]struct {
		key    string
		shift  bool
		cursor int64
		want   int64
	}{
		"a sample back":          {"ArrowLeft", false, 30_000, 29_000},
		"a sample on":            {"ArrowRight", false, 30_000, 31_000},
		"ten back":               {"ArrowLeft", true, 35_000, 25_000},
		"ten on":                 {"ArrowRight", true, 35_000, 45_000},
		"to the first":           {"Home", false, 35_000, 20_000},
		"to the last":            {"End", false, 35_000, 60_000},
		"not out of sight":       {"ArrowLeft", true, 22_000, 20_000},
		"from nowhere back":      {"ArrowLeft", false, 0, 60_000},
		"from nowhere on":        {"ArrowRight", false, 0, 20_000},
		"from out of sight back": {"ArrowLeft", false, 90_000, 60_000},
	} {
		if got, handled := chart.KeyTarget(test.key, test.shift, times, test.cursor, shown); got != test.want || !handled {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
	for _, key := range []string{"+", "=", "-", "0", "Escape", "t", "T"} {
		if _, handled := chart.KeyTarget(key, false, times, 0, shown); !handled {
			t.Errorf("%s does nothing", key)
		}
	}
	for _, key := range []string{"Enter", " ", "ArrowUp", "Tab", "a"} {
		if _, handled := chart.KeyTarget(key, false, times, 0, shown); handled {
			t.Errorf("%s is taken", key)
		}
	}
	if got, _ := chart.KeyTarget("End", false, nil, 0, shown); got != 0 {
		t.Errorf("without samples the cursor goes to %d", got)
	}
}
