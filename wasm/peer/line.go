package peer

import (
	"context"
	"sync"
	"time"

	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// line is the state of one call. All of it belongs to the goroutine of run;
// other goroutines put what they have to tell into the inbox.
type line struct {
	cfg   Config
	inbox *inbox
	clock *clock

	ctx     context.Context // of all work but that of sockets
	cancel  context.CancelFunc
	sockets context.Context // outlives ctx by a farewell
	hush    context.CancelFunc
	wg      sync.WaitGroup

	link    *link      // nil while there is no socket
	session wire.Hello // the newest; zero before the first
	retries int

	conn      Connection
	step      Step // the next to be told
	state     ConnectionState
	agent     wire.AgentState
	connected bool // CallConnected was told
	upOnce    bool // the connection was up at least once

	jobs        []job // of the connection, done one after the other
	working     bool
	negotiating bool // an offer is being made or waits for its answer
	offers      int  // made: all but the first restart ICE
	described   bool // an answer was set
	offered     bool // the newest offer is sent: candidates may follow
	candidates  []wire.CandidateInit
	gathered    int                  // candidates taken of this negotiation
	remote      []wire.CandidateInit // came before the answer was set

	muted, toldMuted bool

	pinger   *pinger
	meter    *meter
	tick     time.Time // the last sign of a running page: one long ago is a freeze
	sampling bool
	gap      bool
	packets  int64 // received, of the sample before
	batch    []rtcstats.Sample

	silent  bool              // no ping answered, no packet
	until   time.Time         // how long the place is kept; zero while nothing is gone
	dropped ConnectionDropped // as it was told; zero while whole

	over *CallEnded
}

func newLine(ctx context.Context, cfg Config, in *inbox) *line {
	l := &line{cfg: cfg, inbox: in, clock: newClock(), pinger: newPinger(), meter: newMeter(), muted: cfg.Muted}
	l.ctx, l.cancel = context.WithCancel(ctx)
	l.sockets, l.hush = context.WithCancel(context.WithoutCancel(ctx))
	if l.cfg.Start.IsZero() {
		l.cfg.Start = time.Now()
	}
	return l
}

func (l *line) run() CallEnded {
	l.reach(StepServer)
	l.begin()
	canceled := l.ctx.Done()
	for l.over == nil {
		l.clock.wind()
		select {
		case <-canceled:
			canceled = nil // heard once
			l.hangup()
		case <-l.inbox.ready:
			l.open()
		case <-l.clock.timer.C:
			l.wake()
		}
	}
	l.tell(*l.over) // first: a caller isn't to wait until all is put away
	l.finish()
	return *l.over
}

// open reads the letters, until one ends the call; the rest go back.
func (l *line) open() {
	letters := l.inbox.take()
	for i, letter := range letters {
		if l.over != nil {
			giveBack(letters[i:])
			return
		}
		letter.read(l)
	}
}

// wake rings what is due. Pings keep it awake; a long time since the last one
// changes what is due.
func (l *line) wake() {
	now := time.Now()
	l.noticeGap(now)
	for l.over == nil {
		a, ok := l.clock.ringing(now)
		if !ok {
			return
		}
		l.ring(a)
	}
}

func (l *line) ring(a alarm) {
	switch a {
	case alarmPing:
		l.ping()
	case alarmSample:
		l.sample()
	case alarmDrop:
		l.fellSilent()
	case alarmRestart:
		l.restart()
	case alarmHello:
		l.lost(l.link, errNoHello)
	case alarmAnswer:
		l.lost(l.link, errNoAnswer)
	case alarmSetup:
		l.setupOverdue()
	case alarmRetry:
		l.dial()
	case alarmSocket:
		l.askSocket()
	case alarmTell:
		l.drop()
	case alarmFarewell:
		l.leave()
	case alarmGrace:
		l.end(CallEnded{Ended: wire.Ended{Cause: wire.ConnectionLost}, Failure: Lost})
	}
}

// do runs work on a goroutine of the call and brings back what it found.
func (l *line) do(work func(ctx context.Context) letter) {
	l.wg.Go(func() { l.inbox.post(work(l.ctx)) })
}

func (l *line) tell(e Event) { l.cfg.On(e) }

// reach tells the steps up to s that weren't told yet.
func (l *line) reach(s Step) {
	for ; l.step <= s; l.step++ {
		l.tell(StepStarted{Step: l.step})
	}
}

// end notes why the call is over. The first reason stands.
func (l *line) end(e CallEnded) {
	if l.over == nil {
		l.over = &e
	}
}

// hangup takes a last sample, as far as there is one to be had, and leaves.
func (l *line) hangup() {
	if !l.upOnce || l.sampling {
		l.leave()
		return
	}
	l.sampling = true
	l.clock.after(alarmFarewell, FarewellTimeout)
	l.lastSample()
}

// leave says good-bye: the last report, bye.
func (l *line) leave() {
	l.report()
	l.send(wire.Bye{})
	l.end(CallEnded{Ended: wire.Ended{Cause: wire.CallerLeft}})
}

// finish ends all that the call has started. Frames already sent get a moment
// to leave. What a socket or a connection doesn't give up by CleanupTimeout is
// left behind: nothing that ends can be held up by what is broken.
func (l *line) finish() {
	l.clock.timer.Stop()
	l.cancel()
	if l.link != nil {
		l.link.close(wire.CloseDone)
		l.link = nil
	}
	enough := time.AfterFunc(FarewellTimeout, l.hush)
	if conn := l.conn; conn != nil {
		l.wg.Go(func() { _ = conn.Close() }) // nothing can be done about it, and nothing depends on it
	}
	l.waitForWork()
	enough.Stop()
	l.hush()
	l.inbox.close() // what was still being opened is given back
}

func (l *line) waitForWork() {
	done := make(chan struct{})
	go func() {
		l.wg.Wait()
		close(done)
	}()
	limit := time.NewTimer(CleanupTimeout)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
	}
}

func (l *line) mute(on bool) {
	l.muted = on
	if l.conn != nil {
		l.conn.Mute(on)
	}
	l.tellMute()
}

// tellMute brings the server up to date, now or after the next hello.
func (l *line) tellMute() {
	if l.muted == l.toldMuted {
		return
	}
	kind := wire.ActivityUnmute
	if l.muted {
		kind = wire.ActivityMute
	}
	if l.send(wire.Activity{Kind: kind}) {
		l.toldMuted = l.muted
	}
}
