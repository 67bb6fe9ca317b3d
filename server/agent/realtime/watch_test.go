package realtime_test

import (
	"testing"
	"time"

	"parley/server/agent/realtime"
)

func TestAStuckAgentIsWarnedOfThenDue(t *testing.T) {
	limits := realtime.DefaultWatchLimits()
	for name, test := range map[string]struct {
		play  func(w *realtime.Watch, observe func(ms int, message string))
		stuck realtime.Stuck
		since int // milliseconds
	}{
		"nothing was ever said": {func(*realtime.Watch, func(int, string)) {}, realtime.StuckSilentStart, 0},
		"it speaks, but no packet comes": {func(_ *realtime.Watch, observe func(int, string)) {
			observe(500, speaking)
		}, realtime.StuckNoMedia, 500},
		"packets ceased while it spoke": {func(w *realtime.Watch, observe func(int, string)) {
			observe(500, speaking)
			w.Media(after(2000))
		}, realtime.StuckNoMedia, 2000},
		"the caller speaks, and it notices nothing": {func(w *realtime.Watch, observe func(int, string)) {
			observe(0, serverVAD)
			w.CallerVoice(after(1000), true)
			w.CallerVoice(after(3000), false) // two seconds of it
			w.CallerVoice(after(60_000), true)
		}, realtime.StuckNoEvents, 58_000},
		"an answer without an end": {func(_ *realtime.Watch, observe func(int, string)) {
			observe(500, `{"type":"response.created","response":{"id":"r"}}`)
			observe(900, `{"type":"response.output_audio_transcript.delta","response_id":"r","delta":"x"}`)
			observe(950, `{"type":"rate_limits.updated"}`)
		}, realtime.StuckNoEnd, 900},
		"the connection is interrupted": {func(w *realtime.Watch, observe func(int, string)) {
			observe(500, serverVAD)
			w.Connected(after(700), false)
			w.Connected(after(900), false)
		}, realtime.StuckGone, 700},
	} {
		t.Run(name, func(t *testing.T) {
			w := realtime.NewWatch(limits, noon)
			test.play(w, func(ms int, message string) { w.Observe(after(ms), read(t, message)) })
			warn := after(test.since).Add(limits[test.stuck].Warn)
			end := after(test.since).Add(limits[test.stuck].End)
			if got := w.Next(); !got.Equal(warn) {
				t.Fatalf("next look at %v, want %v", got, warn)
			}
			if got := w.Check(warn.Add(-1)); len(got) > 0 {
				t.Errorf("a nanosecond early: %v", got)
			}
			want := realtime.Alarm{Stuck: test.stuck, Since: after(test.since), EndsAt: end}
			if got := w.Check(warn); len(got) != 1 || got[0] != want {
				t.Errorf("warned of %v, want %v", got, want)
			}
			if got := w.Check(end.Add(-1)); len(got) > 0 || !w.Next().Equal(end) {
				t.Errorf("warned twice: %v; next look at %v", got, w.Next())
			}
			want.IsDue = true
			if got := w.Check(end); len(got) != 1 || got[0] != want {
				t.Errorf("due: %v, want %v", got, want)
			}
			if got := w.Check(end.Add(time.Hour)); len(got) > 0 || !w.Next().IsZero() {
				t.Errorf("due twice: %v; next look at %v", got, w.Next())
			}
		})
	}
}

func TestWhatComesInTimeIsNotStuck(t *testing.T) {
	for name, play := range map[string]func(w *realtime.Watch, observe func(ms int, message string)){
		"it spoke and stopped": func(_ *realtime.Watch, observe func(int, string)) {
			observe(500, speaking)
			observe(900, spoken)
		},
		"it was interrupted": func(_ *realtime.Watch, observe func(int, string)) {
			observe(500, speaking)
			observe(900, cleared)
		},
		"it noticed the caller, who is silent now": func(w *realtime.Watch, observe func(int, string)) {
			w.CallerVoice(after(0), true)
			observe(500, started)
			w.CallerVoice(after(900), false)
		},
		"the client says when its turn ends": func(w *realtime.Watch, observe func(int, string)) {
			observe(0, `{"type":"session.created","session":{"audio":{"input":{"turn_detection":null}}}}`)
			w.CallerVoice(after(100), true)
		},
		"an answer ended": func(_ *realtime.Watch, observe func(int, string)) {
			observe(500, `{"type":"response.created","response":{"id":"r"}}`)
			observe(900, `{"type":"response.done","response":{"id":"r"}}`)
		},
		"the connection is back": func(w *realtime.Watch, observe func(int, string)) {
			observe(500, serverVAD)
			w.Connected(after(700), false)
			w.Connected(after(900), true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := realtime.NewWatch(realtime.DefaultWatchLimits(), noon)
			play(w, func(ms int, message string) { w.Observe(after(ms), read(t, message)) })
			if next := w.Next(); !next.IsZero() {
				t.Errorf("next look at %v", next)
			}
			if got := w.Stuck(noon.Add(time.Hour)); len(got) > 0 {
				t.Errorf("stuck: %v", got)
			}
		})
	}
}
