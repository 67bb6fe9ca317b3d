package call_test

import (
	"testing"
	"testing/synctest"
	"time"

	"parley/app/call"
	"parley/shared/quality"
)

func TestHearing(t *testing.T) {
	const step = 50 * time.Millisecond
	cases := map[string]struct {
		levels        []float64 // one each 50 ms
		heard, silent bool
	}{
		"a voice":               {many(-20, 7), true, false},
		"not yet":               {many(-20, 6), false, false},
		"at the threshold":      {many(-45, 7), true, false},
		"a quiet room":          {many(-46, 100), false, false},
		"a quiet room for long": {many(-46, 121), false, true},
		"just not for long":     {many(-46, 120), false, false},
		"a knock":               {append(many(-10, 2), many(-80, 30)...), false, false},
		"words with a breath":   {append(append(many(-20, 3), many(-80, 4)...), many(-20, 1)...), true, false},
		"two knocks":            {append(append(many(-10, 2), many(-80, 10)...), many(-10, 2)...), false, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var e call.SpeechDetector
			p := call.Picture{Mic: call.MicCheck{State: call.MicOpen}}
			for i, level := range c.levels {
				loud, open := e.ObserveLevel(level, noon.Add(time.Duration(i)*step))
				p, _ = call.ApplyLevel(p, loud, 0, open)
			}
			if p.Mic.Heard != c.heard || p.Mic.Silent != c.silent {
				t.Errorf("heard: %v, silent: %v", p.Mic.Heard, p.Mic.Silent)
			}
		})
	}
}

func many(level float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = level
	}
	return out
}

func TestPredict(t *testing.T) {
	ms := func(times ...int) []time.Duration {
		out := make([]time.Duration, len(times))
		for i, v := range times {
			out[i] = time.Duration(v) * time.Millisecond
		}
		return out
	}
	cases := map[string]struct {
		times []time.Duration
		state call.ProbeState
		level quality.Level
		lost  int
		cause quality.Cause // of what it lacks
	}{
		"a good line":       {ms(38, 38, 38, 38, 38, 38, 38, 38, 38, 38), call.ProbeDone, quality.Excellent, 0, quality.CauseDelay},
		"a far server":      {ms(500, 500, 500, 500, 500, 500, 500, 500, 500, 500), call.ProbeDone, quality.Fair, 0, quality.CauseDelay},
		"an uneven line":    {ms(20, 140, 20, 140, 20, 140, 20, 140, 20, 140), call.ProbeDone, quality.Fair, 0, quality.CauseJitter},
		"half is lost":      {ms(38, 38, 38, 38, 38), call.ProbeDone, quality.Poor, 5, quality.CauseLoss},
		"too few to say":    {ms(38, 38), call.ProbeFailed, "", 0, ""},
		"nothing came back": {nil, call.ProbeFailed, "", 0, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := call.Predict(c.times, call.ProbeCount)
			if got.State != c.state || got.Verdict.Level != c.level || got.Lost != c.lost || got.Verdict.Cause != c.cause {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// Without a sound device some browsers open a microphone and measure nothing of it.
func TestAMicrophoneWhoseLevelDoesNotCome(t *testing.T) {
	p := &phone{}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.CheckMicrophone()
		time.Sleep(call.LevelWait - time.Nanosecond)
		synctest.Wait()
		if e.Picture().Mic.NoLevel {
			t.Error("given up a nanosecond early")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got := e.Picture().Mic; !got.NoLevel || got.Silent {
			t.Errorf("the page waits for a level: %+v", got)
		}
		p.level(-60)
		if e.Picture().Mic.NoLevel {
			t.Error("a level that comes late is none")
		}
	})
}

// Where the browser counts nothing of what it sends, the meter tells who spoke when.
func TestWhoSpokeIsKnownByTheMeter(t *testing.T) {
	for name, c := range map[string]struct {
		counted  float64   // by the browser, in dBFS
		levels   []float64 // of the meter
		isSpeech bool
	}{
		"counted":           {-20, nil, true},
		"a voice":           {-100, many(-20, 20), true},
		"a word of a few":   {-100, append(many(-100, 15), many(-20, 5)...), true},
		"silence":           {-100, many(-80, 20), false},
		"nothing is known":  {-100, nil, false},
		"and counted quiet": {-60, many(-20, 20), false},
	} {
		t.Run(name, func(t *testing.T) {
			p := &phone{events: answered}
			in(t, p, func(t *testing.T, e *call.Engine) {
				e.Start()
				synctest.Wait()
				for _, level := range c.levels {
					p.level(level)
				}
				p.line(t, 1).tell <- measured(c.counted, -100)
				p.line(t, 1).tell <- measured(-100, -100) // what was told is told once
				synctest.Wait()
				seconds := e.Picture().Talk.Seconds
				if len(seconds) != 2 || (seconds[0].You > 0) != c.isSpeech || seconds[1].You > 0 {
					t.Errorf("the ribbon shows %+v", seconds)
				}
			})
		})
	}
}
