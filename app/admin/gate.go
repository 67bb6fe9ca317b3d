package admin

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/client"
	"parley/app/ui"
)

// placeholder stands where the data will be: a skeleton while it loads, and why
// it does not come. what is the data's name: "sessions".
func (f *feed) placeholder(what string, skeleton app.UI) app.UI {
	s := f.shown.status
	switch {
	case s.State == client.RateLimited:
		return ui.ErrorState{Title: "Too many requests.", Text: load.TryingAgain(s.Until, f.now)}.UI()
	case s.State == client.Reconnecting && s.Problem != nil:
		return ui.ErrorState{
			Title: "We couldn't load " + what + ".", Text: "This is on our side. " + load.TryingAgain(s.Until, f.now),
			RequestID: s.Problem.RequestID, Retry: f.retry,
		}.UI()
	case s.State == client.Reconnecting, s.State == client.Offline:
		return ui.ErrorState{
			Title: "We can't reach the server.", Text: "Check your connection. " + load.TryingAgain(s.Until, f.now),
			Retry: f.retry,
		}.UI()
	}
	return skeleton
}

// banner is the one banner above the data, or nil.
func (f *feed) banner() app.UI {
	s := f.shown.status
	switch {
	case !f.shown.known:
		return nil
	case s.State == client.RateLimited:
		return ui.Banner{Tone: ui.ToneWarning, Text: "Live updates were opened too often. They resume in " +
			load.Wait(s.Until.Sub(f.now)) + "; the data below is refreshed each 10 s until then."}.UI()
	case s.State == client.Offline:
		return ui.Banner{Tone: ui.ToneWarning, Text: "You're offline. Showing data from " +
			ui.Clock(f.shown.heard) + ".", Actions: []app.UI{f.tryAgainButton()}}.UI()
	case s.State == client.Reconnecting && s.Polling:
		return ui.Banner{Tone: ui.ToneWarning,
			Text:    "Live updates are interrupted. The data below is refreshed each 10 s.",
			Actions: []app.UI{f.tryAgainButton()}}.UI()
	}
	return nil
}

func (f *feed) tryAgainButton() app.UI {
	return ui.Button(ui.Plain, ui.IconRefresh, "Try again").OnClick(f.retry)
}

// pill says how live the page is and pauses it.
func (f *feed) pill(toggle app.EventHandler) app.UI {
	s := f.shown.status
	pill := ui.LivePill{State: ui.Live, OnToggle: toggle}
	switch {
	case f.paused:
		pill.State, pill.Behind = ui.Paused, f.behind()
	case s.State == client.Reconnecting, s.State == client.RateLimited:
		pill.State, pill.Retry = ui.Reconnecting, load.CeilSeconds(s.Until.Sub(f.now))
	case s.State == client.Offline:
		pill.State, pill.Since = ui.Offline, s.Since
	case s.State == client.Connecting, s.State == "":
		return app.Span().Class("live-waiting")
	}
	return pill.UI()
}

// asOf says from when dimmed data is.
func (f *feed) asOf() app.UI {
	if !f.isDimmed() {
		return app.Span().Class("as-of", "is-empty")
	}
	return app.Span().Class("as-of", "num").Text("as of " + ui.Clock(f.shown.heard))
}

// clock is the server's time that ages and countdowns are told at. It stands
// still where the data does.
func (f *feed) clock() time.Time {
	if f.isDimmed() {
		return f.shown.at
	}
	return f.shown.clock(f.now)
}

func (f *feed) isDimmed() bool { return !f.paused && f.shown.isStale(f.now) }

// dim gives an element's classes, one more while its data is old.
func (f *feed) dim(class string) string {
	if f.isDimmed() {
		return class + " is-stale"
	}
	return class
}
