package agent_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"parley/server/agent"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

func TestEchoReturnsPacketsAtOnce(t *testing.T) {
	type in struct {
		seq   uint16
		stamp uint32
		after time.Duration
	}
	for name, test := range map[string]struct {
		in     []in
		stamps []uint32 // steps of the timestamps that come back
	}{
		"in order":                        {[]in{{65535, 0, 0}, {0, 960, frame}, {1, 1920, frame}}, []uint32{960, 960}},
		"one was lost on the way":         {[]in{{1, 0, 0}, {3, 1920, 2 * frame}}, []uint32{1920}},
		"a late one is left out":          {[]in{{1, 0, 0}, {3, 1920, 2 * frame}, {2, 960, 0}, {4, 2880, frame}}, []uint32{1920, 960}},
		"the same twice":                  {[]in{{1, 0, 0}, {1, 0, 0}, {2, 960, frame}}, []uint32{960}},
		"after a minute of silence":       {[]in{{1, 0, 0}, {2, 60 * 48000, time.Minute}}, []uint32{60 * 48000}},
		"a new stream with its own clock": {[]in{{1, 0, 0}, {9000, 1 << 31, frame}}, []uint32{960}},
		"timestamps that wrap":            {[]in{{1, 1<<32 - 960, 0}, {2, 0, frame}}, []uint32{960}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine()
				leg, err := agent.Echo{}.Open(context.Background(), agent.Call{Session: "s1", Audio: l}, l)
				if err != nil {
					t.Fatal(err)
				}
				defer leg.Close()
				for _, p := range test.in {
					time.Sleep(p.after)
					n := len(l.all())
					leg.HandleRTP(&rtp.Header{SequenceNumber: p.seq, Timestamp: p.stamp}, []byte{0x78, 1}, nil)
					if got := l.all(); len(got) > n && got[n].at != time.Since(l.begin) {
						t.Error("it did not come back at once")
					}
				}
				got := l.all()
				var stamps []uint32
				for i := 1; i < len(got); i++ {
					stamps = append(stamps, got[i].header.Timestamp-got[i-1].header.Timestamp)
					if got[i].header.SequenceNumber != got[i-1].header.SequenceNumber+1 {
						t.Errorf("sequence %d after %d", got[i].header.SequenceNumber, got[i-1].header.SequenceNumber)
					}
				}
				if !slices.Equal(stamps, test.stamps) {
					t.Errorf("timestamps step by %v, want %v", stamps, test.stamps)
				}
			})
		})
	}
}

func TestEchoTellsOfSpeech(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		leg, _ := agent.Echo{}.Open(context.Background(), agent.Call{Session: "s1", Audio: l}, l)
		defer leg.Close()
		m := &mouth{leg: leg}
		m.say(tone(quiet, 100)...)
		if n := l.heard(rtcstats.LegCaller); n != 0 {
			t.Errorf("silence is told as speech %d times", n)
		}
		m.say(tone(loud, 51)...)
		if l.heard(rtcstats.LegCaller) != 2 || l.heard(rtcstats.LegAgent) != 2 {
			t.Errorf("a second of speech was told %d and %d times", l.heard(rtcstats.LegCaller), l.heard(rtcstats.LegAgent))
		}
		if !slices.Equal(l.told(), []wire.AgentState{wire.AgentListening, wire.AgentSpeaking}) {
			t.Errorf("states %v", l.told())
		}
	})
}

// An echo speaks from the first voice that it returns until nobody has spoken
// for the pause that ends a turn, and tells nothing once it is closed.
func TestEchoSpeaksWhileItSpeaks(t *testing.T) {
	listening, speaking := wire.AgentListening, wire.AgentSpeaking
	for name, test := range map[string]struct {
		pause time.Duration // between two seconds of speech
		close bool          // right after the second
		want  []wire.AgentState
	}{
		"a breath":         {agent.EndSilence - time.Millisecond, false, []wire.AgentState{listening, speaking, listening}},
		"a pause":          {agent.EndSilence + time.Millisecond, false, []wire.AgentState{listening, speaking, listening, speaking, listening}},
		"closed in a word": {0, true, []wire.AgentState{listening, speaking}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine()
				leg, _ := agent.Echo{}.Open(context.Background(), agent.Call{Session: "s1", Audio: l}, l)
				m := &mouth{leg: leg}
				m.say(tone(quiet, 50)...)
				m.say(tone(loud, 50)...)
				time.Sleep(test.pause - frame) // say waits a frame after each packet
				m.say(tone(loud, 50)...)
				if test.close {
					leg.Close()
				}
				time.Sleep(2 * agent.EndSilence)
				if !slices.Equal(l.told(), test.want) {
					t.Errorf("states %v, want %v", l.told(), test.want)
				}
				leg.Close()
				synctest.Wait()
			})
		})
	}
}

// Without levels, sizes are all there is to go by: speech is what stands out. Who
// can't be told from noise is no speaker, but not idle either; only DTX, or noise
// once speech was told, is silence.
func TestSizesWithoutLevels(t *testing.T) {
	sized := func(bytes, n int) []spoken {
		all := make([]spoken, n)
		for i := range all {
			all[i].opus = append([]byte{0x78}, make([]byte, bytes-1)...)
		}
		return all
	}
	for name, test := range map[string]struct {
		says    []spoken
		isVoice bool
		isLife  bool
	}{
		"a constant rate":                    {sized(80, 200), false, true},
		"DTX, then voice":                    {slices.Concat(sized(1, 50), sized(20, 10), sized(80, 50)), true, true},
		"noise, then voice over it":          {slices.Concat(sized(62, 50), sized(82, 50)), true, true},
		"noise that grows by a tenth":        {slices.Concat(sized(62, 50), sized(68, 50)), false, true},
		"noise after DTX, as long as a word": {slices.Concat(sized(1, 50), sized(62, 50)), false, false},
		"DTX alone":                          {sized(1, 200), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine()
				leg, _ := agent.Echo{}.Open(context.Background(), agent.Call{Session: "s1", Audio: l}, l)
				defer leg.Close()
				m := &mouth{leg: leg, noLevels: true}
				m.say(test.says...)
				if got := l.heard(rtcstats.LegAgent) > 0; got != test.isVoice { // it echoes speech
					t.Errorf("told as speech: %v, want %v", got, test.isVoice)
				}
				if got := l.heard(rtcstats.LegCaller) > 0; got != test.isLife {
					t.Errorf("told as life: %v, want %v", got, test.isLife)
				}
			})
		})
	}
}
