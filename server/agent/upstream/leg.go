package upstream

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"parley/server/agent"
	"parley/server/agent/realtime"
	"parley/server/leg"
	"parley/server/leg/peerconn"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// sampleInterval is the rhythm of samples, and of RTCP reports to the service.
const sampleInterval = time.Second

// upstreamLeg is the leg of one call to a service.
type upstreamLeg struct {
	agent *Agent
	call  agent.Call
	on    agent.Events
	trial *trial // nil: it is a caller's call

	ctx     context.Context // ends with the leg
	cancel  context.CancelFunc
	running sync.WaitGroup
	once    sync.Once

	pc        *webrtc.PeerConnection
	streams   *leg.Streams
	ssrcs     atomic.Int32
	channel   *peerconn.Channel
	firewall  *realtime.Firewall
	turns     *turns
	tools     *tools
	measures  *measures
	sidebands sidebands
	words     words // the channel's alone

	stuckTold realtime.Alarm // watch's alone; zero: it is not stuck

	mu        sync.Mutex
	closed    bool
	connected chan struct{} // closed when media may flow
	isThere   bool
	isUp      bool // the connection, as of now
	failure   error
	failed    chan struct{} // closed by the first failure
	toService leg.Numbering // HandleRTP's alone
	toCaller  leg.Numbering // the service's packets' alone
	heard     *agent.SpeechDetector
	spoke     *agent.SpeechDetector
	opened    bool // a call is open at the service
	reference string
}

func newLeg(ctx context.Context, a *Agent, call agent.Call, on agent.Events, trial *trial) *upstreamLeg {
	l := &upstreamLeg{
		agent: a, call: call, on: on, trial: trial, connected: make(chan struct{}), failed: make(chan struct{}),
		streams: leg.NewStreams(), channel: newEventChannel(), firewall: realtime.NewFirewall(a.cfg.Policy),
		heard: agent.NewSpeechDetector(on, rtcstats.LegCaller), spoke: agent.NewSpeechDetector(on, rtcstats.LegAgent),
	}
	l.ctx, l.cancel = context.WithCancel(ctx)
	l.turns = newTurns(on, a.cfg.Watch)
	l.tools = newTools(l)
	l.measures = newMeasures(call.Measures, a.cfg.Prices)
	return l
}

// run is the leg's life: the service is asked, connected to, and watched until one of
// the two ends goes.
func (l *upstreamLeg) run() {
	err := l.set()
	if err == nil {
		err = l.watch()
	}
	if l.ctx.Err() == nil {
		l.on.AgentLeft(err)
	}
}

// set asks the service and connects to it.
func (l *upstreamLeg) set() error {
	offer, err := l.offer(l.ctx)
	if err != nil {
		err = l.agent.problem(Broken, "no address to be reached at was gathered")
		l.trial.answered(err)
		l.trial.hangUpTried(errNothingOpen)
		return err
	}
	call, err := l.create(offer)
	if err == nil {
		err = l.accept(call.answer)
	}
	l.trial.answered(err)
	if err != nil {
		return err
	}
	timer := time.NewTimer(l.agent.cfg.Timeouts.Connect)
	defer timer.Stop()
	select {
	case <-l.connected:
		return nil
	case <-l.failed:
		return l.problem()
	case <-timer.C:
		return l.agent.problem(NotConnected, "no media connection within "+l.agent.cfg.Timeouts.Connect.String()+"; look at the firewall: UDP, or TCP 443, must get out")
	case <-l.ctx.Done():
		return context.Cause(l.ctx)
	}
}

// create asks the service for a call. The request is seen through even if the caller
// goes meanwhile: else nobody would know what to hang up.
func (l *upstreamLeg) create(offer string) (created, error) {
	a, session := l.agent, l.call.Session
	type result struct {
		created
		err error
	}
	answered := make(chan result, 1)
	a.hangups.start(func() {
		if err := a.hangups.opening(a, session, ""); err != nil {
			answered <- result{err: err}
			return
		}
		call, err := a.create(context.WithoutCancel(l.ctx), offer, l.call)
		if call.reference != "" {
			err = cmp.Or(err, a.hangups.opening(a, session, call.reference))
		}
		answered <- result{call, err}
	})
	select {
	case r := <-answered:
		l.mu.Lock()
		l.opened, l.reference = true, r.reference // of a call that failed there may be something left
		l.mu.Unlock()
		return r.created, r.err
	case <-l.ctx.Done():
		a.hangups.start(func() {
			r := <-answered
			a.hangups.hangUp(a, session, r.reference, l.trial.hangUpTried)
		})
		return created{}, context.Cause(l.ctx)
	}
}

// watch samples and reports, and looks after the service, until the leg ends.
func (l *upstreamLeg) watch() error {
	each := time.NewTicker(sampleInterval)
	defer each.Stop()
	for {
		select {
		case <-each.C:
			now := time.Now()
			l.sample(now)
			if err := l.checkStuck(now); err != nil {
				return err
			}
		case <-l.failed:
			return l.problem()
		case <-l.ctx.Done():
			return nil
		}
	}
}

// checkStuck warns of a service at which nothing goes on, and returns the problem once
// that has lasted for too long.
func (l *upstreamLeg) checkStuck(now time.Time) error {
	fresh, nearest := l.turns.check(now)
	for _, a := range fresh {
		if a.IsDue {
			return l.agent.stuckProblem(a, now)
		}
		l.agent.log.Warn("an agent is stuck", "session", l.call.Session, "event", "stuck", "cause", string(a.Stuck), "ends_at", a.EndsAt)
	}
	if nearest != l.stuckTold {
		l.stuckTold = nearest
		l.on.AgentStuck(stuckCause(nearest.Stuck), nearest.EndsAt)
	}
	return nil
}

// errLeft says that the service closed the connection in order.
var errLeft = errors.New("the service hung up")

// problem is what the leg failed with; nil if the service hung up.
func (l *upstreamLeg) problem() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.failure, errLeft) && l.isThere {
		return nil
	}
	if errors.Is(l.failure, errLeft) {
		return l.agent.problem(NotConnected, "the service closed the connection at once")
	}
	return l.failure
}

// fail ends the leg, from whatever it is called. The first failure counts.
func (l *upstreamLeg) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure == nil {
		l.failure = err
		close(l.failed)
	}
}

// stateChanged takes note of what became of the connection. Pion calls it from a new
// goroutine each time, in any order, so the state is read anew.
func (l *upstreamLeg) stateChanged() {
	switch l.pc.ConnectionState() {
	case webrtc.PeerConnectionStateConnected:
		l.setUp(true)
	case webrtc.PeerConnectionStateDisconnected:
		l.setUp(false)
	case webrtc.PeerConnectionStateFailed:
		l.fail(l.agent.problem(l.lostKind(), "the media connection broke"))
	case webrtc.PeerConnectionStateClosed:
		l.fail(errLeft)
	}
}

// lostKind is what it is when a connection fails: before it stood, another thing than
// in mid-call.
func (l *upstreamLeg) lostKind() ProblemKind {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isThere {
		return Lost
	}
	return NotConnected
}

// setUp notes that the connection stands, or is interrupted.
func (l *upstreamLeg) setUp(is bool) {
	l.mu.Lock()
	first := is && !l.isThere
	l.isThere, l.isUp = l.isThere || is, is
	if first {
		close(l.connected)
	}
	l.mu.Unlock()
	l.turns.setConnected(is, time.Now())
	if first && l.ctx.Err() == nil {
		l.turns.setState(wire.AgentListening)
	}
}

// sample reports to the service what RFC 3550 §6.4 asks for, and tells a sample.
func (l *upstreamLeg) sample(now time.Time) {
	l.mu.Lock()
	isUp := l.isUp
	l.mu.Unlock()
	if reports := l.streams.Reports(now); reports != nil && isUp {
		_ = l.pc.WriteRTCP(reports) // lost like any packet; the next one says all
	}
	s := l.streams.Sample(now)
	state := rtcstats.StateConnected
	if !isUp {
		state = rtcstats.StateDisconnected
	}
	s.Transport = &rtcstats.Transport{ICEState: string(state)}
	l.measures.sampled(s, now)
	l.on.Sampled(rtcstats.LegAgent, s)
}

// HandleRTP implements leg.Handler: the caller's audio goes to the service.
func (l *upstreamLeg) HandleRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) {
	now := time.Now()
	if numbered, ok := l.toService.Next(h, now); ok {
		_ = l.streams.WriteRTP(numbered, payload, level) // a leg that goes is told by its connection
	}
	isVoice := l.heard.Heard(payload, level, now)
	l.turns.callerVoice(isVoice, now)
	l.measures.callerVoice(isVoice, now)
}

// fromService takes the service's audio.
type fromService struct{ *upstreamLeg }

// HandleRTP implements leg.RTPHandler: the service's audio goes to the caller.
func (l fromService) HandleRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) {
	now := time.Now()
	if numbered, ok := l.toCaller.Next(h, now); ok {
		_ = l.call.Audio.WriteRTP(numbered, payload, level) // a leg that goes is told by its session
	}
	isVoice := l.spoke.Heard(payload, level, now)
	l.turns.agentVoice(isVoice, now)
	l.measures.agentPacket(len(payload), level, now)
}

// start runs f in a goroutine that Close waits for, unless the leg is closed.
func (l *upstreamLeg) start(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.running.Go(f)
	}
}

// Close implements agent.Leg. The hang-up goes on after it: a service may take its
// time, and the caller's end doesn't wait for it.
func (l *upstreamLeg) Close() error {
	l.once.Do(func() {
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
		l.sidebands.close()
		l.hangUp() // before the connection goes, which the service may take for the caller's network
		l.release()
		l.running.Wait()
		l.turns.close()
		l.measures.close()
		l.hangUp() // what was opened meanwhile
	})
	return nil
}

// hangUp ends the call at the service, once it is open there.
func (l *upstreamLeg) hangUp() {
	l.mu.Lock()
	isOpen := l.opened
	l.opened = false
	l.mu.Unlock()
	if a := l.agent; isOpen {
		a.hangups.start(func() { a.hangups.hangUp(a, l.call.Session, l.reference, l.trial.hangUpTried) })
	}
}

// release gives back what the leg holds.
func (l *upstreamLeg) release() {
	l.cancel()
	if l.pc != nil {
		_ = l.pc.GracefulClose() // its only error is that of a connection already gone
	}
	l.agent.live.Add(-1)
}
