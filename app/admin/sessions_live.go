package admin

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
)

// sessionsLook is all that the page shows besides its rows and the bar over them.
type sessionsLook struct {
	status                              client.Status
	known, dimmed, held, paused         bool
	behind, live, order, rowsMax, lines int
}

func (s *Sessions) look() sessionsLook {
	f := &s.feed
	return sessionsLook{f.shown.status, f.shown.known, f.isDimmed(), f.held, f.paused,
		f.behind(), f.shown.live(), len(s.order), s.rows, len(s.lines)}
}

func (s *Sessions) looks() rowLooks {
	return rowLooks{s.selected, s.filter.columns, s.filter.chosenExtras()}
}

// moveOn brings the page up to date. Where only rows and the bar have changed, go-app is
// asked to draw those alone, and for live values not even that: to let it find out is what
// a tick would cost.
func (s *Sessions) moveOn(ctx app.Context) {
	s.arrange()
	if app.IsServer {
		return
	}
	was := s.drawn
	s.drawn = s.look()
	if s.drawn != was || was.status.State != client.Live || len(s.lines) == 0 || s.isEnded || !s.bar.isMounted() {
		ctx.Defer(func(app.Context) { s.writeRows() })
		return
	}
	ctx.PreventUpdate()
	if parts := s.changedParts(); len(parts) > 0 {
		s.drawParts(parts)
		return
	}
	s.writeRows()
}

// changedParts are what go-app has to draw again.
func (s *Sessions) changedParts() (parts []app.Context) {
	if state := s.barState(); state != s.bar.of.Of {
		s.bar.of.Of = state
		parts = append(parts, s.bar.ctx)
	}
	for i, l := range s.lines {
		if slot := s.slots[i]; slot.isMounted() && slot.of.Of != l.shape {
			slot.of.Of = l.shape
			parts = append(parts, slot.ctx)
		}
	}
	return parts
}

// mounted is a part of the page that go-app has mounted.
type mounted[T any] struct {
	of  T
	ctx app.Context
}

func (m mounted[T]) isMounted() bool { return m.ctx.Src() != nil && m.ctx.Src().Mounted() }

// drawParts has go-app draw parts of the page, and not all that is around them. What is
// written past go-app waits for them: the browser lays out and paints once, not twice.
func (s *Sessions) drawParts(parts []app.Context) {
	for i, part := range parts {
		part.Dispatch(func(ctx app.Context) {
			s.feed.ctx.PreventUpdate()
			if i == len(parts)-1 {
				ctx.Defer(func(app.Context) { s.writeRows() })
			}
		})
	}
}

// writeRows writes the live values of the rows into the document. A row that go-app has yet
// to draw in its place is written then.
func (s *Sessions) writeRows() {
	looks := s.looks()
	for i, l := range s.lines {
		slot := s.slots[i]
		if !slot.isMounted() || slot.of.drawn != l.shape {
			continue
		}
		if row := slot.of; row.written != l || row.live.IsDrawn() {
			s.live.Set(i, &row.live, looks.valuesOf(l))
			row.written = l
		}
	}
	s.live.Write(liveRows)
	var counts ui.LiveRows
	n := s.feed.shown.levels()
	for i, l := range filterLevels() {
		counts.Set(i, &s.counts[i], []string{strconv.Itoa(n[l])})
	}
	counts.Write(liveCounts)
}
