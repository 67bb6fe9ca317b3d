package rest_test

import (
	"reflect"
	"testing"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// shown gives the metrics that are there, by field.
func shown(m rest.Metrics) map[string]float64 {
	out := map[string]float64{}
	v := reflect.ValueOf(m)
	for i := range v.NumField() {
		if !v.Field(i).IsNil() {
			out[v.Type().Field(i).Name] = v.Field(i).Elem().Float()
		}
	}
	return out
}

// TestEachFigureIsShownAsItself, and what was not measured is not shown: least of all
// as zero.
func TestEachFigureIsShownAsItself(t *testing.T) {
	for name, test := range map[string]struct {
		figures rtcstats.Figures
		score   quality.Score
		want    map[string]float64
	}{
		"nothing":            {rtcstats.Figures{}, quality.Score{}, map[string]float64{}},
		"loss as heard":      {rtcstats.Figures{LossRatio: new(0.1), EffectiveLossRatio: new(0.2)}, quality.Score{}, map[string]float64{"LossRatio": 0.2}},
		"loss as sent":       {rtcstats.Figures{LossRatio: new(0.1)}, quality.Score{}, map[string]float64{}},
		"no loss":            {rtcstats.Figures{EffectiveLossRatio: new(0.0)}, quality.Score{}, map[string]float64{"LossRatio": 0}},
		"jitter":             {rtcstats.Figures{JitterMS: new(4.2)}, quality.Score{}, map[string]float64{"JitterMS": 4.2}},
		"round trip":         {rtcstats.Figures{RTTMS: new(81.5)}, quality.Score{}, map[string]float64{"RTTMS": 81.5}},
		"buffer":             {rtcstats.Figures{BufferMS: new(60.0)}, quality.Score{}, map[string]float64{"BufferMS": 60}},
		"concealed":          {rtcstats.Figures{ConcealedRatio: new(0.01)}, quality.Score{}, map[string]float64{"ConcealedRatio": 0.01}},
		"bitrate":            {rtcstats.Figures{BitrateBPS: new(31900.0), TargetBPS: new(32000.0)}, quality.Score{}, map[string]float64{"BitrateBPS": 31900}},
		"delay of the score": {rtcstats.Figures{PlayoutMS: new(30.0)}, quality.Score{DelayMS: new(160.2)}, map[string]float64{"DelayMS": 160.2}},
	} {
		test.figures.Quiet = true // no rating
		if got := shown(rest.NewMetrics(test.figures, test.score)); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// TestARatingIsShownWhereThereIsAudio, or where the silence itself says enough.
func TestARatingIsShownWhereThereIsAudio(t *testing.T) {
	for _, test := range []struct{ quiet, unanswered, want bool }{{false, false, true}, {true, false, false}, {true, true, true}, {false, true, true}} {
		got := shown(rest.NewMetrics(rtcstats.Figures{Quiet: test.quiet, Unanswered: test.unanswered}, quality.Score{R: 0, MOS: 1}))
		if r, rated := got["R"]; rated != test.want || r != 0 {
			t.Errorf("quiet %v, unanswered %v: %v", test.quiet, test.unanswered, got)
		}
		if mos, rated := got["MOS"]; rated != test.want || rated && mos != 1 {
			t.Errorf("quiet %v, unanswered %v: %v", test.quiet, test.unanswered, got)
		}
	}
}
