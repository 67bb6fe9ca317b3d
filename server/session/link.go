package session

import (
	"context"
	"crypto/subtle"
	"sync"
	"time"

	"parley/shared/quality"
	"parley/shared/wire"
)

// Link is one socket's hold on a session. The newest one counts: an older one
// is over with cause replaced, and what it still receives is ignored.
type Link struct {
	s      *Session
	out    chan wire.Message
	ctx    context.Context
	cancel context.CancelCauseFunc

	releasing sync.Once
	released  chan struct{} // see Release
}

// Resume finds the session that a caller's token opens from another socket.
// The token is spent by it, once something is heard on that socket: a hello that
// was lost with its socket would else lock the caller out. Whatever does not fit
// is fault.NotFound. The caller's new JWT, with its own id, expiry and standing,
// takes the place of the old one: who signs out of that ends nothing any more.
func (a *Sessions) Resume(c Caller, id, token string) (*Session, error) {
	s, err := a.find(id)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	fits := equalTokens(s.token, token) || equalTokens(s.previousToken, token)
	if s.ended != nil || s.account != c.Account() || !fits {
		return nil, errUnknown
	}
	s.token, s.previousToken = "", token
	s.caller.Remote, s.caller.Host, s.caller.TokenExpires = c.Remote, c.Host, c.TokenExpires
	s.caller.TokenID, s.caller.ServerAdmin = c.TokenID, c.ServerAdmin
	s.tokenBy = tokenDeadline(c, now, a.cfg.TokenLeeway)
	return s, nil
}

// equalTokens compares in constant time; no token is the same as none.
func equalTokens(held, given string) bool {
	return held != "" && subtle.ConstantTimeCompare([]byte(held), []byte(given)) == 1
}

// Resumable says whether the caller has a session that waits for its socket.
func (a *Sessions) Resumable(c Caller) bool {
	a.mu.Lock()
	none := a.byAccount[c.Account()] == 0 || !a.drainBy.IsZero()
	a.mu.Unlock()
	if none {
		return false
	}
	for _, s := range a.list() {
		if s.account == c.Account() && s.isAwaitingSocket() {
			return true
		}
	}
	return false
}

func (s *Session) isAwaitingSocket() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended == nil && s.wasAttached && s.link == nil
}

// Attach gives the session to a socket, with hello as the first message in its
// outbox. A socket that held it before is over. The observer knows of it before
// the caller does: who asks for a session as soon as hello came finds it.
func (s *Session) Attach() (*Link, error) {
	s.observing.Lock()
	defer s.observing.Unlock()
	l, snap, err := s.attach(time.Now())
	if snap != nil {
		s.sessions.cfg.Observer.SessionChanged(*snap)
	}
	return l, err
}

func (s *Session) attach(now time.Time) (*Link, *Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return nil, nil, s.ended
	}
	if s.link != nil {
		s.link.cancel(&End{Cause: wire.Replaced})
	}
	l := &Link{s: s, out: make(chan wire.Message, s.sessions.cfg.Outbox), released: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancelCause(s.ctx)
	again := s.wasAttached
	s.link, s.wasAttached, s.changed = l, true, true
	s.socketHeardAt = now
	s.graceBy = time.Time{}
	if !s.offered {
		s.offerBy = now.Add(s.sessions.cfg.OfferTimeout)
	}
	s.sendLocked(s.newHelloLocked())
	if again {
		s.quality = quality.Verdict{} // of the line before
		s.sendStateLocked(now)
		s.repeatWarningsLocked()
	}
	s.wakeRun()
	snap, _ := s.pendingSnapshotLocked(now)
	return l, snap, nil
}

// newHelloLocked carries a new resume token; the one before is void. mu must be held.
func (s *Session) newHelloLocked() wire.Hello {
	s.token = randomText()
	return wire.Hello{
		SessionID: s.id, ResumeToken: s.token, ICEServers: s.sessions.ICEServers(s.id, s.caller), Agent: s.caller.Agent,
		Limits:          s.sessions.limitsOf(s.limitsLocked()),
		StatsIntervalMS: int(wire.SampleInterval.Milliseconds()), Node: s.sessions.cfg.Node,
	}
}

// sendLocked puts a message into the caller's outbox. Who can't keep up is ended;
// while the socket is gone nothing is kept, for Attach tells all that stands.
// mu must be held.
func (s *Session) sendLocked(m wire.Message) {
	if s.link == nil || s.ended != nil {
		return
	}
	select {
	case s.link.out <- m:
	default:
		s.endLocked(wire.SlowClient, "", time.Now())
	}
}

// Session is what the link holds.
func (l *Link) Session() *Session { return l.s }

// Context ends when the link does. Its cause is an *End when the session ended
// or another socket took it over.
func (l *Link) Context() context.Context { return l.ctx }

// Outbox is what to send, in order. It is never closed; Context says when to stop.
func (l *Link) Outbox() <-chan wire.Message { return l.out }

// Send puts an answer of the socket's own (pong, error) into the outbox. It
// reports false where there is no room yet: an answer to what the caller may send
// ends nothing.
func (l *Link) Send(m wire.Message) bool {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if !l.acceptMessageLocked() {
		return true // nobody is left to tell
	}
	select {
	case l.out <- m:
		return true
	default:
		return false
	}
}

// End ends the session, if the link still holds it.
func (l *Link) End(cause wire.EndCause) {
	now := time.Now()
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.isCurrentLocked() {
		l.s.endLocked(cause, "", now)
	}
}

// Heard says that the socket's peer gave a sign, and when.
func (l *Link) Heard(at time.Time) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.isCurrentLocked() {
		l.s.socketHeardAt = at
	}
}

// Lost says that the socket is gone without a goodbye, and when its peer was
// last heard. The session keeps its place for the grace, but not for longer
// than Config.Silence after that last word.
func (l *Link) Lost(heard time.Time) {
	now := time.Now()
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	defer l.cancel(errDetached)
	if !l.isCurrentLocked() {
		return
	}
	s.link = nil
	s.graceBy = earlier(now.Add(s.sessions.cfg.ReconnectGrace), heard.Add(s.sessions.cfg.Silence))
	s.offerBy = time.Time{} // asked for again on the next socket
	s.changed = true
	s.wakeRun()
}

// DeliverMessage sends the caller a text message by the call's own channel of agent
// events, and returns once the caller has it or ctx is done. After the end of the
// session it still does, until Release or for farewellTimeout.
func (l *Link) DeliverMessage(ctx context.Context, text []byte) error {
	l.s.mu.Lock()
	legs := l.s.legs
	l.s.mu.Unlock()
	if legs == nil {
		return errDetached
	}
	return legs.DeliverMessage(ctx, text)
}

// Release says that the caller without a socket was told of the end: the legs may
// be closed.
func (l *Link) Release() { l.releasing.Do(func() { close(l.released) }) }

// farewellTimeout is how long the legs of a caller without a socket outlive the
// session, so that the caller can be told why it ended. It is a part of the 2 s that
// closing both legs may take.
const farewellTimeout = 500 * time.Millisecond

// waitForFarewell waits until the caller was told of the end.
func (l *Link) waitForFarewell() {
	timer := time.NewTimer(farewellTimeout)
	defer timer.Stop()
	select {
	case <-l.released:
	case <-timer.C:
	}
}

// mu must be held.
func (l *Link) isCurrentLocked() bool { return l.s.link == l && l.s.ended == nil }

// acceptMessageLocked is isCurrentLocked for a message that came: whoever sends one has the newest
// hello, and the token before it is void for good. mu must be held.
func (l *Link) acceptMessageLocked() bool {
	if !l.isCurrentLocked() {
		return false
	}
	l.s.previousToken = ""
	return true
}
