package quality_test

import (
	"math"
	"strings"
	"testing"

	"parley/shared/quality"
	"parley/shared/rtcstats"
)

// A second of a line that rates: e(xcellent), g(ood), f(air), p(oor), q(uiet).
func secondOf(kind rune) rtcstats.Figures {
	switch kind {
	case 'g':
		return with(lossOf(2))
	case 'f':
		return with(lossOf(4))
	case 'p':
		return with(lossOf(9))
	case 'q':
		return with(func(f *rtcstats.Figures) { f.Quiet, f.LossRatio, f.EffectiveLossRatio = true, nil, nil })
	}
	return figures()
}

func letter(v quality.Verdict) string {
	l := map[quality.Level]string{quality.Excellent: "e", quality.Good: "g", quality.Fair: "f", quality.Poor: "p", quality.None: "-"}[v.Level]
	if v.Quiet {
		l = strings.ToUpper(l)
		if l == "-" {
			l = "Q"
		}
	}
	return l
}

func TestHysteresis(t *testing.T) {
	cases := map[string]struct{ line, want string }{
		"three looks make a level":         {"eee", "--e"},
		"two bad ones are forgiven":        {"eeeeeppeeeee", "--eeeeeeeeee"},
		"three bad of five are not":        {"eeeeepeppp", "--eeeeeepp"},
		"it falls as far as three agree":   {"eeeeegfppp", "--eeeeegfp"},
		"it rises a step at a time":        {"ppppp" + strings.Repeat("e", 17), "--ppppppp" + "fffff" + "ggggg" + "eee"},
		"one bad one holds the rise back":  {"ggggg" + "eeee" + "g" + "eeeeee", "--gggggggggggg" + "ee"},
		"quiet keeps the level":            {"eeeqqqqe", "--eEEEEe"},
		"quiet from the start is no level": {"qqqq", "QQQQ"},
		"quiet seconds don't vote":         {"eeeeepqqqpqqqp", "--eeeeEEEeEEEp"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			j := quality.NewJudge(quality.ToAgent)
			got := ""
			for i, kind := range c.line {
				f := secondOf(kind)
				f.At = float64(1000 * (i + 1))
				v, _ := j.Next(f)
				got += letter(v)
			}
			if got != c.want {
				t.Errorf("line    %s\nverdict %s\nwant    %s", c.line, got, c.want)
			}
		})
	}
}

// judged runs a line of one look a second, from the time start (ms).
func judged(j *quality.Judge, start float64, line string) (v quality.Verdict) {
	for i, kind := range line {
		f := secondOf(kind)
		f.At = start + float64(1000*i)
		v, _ = j.Next(f)
	}
	return v
}

func TestShownNumberFallsFasterThanItRises(t *testing.T) {
	good, bad := quality.ScoreOf(quality.ToAgent, secondOf('e')).R, quality.ScoreOf(quality.ToAgent, secondOf('p')).R
	j := quality.NewJudge(quality.ToAgent)
	if v := judged(j, 1000, "eee"); v.R != good {
		t.Fatalf("a steady line shows %v, want %v", v.R, good)
	}
	fallen := 0.7*bad + 0.3*good
	if v := judged(j, 4000, "p"); math.Abs(v.R-fallen) > 1e-9 || v.MOS != quality.MOS(v.R) {
		t.Errorf("after a bad second %v, want %v", v.R, fallen)
	}
	risen := 0.4*good + 0.6*fallen
	if v := judged(j, 5000, "e"); math.Abs(v.R-risen) > 1e-9 {
		t.Errorf("after a good one %v, want %v", v.R, risen)
	}
}

func TestAPauseStartsOver(t *testing.T) {
	j := quality.NewJudge(quality.ToAgent)
	judged(j, 1000, "eeeee")
	if v := judged(j, 5000+quality.NoDataAfterMS, "p"); v.Level != quality.Excellent {
		t.Errorf("five seconds later: %s", v.Level)
	}
	if v := judged(j, 10_001+quality.NoDataAfterMS, "p"); v.Level != quality.None || v.R != 0 || v.MOS != 0 {
		t.Errorf("a millisecond more: %+v", v)
	}
	if v := judged(j, 20_000, "eee"); v.Level != quality.Excellent {
		t.Errorf("three looks later: %s", v.Level)
	}
	if v := judged(j, 3000, "p"); v.Level != quality.None {
		t.Errorf("with the clock set back: %s", v.Level)
	}
}

func TestFastLooksHaveNoMoreVotes(t *testing.T) {
	j := quality.NewJudge(quality.ToAgent)
	judged(j, 1000, "eeeee")
	for i := range 20 {
		f := secondOf('p')
		f.At = 5000 + float64(10*(i+1))
		if v, _ := j.Next(f); v.Level != quality.Excellent {
			t.Fatalf("%d looks within 200 ms made it %s", i+1, v.Level)
		}
	}
}

func TestCauseStandsBesideItsLevel(t *testing.T) {
	j := quality.NewJudge(quality.ToCaller)
	if v := judged(j, 1000, "eee"); v.Cause != quality.CauseNone || v.Direction != "" {
		t.Errorf("an excellent line has cause %q %q", v.Cause, v.Direction)
	}
	v := judged(j, 4000, "ppp")
	if v.Level != quality.Poor || v.Cause != quality.CauseLoss || v.Direction != quality.ToCaller || math.Abs(v.Value-9) > 1e-9 {
		t.Errorf("a poor one: %+v", v)
	}
	if v := judged(j, 7000, "ee"); v.Level != quality.Poor || v.Cause != quality.CauseLoss {
		t.Errorf("still poor, and the cause is gone: %+v", v)
	}
	if v := judged(j, 9000, strings.Repeat("e", 16)); v.Level != quality.Excellent || v.Cause != quality.CauseNone || v.Value != 0 || v.Direction != "" {
		t.Errorf("excellent again: %+v", v)
	}
}

func TestADeadPathIsNotQuiet(t *testing.T) {
	j := quality.NewJudge(quality.ToAgent)
	judged(j, 1000, "eeeee")
	var v quality.Verdict
	for i := range 3 {
		f := secondOf('q')
		f.Unanswered, f.At = true, float64(6000+1000*i)
		v, _ = j.Next(f)
	}
	if v.Level != quality.Poor || v.Quiet || v.Cause != quality.CauseLoss {
		t.Errorf("%+v", v)
	}
}

func TestWorst(t *testing.T) {
	v := func(l quality.Level, r float64, d quality.Direction, quiet bool) quality.Verdict {
		return quality.Verdict{Level: l, R: r, Direction: d, Quiet: quiet}
	}
	none := quality.Verdict{Level: quality.None, Quiet: true}
	poor, fair := v(quality.Poor, 50, quality.ToAgent, false), v(quality.Fair, 40, quality.ToCaller, false)
	cases := map[string]struct {
		in   []quality.Verdict
		want quality.Verdict
	}{
		"nothing":                {nil, quality.Verdict{Level: quality.None}},
		"none at all":            {[]quality.Verdict{none, none}, quality.Verdict{Level: quality.None}},
		"the level decides":      {[]quality.Verdict{fair, poor}, poor},
		"none does not count":    {[]quality.Verdict{none, fair}, fair},
		"then the number":        {[]quality.Verdict{v(quality.Good, 75, "", false), v(quality.Good, 72, quality.ToAgent, false)}, v(quality.Good, 72, quality.ToAgent, false)},
		"one that speaks":        {[]quality.Verdict{v(quality.Good, 72, "", true), v(quality.Excellent, 85, "", false)}, v(quality.Good, 72, "", false)},
		"quiet when both are":    {[]quality.Verdict{v(quality.Good, 72, "", true), v(quality.Excellent, 85, "", true)}, v(quality.Good, 72, "", true)},
		"quiet beside no level":  {[]quality.Verdict{none, v(quality.Excellent, 85, "", true)}, v(quality.Excellent, 85, "", true)},
		"an empty level is none": {[]quality.Verdict{{}, fair}, fair},
	}
	for name, c := range cases {
		if got := quality.Worst(c.in...); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
