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

// begin asks for a place and dials.
func (l *line) begin() {
	if l.cfg.Admit == nil {
		l.dial()
		return
	}
	l.do(func(ctx context.Context) letter {
		if end := l.admit(ctx); end != nil {
			return letter{read: func(l *line) { l.end(*end) }}
		}
		return letter{read: (*line).dial}
	})
}

// admit asks for a place, and gives what a refusal or no answer makes of the call.
func (l *line) admit(ctx context.Context) *CallEnded {
	ctx, cancel := context.WithTimeoutCause(ctx, AdmitTimeout, errNoAdmission)
	defer cancel()
	err := l.cfg.Admit(ctx)
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errNoAdmission):
		return &CallEnded{Failure: Unreachable, Err: errNoAdmission}
	}
	return &CallEnded{Err: err}
}

func (l *line) dial() {
	l.do(func(ctx context.Context) letter {
		ctx, cancel := context.WithTimeout(ctx, HelloTimeout)
		defer cancel()
		sock, err := l.cfg.Dial(ctx)
		if err != nil {
			return letter{read: func(l *line) { l.lost(nil, err) }}
		}
		return letter{
			read:   func(l *line) { l.dialed(sock) },
			unread: func() { _ = sock.Close(wire.CloseDone) },
		}
	})
}

func (l *line) dialed(sock Socket) {
	l.clock.after(alarmHello, HelloTimeout)
	k := &link{sock: sock, out: make(chan []byte, outbox), heard: time.Now()}
	l.link = k
	l.wg.Go(func() { l.write(k) })
	l.wg.Go(func() { l.read(k) })
	if l.session.SessionID != "" {
		l.sendOn(k, wire.Resume{SessionID: l.session.SessionID, ResumeToken: l.session.ResumeToken})
	}
}

// read brings frames to the call, one at a time: a server that sends faster
// than the call can follow waits.
func (l *line) read(k *link) {
	for {
		frame, err := k.sock.Receive(l.sockets)
		if err != nil {
			l.inbox.put(func(l *line) { l.lost(k, err) })
			return
		}
		m, err := wire.DecodeServer(frame)
		taken := make(chan struct{})
		l.inbox.put(func(l *line) { defer close(taken); l.receive(k, m, err) })
		select {
		case <-taken:
		case <-l.ctx.Done():
			return
		}
	}
}

// write sends until the outbox is closed, and then closes the socket.
func (l *line) write(k *link) {
	for frame := range k.out {
		if err := k.sock.Send(l.sockets, frame); err != nil {
			l.inbox.put(func(l *line) { l.lost(k, err) })
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
func (l *line) send(m wire.Message) bool {
	return l.link != nil && l.link.ready && l.sendOn(l.link, m)
}

func (l *line) sendOn(k *link, m wire.Message) bool {
	frame, err := wire.Encode(m)
	if err != nil {
		return false // a description or a reason of a browser that is out of all range
	}
	select {
	case k.out <- frame:
		return true
	default:
		l.lost(k, errFull)
		return false
	}
}

// lost deals with a socket that is gone, or (nil) with a dial that failed.
func (l *line) lost(k *link, err error) {
	if k != l.link || l.over != nil {
		return
	}
	if k != nil {
		k.close(wire.CloseReplaced) // should it live after all: another takes its place
		l.link = nil
	}
	stood := k != nil && k.ready
	l.clock.clear(alarmHello, alarmAnswer, alarmSocket)
	l.negotiating, l.offered = false, false
	var closed *CloseError
	if errors.As(err, &closed) {
		if cause, ok := endCause(closed.Code); ok {
			l.end(l.ended(wire.Ended{Cause: cause}))
			return
		}
	}
	if l.session.SessionID == "" {
		l.refused(err)
		return
	}
	if stood {
		l.unlinked()
	}
	l.clock.after(alarmRetry, backoff(l.retries))
	l.retries++
}

// unlinked starts the grace; the server counts from the loss too, and not from
// the last dial. While the agent can be heard, a socket that is soon back is
// nobody's concern.
func (l *line) unlinked() {
	l.beginGrace()
	if !l.isDropped() {
		l.clock.after(alarmTell, DropAfter)
	}
}

// refused finds out why a first socket didn't open: the last place may have
// gone in between.
func (l *line) refused(err error) {
	l.do(func(ctx context.Context) letter {
		end := CallEnded{Failure: Unreachable, Err: err}
		if l.cfg.Admit != nil {
			if why := l.admit(ctx); why != nil {
				end = *why
			}
		}
		return letter{read: func(l *line) { l.end(end) }}
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

// askSocket pings a socket; browsers can't send WebSocket pings.
func (l *line) askSocket() {
	if l.link == nil {
		return
	}
	if time.Since(l.link.heard) > wire.SocketTimeout {
		l.lost(l.link, errSilent)
		return
	}
	l.send(wire.Ping{})
	l.clock.after(alarmSocket, wire.SocketPing)
}

// hint probes what may have changed.
func (l *line) hint() {
	if l.clock.isSet(alarmRetry) {
		l.retries = 0
		l.clock.after(alarmRetry, 0)
	}
	if l.upOnce {
		l.probe()
	}
}

func (l *line) grace() time.Duration {
	if s := l.session.Limits.ReconnectGraceS; s > 0 {
		return time.Duration(s) * time.Second
	}
	return DefaultGrace
}
