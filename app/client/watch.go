package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"parley/shared/rest"
)

// The rhythm of Watch.
const (
	// PollEvery is how often the picture is asked for while there is no stream.
	PollEvery = 10 * time.Second
	// pollAfter failures of the stream, asking begins: before, the stream is
	// nearly always back sooner than an answer would help.
	pollAfter = 3
	// renewJitter spreads the streams that a server ended together.
	renewJitter = 5 * time.Second
	// HideAfter is how long a page may be hidden before its stream is closed.
	HideAfter = 60 * time.Second
	// stallAfter is two heartbeats of the server and some: a stream that is
	// silent for longer is dead, whatever the network says.
	stallAfter = 40 * time.Second
	// settleTime is how long a stream has to live to count as a success: one that
	// opens and breaks at once must not be tried each second for ever.
	settleTime = 10 * time.Second
	// jitter of the back-off, either way.
	jitter = 0.2
)

// backoff is the wait after the first, second, … failure in a row.
func backoff(failures int) time.Duration {
	steps := [...]time.Duration{1, 2, 4, 8, 15, 30}
	wait := steps[min(failures, len(steps))-1] * time.Second
	return time.Duration(float64(wait) * (1 - jitter + 2*jitter*rand.Float64()))
}

// Why a stream was closed from this side.
var (
	errAsleep  = errors.New("the page is hidden")
	errRenew   = errors.New("the server ended the stream at its hour")
	errGap     = errors.New("frames are missing")
	errStalled = errors.New("the stream went silent")
	errEnded   = errors.New("the stream ended")
)

// Watch follows the monitoring stream and tells what it learns. It is made by
// Client.Watch and does nothing until Run.
type Watch struct {
	client *Client
	on     func([]Frame)

	// Of Run's goroutine, or of Open's while Run waits for it.
	cursor   string // the last event id
	seq      uint64 // of the last frame
	rows     rows   // the sessions at cursor
	synced   bool   // a snapshot came, and no frame has been missed since
	failures int    // in a row
	polling  bool   // the last poll had an answer
	offline  bool   // the last poll had none of any kind
	nextPoll time.Time
	renewed  bool // the stream to come goes on from one that had its hour
	heard    time.Time

	mu    sync.Mutex
	close context.CancelCauseFunc // of the stream that is open
	timer *time.Timer             // runs while the page is hidden
	wake  chan struct{}           // closed when the page is seen again; nil while awake
	nudge chan struct{}           // ends a back-off early
}

// Watch makes a watch. All that happens is told to on, in order and never from
// two goroutines at once; frames that came together are told together.
func (c *Client) Watch(on func([]Frame)) *Watch {
	return &Watch{client: c, on: on, rows: rows{}, nudge: make(chan struct{}, 1)}
}

// Run watches until ctx ends (its cause is returned) or the server says that
// this user may not (a *rest.Problem with status 401 or 403).
func (w *Watch) Run(ctx context.Context) error {
	defer w.Visible() // stops the timer
	w.emitFrames(Status{State: Connecting})
	for {
		if err := w.isAwake(ctx); err != nil {
			return err
		}
		began := time.Now()
		err := w.stream(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if time.Since(began) >= settleTime {
			w.failures = 0
		}
		if err := w.recover(ctx, err, time.Since(began)); err != nil {
			return err
		}
	}
}

// recover waits as long as the way the stream ended asks for.
func (w *Watch) recover(ctx context.Context, err error, lived time.Duration) error {
	var p *rest.Problem
	switch {
	case errors.Is(err, errAsleep):
		return nil
	case errors.Is(err, errRenew):
		w.failures = 0
		return pauseFor(ctx, rand.N(renewJitter))
	case errors.Is(err, errGap) && lived >= settleTime:
		return nil
	case errors.As(err, &p) && isDenied(p):
		return p
	case p != nil && p.Status == 429:
		wait := max(time.Duration(p.RetryAfterS)*time.Second, time.Second)
		return w.wait(ctx, Status{State: RateLimited, Until: time.Now().Add(wait), Problem: p})
	}
	w.failures++
	wait := backoff(w.failures)
	s := Status{State: Reconnecting, Problem: p}
	switch {
	case p != nil:
		wait = max(wait, time.Duration(p.RetryAfterS)*time.Second)
	case w.offline:
		s.State = Offline // still: one more try changes nothing
	}
	s.Until = time.Now().Add(wait)
	return w.wait(ctx, s)
}

func isDenied(p *rest.Problem) bool { return p.Status == 401 || p.Status == 403 }

// wait says s and sits it out. Once there were enough failures, or where the
// wait is the server's wish, it asks for the picture meanwhile.
func (w *Watch) wait(ctx context.Context, s Status) error {
	s.Since, s.Polling = w.heard, w.polling
	drain(w.nudge)
	w.emitFrames(s)
	timer := time.NewTimer(time.Until(s.Until))
	defer timer.Stop()
	for {
		var poll <-chan time.Time
		if s.State == RateLimited || w.failures >= pollAfter {
			poll = time.After(time.Until(w.nextPoll))
		}
		nudge := w.nudge
		if s.State == RateLimited {
			nudge = nil // the server said when
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
			return nil
		case <-nudge:
			return nil
		case <-poll:
			if err := w.poll(ctx, s); err != nil {
				return err
			}
		}
	}
}

// poll asks for the whole picture once and says how that went. A user who may
// not any more ends the watch; any other trouble is for the next poll.
func (w *Watch) poll(ctx context.Context, s Status) error {
	if w.isSleeping() {
		w.nextPoll = time.Now().Add(PollEvery)
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, PollEvery)
	defer cancel()
	sessions, err := w.client.Active(limited)
	var stats rest.Stats
	if err == nil {
		stats, err = w.client.Stats(limited)
	}
	w.nextPoll = time.Now().Add(PollEvery)
	w.offline = errors.Is(err, ErrNetwork) || errors.Is(err, context.DeadlineExceeded)
	var p *rest.Problem
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil:
		if s.State == Offline {
			s.State = Reconnecting
		}
		w.polling, w.heard, w.synced = true, time.Now(), false
		s.Polling, s.Since = true, w.heard
		w.emitFrames(Snapshot{Snapshot: rest.Snapshot{T: stats.At, Sessions: sessions, Stats: stats}, Polled: true}, s)
		return nil
	case errors.As(err, &p) && isDenied(p):
		return p
	case s.State != RateLimited && w.offline:
		s.State = Offline
	case s.State == Offline:
		s.State = Reconnecting
	}
	w.polling, s.Polling, s.Since = false, false, w.heard
	if p != nil {
		s.Problem = p
	}
	w.emitFrames(s)
	return nil
}

func (w *Watch) emitFrames(f ...Frame) { w.on(f) }

func pauseFor(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

func drain(c <-chan struct{}) {
	select {
	case <-c:
	default:
	}
}
