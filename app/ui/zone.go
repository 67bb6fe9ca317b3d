package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

const (
	zoneKey = "tz"  // in the address
	utcZone = "utc" // its value
	// ZoneChanged is the action that tells pages to write their times again.
	ZoneChanged = "zone-changed"
)

// viewersZone is the zone of who looks at the pages. All times of ours are
// written in time.Local, which ShowUTC changes: a page has one viewer.
var viewersZone = time.Local

// ShowUTC has all times written in UTC, or in the viewer's zone again.
func ShowUTC(utc bool) {
	if time.Local = viewersZone; utc {
		time.Local = time.UTC
	}
}

// IsUTC reports whether times are written in UTC.
func IsUTC() bool { return time.Local == time.UTC }

// ZoneButton shows the zone that times are written in, and changes between the
// viewer's and UTC. The choice stands in the address, on every page.
type ZoneButton struct{ app.Compo }

// OnMount takes the zone from the address.
func (z *ZoneButton) OnMount(ctx app.Context) { z.OnNav(ctx) }

// OnNav takes the zone from the address, or puts it there: it holds until it is
// changed, whichever page is next.
func (z *ZoneButton) OnNav(ctx app.Context) {
	if app.IsServer {
		return
	}
	if ctx.Page().URL().Query().Get(zoneKey) == utcZone {
		ShowUTC(true)
		ctx.NewAction(ZoneChanged)
		return
	}
	if IsUTC() {
		writeZone(ctx)
	}
}

// Render draws the button.
func (z *ZoneButton) Render() app.UI {
	if app.IsServer {
		return app.Span().Class("zone")
	}
	return app.Button().Type("button").Class("zone", "num", "button", "button-quiet").Title(ZoneWords()).OnClick(z.toggle).
		Body(app.Span().Text(Zone(time.Now())), app.Span().Class("sr-only").Text(". "+ZoneWords()))
}

// ZoneWords say what changes the zone.
func ZoneWords() string {
	if IsUTC() {
		return "Show times in local time"
	}
	return "Show times in UTC"
}

func (z *ZoneButton) toggle(ctx app.Context, _ app.Event) { ChooseZone(ctx, !IsUTC()) }

// ChooseZone changes the zone of all times, and the address with it.
func ChooseZone(ctx app.Context, utc bool) {
	ShowUTC(utc)
	writeZone(ctx)
	Announce("Times are in " + Zone(time.Now()) + ".")
	ctx.NewAction(ZoneChanged)
}

func writeZone(ctx app.Context) {
	address := *ctx.Page().URL()
	query := address.Query()
	if query.Del(zoneKey); IsUTC() {
		query.Set(zoneKey, utcZone)
	}
	address.RawQuery = query.Encode()
	ctx.Page().ReplaceURL(&address)
}
