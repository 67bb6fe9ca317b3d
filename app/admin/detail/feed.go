package detail

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/client"
	"parley/app/ui"
)

// feed follows the monitoring stream while a session lives. Its fields belong to
// the UI goroutine.
type feed struct {
	watch *client.Watch
	tally load.Tally
	ctx   app.Context
	halts []func()
}

// start calls do with the frames that came together, and each second with none,
// until stop.
func (f *feed) start(ctx app.Context, m Monitor, do func(app.Context, []client.Frame, time.Time)) {
	if f.watch != nil {
		return
	}
	f.ctx = ctx
	f.watch = m.Watch(func(frames []client.Frame) {
		ctx.Dispatch(func(ctx app.Context) {
			f.tally.Take(ctx, frames)
			do(ctx, frames, time.Now())
		})
	})
	stop, cancel := context.WithCancel(context.Background())
	f.halts = append(f.halts, cancel)
	watch := f.watch
	ctx.Async(func() { _ = watch.Run(stop) }) // who may not watch was refused the session, too
	ctx.Async(func() {
		clock := time.NewTicker(time.Second)
		defer clock.Stop()
		for {
			select {
			case <-stop.Done():
				return
			case now := <-clock.C:
				ctx.Dispatch(func(ctx app.Context) { do(ctx, nil, now) })
			}
		}
	})
	if app.IsServer {
		return
	}
	document := app.Window().Get("document")
	f.halts = append(f.halts,
		ui.Listen(document, "visibilitychange", func(app.Event) {
			if document.Get("visibilityState").String() == "hidden" {
				watch.Hidden()
				return
			}
			watch.Visible()
		}),
		ui.Listen(app.Window(), "online", func(app.Event) { watch.Retry() }))
}

func (f *feed) stop() {
	for _, halt := range f.halts {
		halt()
	}
	if f.watch != nil {
		f.tally.Stop(f.ctx)
	}
	f.halts, f.watch = nil, nil
}
