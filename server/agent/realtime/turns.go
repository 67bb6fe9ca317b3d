package realtime

import (
	"time"

	"parley/shared/rest"
)

const (
	// longestTurn is the longest wait that is measured: beyond it the answer is to
	// something else.
	longestTurn = 2 * time.Minute
	// longestWindow is how long before the event speech may have ended: the
	// slowest documented turn detection waits 8 s.
	longestWindow = 10 * time.Second
	// maxTaken bounds the measures that wait to be taken.
	maxTaken = 256
)

// Turns measures the turns of one call from its events and its packets. It is not
// safe for use by several goroutines.
type Turns struct {
	roundTrip time.Duration
	window    time.Duration // by the session's settings

	caller, agent       voice     // by their packets
	hasMarks, isPlaying bool      // the agent's voice, by its events
	inSpeech            bool      // the caller, by the agent's events
	spokeSince          time.Time // since when the caller speaks, pauses included
	turn                *openTurn
	answer              *openAnswer
	cut                 *openCut

	number       int // of turns
	turns, ended []rest.Turn
	cuts         []rest.Interruption
}

// openTurn is a turn that waits for its first audio.
type openTurn struct {
	began      time.Time // speech; zero: nobody knows
	end        time.Time // of speech
	isMeasured bool
	noticed    time.Time // by the agent's event
	toolsSince time.Time // a function that the model waits for
	tools      time.Duration
	event, rtp time.Time // the first audio
}

// openAnswer is a turn whose answer is being spoken.
type openAnswer struct {
	turn rest.Turn
	from time.Time
}

// openCut is an interruption that waits for the agent's silence.
type openCut struct {
	at              time.Time
	cleared, silent time.Time
}

// RoundTrip takes the agent leg's round-trip time, as it is now.
func (t *Turns) RoundTrip(d time.Duration) { t.roundTrip = d }

// CallerVoice takes a packet of the caller's: whether it holds speech.
func (t *Turns) CallerVoice(at time.Time, isVoice bool) { t.caller.take(at, isVoice) }

// AgentVoice takes a packet of the agent's: whether it holds sound.
func (t *Turns) AgentVoice(at time.Time, isVoice bool) {
	if wasOn := t.agent.isOn; t.agent.take(at, isVoice) {
		t.agentChanged(wasOn)
	}
}

// Pass lets time go on while no packets come: an end that sends none is silent.
func (t *Turns) Pass(at time.Time) {
	t.caller.pass(at)
	if t.agent.pass(at) {
		t.agentChanged(true)
	}
}

// agentChanged takes that the agent's voice began, or ended.
func (t *Turns) agentChanged(wasOn bool) {
	switch {
	case !wasOn && t.turn != nil && t.turn.rtp.IsZero():
		t.turn.rtp = t.agent.began
		t.finishTurn(false)
	case !wasOn && t.cut != nil: // it was only a pause
		t.cut.silent = time.Time{}
	case wasOn:
		t.finishTurn(true)
		if t.cut != nil {
			t.cut.silent = t.agent.last
			t.finishCut(false)
		}
		t.finishAnswer(time.Time{})
	}
}

// IsSilent reports that by its events the agent doesn't speak; an agent that tells of
// none may.
func (t *Turns) IsSilent() bool { return t.hasMarks && !t.isPlaying }

// Observe takes an event of the agent that came at a time.
func (t *Turns) Observe(at time.Time, e *Event) {
	t.Pass(at)
	switch e.Type {
	case SessionCreated, SessionUpdated:
		if e.Session != nil {
			t.window = e.Session.SilenceWindow
		}
	case SpeechStarted:
		t.speechStarted(at)
	case SpeechStopped:
		t.inSpeech = false
		t.begin(at)
	case InputCommitted:
		// Without turn detection, the client says when it is over.
		if t.turn == nil && !t.inSpeech {
			t.begin(at)
		}
	case FunctionArgumentsDone:
		if t.turn != nil && t.turn.toolsSince.IsZero() {
			t.turn.toolsSince = at
		}
	case OutputStarted:
		t.hasMarks, t.isPlaying = true, true
		if t.turn != nil && t.turn.event.IsZero() {
			t.turn.event = at
			t.finishTurn(false)
		}
	case OutputStopped, OutputCleared:
		t.isPlaying = false
		t.finishTurn(true)
		if e.Type == OutputCleared {
			t.cleared(at)
		}
		t.finishAnswer(at)
	case ResponseDone:
		if e.Response != nil && e.Response.Reason == "turn_detected" {
			t.cleared(at)
		}
	}
}

// ToolsDone takes when the agent was given what its functions returned.
func (t *Turns) ToolsDone(at time.Time) {
	if t.turn != nil && !t.turn.toolsSince.IsZero() {
		t.turn.tools += at.Sub(t.turn.toolsSince)
		t.turn.toolsSince = time.Time{}
	}
}

func (t *Turns) speechStarted(at time.Time) {
	t.inSpeech = true
	t.finishTurn(true)
	t.turn = nil // they went on before they were answered
	t.finishCut(true)
	began := at
	if before := at.Sub(t.caller.began); before >= 0 && before <= longestWindow {
		began = t.caller.began
	}
	if t.spokeSince.IsZero() {
		t.spokeSince = began
	}
	if t.agent.isOn || t.isPlaying {
		t.cut = &openCut{at: began}
	} else {
		t.closeAnswer(t.agent.last)
	}
}

// begin opens the turn of what ended before at.
func (t *Turns) begin(at time.Time) {
	t.finishTurn(true)
	t.turn = &openTurn{noticed: at, began: t.spokeSince, end: at.Add(-t.window - t.roundTrip)}
	if before := at.Sub(t.caller.last); before <= longestWindow && !t.caller.isHeard(at) {
		t.turn.end, t.turn.isMeasured = t.caller.last, true
		if t.turn.began.IsZero() {
			t.turn.began = t.caller.began
		}
	}
}

// finishTurn closes the turn once both marks of its first audio are there, or at
// once with what there is.
func (t *Turns) finishTurn(now bool) {
	o := t.turn
	if o == nil || o.rtp.IsZero() && o.event.IsZero() || !now && (o.rtp.IsZero() || o.event.IsZero()) {
		return
	}
	t.turn = nil
	turn := o.measure(t.window, t.roundTrip)
	if turn.WaitMS < 0 || turn.WaitMS > milliseconds(longestTurn) || len(t.turns) >= maxTaken {
		return
	}
	t.number++
	turn.Number = t.number
	t.turns = append(t.turns, turn)
	t.spokeSince = time.Time{}
	t.closeAnswer(turn.EndOfSpeech)
	t.answer = &openAnswer{turn, turn.EndOfSpeech.Add(turn.Wait())}
}

// finishAnswer ends the answer once the agent has said that it stops, and is silent. at
// is when it said so, if it did just now. Where it says nothing of that, a pause can't
// be told from the end before the next turn.
func (t *Turns) finishAnswer(at time.Time) {
	if !t.hasMarks || t.isPlaying || t.agent.isOn {
		return
	}
	if t.answer != nil && t.answer.turn.IsAudioMeasured {
		at = t.agent.last
	}
	t.closeAnswer(at)
}

// closeAnswer ends the answer at a time.
func (t *Turns) closeAnswer(at time.Time) {
	a := t.answer
	if t.answer = nil; a == nil || len(t.ended) >= maxTaken {
		return
	}
	a.turn.AgentSpokeMS = new(max(0, milliseconds(at.Sub(a.from))))
	t.ended = append(t.ended, a.turn)
}

// measure divides the wait. The agent's events are as late at our relay as its
// packets are, so what lies between two of them holds no network; all of that is
// in how long after the end of speech the agent noticed.
func (o *openTurn) measure(window, roundTrip time.Duration) rest.Turn {
	turn := rest.Turn{EndOfSpeech: o.end, IsSpeechMeasured: o.isMeasured, IsAudioMeasured: !o.rtp.IsZero()}
	if spoke := o.end.Sub(o.began); !o.began.IsZero() && spoke >= 0 {
		turn.Started, turn.SpokeMS = &o.began, new(milliseconds(spoke))
	}
	first := o.rtp
	switch {
	case first.IsZero():
		first = o.event
	case !o.event.IsZero():
		turn.EventLagMS = new(milliseconds(o.event.Sub(first)))
	}
	wait := first.Sub(o.end)
	noticed := min(o.noticed.Sub(o.end), wait)
	network := min(roundTrip, noticed)
	if roundTrip == 0 {
		network = max(0, noticed-window)
	}
	tools := min(o.tools, wait-noticed)
	turn.WaitMS = milliseconds(wait)
	turn.SilenceWindowMS, turn.NetworkMS = milliseconds(noticed-network), milliseconds(network)
	turn.ToolsMS, turn.ModelMS = milliseconds(tools), milliseconds(wait-noticed-tools)
	return turn
}

// milliseconds is d to the tenth, which is finer than packets come.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond)) / float64(time.Millisecond)
}

func (t *Turns) cleared(at time.Time) {
	if t.cut != nil && t.cut.cleared.IsZero() {
		t.cut.cleared = at
		if t.answer != nil {
			t.answer.turn.IsInterrupted = true
		}
		t.finishCut(false)
	}
}

// finishCut closes the interruption once the agent is silent and has said so, or
// at once with what there is. An agent that fell silent without a word of it had
// come to its end.
func (t *Turns) finishCut(now bool) {
	c := t.cut
	if c == nil || !now && (c.cleared.IsZero() || c.silent.IsZero()) {
		return
	}
	t.cut = nil
	if c.cleared.IsZero() || len(t.cuts) >= maxTaken {
		return
	}
	cut := rest.Interruption{At: c.at, ClearedMS: new(milliseconds(c.cleared.Sub(c.at)))}
	if !c.silent.IsZero() {
		cut.SilentMS = new(milliseconds(c.silent.Sub(c.at)))
	}
	t.cuts = append(t.cuts, cut)
}

// TakeEnded returns the turns whose answers ended since it was last asked.
func (t *Turns) TakeEnded() (turns []rest.Turn) {
	turns, t.ended = t.ended, nil
	return turns
}

// Take returns what was measured since it was last asked.
func (t *Turns) Take() (turns []rest.Turn, cuts []rest.Interruption) {
	turns, cuts = t.turns, t.cuts
	t.turns, t.cuts = nil, nil
	return turns, cuts
}
