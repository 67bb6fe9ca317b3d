package admin

import (
	"sync/atomic"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
)

// keys calls do with each key of the pages' own that is pressed outside of
// fields and dialogs.
func (f *feed) keys(do func(ctx app.Context, key string, target app.Value)) {
	f.halt = append(f.halt, load.Keys(f.ctx, []string{" ", "/", ".", "j", "k", "x"}, do))
}

// scrollStep is how often a scroll brings rows up to date.
const scrollStep = 100 * time.Millisecond

// scrolls calls do soon after the page was scrolled.
func (f *feed) scrolls(do func(app.Context)) {
	ctx := f.ctx
	var due atomic.Bool
	f.on(app.Window(), "scroll", func(app.Value) {
		if due.Swap(true) {
			return
		}
		ctx.After(scrollStep, func(ctx app.Context) {
			due.Store(false)
			do(ctx)
		})
	})
}
