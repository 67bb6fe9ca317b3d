package chart

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Timeline is what all figures of a page share: the stretch of time that they
// show, and one cursor. A page keeps one and gives it to each of its figures; it
// belongs to the UI goroutine.
type Timeline struct {
	// OnSettle tells that zoom or cursor have come to rest, so that the page can
	// write them to its address.
	OnSettle func(ctx app.Context)

	window  window
	cursor  int64 // 0: none
	figures []*figure
	frame   app.Func // asked for by requestAnimationFrame
	due     bool     // a frame is asked for
	settles int      // counts the changes, to tell of the last only
}

// settled is how long zoom and cursor rest before the page is told.
const settled = 250 * time.Millisecond

// Extend tells from when to when there is something to show.
func (t *Timeline) Extend(from, to time.Time) {
	t.window = t.window.extend(Span{from.UnixMilli(), to.UnixMilli()})
}

// Open shows what a link asks for. Zero times ask for nothing.
func (t *Timeline) Open(cursor, from, to time.Time) {
	t.cursor = milli(cursor)
	if s := (Span{milli(from), milli(to)}); s.From > 0 && !s.IsEmpty() {
		t.window = t.window.zoomTo(s)
	}
}

func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Cursor is the moment of the cursor; zero where there is none.
func (t *Timeline) Cursor() time.Time {
	if t.cursor == 0 {
		return time.Time{}
	}
	return time.UnixMilli(t.cursor)
}

// Zoom is the stretch that is zoomed to, if any.
func (t *Timeline) Zoom() (from, to time.Time, zoomed bool) {
	s := t.window.shown
	return time.UnixMilli(s.From), time.UnixMilli(s.To), t.window.zoomed
}

// ZoomTo shows a stretch.
func (t *Timeline) ZoomTo(from, to time.Time) {
	t.set(t.window.zoomTo(Span{from.UnixMilli(), to.UnixMilli()}))
}

// ZoomBy shows factor times as much time, around the cursor if it is in sight.
func (t *Timeline) ZoomBy(factor float64) { t.set(t.window.zoomBy(factor, t.cursor)) }

// Reset shows all there is, without a cursor.
func (t *Timeline) Reset() {
	t.cursor = 0
	t.set(t.window.reset())
}

// Live goes to the end of the time and moves on with it.
func (t *Timeline) Live() {
	t.cursor = 0
	t.set(t.window.live())
}

// MoveTo puts the cursor to a moment, and brings it into sight.
func (t *Timeline) MoveTo(at time.Time) {
	t.cursor = milli(at)
	if w := t.window; !w.shown.Contains(t.cursor) && w.whole.Contains(t.cursor) {
		half := w.shown.Len() / 2
		t.window = w.zoomTo(Span{t.cursor - half, t.cursor + half})
	}
	t.set(t.window)
}

// set shows another stretch of time.
func (t *Timeline) set(w window) {
	t.window = w
	for _, f := range t.figures {
		f.ctx.Dispatch(func(app.Context) {})
	}
	t.askFrame()
	t.settle()
}

// point puts the cursor where somebody points; 0 takes it away.
func (t *Timeline) point(at int64) {
	if t.cursor != at {
		t.cursor = at
		t.askFrame()
		t.settle()
	}
}

// hold keeps the time from moving on while somebody looks at a moment.
func (t *Timeline) hold(held bool) {
	if t.window.held == held {
		return
	}
	t.window.held = held
	if !held {
		t.window = t.window.extend(t.window.whole)
	}
	for _, f := range t.figures {
		f.ctx.Dispatch(func(app.Context) {})
	}
}

// settle tells the page when nothing has changed for a moment.
func (t *Timeline) settle() {
	if t.OnSettle == nil || len(t.figures) == 0 {
		return
	}
	t.settles++
	mine := t.settles
	t.figures[0].ctx.After(settled, func(ctx app.Context) {
		if mine == t.settles && t.OnSettle != nil {
			t.OnSettle(ctx)
		}
	})
}

// askFrame has all cursors and readouts brought up to date before the browser
// paints next: however often the pointer moves, once.
func (t *Timeline) askFrame() {
	if app.IsServer || t.due || len(t.figures) == 0 {
		return
	}
	t.due = true
	app.Window().Call("requestAnimationFrame", t.frame)
}

func (t *Timeline) add(f *figure) {
	t.remove(f)
	if t.frame == nil && app.IsClient {
		t.frame = app.FuncOf(func(app.Value, []app.Value) any {
			t.due = false
			for _, f := range t.figures {
				f.update()
			}
			return nil
		})
	}
	t.figures = append(t.figures, f)
}

// remove forgets a figure. A frame that was asked for may still come, so what it
// calls is kept as long as the timeline.
func (t *Timeline) remove(f *figure) {
	for i := range t.figures {
		if t.figures[i] == f {
			t.figures = append(t.figures[:i:i], t.figures[i+1:]...)
			return
		}
	}
}
