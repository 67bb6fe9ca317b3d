package admin

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
)

// live is how the feed's stream is doing.
func (f *feed) live() load.Live {
	return load.Live{Status: f.shown.status, Known: f.shown.known, Heard: f.shown.heard, Now: f.now, Retry: f.retry, IsOff: f.isOff}
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
