package quality_test

import (
	"testing"
	"time"

	"parley/shared/quality"
)

func TestQuantiles(t *testing.T) {
	var d quality.Durations
	if d.Quantile(.5) != 0 {
		t.Error("a quantile of nothing")
	}
	for i := range 1500 { // the first 500 are forgotten
		d.Add(time.Duration(1500 - i))
	}
	for q, want := range map[float64]time.Duration{0: 1, .5: 500, .95: 950, 1: 1000} {
		if got := d.Quantile(q); got != want {
			t.Errorf("%v: %d, want %d", q, got, want)
		}
	}
	if d.Len() != 1000 {
		t.Errorf("%d are kept", d.Len())
	}
}
