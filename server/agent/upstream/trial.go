package upstream

import (
	"errors"
	"sync"
	"time"

	"github.com/pion/rtp"

	"parley/server/agent/realtime"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// trial is the caller of a call that is made to try a service, and notes when the call
// gets to what. It has no voice and no screen, and what it uses is nobody's. Of a
// caller's own call it is nil, and takes no note.
type trial struct {
	exchanged, connected, opened, told, reported, heard, hungUp *milestone
	left                                                        *milestone // the leg ended by itself

	mu      sync.Mutex
	isAsked bool
	used    rest.Usage
}

func newTrial() *trial {
	return &trial{
		exchanged: newMilestone(), connected: newMilestone(), opened: newMilestone(), told: newMilestone(),
		reported: newMilestone(), heard: newMilestone(), hungUp: newMilestone(), left: newMilestone(),
	}
}

// milestone is something that a call gets to, or fails at, once.
type milestone struct {
	once sync.Once
	done chan struct{} // closed after at and err are written
	at   time.Time
	err  error
}

func newMilestone() *milestone { return &milestone{done: make(chan struct{})} }

// reach notes that the call got there now, or that err kept it from it.
func (m *milestone) reach(err error) {
	m.once.Do(func() {
		m.at, m.err = time.Now(), err
		close(m.done)
	})
}

// isReached reports whether the call got there, or failed at it.
func (m *milestone) isReached() bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

// answered takes what came of the request for the call.
func (t *trial) answered(err error) {
	if t != nil {
		t.exchanged.reach(err)
	}
}

// channelOpened takes that events may be sent.
func (t *trial) channelOpened() {
	if t != nil {
		t.opened.reach(nil)
	}
}

// missingError says what a service lacks that calls do without.
type missingError string

func (e missingError) Error() string { return string(e) }

// observe takes an event of the service.
func (t *trial) observe(e *realtime.Event) {
	if t == nil {
		return
	}
	var first error
	if e.Type != realtime.SessionCreated {
		first = missingError("the first event is another than session.created")
	}
	t.told.reach(first)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.isAsked {
		return
	}
	switch {
	case e.Error != nil:
		t.heard.reach(refusedError(e.Error.Code))
	case e.Type == realtime.ResponseDone && e.Response != nil && e.Response.Status == "failed":
		t.heard.reach(refusedError(e.Response.ErrorCode))
	}
}

// refusedError says that a service won't speak; its code is all that is told of why.
func refusedError(code string) error {
	if !errorCode.MatchString(code) {
		code = "without a code"
	}
	return errors.New("asked to speak, the service answers with an error, " + code + "; look at the account's limits, at model and voice")
}

// ask notes that the service was asked to speak.
func (t *trial) ask() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.isAsked = true
}

// errNothingOpen says that there is nothing that could be hung up by a request.
var errNothingOpen = errors.New("upstream: no call that a request would end")

// hangUpTried takes what came of a request to hang up. Only the first counts: what has
// to be repeated doesn't work.
func (t *trial) hangUpTried(err error) {
	if t != nil {
		t.hungUp.reach(err)
	}
}

// AgentState implements agent.Events.
func (t *trial) AgentState(s wire.AgentState) {
	if s == wire.AgentListening { // the first that a leg tells, once the connection stands
		t.connected.reach(nil)
	}
}

// Speech implements agent.Events.
func (t *trial) Speech(by rtcstats.Leg) {
	if by == rtcstats.LegAgent {
		t.heard.reach(nil)
	}
}

// Sampled implements agent.Events. A report of the service's on our audio (RFC 3550
// §6.4) comes only if it gets some.
func (t *trial) Sampled(_ rtcstats.Leg, s rtcstats.Sample) {
	if s.RemoteInbound != nil {
		t.reported.reach(nil)
	}
}

// AgentStuck implements agent.Events: a trial waits for each step by itself.
func (t *trial) AgentStuck(wire.EndCause, time.Time) {}

// AgentLeft implements agent.Events.
func (t *trial) AgentLeft(err error) {
	if err == nil {
		err = errLeft
	}
	t.left.reach(err)
}

// WriteRTP implements leg.RTPWriter.
func (t *trial) WriteRTP(*rtp.Header, []byte, *rtp.AudioLevelExtension) error { return nil }

// WriteMessage implements leg.MessageWriter.
func (t *trial) WriteMessage([]byte) error { return nil }

// Used implements agent.Measures.
func (t *trial) Used(total rest.Usage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.used = total
}

// usage is what the trial used.
func (t *trial) usage() rest.Usage {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.used
}

// TurnsMeasured implements agent.Measures.
func (t *trial) TurnsMeasured([]rest.Turn, []rest.Interruption) {}

// TurnsEnded implements agent.Measures.
func (t *trial) TurnsEnded([]rest.Turn) {}

// Refused implements agent.Measures.
func (t *trial) Refused(rest.RefusedEvent) {}

// ToolUsed implements agent.Measures.
func (t *trial) ToolUsed(rest.ToolUse) {}
