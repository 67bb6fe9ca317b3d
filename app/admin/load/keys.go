package load

import (
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

// What one page leaves for another, by the names of go-app's states.
const (
	SessionOrder = "session-order" // the ids of the list that a session was chosen from
	EndAsked     = "end-asked"     // the id of the session that somebody asked to end, wherever; "": none
)

// Keys calls do, on the UI goroutine, with each of these keys that is pressed
// outside of fields, dialogs and controls that use it themselves, until remove.
// Names are those of KeyboardEvent.key.
func Keys(ctx app.Context, keys []string, do func(ctx app.Context, key string, target app.Value)) (remove func()) {
	return ui.Listen(app.Window(), "keydown", func(e app.Event) {
		key, target := e.Get("key").String(), e.Get("target")
		if !slices.Contains(keys, key) || isKeyTaken(e, key, target) {
			return
		}
		// The default has to be prevented now; what the key does may wait for the
		// UI goroutine.
		e.PreventDefault()
		ctx.Dispatch(func(ctx app.Context) { do(ctx, key, target) })
	})
}

// isKeyTaken reports whether a key belongs to what has the focus.
func isKeyTaken(e app.Event, key string, target app.Value) bool {
	if ui.Typing(e) || e.Get("defaultPrevented").Truthy() {
		return true
	}
	return (key == " " || key == "Enter") && target.Truthy() && target.Get("closest").Truthy() &&
		target.Call("closest", "button,a,summary").Truthy()
}
