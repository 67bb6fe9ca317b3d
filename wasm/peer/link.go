package peer

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"parley/shared/wire"
)

var (
	errNoAdmission = errors.New("no admission in time")
	errNoHello     = errors.New("no hello in time")
	errNoAnswer    = errors.New("no answer in time")
	errSilent      = errors.New("the socket is silent")
	errFull        = errors.New("the socket takes nothing")
	errRenewed     = errors.New("another socket takes its place")
)

// outbox is how many frames may wait for a socket: twice the candidates of a
// negotiation with its offer and report. A socket that is further behind is dead.
const outbox = 2 * (wire.MaxCandidates + 2)

// link is one socket with its reader and its writer.
type link struct {
	sock  Socket
	out   chan []byte
	code  wire.CloseCode // to close with; set before out is closed
	ready bool           // the hello came
	heard time.Time
}

// admitAndDial asks for a place, unless one is held, and dials.
func (cs *callState) admitAndDial() {
	if cs.cfg.Admit == nil || cs.cfg.Resume != nil {
		cs.dial()
		return
	}
	cs.runAsync(func(ctx context.Context) command {
		if end := cs.requestAdmission(ctx); end != nil {
			return command{run: func(cs *callState) { cs.end(*end) }}
		}
		return command{run: (*callState).dial}
	})
}

// requestAdmission asks for a place, and gives what a refusal or no answer makes of the call.
func (cs *callState) requestAdmission(ctx context.Context) *CallEnded {
	ctx, cancel := context.WithTimeoutCause(ctx, AdmitTimeout, errNoAdmission)
	defer cancel()
	err := cs.cfg.Admit(ctx)
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errNoAdmission):
		return &CallEnded{Failure: Unreachable, Err: errNoAdmission}
	}
	return &CallEnded{Err: err}
}

// dialing is a socket that is being opened.
type dialing struct {
	since  time.Time
	cancel context.CancelFunc
}

func (cs *callState) dial() {
	dialed, cancel := context.WithTimeout(cs.ctx, HelloTimeout)
	cs.dialing = &dialing{time.Now(), cancel}
	cs.runAsync(func(context.Context) command {
		defer cancel()
		sock, err := cs.cfg.Dial(dialed)
		if err != nil {
			return command{run: func(cs *callState) { cs.handleSocketLost(nil, err) }}
		}
		return command{
			run:     func(cs *callState) { cs.handleDialed(sock) },
			discard: func() { _ = sock.Close(wire.CloseNormalClosure) },
		}
	})
}

func (cs *callState) handleDialed(sock Socket) {
	cs.dialing = nil
	cs.deadlines.set(deadlineHello, HelloTimeout)
	k := &link{sock: sock, out: make(chan []byte, outbox), heard: time.Now()}
	cs.link = k
	cs.wg.Go(func() { cs.writeFrames(k) })
	cs.wg.Go(func() { cs.readFrames(k) })
	if cs.session.SessionID != "" {
		cs.sendOn(k, wire.Resume{SessionID: cs.session.SessionID, ResumeToken: cs.session.ResumeToken})
	}
}

// readFrames brings frames to the call, one at a time: a server that sends faster
// than the call can follow waits.
func (cs *callState) readFrames(k *link) {
	for {
		frame, err := k.sock.Receive(cs.sockets)
		if err != nil {
			cs.inbox.put(func(cs *callState) { cs.handleSocketLost(k, err) })
			return
		}
		m, err := wire.DecodeServer(frame)
		taken := make(chan struct{})
		cs.inbox.put(func(cs *callState) { defer close(taken); cs.handleFrame(k, m, err) })
		select {
		case <-taken:
		case <-cs.ctx.Done():
			return
		}
	}
}

// writeFrames sends until the outbox is closed, and then closes the socket.
func (cs *callState) writeFrames(k *link) {
	for frame := range k.out {
		if err := k.sock.Send(cs.sockets, frame); err != nil {
			cs.inbox.put(func(cs *callState) { cs.handleSocketLost(k, err) })
			break
		}
	}
	for range k.out { // until the call has noticed
	}
	_ = k.sock.Close(k.code) // it is gone for us either way
}

func (k *link) close(code wire.CloseCode) {
	k.code = code
	close(k.out)
}

// send sends m if there is a socket whose hello has come.
func (cs *callState) send(m wire.Message) bool {
	return cs.link != nil && cs.link.ready && cs.sendOn(cs.link, m)
}

func (cs *callState) sendOn(k *link, m wire.Message) bool {
	frame, err := wire.Encode(m)
	if err != nil {
		return false // a description or a reason of a browser that is out of all range
	}
	select {
	case k.out <- frame:
		return true
	default:
		cs.handleSocketLost(k, errFull)
		return false
	}
}

// handleSocketLost deals with a socket that is gone, or (nil) with a dial that failed.
func (cs *callState) handleSocketLost(k *link, err error) {
	if k != cs.link || cs.outcome != nil {
		return
	}
	if k != nil {
		k.close(wire.CloseReplaced) // should it live after all: another takes its place
		cs.link = nil
	}
	stood := k != nil && k.ready
	cs.dialing = nil
	cs.deadlines.clear(deadlineHello, deadlineAnswer, deadlineSocketPing, deadlineSocketSign)
	cs.isNegotiating, cs.offerSent, cs.isRestartDue = false, false, false
	var closed *CloseError
	if errors.As(err, &closed) {
		if cause, ok := endCause(closed.Code); ok {
			cs.end(cs.endedByServer(wire.Ended{Cause: cause}))
			return
		}
	}
	if cs.session.SessionID == "" {
		cs.explainFailedDial(err)
		return
	}
	if stood {
		cs.handleUnlinked()
	}
	cs.deadlines.set(deadlineRetry, backoff(cs.retries))
	cs.retries++
}

// handleUnlinked starts the grace; the server counts from the loss too, and not from
// the last dial. While the agent can be heard, a socket that is soon back is
// nobody's concern.
func (cs *callState) handleUnlinked() {
	cs.beginGrace()
	if !cs.isDropped() {
		cs.deadlines.set(deadlineTellDrop, DropAfter)
	}
}

// explainFailedDial finds out why a first socket didn't open: the last place may have
// gone in between.
func (cs *callState) explainFailedDial(err error) {
	cs.runAsync(func(ctx context.Context) command {
		end := CallEnded{Failure: Unreachable, Err: err}
		if cs.cfg.Admit != nil {
			if why := cs.requestAdmission(ctx); why != nil {
				end = *why
			}
		}
		return command{run: func(cs *callState) { cs.end(end) }}
	})
}

// backoff is how long to wait before dial n: doubling, the upper half by chance.
func backoff(n int) time.Duration {
	d := MaxRetry
	if n < 16 {
		d = min(FirstRetry<<n, MaxRetry)
	}
	return d/2 + rand.N(d/2+1)
}

// pingSocket pings a socket; browsers can't send WebSocket pings. One that gave no
// sign for SocketTimeout is lost at that moment, wherever it lies between two pings.
func (cs *callState) pingSocket() {
	if cs.link == nil {
		return
	}
	left := wire.SocketTimeout - time.Since(cs.link.heard)
	if left <= 0 {
		cs.handleSocketLost(cs.link, errSilent)
		return
	}
	cs.send(wire.Ping{})
	cs.deadlines.set(deadlineSocketPing, min(wire.SocketPing, left))
}

// probeSocket asks the socket for a sign when the path is in doubt: what took the one
// may have taken the other too.
func (cs *callState) probeSocket() {
	if cs.doubtedFrom.IsZero() {
		cs.doubtedFrom = time.Now()
	}
	if !cs.deadlines.isSet(deadlineSocketSign) && cs.send(wire.Ping{}) {
		cs.deadlines.set(deadlineSocketSign, RestartEvery)
	}
}

// noteSocketSign notes a sign of the socket. An ICE restart that waited for it begins.
func (cs *callState) noteSocketSign(k *link) {
	k.heard = time.Now()
	cs.deadlines.clear(deadlineSocketSign)
	if cs.isRestartDue {
		cs.isRestartDue = false
		cs.restartSoon()
	}
	cs.recoverIfWhole()
}

// hurrySocket shortens the wait for a socket when the path is back: by then TCP has
// backed off for seconds (RFC 6298 §5.5), and a new connection has not.
func (cs *callState) hurrySocket() {
	cs.deadlines.pullIn(deadlineSocketSign, ProbeTimeout)
	cs.hurryDial()
}

// hurryDial has the next dial begin now, in place of one that gets no answer.
func (cs *callState) hurryDial() {
	if cs.deadlines.isSet(deadlineRetry) {
		cs.retries = 0
		cs.deadlines.set(deadlineRetry, 0)
	}
	if d := cs.dialing; d != nil && cs.session.SessionID != "" && time.Since(d.since) >= ProbeTimeout {
		cs.retries = 0
		d.cancel()
	}
}

// handleNetworkHint probes what may have changed.
func (cs *callState) handleNetworkHint() {
	cs.hurryDial()
	if cs.everConnected {
		cs.probePath()
	}
}

// renewSocket replaces a socket that stands. One that is being opened is new enough.
func (cs *callState) renewSocket() {
	if cs.link == nil || !cs.link.ready {
		return
	}
	cs.handleSocketLost(cs.link, errRenewed)
	cs.hurryDial()
}

func (cs *callState) grace() time.Duration {
	if s := cs.session.Limits.ReconnectGraceS; s > 0 {
		return time.Duration(s) * time.Second
	}
	return DefaultGrace
}
