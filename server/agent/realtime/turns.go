package realtime

import (
	"slices"
	"time"
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

// Turn is one answer to what a caller said: when they fell silent, when they heard
// the first of the answer, and what the wait between was made of. The parts sum
// up to Wait.
type Turn struct {
	EndOfSpeech time.Time // at our relay
	FirstAudio  time.Time // at our relay
	Wait        time.Duration
	// SilenceWindow is what the agent waited to be sure that it was its turn.
	SilenceWindow time.Duration
	// Network is the way to the agent and back.
	Network time.Duration
	// Tools is what functions took that the model called before it spoke.
	Tools time.Duration
	// Model is the rest: understanding, answering, beginning to speak.
	Model time.Duration
	// IsSpeechMeasured reports that EndOfSpeech is from the caller's packets, and
	// IsAudioMeasured that FirstAudio is from the agent's. Else they are reckoned
	// from the agent's events.
	IsSpeechMeasured, IsAudioMeasured bool
	// EventLag is how long after the first audio its event came: far from zero, the
	// events tell another story than the packets.
	EventLag time.Duration
}

// Interruption is a caller who spoke while the agent did.
type Interruption struct {
	At time.Time // when they began, at our relay
	// Cleared is until the agent said that it stops, Silent until no more of it came;
	// 0: not seen.
	Cleared, Silent time.Duration
}

// Turns measures the turns of one call from its events and its packets. It is not
// safe for use by several goroutines.
type Turns struct {
	roundTrip time.Duration
	window    time.Duration // by the session's settings

	callerVoice, callerSilence time.Time // when it last began and ended
	isAgentHeard, isPlaying    bool      // by its packets; by its events
	inSpeech                   bool      // by its events
	turn                       *openTurn
	cut                        *openCut

	turns []Turn
	cuts  []Interruption
}

// openTurn is a turn that waits for its first audio.
type openTurn struct {
	end        time.Time // of speech
	isMeasured bool
	noticed    time.Time // by the agent's event
	toolsSince time.Time // a function that the model waits for
	tools      time.Duration
	event, rtp time.Time // the first audio
}

// openCut is an interruption that waits for the agent's silence.
type openCut struct {
	at              time.Time
	cleared, silent time.Time
}

// RoundTrip takes the agent leg's round-trip time, as it is now.
func (t *Turns) RoundTrip(d time.Duration) { t.roundTrip = d }

// CallerVoice takes when the caller's packets begin or cease to hold speech.
func (t *Turns) CallerVoice(at time.Time, speaks bool) {
	if speaks {
		t.callerVoice = at
	} else {
		t.callerSilence = at
	}
}

// AgentVoice takes when the agent's packets begin or cease to hold sound: the
// first one that is not silent, the last.
func (t *Turns) AgentVoice(at time.Time, speaks bool) {
	t.isAgentHeard = speaks
	switch {
	case speaks && t.turn != nil && t.turn.rtp.IsZero():
		t.turn.rtp = at
		t.finishTurn(false)
	case !speaks:
		t.finishTurn(true)
		if t.cut != nil && t.cut.silent.IsZero() {
			t.cut.silent = at
			t.finishCut(false)
		}
	}
}

// Observe takes an event of the agent that came at a time.
func (t *Turns) Observe(at time.Time, e *Event) {
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
		t.isPlaying = true
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
	if t.isAgentHeard || t.isPlaying {
		t.cut = &openCut{at: at}
		if before := at.Sub(t.callerVoice); before >= 0 && before <= longestWindow {
			t.cut.at = t.callerVoice
		}
	}
}

// begin opens the turn of what ended before at.
func (t *Turns) begin(at time.Time) {
	t.finishTurn(true)
	t.turn = &openTurn{noticed: at, end: at.Add(-t.window - t.roundTrip)}
	if before := at.Sub(t.callerSilence); before >= 0 && before <= longestWindow && !t.callerVoice.After(t.callerSilence) {
		t.turn.end, t.turn.isMeasured = t.callerSilence, true
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
	if turn.Wait >= 0 && turn.Wait <= longestTurn && len(t.turns) < maxTaken {
		t.turns = append(t.turns, turn)
	}
}

// measure divides the wait. The agent's events are as late at our relay as its
// packets are, so what lies between two of them holds no network; all of that is
// in how long after the end of speech the agent noticed.
func (o *openTurn) measure(window, roundTrip time.Duration) Turn {
	turn := Turn{
		EndOfSpeech: o.end, FirstAudio: o.rtp, IsSpeechMeasured: o.isMeasured, IsAudioMeasured: !o.rtp.IsZero(), Tools: o.tools,
	}
	switch {
	case o.rtp.IsZero():
		turn.FirstAudio = o.event
	case !o.event.IsZero():
		turn.EventLag = o.event.Sub(o.rtp)
	}
	turn.Wait = turn.FirstAudio.Sub(o.end)
	noticed := min(o.noticed.Sub(o.end), turn.Wait)
	turn.Network = min(roundTrip, noticed)
	if roundTrip == 0 {
		turn.Network = max(0, noticed-window)
	}
	turn.SilenceWindow = noticed - turn.Network
	turn.Tools = min(turn.Tools, turn.Wait-noticed)
	turn.Model = turn.Wait - noticed - turn.Tools
	return turn
}

func (t *Turns) cleared(at time.Time) {
	if t.cut != nil && t.cut.cleared.IsZero() {
		t.cut.cleared = at
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
	cut := Interruption{At: c.at, Cleared: c.cleared.Sub(c.at)}
	if !c.silent.IsZero() {
		cut.Silent = c.silent.Sub(c.at)
	}
	t.cuts = append(t.cuts, cut)
}

// Take returns what was measured since it was last asked.
func (t *Turns) Take() (turns []Turn, cuts []Interruption) {
	turns, cuts = t.turns, t.cuts
	t.turns, t.cuts = nil, nil
	return turns, cuts
}

// maxDurations is how many durations are kept for quantiles: the turns of an hour's
// conversation.
const maxDurations = 1000

// Durations keeps the newest durations and tells their quantiles, exactly. It is
// not safe for use by several goroutines.
type Durations struct {
	ring []time.Duration
	next int
}

// Add takes a duration.
func (d *Durations) Add(of time.Duration) {
	if len(d.ring) < maxDurations {
		d.ring = append(d.ring, of)
		return
	}
	d.ring[d.next] = of
	d.next = (d.next + 1) % maxDurations
}

// Len is how many durations are kept.
func (d *Durations) Len() int { return len(d.ring) }

// Quantile returns the smallest duration that at least q of all do not exceed, 0
// where there is none.
func (d *Durations) Quantile(q float64) time.Duration {
	if len(d.ring) == 0 {
		return 0
	}
	sorted := slices.Clone(d.ring)
	slices.Sort(sorted)
	i := int(q*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}
