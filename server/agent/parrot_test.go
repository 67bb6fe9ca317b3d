package agent_test

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/agent"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

func TestParrotSaysBackWhatWasSaid(t *testing.T) {
	for name, noLevels := range map[string]bool{"by levels": false, "without levels": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine()
				leg, _ := agent.Parrot{Guard: newGuard(t)}.Open(context.Background(), agent.Call{Session: "s1", Audio: l}, l)
				defer leg.Close()
				m := &mouth{leg: leg, noLevels: noLevels}
				all := speech(t)
				m.say(all...)
				time.Sleep(5 * time.Second)
				got := l.all()
				// The speech is packets 25 to 163; some quiet around it comes along.
				first := slices.IndexFunc(all, func(s spoken) bool { return bytes.Equal(s.opus, got[0].payload) })
				if n := len(got); n < 130 || n > 175 || first < 10 || first > 28 {
					t.Fatalf("%d packets came back from %d on, want the sentence", n, first)
				}
				for i, p := range got {
					if !bytes.Equal(p.payload, all[first+i].opus) {
						t.Fatalf("packet %d is not what was said", i)
					}
				}
				if l.heard(rtcstats.LegCaller) < 2 || l.heard(rtcstats.LegAgent) < 2 {
					t.Errorf("speech was told %d and %d times", l.heard(rtcstats.LegCaller), l.heard(rtcstats.LegAgent))
				}
			})
		})
	}
}

func TestParrotTakesTurnsToTheNanosecond(t *testing.T) {
	talk(t, func(m *mouth, l *line) {
		m.say(tone(loud, 50)...)
		lastVoice := time.Since(l.begin) - frame
		for range 28 { // 560 ms of quiet
			m.say(tone(quiet, 1)...)
		}
		synctest.Wait()
		time.Sleep(lastVoice + 600*time.Millisecond - time.Since(l.begin) - 1)
		synctest.Wait()
		if n := len(l.all()); n != 0 {
			t.Fatalf("%d packets a nanosecond before the turn is over", n)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := len(l.all()); n != 1 {
			t.Fatalf("%d packets when the turn is over, want the first", n)
		}
		if l.state() != wire.AgentSpeaking {
			t.Errorf("the agent is %s", l.state())
		}
		time.Sleep(10 * time.Second)
		want := []wire.AgentState{wire.AgentListening, wire.AgentThinking, wire.AgentSpeaking, wire.AgentListening}
		if !slices.Equal(l.told(), want) {
			t.Errorf("states %v, want %v", l.told(), want)
		}
	})
}

func TestParrotPacesWithoutDrift(t *testing.T) {
	talk(t, func(m *mouth, l *line) {
		m.say(tone(loud, 100)...)
		m.say(tone(quiet, 30)...)
		time.Sleep(200 * time.Millisecond)
		l.mu.Lock()
		l.stall = 90 * time.Millisecond // the scheduler was elsewhere
		l.mu.Unlock()
		time.Sleep(5 * time.Second)
		got := l.all()
		if len(got) < 100 {
			t.Fatalf("%d packets", len(got))
		}
		late := 0
		for i, p := range got {
			if want := got[0].at + time.Duration(i)*frame; p.at != want {
				late++
			}
			if i == 0 {
				continue
			}
			if p.header.SequenceNumber != got[i-1].header.SequenceNumber+1 {
				t.Errorf("packet %d: sequence %d after %d", i, p.header.SequenceNumber, got[i-1].header.SequenceNumber)
			}
			if p.header.Timestamp != got[i-1].header.Timestamp+960 {
				t.Errorf("packet %d: timestamp %d after %d", i, p.header.Timestamp, got[i-1].header.Timestamp)
			}
			if p.header.Marker {
				t.Errorf("packet %d has the marker", i)
			}
		}
		if !got[0].header.Marker {
			t.Error("the talkspurt begins without the marker")
		}
		if late != 4 { // those that the stall held up, and none after
			t.Errorf("%d packets are late, want 4", late)
		}
	})
}

func TestParrotsClockGoesOnBetweenAnswers(t *testing.T) {
	talk(t, func(m *mouth, l *line) {
		for range 2 {
			m.say(tone(loud, 25)...)
			m.say(tone(quiet, 150)...)
		}
		got := l.all()
		i := slices.IndexFunc(got[1:], func(p said) bool { return p.header.Marker }) + 1
		if i == 0 {
			t.Fatal("there is no second answer")
		}
		dt, dts := got[i].at-got[i-1].at, got[i].header.Timestamp-got[i-1].header.Timestamp
		if want := uint32(dt * 48000 / time.Second); dts != want {
			t.Errorf("%v later the timestamp is %d on, want %d", dt, dts, want)
		}
		if got[i].header.SequenceNumber != got[i-1].header.SequenceNumber+1 {
			t.Error("the sequence has a gap between answers")
		}
	})
}

// A parrot's answer waits for its silence window, and for nothing else; it is silent
// once it has heard 100 ms.
func TestParrotMeasuresItsTurns(t *testing.T) {
	talk(t, func(m *mouth, l *line) {
		started := time.Now()
		m.say(tone(loud, 100)...)
		ended := time.Now().Add(-frame) // the last packet came before its time was over
		m.say(tone(quiet, 40)...)
		began := time.Now()
		m.say(tone(loud, 20)...)
		turn := rest.Turn{
			Number: 1, Started: &started, SpokeMS: new(milliseconds(ended.Sub(started))),
			EndOfSpeech: ended, WaitMS: 600, SilenceWindowMS: 600, IsSpeechMeasured: true, IsAudioMeasured: true,
		}
		if got := l.book.turns; len(got) != 1 || !reflect.DeepEqual(got[0], turn) {
			t.Errorf("turns %+v, want %+v", got, turn)
		}
		turn.AgentSpokeMS, turn.IsInterrupted = new(milliseconds(began.Add(80*time.Millisecond).Sub(ended)-600*time.Millisecond)), true
		if got := l.book.ended; len(got) != 1 || !reflect.DeepEqual(got[0], turn) {
			t.Errorf("ended %+v, want %+v", got, turn)
		}
		if got := l.book.interruptions; len(got) != 1 || !got[0].At.Equal(began) || got[0].ClearedMS != nil || *got[0].SilentMS != 80 {
			t.Errorf("interruptions %+v", got)
		}
	})
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func TestParrotStopsWhenTalkedOver(t *testing.T) {
	for name, test := range map[string]struct {
		over  []spoken
		stops bool
	}{
		"one loud packet":            {tone(loud, 1), false},
		"80 ms":                      {tone(loud, 4), false},
		"100 ms":                     {tone(loud, 5), true},
		"clicks far from each other": {slices.Concat(tone(loud, 2), tone(quiet, 20), tone(loud, 2), tone(quiet, 20), tone(loud, 2)), false},
	} {
		t.Run(name, func(t *testing.T) {
			talk(t, func(m *mouth, l *line) {
				m.say(tone(loud, 100)...)
				m.say(tone(quiet, 40)...)
				if l.state() != wire.AgentSpeaking {
					t.Fatalf("the agent is %s", l.state())
				}
				m.say(test.over...)
				if stopped := l.state() == wire.AgentListening; stopped != test.stops {
					t.Fatalf("stopped: %v, want %v", stopped, test.stops)
				}
				if !test.stops {
					return
				}
				before := len(l.all())
				m.say(tone(loud, 20)...)
				m.say(tone(quiet, 28)...)
				if n := len(l.all()); n != before {
					t.Fatalf("%d packets after it was stopped", n-before)
				}
				m.say(tone(quiet, 60)...)
				answer := l.all()[before:]
				// 25 loud packets, begun while it spoke, with their surroundings.
				loudOnes := 0
				for _, p := range answer {
					if p.payload[3] == loud {
						loudOnes++
					}
				}
				if loudOnes != 25 {
					t.Errorf("%d of the 25 packets said over it come back", loudOnes)
				}
			})
		})
	}
}

func TestParrotHearsOutShortPausesAndNoise(t *testing.T) {
	for name, test := range map[string]struct {
		says    []spoken
		answers int // begun within the time
	}{
		"nothing":                {tone(quiet, 100), 0},
		"a cough of 100 ms":      {slices.Concat(tone(loud, 5), tone(quiet, 100)), 0},
		"a word of 120 ms":       {slices.Concat(tone(loud, 6), tone(quiet, 100)), 1},
		"a pause of 580 ms":      {slices.Concat(tone(loud, 30), tone(quiet, 28), tone(loud, 30), tone(quiet, 200)), 1},
		"a pause of a second":    {slices.Concat(tone(loud, 10), tone(quiet, 100), tone(loud, 10), tone(quiet, 100)), 2},
		"a whisper under -58 dB": {slices.Concat(tone(59, 100), tone(quiet, 100)), 0},
		"a voice at -58 dB":      {slices.Concat(tone(58, 100), tone(quiet, 200)), 1},
	} {
		t.Run(name, func(t *testing.T) {
			talk(t, func(m *mouth, l *line) {
				m.say(test.says...)
				answers := 0
				for _, s := range l.told() {
					if s == wire.AgentSpeaking {
						answers++
					}
				}
				if answers != test.answers {
					t.Errorf("%d answers, want %d: %v", answers, test.answers, l.told())
				}
			})
		})
	}
}

func TestParrotKeepsThirtySeconds(t *testing.T) {
	talk(t, func(m *mouth, l *line) {
		for range 40 { // a speech with breaths, 40 s
			m.say(tone(loud, 45)...)
			m.say(tone(quiet, 5)...)
		}
		m.say(tone(quiet, 40)...)
		time.Sleep(time.Minute)
		if n, most := len(l.all()), int(30*time.Second/frame); n < most-50 || n > most {
			t.Errorf("%d packets come back, want 30 s: at most %d", n, most)
		}
	})
}

func TestParrotKeepsPausesOfDTX(t *testing.T) {
	talk(t, func(m *mouth, l *line) {
		m.say(tone(loud, 20)...)
		time.Sleep(400 * time.Millisecond) // no packets at all
		m.stamp += 20 * 960
		m.say(tone(loud, 20)...)
		m.say(tone(quiet, 31)...)
		time.Sleep(5 * time.Second)
		got := l.all()
		gaps := 0
		for i := 1; i < len(got); i++ {
			dt, dts := got[i].at-got[i-1].at, got[i].header.Timestamp-got[i-1].header.Timestamp
			if dt != frame {
				gaps++
				if dt != 420*time.Millisecond || dts != 21*960 || !got[i].header.Marker {
					t.Errorf("packet %d: %v, %d and marker %v after a pause of 400 ms", i, dt, dts, got[i].header.Marker)
				}
			}
		}
		if gaps != 1 {
			t.Errorf("%d pauses, want 1", gaps)
		}
	})
}

func TestParrotEndsATurnWithoutPackets(t *testing.T) {
	talk(t, func(m *mouth, l *line) {
		m.say(tone(loud, 50)...)
		time.Sleep(time.Second) // muted by taking the track away
		if l.state() != wire.AgentSpeaking {
			t.Errorf("the agent is %s", l.state())
		}
	})
}

func TestParrotFollowsANewStream(t *testing.T) {
	talk(t, func(m *mouth, l *line) {
		m.stamp -= 1 << 30 // another microphone, another SSRC
		m.say(tone(loud, 50)...)
		m.say(tone(quiet, 100)...)
		if len(l.all()) < 50 {
			t.Errorf("%d packets come back", len(l.all()))
		}
	})
}

func TestParrotLeavesAtOnce(t *testing.T) {
	for name, when := range map[string]time.Duration{
		"while it listens": 0,
		"before it speaks": 300 * time.Millisecond,
		"while it speaks":  time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine()
				leg, _ := agent.Parrot{Guard: newGuard(t)}.Open(context.Background(), agent.Call{Session: "s1", Audio: l}, l)
				m := &mouth{leg: leg}
				m.say(tone(quiet, 50)...)
				m.say(tone(loud, 50)...)
				time.Sleep(when)
				begin := time.Now()
				if err := leg.Close(); err != nil {
					t.Error(err)
				}
				if d := time.Since(begin); d != 0 {
					t.Errorf("close took %v", d)
				}
				n := len(l.all())
				m.say(tone(loud, 50)...)
				time.Sleep(5 * time.Second)
				if len(l.all()) != n {
					t.Error("it speaks after it left")
				}
				if err := leg.Close(); err != nil {
					t.Errorf("a second close: %v", err)
				}
			})
		})
	}
}

func TestSpeechIsToldOnceASecond(t *testing.T) {
	talk(t, func(m *mouth, l *line) {
		m.say(tone(loud, 151)...) // 3.02 s
		if n := l.heard(rtcstats.LegCaller); n != 4 {
			t.Errorf("told %d times in 3 s, want 4", n)
		}
		m.say(tone(quiet, 300)...)
		if n := l.heard(rtcstats.LegAgent); n != 4 {
			t.Errorf("the agent's was told %d times, want 4", n)
		}
	})
}

// A parrot asks once a call for leave to keep a turn, and once a turn for more,
// which it doesn't get. Once it left, nothing is held.
func TestParrotAsksTheGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guard := newGuard(t)
		l := newLine()
		leg, err := agent.Parrot{Guard: guard}.Open(context.Background(), agent.Call{Session: "s1", Audio: l}, l)
		if err != nil {
			t.Fatal(err)
		}
		m := &mouth{leg: leg}
		want := func(when string, allowed, blocked int64, held int) {
			t.Helper()
			if a := guard.Status().Audio; a.Allowed != allowed || a.Blocked != blocked || a.Held != held || guard.StorageAttempts("s1") != blocked {
				t.Errorf("%s: %+v", when, a)
			}
		}
		want("at first", 1, 0, 1)
		m.say(tone(loud, 1500)...) // 30 s
		want("a whole turn", 1, 0, 1)
		m.say(tone(loud, 1)...)
		want("a packet more", 1, 1, 1)
		m.say(tone(loud, 500)...)
		want("and more", 1, 1, 1)
		m.say(tone(quiet, 50)...)
		time.Sleep(40 * time.Second) // it says it back
		m.say(tone(loud, 1501)...)
		want("a second long turn", 1, 2, 1)
		if b := guard.Status().Blocked[0]; b.Operation != "buffer" || b.By != "parrot" || b.Session != "s1" {
			t.Errorf("%+v", b)
		}
		if err := leg.Close(); err != nil {
			t.Error(err)
		}
		want("after it left", 1, 2, 0)
		guard.EndCall("s1")
		if err := guard.Validate(); err != nil {
			t.Error(err)
		}
	})
}

// refusal is a guard that allows nothing.
type refusal struct{}

func (refusal) Hold(string, string, time.Duration) error { return errors.New("refused") }
func (refusal) Release(string, string)                   {}

func TestParrotNeedsLeave(t *testing.T) {
	l := newLine()
	if _, err := (agent.Parrot{Guard: refusal{}}).Open(t.Context(), agent.Call{Session: "s1", Audio: l}, l); err == nil {
		t.Error("it keeps audio all the same")
	}
}

// An echo keeps nothing, and asks for nothing.
func TestEchoHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guard := newGuard(t)
		echo, ok := agent.NewRegistry(agent.Builtin(guard)...).Get("echo", "", "")
		if !ok {
			t.Fatal("no echo")
		}
		l := newLine()
		leg, err := echo.Open(context.Background(), agent.Call{Session: "s1", Audio: l}, l)
		if err != nil {
			t.Fatal(err)
		}
		m := &mouth{leg: leg}
		m.say(tone(loud, 50)...)
		if a := guard.Status().Audio; a.Attempts != 0 || len(l.all()) == 0 {
			t.Errorf("%+v", a)
		}
		if err := leg.Close(); err != nil {
			t.Error(err)
		}
	})
}
