package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// LiveState is how fresh a live page is.
type LiveState string

// The states of a live page.
const (
	Live         LiveState = "live"
	Paused       LiveState = "paused"
	Reconnecting LiveState = "reconnecting"
	Offline      LiveState = "offline"
	// MonitoringOff is that of a page whose server tells nothing new.
	MonitoringOff LiveState = "off"
)

// LivePill says how fresh a page is, and pauses it.
type LivePill struct {
	State  LiveState
	Behind int           // changes held back while paused
	Retry  time.Duration // until the next try, while reconnecting
	Since  time.Time     // of the newest data, while offline
	// OnToggle pauses and goes on; without it the pill is text.
	OnToggle app.EventHandler
}

// UI draws the pill.
func (p LivePill) UI() app.UI {
	body := []app.UI{app.Span().Class("live-dot"), app.Span().Text(p.text())}
	class := "live-" + string(p.State)
	if p.OnToggle == nil || p.State == Offline || p.State == Reconnecting || p.State == MonitoringOff {
		return app.Span().Class("live", class).Body(body...)
	}
	label, icon := "Pause live updates", IconPause
	if p.State == Paused {
		label, icon = "Go on with live updates", IconPlay
	}
	return app.Button().Type("button").Class("live", "live-button", class).Title(label).
		OnClick(p.OnToggle).
		Body(append(body, app.Span().Class("sr-only").Text(label), Icon(icon))...)
}

func (p LivePill) text() string {
	switch p.State {
	case Live:
		return "Live"
	case Paused:
		if p.Behind > 0 {
			return "Paused · " + Count(int64(p.Behind)) + " new"
		}
		return "Paused"
	case Reconnecting:
		if p.Retry > 0 {
			return "Reconnecting… " + Age(p.Retry)
		}
		return "Reconnecting…"
	case MonitoringOff:
		return "Monitoring off"
	}
	if p.Since.IsZero() {
		return "Offline"
	}
	return "Offline since " + p.Since.Local().Format("15:04")
}

// RelTime says how long ago something was, and goes on doing so.
type RelTime struct {
	app.Compo

	At     time.Time
	Suffix string // such as " ago"

	now  time.Time
	stop chan struct{}
}

// relTimeStep is how often an age is worked out again.
const relTimeStep = 10 * time.Second

// OnMount starts the clock.
func (r *RelTime) OnMount(ctx app.Context) {
	stop := make(chan struct{})
	r.stop = stop
	ctx.Async(func() {
		tick := time.NewTicker(relTimeStep)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				ctx.Dispatch(func(app.Context) { r.now = now })
			case <-stop:
				return
			}
		}
	})
}

// OnDismount stops the clock.
func (r *RelTime) OnDismount() {
	if r.stop != nil {
		close(r.stop)
		r.stop = nil
	}
}

// Render writes the age; hovering and focus show the moment.
func (r *RelTime) Render() app.UI {
	now := r.now
	if now.IsZero() {
		now = time.Now()
	}
	return TimeElement(r.At, Age(now.Sub(r.At))+r.Suffix)
}

// TimeElement is a time element with the exact moment as its title.
func TimeElement(at time.Time, text string) app.UI {
	return app.Time().Class("num").
		DateTime(at.UTC().Format("2006-01-02T15:04:05.000Z07:00")).
		Title(Moment(at)).
		Text(text)
}

// ClockTime shows the time of day of a moment.
func ClockTime(at time.Time) app.UI { return TimeElement(at, Clock(at)) }
