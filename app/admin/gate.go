package admin

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/rest"
)

// refusal is the whole page for a user whom the server lets see nothing. back
// is the address to return to after a sign-in.
func refusal(p *rest.Problem, back string) app.UI {
	if p.Status == 401 {
		w := ui.Copy("unauthorized")
		return ui.Page{Icon: ui.IconLock, Title: w.Title, Text: w.Text,
			Action: link(w.Action(0), "/sign-in?next="+back)}.UI()
	}
	w := ui.Copy("admins_only")
	return ui.Page{Icon: ui.IconLock, Title: w.Title, Text: w.Text, Action: link(w.Action(0), "/call")}.UI()
}

func link(label, href string) app.UI {
	return app.A().Class("button", "button-plain").Href(href).
		Body(app.Span().Class("button-label").Text(label))
}

// placeholder stands where the data will be: a skeleton while it loads, and why
// it does not come. what is the data's name: "sessions".
func (f *feed) placeholder(what string, skeleton app.UI) app.UI {
	s := f.shown.status
	switch {
	case s.State == client.RateLimited:
		return ui.ErrorState{Title: "Too many requests.", Text: tryingAgain(s, f.now)}.UI()
	case s.State == client.Reconnecting && s.Problem != nil:
		return ui.ErrorState{
			Title: "We couldn't load " + what + ".", Text: "This is on our side. " + tryingAgain(s, f.now),
			RequestID: s.Problem.RequestID, Retry: f.retry,
		}.UI()
	case s.State == client.Reconnecting, s.State == client.Offline:
		return ui.ErrorState{
			Title: "We can't reach the server.", Text: "Check your connection. " + tryingAgain(s, f.now),
			Retry: f.retry,
		}.UI()
	}
	return skeleton
}

func tryingAgain(s client.Status, now time.Time) string {
	left := s.Until.Sub(now)
	if left <= 0 {
		return "Trying again now."
	}
	return "Trying again in " + wait(left) + "."
}

// wait writes a countdown.
func wait(d time.Duration) string { return ui.Age(ceilSeconds(d)) }

// ceilSeconds rounds to whole seconds, so that a countdown ends at 1 s.
func ceilSeconds(d time.Duration) time.Duration {
	return max(d+time.Second-1, 0).Truncate(time.Second)
}

// banner is the one banner above the data, or nil.
func (f *feed) banner() app.UI {
	s := f.shown.status
	switch {
	case !f.shown.known:
		return nil
	case s.State == client.RateLimited:
		return ui.Banner{Tone: ui.ToneWarning, Text: "Live updates were opened too often. They resume in " +
			wait(s.Until.Sub(f.now)) + "; the data below is refreshed each 10 s until then."}.UI()
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
		pill.State, pill.Retry = ui.Reconnecting, ceilSeconds(s.Until.Sub(f.now))
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
