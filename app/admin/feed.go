package admin

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/client"
	"parley/app/ui"
	"parley/shared/rest"
)

// step is how often ages and countdowns move on.
const step = time.Second

// feed keeps the picture of a page up to date while the page is mounted. Its
// fields belong to the UI goroutine.
type feed struct {
	shown  picture // what Render draws
	newest picture // goes on while paused
	paused bool
	held   bool          // somebody points at a row: none may leave its place
	now    time.Time     // what ages are worked out against
	denied *rest.Problem // the server says that this user may not
	isOff  bool          // monitoring is

	tally load.Tally
	ctx   app.Context
	after func(app.Context) // runs after each change
	watch *client.Watch
	halt  []func()
}

// start watches until stop, and calls after whenever the feed has changed.
func (f *feed) start(ctx app.Context, m Monitor, after func(app.Context)) {
	if m == nil {
		return
	}
	f.ctx, f.after, f.now = ctx, after, time.Now()
	f.shown, f.newest = picture{}, picture{}
	ctx.ObserveState(load.MonitoringOff, &f.isOff)
	f.watch = m.Watch(func(frames []client.Frame) {
		ctx.Dispatch(func(ctx app.Context) { f.take(ctx, frames, time.Now()) })
	})
	f.run()
}

// run starts the watch and the clock.
func (f *feed) run() {
	stop, cancel := context.WithCancel(context.Background())
	f.halt = append(f.halt, cancel)
	f.denied = nil
	ctx := f.ctx
	f.halt = append(f.halt, load.Follow(ctx, f.watch, func(ctx app.Context, p *rest.Problem) {
		f.denied = p
		f.after(ctx)
	}))
	ctx.Async(func() {
		clock := time.NewTicker(step)
		defer clock.Stop()
		for {
			select {
			case <-stop.Done():
				return
			case now := <-clock.C:
				ctx.Dispatch(func(ctx app.Context) { f.tick(ctx, now) })
			}
		}
	})
}

// stop ends what start began.
func (f *feed) stop() {
	for _, halt := range f.halt {
		halt()
	}
	f.halt = nil
	f.tally.Stop(f.ctx)
}

// take applies frames that came together.
func (f *feed) take(ctx app.Context, frames []client.Frame, now time.Time) {
	f.tally.Take(ctx, frames)
	for _, frame := range frames {
		f.newest = apply(f.newest, frame, now)
		if s, ok := frame.(client.Status); ok && s.Renewed {
			ui.Announce("Live connection renewed.")
		}
	}
	if !f.paused || !f.shown.known {
		f.shown, f.now = f.newest, now
	}
	f.shown.status = f.newest.status // how the line is doing is told even then
	f.after(ctx)
}

func (f *feed) tick(ctx app.Context, now time.Time) {
	if !f.held {
		f.newest = prune(f.newest, now)
	}
	// Frames come each second while calls run and have moved the ages on already.
	if f.paused || now.Sub(f.now) < step*3/4 {
		ctx.PreventUpdate()
		return
	}
	f.shown, f.now = f.newest, now
	f.after(ctx)
}

// toggle pauses the page or lets it go on.
func (f *feed) toggle(ctx app.Context) {
	f.paused = !f.paused
	if !f.paused {
		f.shown, f.now = f.newest, time.Now()
	}
	f.after(ctx)
}

// behind is how many sessions began or ended since the page was paused.
func (f *feed) behind() int { return f.newest.changes - f.shown.changes }

// retry tries the stream again at once.
func (f *feed) retry(app.Context, app.Event) {
	if f.watch != nil {
		f.watch.Retry()
	}
}

// on listens until stop. do runs outside of go-app's events: what it does to
// the page has to go through Dispatch.
func (f *feed) on(target app.Value, event string, do func(e app.Value)) {
	if app.IsServer {
		return
	}
	handler := app.FuncOf(func(_ app.Value, args []app.Value) any {
		if len(args) > 0 {
			do(args[0])
		}
		return nil
	})
	target.Call("addEventListener", event, handler)
	f.halt = append(f.halt, func() {
		target.Call("removeEventListener", event, handler)
		handler.Release()
	})
}
