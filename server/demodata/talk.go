package demodata

import (
	"math/rand/v2"
	"time"

	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// talk is who speaks when, second by second.
type talk struct {
	trouble trouble
	rng     *rand.Rand
	state   wire.AgentState
	left    time.Duration // of the state
	heard   time.Duration // what the caller said before this answer
	turn    rest.Turn     // the newest
	since   time.Time     // of the state
}

func newTalk(t trouble, rng *rand.Rand) *talk {
	return &talk{trouble: t, rng: rng, state: wire.AgentListening, left: 2 * time.Second}
}

// talkStep is what a second of talk brought.
type talkStep struct {
	state  wire.AgentState
	speech rtcstats.Leg // who was heard; "": nobody
	turns  []rest.Turn  // that were answered
	ended  []rest.Turn  // whose answers are over
	spoken []rest.Interruption
	used   rest.Usage
}

// next moves the talk to the second that ends at the time at.
func (t *talk) next(at time.Time) (s talkStep) {
	if t.trouble == staysQuiet {
		return talkStep{state: wire.AgentListening}
	}
	if t.left -= time.Second; t.left <= 0 {
		t.change(at, &s)
	}
	s.state = t.state
	switch t.state {
	case wire.AgentListening:
		s.speech = rtcstats.LegCaller
		t.heard += time.Second
	case wire.AgentSpeaking:
		s.speech = rtcstats.LegAgent
	}
	return s
}

// change goes on from who was speaking to who does next.
func (t *talk) change(at time.Time, s *talkStep) {
	switch t.state {
	case wire.AgentListening:
		t.state, t.left = wire.AgentThinking, time.Second
		if t.trouble == agentSlow {
			t.left = 3 * time.Second
		}
	case wire.AgentThinking:
		t.turn = t.answered(at)
		t.state, t.left = wire.AgentSpeaking, time.Duration(3+t.rng.IntN(7))*time.Second
		s.turns, s.used = []rest.Turn{t.turn}, usageOf(t.heard, t.left)
		t.heard, t.since = 0, at
	default:
		t.state, t.left = wire.AgentListening, time.Duration(2+t.rng.IntN(5))*time.Second
		t.turn.AgentSpokeMS, t.turn.IsInterrupted = new(float64(at.Sub(t.since).Milliseconds())), t.rng.IntN(8) == 0
		s.ended = []rest.Turn{t.turn}
		if t.turn.IsInterrupted {
			silent := 120 + 160*t.rng.Float64()
			s.spoken = []rest.Interruption{{At: at.Add(-time.Second), ClearedMS: new(silent - 40), SilentMS: new(silent)}}
		}
	}
}

// answered is the next turn, whose answer's first word comes at the time at.
func (t *talk) answered(at time.Time) rest.Turn {
	turn := rest.Turn{Number: t.turn.Number + 1, SilenceWindowMS: 300, NetworkMS: 20 + 10*t.rng.Float64(), ModelMS: 260 + 420*t.rng.Float64(), IsSpeechMeasured: true, IsAudioMeasured: true}
	if t.rng.IntN(6) == 0 {
		turn.ToolsMS = 150 + 250*t.rng.Float64()
	}
	if t.trouble == agentSlow {
		turn.ModelMS += 1600 + 1500*t.rng.Float64()
	}
	turn.WaitMS = turn.SilenceWindowMS + turn.NetworkMS + turn.ModelMS + turn.ToolsMS
	turn.EndOfSpeech = at.Add(-turn.Wait())
	turn.Started, turn.SpokeMS = new(turn.EndOfSpeech.Add(-t.heard)), new(float64(t.heard.Milliseconds()))
	return turn
}
