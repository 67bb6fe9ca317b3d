// Package load owns how an admin's page gets what it shows and what stands
// there meanwhile: the skeleton, the empty state, the filters that nothing
// matches, the error with its request id, no network, no server, no right, too
// many requests, and old data that says how old it is. A page gives its words,
// its question and its body; the states and their copy are here, once.
//
// A page holds a Resource for each answer it shows and starts it when it is
// mounted. Its filters are Filters: they stand in the address, so that a reload
// and a shared link show the same. The package asks nothing by itself, knows no
// resource of the interface, and decides nothing about rights.
package load

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/rest"
)

const (
	// answerTimeout is when an answer is given up: the server's own limit for one
	// is shorter, so that then nobody is there.
	answerTimeout = 30 * time.Second
	// tickEvery is how often a countdown moves on.
	tickEvery = time.Second
)

// Resource is one answer of the server that a page shows. Its fields belong to
// the UI goroutine.
type Resource struct {
	// Name is what it is, as in "We couldn't load access logs."
	Name string
	// Ask makes the question from the page as it is. Without Ask the skeleton
	// stays, as on a page that the server prerenders.
	Ask func() Question
	// Every is how often it is asked for again while the page is seen; 0 is never.
	Every time.Duration

	known    bool      // there was an answer
	at       time.Time // when
	busy     bool      // a question is under way
	problem  *rest.Problem
	cut      bool // no answer came
	offline  bool // and the browser knows why
	failures int  // in a row
	until    time.Time
	now      time.Time // what countdowns are worked out against
	back     string    // the page's own address, for after a sign-in

	ctx    app.Context
	asked  int // counts questions: only the last one's answer counts
	cancel context.CancelFunc
	timer  *time.Timer
	halts  []func()
}

// Question asks the server, outside of the UI goroutine, and returns what puts
// the answer into the page, within it.
type Question func(ctx context.Context) (show func(), err error)

// Start asks, and listens to the network, until Stop. It belongs into the
// page's OnMount.
func (r *Resource) Start(ctx app.Context) {
	if r.Ask == nil {
		return
	}
	r.ctx = ctx
	again := func(app.Event) {
		ctx.Dispatch(func(app.Context) {
			if r.cut || r.isOld(time.Now()) {
				r.Reload()
			}
		})
	}
	ctx.Handle(ui.ZoneChanged, func(app.Context, app.Action) {}) // draws the page anew
	document := app.Window().Get("document")
	r.halts = append(r.halts,
		ui.Listen(app.Window(), "online", again),
		ui.Listen(app.Window(), "offline", func(app.Event) { ctx.Dispatch(r.lose) }),
		ui.Listen(document, "visibilitychange", again))
	r.Reload()
}

// Stop ends what Start began. It belongs into the page's OnDismount.
func (r *Resource) Stop() {
	r.asked++
	r.stopQuestion()
	for _, halt := range r.halts {
		halt()
	}
	r.halts = nil
}

// Reload asks again, and keeps what is shown until the answer is there.
func (r *Resource) Reload() {
	if r.Ask == nil || !isSet(r.ctx) {
		return
	}
	r.stopQuestion()
	r.asked++
	r.busy, r.until = true, time.Time{}
	stop, cancel := context.WithTimeout(context.Background(), answerTimeout)
	r.cancel = cancel
	ctx, mine, question := r.ctx, r.asked, r.Ask()
	ctx.Async(func() {
		defer cancel()
		show, err := question(stop)
		ctx.Dispatch(func(app.Context) {
			if mine == r.asked {
				r.take(show, err, time.Now())
			}
		})
	})
}

// Known reports whether there is an answer to show.
func (r *Resource) Known() bool { return r.known }

// Busy reports whether an answer is waited for.
func (r *Resource) Busy() bool { return r.busy }

// lose takes note that the browser has lost its network: what is shown is old from
// now on, whenever the next question would have found out, and so is an answer that is
// on its way.
func (r *Resource) lose(app.Context) {
	if !isOffline() || r.isDenied() {
		return
	}
	r.stopQuestion()
	r.asked++
	if !r.known {
		r.take(nil, client.ErrNetwork, time.Now())
		return
	}
	r.busy, r.problem, r.cut, r.offline = false, nil, true, true
}

// stopQuestion ends the question under way and the wait for the next.
func (r *Resource) stopQuestion() {
	if r.cancel != nil {
		r.cancel()
	}
	if r.timer != nil {
		r.timer.Stop()
	}
}

// take takes an answer, or what came instead of one.
func (r *Resource) take(show func(), err error, now time.Time) {
	r.busy, r.now, r.problem, r.cut, r.offline = false, now, nil, false, false
	if err == nil {
		show()
		r.known, r.at, r.failures = true, now, 0
		if r.Every > 0 {
			r.wait(r.Every, r.again)
		}
		return
	}
	if !errors.As(err, &r.problem) {
		r.cut, r.offline = true, isOffline()
	}
	r.failures++
	r.back = r.address()
	if pause := r.pause(); pause > 0 {
		r.until = now.Add(pause)
		r.wait(tickEvery, r.tick)
	}
}

// pause is how long to wait until the next try; 0 leaves it to the reader.
func (r *Resource) pause() time.Duration {
	switch {
	case r.cut:
		steps := [...]time.Duration{1, 2, 4, 8, 15, 30}
		return steps[min(r.failures, len(steps))-1] * time.Second
	case r.isDenied():
		return 0
	case r.problem.RetryAfterS > 0:
		return time.Duration(r.problem.RetryAfterS) * time.Second
	case r.problem.Status == 429:
		return time.Second
	case r.Every > 0:
		return r.Every
	}
	return 0
}

// tick moves a countdown on, and asks when it is over.
func (r *Resource) tick(now time.Time) {
	if r.now = now; now.Before(r.until) {
		r.wait(tickEvery, r.tick)
		return
	}
	r.Reload()
}

// again asks for what is old by now, unless nobody sees it: then it is asked for
// when somebody does.
func (r *Resource) again(time.Time) {
	if app.IsServer || app.Window().Get("document").Get("visibilityState").String() != "hidden" {
		r.Reload()
	}
}

func (r *Resource) isOld(now time.Time) bool {
	return r.Every > 0 && r.known && !r.busy && now.Sub(r.at) >= r.Every
}

// wait calls do after d, unless something else was asked for by then.
func (r *Resource) wait(d time.Duration, do func(now time.Time)) {
	if !isSet(r.ctx) {
		return
	}
	ctx, mine := r.ctx, r.asked
	r.timer = time.AfterFunc(d, func() {
		ctx.Dispatch(func(app.Context) {
			if mine == r.asked {
				do(time.Now())
			}
		})
	})
}

func (r *Resource) isDenied() bool {
	return r.problem != nil && (r.problem.Status == 401 || r.problem.Status == 403)
}

// address is where to come back to after a sign-in.
func (r *Resource) address() string {
	if !isSet(r.ctx) {
		return "/admin"
	}
	return url.QueryEscape(r.ctx.Page().URL().RequestURI())
}

// isOffline reports whether the browser knows that there is no network. That
// there is one it never knows.
func isOffline() bool {
	online := ui.Property(app.Window().Get("navigator"), "onLine")
	return !online.Truthy() && !online.IsUndefined()
}

// isSet reports whether a component has been mounted with ctx.
func isSet(ctx app.Context) bool { return ctx.Context != nil }
