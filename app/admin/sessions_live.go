package admin

import (
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
)

// sessionsLook is all that the page shows besides the live values of its rows.
type sessionsLook struct {
	status                          client.Status
	known, dimmed, held, paused     bool
	behind, live, order, rowsAtMost int
	bar                             string
	lines                           []*rowState
}

func (s *Sessions) look() sessionsLook {
	f := &s.feed
	return sessionsLook{f.shown.status, f.shown.known, f.isDimmed(), f.held, f.paused,
		f.behind(), f.shown.live(), len(s.order), s.rows, s.barState(), s.lines}
}

// isSame reports whether nothing of a look has changed that go-app would have to draw.
func (l sessionsLook) isSame(as sessionsLook) bool {
	return l.status.State == client.Live && l.status == as.status && l.known == as.known && l.dimmed == as.dimmed &&
		l.held == as.held && l.paused == as.paused && l.behind == as.behind && l.live == as.live && l.order == as.order &&
		l.rowsAtMost == as.rowsAtMost && l.bar == as.bar && slices.Equal(l.lines, as.lines)
}

func (s *Sessions) looks() rowLooks {
	return rowLooks{s.selected, s.filter.columns, s.filter.chosenExtras()}
}

// moveOn brings the page up to date. Where only live values have changed, go-app has
// nothing to do: to let it find out is what a tick would cost.
func (s *Sessions) moveOn(ctx app.Context) {
	s.arrange()
	if app.IsServer {
		return
	}
	was := s.drawn
	s.drawn = s.look()
	if len(s.lines) > 0 && !s.isEnded && s.drawn.isSame(was) {
		ctx.PreventUpdate()
		s.writeRows()
		return
	}
	ctx.Defer(func(app.Context) { s.writeRows() })
}

// writeRows writes the live values of the rows into the document.
func (s *Sessions) writeRows() {
	looks := s.looks()
	for i, l := range s.lines {
		if l.moved || l.live.IsDrawn() {
			s.live.Set(i, &l.live, looks.valuesOf(l))
			l.moved = false
		}
	}
	if body := app.Window().Get("document").Call("querySelector", ".sessions tbody"); body.Truthy() {
		s.live.Write(body)
	}
}
