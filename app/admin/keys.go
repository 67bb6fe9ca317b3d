package admin

import (
	"sync/atomic"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// keys calls do with each key that is pressed outside of fields, dialogs and
// controls that use it themselves. do reports whether it used the key.
func (f *feed) keys(do func(ctx app.Context, key string, target app.Value) bool) {
	ctx := f.ctx
	f.on(app.Window(), "keydown", func(e app.Value) {
		key, target := e.Get("key").String(), e.Get("target")
		if isKeyTaken(e, key, target) {
			return
		}
		// The default has to be prevented now; what the key does may wait for the
		// UI goroutine.
		switch key {
		case " ", "/", ".":
			e.Call("preventDefault")
			ctx.Dispatch(func(ctx app.Context) { do(ctx, key, target) })
		}
	})
}

// isKeyTaken reports whether a key belongs to what has the focus.
func isKeyTaken(e app.Value, key string, target app.Value) bool {
	if e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool() || e.Get("altKey").Bool() || e.Get("defaultPrevented").Bool() {
		return true
	}
	if !target.Truthy() || !target.Get("closest").Truthy() {
		return false
	}
	if target.Call("closest", "input,textarea,select,[contenteditable],dialog").Truthy() {
		return true
	}
	return key == " " && target.Call("closest", "button,a,summary").Truthy()
}

// scrollStep is how often a scroll brings rows up to date.
const scrollStep = 100 * time.Millisecond

// scrolls calls do soon after the page was scrolled.
func (f *feed) scrolls(do func()) {
	ctx := f.ctx
	var due atomic.Bool
	f.on(app.Window(), "scroll", func(app.Value) {
		if due.Swap(true) {
			return
		}
		ctx.After(scrollStep, func(app.Context) {
			due.Store(false)
			do()
		})
	})
}
