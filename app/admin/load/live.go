package load

import (
	"context"
	"errors"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/rest"
)

// MonitoringOff is the state, of go-app's, that tells live pages whether monitoring is off:
// the stream goes on without it, and what it tells is no news.
const MonitoringOff = "monitoring-off"

// Live is how the stream of a page is doing, and what it says about it.
type Live struct {
	Status client.Status
	Known  bool      // there is something to show
	Heard  time.Time // when the newest of it came
	Now    time.Time // what countdowns are worked out against
	Retry  app.EventHandler
	IsOff  bool // monitoring is
}

// Placeholder stands where the data will be: a skeleton while it loads, and why
// it does not come. what is the data's name: "sessions".
func (l Live) Placeholder(what string, skeleton app.UI) app.UI {
	s := l.Status
	switch {
	case s.State == client.RateLimited:
		return ui.ErrorState{Title: "Too many requests.", Text: TryingAgain(s.Until, l.Now)}.UI()
	case s.State == client.Reconnecting && s.Problem != nil:
		return ui.ErrorState{
			Title: "We couldn't load " + what + ".", Text: "This is on our side. " + TryingAgain(s.Until, l.Now),
			RequestID: s.Problem.RequestID, Retry: l.Retry,
		}.UI()
	case (s.State == client.Reconnecting || s.State == client.Offline) && isOffline():
		return ui.ErrorState{Title: "You're offline.", Text: TryingAgain(s.Until, l.Now), Retry: l.Retry}.UI()
	case s.State == client.Reconnecting, s.State == client.Offline:
		return ui.ErrorState{
			Title: "We can't reach the server.", Text: "Check your connection. " + TryingAgain(s.Until, l.Now),
			Retry: l.Retry,
		}.UI()
	}
	return skeleton
}

// Banner is the one banner above the data, or nil.
func (l Live) Banner() app.UI {
	again := []app.UI{ui.Button(ui.Plain, ui.IconRefresh, "Try again").OnClick(l.Retry)}
	s := l.Status
	switch {
	case !l.Known:
		return nil
	case isOffline():
		return ui.Banner{Tone: ui.ToneWarning, Text: "You're offline. Showing data from " + ui.Clock(l.Heard) + ".", Actions: again}.UI()
	case s.State == client.RateLimited:
		return ui.Banner{Tone: ui.ToneWarning, Text: "Live updates were opened too often. They resume in " +
			Wait(s.Until.Sub(l.Now)) + "; the data below is refreshed each 10 s until then."}.UI()
	case s.State == client.Offline:
		return ui.Banner{Tone: ui.ToneWarning, Text: "We can't reach the server. Showing data from " + ui.Clock(l.Heard) + ".", Actions: again}.UI()
	case s.State == client.Reconnecting && s.Polling:
		return ui.Banner{Tone: ui.ToneWarning,
			Text: "Live updates are interrupted. The data below is refreshed each 10 s.", Actions: again}.UI()
	}
	return nil
}

// Pill says how live the page is, and pauses it. behind is how much has come
// since it was paused.
func (l Live) Pill(paused bool, behind int, toggle app.EventHandler) app.UI {
	s := l.Status
	pill := ui.LivePill{State: ui.Live, OnToggle: toggle}
	switch {
	case l.IsOff:
		pill.State = ui.MonitoringOff
	case paused:
		pill.State, pill.Behind = ui.Paused, behind
	case s.State == client.Reconnecting, s.State == client.RateLimited:
		pill.State, pill.Retry = ui.Reconnecting, CeilSeconds(s.Until.Sub(l.Now))
	case s.State == client.Offline:
		pill.State, pill.Since = ui.Offline, s.Since
	case s.State == client.Connecting, s.State == "":
		return app.Span().Class("live-waiting")
	}
	return pill.UI()
}

// Follow runs a watch until stop, and tells it whether the page is seen and when
// the network is back. denied is called, on the UI goroutine, if the server says
// that this user may not.
func Follow(ctx app.Context, w *client.Watch, denied func(app.Context, *rest.Problem)) (stop func()) {
	running, cancel := context.WithCancel(context.Background())
	ctx.Async(func() {
		var p *rest.Problem
		if err := w.Run(running); errors.As(err, &p) {
			ctx.Dispatch(func(ctx app.Context) { denied(ctx, p) })
		}
	})
	document := app.Window().Get("document")
	unseen := ui.Listen(document, "visibilitychange", func(app.Event) {
		if document.Get("visibilityState").String() == "hidden" {
			w.Hidden()
			return
		}
		w.Visible()
	})
	unheard := ui.Listen(app.Window(), "online", func(app.Event) { w.Retry() })
	return func() { cancel(); unseen(); unheard() }
}
