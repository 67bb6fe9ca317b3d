package peer

import (
	"context"
	"errors"

	"parley/shared/wire"
)

// job is work on the connection. Jobs are done one after the other: this end is
// the only one that offers, and it makes one offer at a time.
type job func(ctx context.Context, c Connection) func(*callState)

func (cs *callState) enqueueJob(j job) {
	cs.jobs = append(cs.jobs, j)
	cs.startNextJob()
}

func (cs *callState) startNextJob() {
	if cs.isWorking || len(cs.jobs) == 0 {
		return
	}
	j := cs.jobs[0]
	cs.jobs = cs.jobs[1:]
	cs.isWorking = true
	conn, limit := cs.conn, NegotiateTimeout
	if !cs.everConnected {
		limit = FirstNegotiateTimeout
	}
	cs.runAsync(func(ctx context.Context) command {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		then := j(ctx, conn)
		return command{run: func(cs *callState) {
			cs.isWorking = false
			if then(cs); cs.outcome == nil {
				cs.startNextJob()
			}
		}}
	})
}

func (cs *callState) connectMedia() {
	servers := cs.session.ICEServers
	cs.runAsync(func(ctx context.Context) command {
		conn, err := cs.cfg.Connect(ctx, servers, listener{cs.inbox})
		if err != nil {
			return command{run: func(cs *callState) { cs.endUnlessConnected(LocalError, err) }}
		}
		return command{
			run:     func(cs *callState) { cs.handleConnection(conn) },
			discard: func() { _ = conn.Close() },
		}
	})
}

func (cs *callState) handleConnection(conn Connection) {
	cs.conn = conn
	conn.Mute(cs.isMuted)
	cs.negotiate()
}

// negotiate makes an offer, unless one is under way: the first, or one that
// restarts ICE.
func (cs *callState) negotiate() {
	if cs.isNegotiating || cs.link == nil || !cs.link.ready {
		return
	}
	cs.isNegotiating, cs.offerSent = true, false
	cs.localCandidates, cs.candidateCount = nil, 0
	cs.remoteCandidates = nil // of an offer before, which was given up
	k, restart := cs.link, cs.offers > 0
	cs.offers++
	cs.enqueueJob(func(ctx context.Context, c Connection) func(*callState) {
		sdp, err := c.Offer(ctx, restart)
		return func(cs *callState) { cs.sendOffer(k, sdp, err) }
	})
}

func (cs *callState) sendOffer(k *link, sdp string, err error) {
	if k != cs.link {
		return // the next hello starts anew
	}
	offer := wire.Offer{SDP: sdp}
	if err == nil {
		_, err = wire.Encode(offer) // of a browser that is out of all range
	}
	if err != nil {
		cs.isNegotiating = false
		cs.endUnlessConnected(LocalError, err)
		return
	}
	if !cs.send(offer) {
		return // the socket is lost
	}
	cs.offerSent, cs.isOfferOpen = true, true
	if cs.everConnected {
		cs.deadlines.set(deadlineAnswer, RestartEvery)
	}
	for _, c := range cs.localCandidates {
		cs.send(wire.Candidate{Candidate: c})
	}
	cs.localCandidates = nil
	cs.sendMute()
}

// handleLocalCandidate takes one of this end's.
func (cs *callState) handleLocalCandidate(c wire.CandidateInit) {
	if !isUsable(c.Candidate) || cs.candidateCount >= wire.MaxCandidates {
		return
	}
	cs.candidateCount++
	if !cs.offerSent {
		cs.localCandidates = append(cs.localCandidates, c)
		return
	}
	cs.send(wire.Candidate{Candidate: c})
}

func (cs *callState) handleAnswer(sdp string) {
	if !cs.isNegotiating || !cs.offerSent {
		return // to an offer that was given up
	}
	cs.deadlines.clear(deadlineAnswer)
	cs.enqueueJob(func(ctx context.Context, c Connection) func(*callState) {
		err := c.Answer(ctx, sdp)
		return func(cs *callState) { cs.handleAnswerSet(err) }
	})
}

func (cs *callState) handleAnswerSet(err error) {
	cs.isNegotiating = false
	if err != nil {
		cs.endUnlessConnected(ServerError, err)
		return
	}
	cs.hasAnswer, cs.isOfferOpen = true, false
	early := cs.remoteCandidates
	cs.remoteCandidates = nil
	for _, c := range early {
		cs.addRemoteCandidate(c)
	}
}

// addRemoteCandidate adds one of the server's, once its answer is set.
func (cs *callState) addRemoteCandidate(c wire.CandidateInit) {
	if !cs.hasAnswer || cs.isNegotiating {
		if len(cs.remoteCandidates) < wire.MaxCandidates {
			cs.remoteCandidates = append(cs.remoteCandidates, c)
		}
		return
	}
	cs.enqueueJob(func(ctx context.Context, conn Connection) func(*callState) {
		_ = conn.AddCandidate(ctx, c) // one bad candidate is no reason to end
		return func(*callState) {}
	})
}

// endUnlessConnected ends a call that never stood; one that did tries again.
func (cs *callState) endUnlessConnected(f Failure, err error) {
	if errors.Is(err, context.DeadlineExceeded) {
		f = LocalSlow
	}
	if !cs.everConnected {
		cs.end(CallEnded{Ended: wire.Ended{Cause: wire.MediaFailed}, Failure: f, Err: err})
	}
}

func (cs *callState) endOverdueSetup() {
	failure := ICEFailed
	if !cs.hasAnswer {
		failure = ServerError
	}
	cs.end(CallEnded{Ended: wire.Ended{Cause: wire.MediaFailed}, Failure: failure})
}
