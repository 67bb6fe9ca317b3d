package peer

import (
	"context"
	"strings"

	"parley/shared/wire"
)

// job is work on the connection. Jobs are done one after the other: this end is
// the only one that offers, and it makes one offer at a time.
type job func(ctx context.Context, c Connection) func(*line)

func (l *line) queue(j job) {
	l.jobs = append(l.jobs, j)
	l.nextJob()
}

func (l *line) nextJob() {
	if l.working || len(l.jobs) == 0 {
		return
	}
	j := l.jobs[0]
	l.jobs = l.jobs[1:]
	l.working = true
	conn := l.conn
	l.do(func(ctx context.Context) letter {
		ctx, cancel := context.WithTimeout(ctx, NegotiateTimeout)
		defer cancel()
		then := j(ctx, conn)
		return letter{read: func(l *line) {
			l.working = false
			if then(l); l.over == nil {
				l.nextJob()
			}
		}}
	})
}

func (l *line) connect() {
	servers := l.session.ICEServers
	l.do(func(ctx context.Context) letter {
		conn, err := l.cfg.Connect(ctx, servers, listener{l.inbox})
		if err != nil {
			return letter{read: func(l *line) { l.broken(LocalError, err) }}
		}
		return letter{
			read:   func(l *line) { l.made(conn) },
			unread: func() { _ = conn.Close() },
		}
	})
}

func (l *line) made(conn Connection) {
	l.conn = conn
	conn.Mute(l.muted)
	l.negotiate()
}

// negotiate makes an offer, unless one is under way: the first, or one that
// restarts ICE.
func (l *line) negotiate() {
	if l.negotiating || l.link == nil || !l.link.ready {
		return
	}
	l.negotiating, l.offered = true, false
	l.candidates, l.gathered = nil, 0
	k, restart := l.link, l.offers > 0
	l.offers++
	l.queue(func(ctx context.Context, c Connection) func(*line) {
		sdp, err := c.Offer(ctx, restart)
		return func(l *line) { l.offer(k, sdp, err) }
	})
}

func (l *line) offer(k *link, sdp string, err error) {
	if k != l.link {
		return // the next hello starts anew
	}
	if err != nil {
		l.negotiating = false
		l.broken(LocalError, err)
		return
	}
	if !l.send(wire.Offer{SDP: sdp}) {
		return
	}
	l.offered = true
	if l.upOnce {
		l.clock.after(alarmAnswer, RestartEvery)
	}
	for _, c := range l.candidates {
		l.send(wire.Candidate{Candidate: c})
	}
	l.candidates = nil
	l.tellMute()
}

// candidate takes one of this end's.
func (l *line) candidate(c wire.CandidateInit) {
	if !useful(c.Candidate) || l.gathered >= wire.MaxCandidates {
		return
	}
	l.gathered++
	if !l.offered {
		l.candidates = append(l.candidates, c)
		return
	}
	l.send(wire.Candidate{Candidate: c})
}

func (l *line) answer(sdp string) {
	if !l.negotiating || !l.offered {
		return // to an offer that was given up
	}
	l.clock.clear(alarmAnswer)
	l.queue(func(ctx context.Context, c Connection) func(*line) {
		err := c.Answer(ctx, sdp)
		return func(l *line) { l.answered(err) }
	})
}

func (l *line) answered(err error) {
	l.negotiating = false
	if err != nil {
		l.broken(ServerError, err)
		return
	}
	l.described = true
	early := l.remote
	l.remote = nil
	for _, c := range early {
		l.remoteCandidate(c)
	}
}

// useful leaves out what no server can send to: names under .local, which mean
// something on the caller's network only, and the ends of TCP connections that
// this side opens (RFC 6544 §4.5).
func useful(candidate string) bool {
	return !strings.Contains(candidate, ".local") && !strings.Contains(candidate, "tcptype active")
}

// remoteCandidate adds one of the server's, once its answer is set.
func (l *line) remoteCandidate(c wire.CandidateInit) {
	if !l.described || l.negotiating {
		if len(l.remote) < wire.MaxCandidates {
			l.remote = append(l.remote, c)
		}
		return
	}
	l.queue(func(ctx context.Context, conn Connection) func(*line) {
		_ = conn.AddCandidate(ctx, c) // one bad candidate is no reason to end
		return func(*line) {}
	})
}

// broken ends a call that never stood; one that did tries again.
func (l *line) broken(f Failure, err error) {
	if !l.upOnce {
		l.end(CallEnded{Ended: wire.Ended{Cause: wire.MediaFailed}, Failure: f, Err: err})
	}
}

func (l *line) setupOverdue() {
	failure := ICEFailed
	if !l.described {
		failure = ServerError
	}
	l.end(CallEnded{Ended: wire.Ended{Cause: wire.MediaFailed}, Failure: failure})
}
