package logs

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
)

const (
	// tailEvery is how often newer lines are asked for: each look is a line itself,
	// in this log and in the audit's.
	tailEvery = 5 * time.Second
	// atTop is how far a page may be scrolled for newer lines to come in by
	// themselves, in pixels.
	atTop = 80
	// mostLines is how many lines are drawn while they come in by themselves; then
	// the page begins anew.
	mostLines = 1000
)

// tail follows a log while its page is looked at.
type tail struct {
	on     bool
	source load.Resource
	held   []line // newer ones, which would move what is read
}

// pill turns the tail on and off.
func (l *Log) pill() app.UI {
	return ui.LivePill{State: l.tailState(), Behind: len(l.tail.held), OnToggle: l.toggleTail}.UI()
}

func (l *Log) tailState() ui.LiveState {
	if !l.tail.on || len(l.tail.held) > 0 {
		return ui.Paused
	}
	return ui.Live
}

func (l *Log) toggleTail(app.Context, app.Event) {
	if len(l.tail.held) > 0 {
		l.showNewer()
		return
	}
	if l.tail.on = !l.tail.on; !l.tail.on {
		l.tail.source.Stop()
		return
	}
	l.tail.source.Start(l.ctx)
}

// askTail asks for what came since the newest line.
func (l *Log) askTail() load.Question {
	q := l.query(time.Now())
	if len(l.lines) > 0 {
		q.Set(ui.KeyFrom, l.newest().UTC().Format(timeLayout))
	}
	return func(ctx context.Context) (func(), error) {
		got, err := l.kind.list(ctx, l.server, q)
		return func() { l.take(got.lines) }, err
	}
}

func (l *Log) newest() time.Time {
	if len(l.tail.held) > 0 {
		return l.tail.held[0].at
	}
	return l.lines[0].at
}

// take puts newer lines before the others, unless somebody reads those.
func (l *Log) take(found []line) {
	known := map[string]bool{}
	for _, lines := range [...][]line{l.tail.held, l.lines} {
		for _, one := range lines {
			known[one.id] = true
		}
	}
	fresh := []line{}
	for _, one := range found {
		if !known[one.id] {
			fresh = append(fresh, one)
		}
	}
	l.tail.held = append(fresh, l.tail.held...)
	if len(l.tail.held) > 0 && !l.isBeingRead() {
		l.bringIn()
	}
}

// isBeingRead reports whether lines that move would move under somebody's eyes.
func (l *Log) isBeingRead() bool {
	for _, open := range l.opened {
		if open {
			return true
		}
	}
	return app.IsClient && app.Window().Get("scrollY").Float() > atTop
}

func (l *Log) bringIn() {
	if len(l.lines)+len(l.tail.held) > mostLines {
		l.tail.held = nil
		l.list.Reload()
		return
	}
	for _, one := range l.tail.held {
		l.counts.Add(one.at, one.isError)
	}
	l.lines, l.tail.held = append(l.tail.held, l.lines...), nil
	if l.asked.Get(ui.KeyTo) != "" && len(l.lines) > 0 {
		l.asked.Set(ui.KeyTo, l.lines[0].at.Add(time.Millisecond).UTC().Format(timeLayout))
	}
}

// newer is the way to the lines that wait; nil while none do.
func (l *Log) newer() app.UI {
	n := len(l.tail.held)
	if n == 0 {
		return nil
	}
	return ui.Button(ui.Primary, "", ui.Count(int64(n))+" new ↑").Class("log-newer-button").
		OnClick(func(app.Context, app.Event) { l.showNewer() })
}

func (l *Log) showNewer() {
	l.opened = map[string]bool{}
	l.bringIn()
	if app.IsClient {
		app.Window().Call("scrollTo", 0, 0)
	}
}

// scrolled brings waiting lines in when the reader is back at the top.
func (l *Log) scrolled(app.Event) {
	if len(l.tail.held) > 0 && !l.isBeingRead() {
		l.ctx.Dispatch(func(app.Context) {
			if !l.isBeingRead() {
				l.bringIn()
			}
		})
	}
}
