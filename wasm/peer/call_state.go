package peer

import (
	"context"
	"sync"
	"time"

	"parley/shared/wire"
)

// callState is the state of one call. All of it belongs to the goroutine of run;
// other goroutines put what they have to tell into the inbox.
type callState struct {
	cfg       Config
	inbox     *inbox
	deadlines *deadlines

	ctx           context.Context // of all work but that of sockets
	cancel        context.CancelFunc
	sockets       context.Context // outlives ctx by a farewell
	cancelSockets context.CancelFunc
	wg            sync.WaitGroup

	link       *link      // nil while there is no socket
	session    wire.Hello // the newest; before the first zero, or the place to resume
	isAccepted bool       // a hello came
	retries    int
	dialing    *dialing // nil while no socket is being opened

	conn          Connection
	step          Step // the next to be told
	state         ConnectionState
	agent         wire.AgentState
	connectedTold bool // CallConnected was told
	everConnected bool // the connection was up at least once

	jobs             []job // of the connection, done one after the other
	isWorking        bool
	isNegotiating    bool // an offer is being made or waits for its answer
	offers           int  // made: all but the first restart ICE
	hasAnswer        bool // an answer was set
	offerSent        bool // the newest offer is sent: candidates may follow
	isOfferOpen      bool // an offer was sent, and whether the server took it isn't known
	isRestartDue     bool // ICE is to be restarted once the socket gives a sign
	localCandidates  []wire.CandidateInit
	candidateCount   int                  // candidates taken of this negotiation
	remoteCandidates []wire.CandidateInit // came before the answer was set

	isMuted, sentMuted bool

	pinger     *pinger
	hasPinged  bool // the ping channel took a ping
	meter      *meter
	lastTick   time.Time // the last sign of a running page: one long ago is a freeze
	isSampling bool
	hasGap     bool
	packets    int64 // received, of the sample before
	batch      []reportedSample
	hasReport  bool // a report was sent

	isSilent    bool              // no ping answered, no packet
	doubtedFrom time.Time         // when path and socket were asked for a sign; zero: the path gave one since
	until       time.Time         // how long the place is kept; zero while nothing is gone
	dropped     ConnectionDropped // as it was told; zero while whole

	outcome *CallEnded
}

func newCallState(ctx context.Context, cfg Config, in *inbox) *callState {
	cs := &callState{cfg: cfg, inbox: in, deadlines: newDeadlines(), pinger: newPinger(), meter: newMeter(), isMuted: cfg.Muted}
	cs.ctx, cs.cancel = context.WithCancel(ctx)
	cs.sockets, cs.cancelSockets = context.WithCancel(context.WithoutCancel(ctx))
	if cs.cfg.Start.IsZero() {
		cs.cfg.Start = time.Now()
	}
	if place := cfg.Resume; place != nil {
		cs.session = wire.Hello{SessionID: place.SessionID, ResumeToken: place.ResumeToken}
		cs.keepPlaceUntil(place.Ends)
	}
	return cs
}

func (cs *callState) run() CallEnded {
	cs.tellStepsUpTo(StepServer)
	cs.admitAndDial()
	canceled := cs.ctx.Done()
	for cs.outcome == nil {
		cs.deadlines.arm()
		select {
		case <-canceled:
			canceled = nil // heard once
			cs.hangUp()
		case <-cs.inbox.ready:
			cs.runCommands()
		case <-cs.deadlines.timer.C:
			cs.handleTimer()
		}
	}
	cs.emit(*cs.outcome) // first: a caller isn't to wait until all is put away
	cs.cleanUp()
	return *cs.outcome
}

// runCommands reads the commands, until one ends the call; the rest go back.
func (cs *callState) runCommands() {
	commands := cs.inbox.take()
	for i, command := range commands {
		if cs.outcome != nil {
			discardCommands(commands[i:])
			return
		}
		command.run(cs)
	}
}

// handleTimer handles what is due. Pings keep it awake; a long time since the last one
// changes what is due.
func (cs *callState) handleTimer() {
	now := time.Now()
	cs.detectFreeze(now)
	for cs.outcome == nil {
		a, ok := cs.deadlines.takeDue(now)
		if !ok {
			return
		}
		cs.handleDeadline(a)
	}
}

func (cs *callState) handleDeadline(a deadline) {
	switch a {
	case deadlinePing:
		cs.sendPing()
	case deadlineSample:
		cs.takeSample()
	case deadlineDrop:
		cs.handleSilence()
	case deadlineRestart:
		cs.restartICE()
	case deadlineHello:
		cs.handleSocketLost(cs.link, errNoHello)
	case deadlineAnswer:
		cs.handleSocketLost(cs.link, errNoAnswer)
	case deadlineSetup:
		cs.endOverdueSetup()
	case deadlineRetry:
		cs.dial()
	case deadlineSocketPing:
		cs.pingSocket()
	case deadlineSocketSign:
		cs.handleSocketLost(cs.link, errSilent)
	case deadlineTellDrop:
		cs.tellDropped()
	case deadlineFarewell:
		cs.leave()
	case deadlineGrace:
		cs.end(CallEnded{Ended: wire.Ended{Cause: wire.ConnectionLost}, Failure: Lost})
	}
}

// runAsync runs work on a goroutine of the call and brings back what it found.
func (cs *callState) runAsync(work func(ctx context.Context) command) {
	cs.wg.Go(func() { cs.inbox.post(work(cs.ctx)) })
}

func (cs *callState) emit(e Event) { cs.cfg.On(e) }

// tellStepsUpTo tells the steps up to s that weren't told yet.
func (cs *callState) tellStepsUpTo(s Step) {
	for ; cs.step <= s; cs.step++ {
		cs.emit(StepStarted{Step: cs.step})
	}
}

// end notes why the call is over. The first reason stands.
func (cs *callState) end(e CallEnded) {
	if cs.outcome == nil {
		cs.outcome = &e
	}
}

// hangUp takes a last sample, as far as there is one to be had, and leaves.
func (cs *callState) hangUp() {
	if !cs.everConnected || cs.isSampling {
		cs.leave()
		return
	}
	cs.isSampling = true
	cs.deadlines.set(deadlineFarewell, FarewellTimeout)
	cs.takeLastSample()
}

// leave says good-bye: the last report, bye.
func (cs *callState) leave() {
	cs.sendReport()
	if !cs.send(wire.Bye{}) {
		cs.endSession()
	}
	cs.end(CallEnded{Ended: wire.Ended{Cause: wire.CallerLeft}})
}

// endSession gives back the place that the server keeps, without a socket.
func (cs *callState) endSession() {
	id := cs.session.SessionID
	if id == "" || cs.cfg.EndSession == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(cs.ctx), CleanupTimeout)
	cs.wg.Go(func() {
		defer cancel()
		_ = cs.cfg.EndSession(ctx, id) // what can't be told ends with its grace
	})
}

// cleanUp ends all that the call has started. Frames already sent get a moment
// to leave. What a socket or a connection doesn't give up by CleanupTimeout is
// left behind: nothing that ends can be held up by what is broken.
func (cs *callState) cleanUp() {
	cs.deadlines.timer.Stop()
	cs.cancel()
	if cs.link != nil {
		cs.link.close(wire.CloseNormalClosure)
		cs.link = nil
	}
	farewell := time.AfterFunc(FarewellTimeout, cs.cancelSockets)
	if conn := cs.conn; conn != nil {
		cs.wg.Go(func() { _ = conn.Close() }) // nothing can be done about it, and nothing depends on it
	}
	cs.waitForWork()
	farewell.Stop()
	cs.cancelSockets()
	cs.inbox.close() // what was still being opened is given back
}

func (cs *callState) waitForWork() {
	done := make(chan struct{})
	go func() {
		cs.wg.Wait()
		close(done)
	}()
	limit := time.NewTimer(CleanupTimeout)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
	}
}

func (cs *callState) setMuted(on bool) {
	cs.isMuted = on
	if cs.conn != nil {
		cs.conn.Mute(on)
	}
	cs.sendMute()
}

// sendMute brings the server up to date, now or after the next hello.
func (cs *callState) sendMute() {
	if cs.isMuted == cs.sentMuted {
		return
	}
	kind := wire.ActivityUnmute
	if cs.isMuted {
		kind = wire.ActivityMute
	}
	if cs.send(wire.Activity{Kind: kind}) {
		cs.sentMuted = cs.isMuted
	}
}
