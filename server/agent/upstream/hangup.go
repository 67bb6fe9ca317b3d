package upstream

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Ledger keeps on disk which calls may be open at a service, so that those that a
// crash leaves behind are hung up by the next start. A call's reference is "" until
// its service told it.
type Ledger interface {
	PutUpstreamCall(ctx context.Context, session, agent, reference string, opened time.Time) error
	DeleteUpstreamCall(ctx context.Context, session string) error
	UpstreamCalls(ctx context.Context, yield func(session, agent, reference string, opened time.Time)) error
}

const (
	// ledgerTimeout bounds one write: a disk that takes nothing must not hold up calls.
	ledgerTimeout = 2 * time.Second
	// firstRetry is how long after a hang-up that wasn't confirmed the next comes; each
	// wait is twice the one before, up to longestRetry. After maxHangUps, some quarter
	// of an hour, it is reported, and left to the next start.
	firstRetry, longestRetry = time.Second, 2 * time.Minute
	maxHangUps               = 14
	// closePatience is what the end of the server waits for hang-ups that are under way.
	// What isn't confirmed by then is on disk.
	closePatience = 1500 * time.Millisecond
)

// Hangups ends calls at their services, for all agents of a server. NewHangups makes
// it.
type Hangups struct {
	ledger Ledger
	log    *slog.Logger

	ctx    context.Context
	stop   context.CancelFunc
	failed atomic.Int64

	mu      sync.Mutex // guards closed against running
	closed  bool
	running sync.WaitGroup
}

// NewHangups returns what hangs up. It starts nothing.
func NewHangups(ledger Ledger, log *slog.Logger) *Hangups {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	h := &Hangups{ledger: ledger, log: log}
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

// Failed is how many calls could not be hung up.
func (h *Hangups) Failed() int64 { return h.failed.Load() }

// start runs f in a goroutine that Close waits for; after that, at once.
func (h *Hangups) start(f func()) {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		f()
		return
	}
	h.running.Go(f)
	h.mu.Unlock()
}

// Recover hangs up, in the background, the calls that an earlier life of this server
// left open. find gives the agent of a name, or nil.
func (h *Hangups) Recover(ctx context.Context, find func(name string) *Agent) error {
	type call struct {
		session, agent, reference string
		opened                    time.Time
	}
	var left []call
	err := h.ledger.UpstreamCalls(ctx, func(session, agent, reference string, opened time.Time) {
		left = append(left, call{session, agent, reference, opened})
	})
	for _, c := range left {
		a := find(c.agent)
		log := h.log.With("session", c.session, "event", "hang_up", "agent", c.agent, "opened", c.opened)
		switch {
		case a == nil:
			log.Warn("a call may be open at a service that is no longer configured")
			h.forget(c.session)
		case !a.canHangUp(c.reference):
			log.Warn("a call may be open at a service that never told how to hang it up; it ends by the service's own limit")
			h.forget(c.session)
		default:
			log.Info("hanging up a call that the server's last end left open")
			h.start(func() { h.hangUp(a, c.session, c.reference, func(error) {}) })
		}
	}
	return err
}

// opening puts on disk that a call is about to be opened, or, with its reference, that
// it is. Its error is a call that must not be: after a crash nobody would know to hang it
// up, and its service would bill it to the end of its own limit.
func (h *Hangups) opening(a *Agent, session, reference string) error {
	ctx, cancel := context.WithTimeout(context.Background(), ledgerTimeout)
	defer cancel()
	if err := h.ledger.PutUpstreamCall(ctx, session, a.cfg.Name, reference, time.Now()); err != nil {
		h.log.Error("the disk doesn't take which calls are open at services: none is opened", "session", session, "event", "hang_up", "err", err)
		return a.problem(Unrecorded, "the disk doesn't take which calls are open, and a crash would leave this one open at the service; look at the data directory")
	}
	return nil
}

// forget takes from the disk a call that is over.
func (h *Hangups) forget(session string) {
	ctx, cancel := context.WithTimeout(context.Background(), ledgerTimeout)
	defer cancel()
	if err := h.ledger.DeleteUpstreamCall(ctx, session); err != nil {
		h.log.Warn("a call that is over stays on the disk's list; it is hung up again by the next start", "session", session, "event", "hang_up", "err", err)
	}
}

// hangUp ends a call at its service, and tries again until that is confirmed. tried is
// told what came of each request, errNothingOpen if there is none to be sent.
func (h *Hangups) hangUp(a *Agent, session, reference string, tried func(error)) {
	if !a.canHangUp(reference) {
		h.forget(session) // its connection was all there was to close
		tried(errNothingOpen)
		return
	}
	wait := firstRetry
	for attempt := 1; ; attempt++ {
		err := a.hangUp(h.ctx, reference)
		if err == nil {
			h.forget(session)
		}
		tried(err)
		if err == nil {
			return
		}
		if h.ctx.Err() != nil {
			return // it is on disk
		}
		if attempt == maxHangUps {
			h.failed.Add(1)
			h.log.Error("a call could not be hung up; the next start tries again", "session", session, "event", "hang_up", "err", err)
			return
		}
		h.log.Warn("a call was not hung up; trying again", "session", session, "event", "hang_up", "attempt", attempt, "err", err)
		if !h.wait(wait) {
			return
		}
		wait = min(2*wait, longestRetry)
	}
}

func (h *Hangups) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-h.ctx.Done():
		return false
	}
}

// Close waits a moment for the hang-ups under way, and stops the rest.
func (h *Hangups) Close() error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	timer := time.AfterFunc(closePatience, h.stop)
	h.running.Wait()
	timer.Stop()
	h.stop()
	return nil
}
