package quality_test

import (
	"testing"

	"parley/shared/quality"
	"parley/shared/rtcstats"
)

// line is a window and its judge, fed once a second.
type line struct {
	at float64
	w  rtcstats.Window
	j  *quality.Judge
}

func (l *line) second(f rtcstats.Flow) quality.Verdict {
	l.at += 1000
	l.w.Add(l.at, f)
	v, _ := l.j.Next(l.w.Figures())
	return v
}

func spoken() rtcstats.Flow { return rtcstats.Flow{Seconds: 1, Packets: 50, Expected: 50} }

// A level falls with the first silent second, stays down as long as the silence
// lasts, and is found anew after it.
func TestAnOutage(t *testing.T) {
	for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
		l := &line{j: quality.NewJudge(d)}
		for range 10 {
			l.second(spoken())
		}
		for n := range 8 {
			v := l.second(rtcstats.Silent(1))
			if v.Level != quality.Poor || v.Cause != quality.CauseLoss || v.Value != 100 || v.MOS > 1.5 {
				t.Fatalf("%s, silent second %d: %+v", d, n+1, v)
			}
		}
		gap := spoken()
		gap.Lost, gap.Expected = 400, 450
		want := []quality.Level{quality.None, quality.None, quality.None, quality.Excellent, quality.Excellent}
		for n, level := range want {
			f := spoken()
			if n == 0 {
				f = gap
			}
			if v := l.second(f); v.Level != level || v.Cause != quality.CauseNone {
				t.Errorf("%s, second %d after it: %+v, want %s", d, n+1, v, level)
			}
		}
	}
}

// One silent second is a tenth of the window: heard, and blamed on loss.
func TestASilentSecond(t *testing.T) {
	l := &line{j: quality.NewJudge(quality.ToAgent)}
	for range 10 {
		l.second(spoken())
	}
	if v := l.second(rtcstats.Silent(1)); v.Level != quality.Poor {
		t.Errorf("level %s", v.Level)
	}
	for range 9 {
		if v := l.second(spoken()); v.Cause != quality.CauseLoss {
			t.Errorf("blames %q", v.Cause)
		}
	}
}

// Neither a caller who is muted nor an agent that rests is a silent leg.
func TestFewPacketsAreNoSilence(t *testing.T) {
	l := &line{j: quality.NewJudge(quality.ToCaller)}
	for range 10 {
		l.second(spoken())
	}
	for range 60 {
		if v := l.second(rtcstats.Flow{Seconds: 1, Packets: 2, Expected: 2}); v.Level != quality.Excellent {
			t.Fatalf("level %s", v.Level)
		}
	}
}
