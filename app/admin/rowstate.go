package admin

import (
	"time"

	"parley/app/ui"
	"parley/shared/quality"
)

// rowState is what one row shows: a session at a moment of the server's clock.
type rowState struct {
	shape   rowShape
	session session
	at      time.Time
}

// rowShape is all of a row but its live values: another shape, and go-app draws it again.
// Whose row it is changes no shape: in a new order, rows take each other's places.
type rowShape struct {
	columns                             string
	isLive, isSelected                  bool
	hasTrend, hasCause, hasRTT, hasLoss bool
	isRated                             bool
	hasWord, hasIdle, hasEnd, endsSoon  bool
	extras                              uint64 // those that have a value
}

// rowLooks is what the page has to do with its rows.
type rowLooks struct {
	selected map[string]bool
	columns  string // the chosen ones
	extras   []extra
}

func (looks rowLooks) shapeOf(one *session, at time.Time) rowShape {
	up, down := one.Metrics[quality.ToAgent], one.Metrics[quality.ToCaller]
	s := rowShape{
		columns: looks.columns, isRated: level(one.Session).Bars() > 0, isLive: one.live(), isSelected: looks.selected[one.ID],
		hasTrend: hasTrend(one.MOSTrend), hasCause: hasCause(*one),
		hasRTT: up.RTTMS != nil || down.RTTMS != nil, hasLoss: up.LossRatio != nil || down.LossRatio != nil,
		hasWord: one.FirstWord != nil, hasIdle: one.live() && !one.LastActiveAt.IsZero(), hasEnd: one.live() && one.EndsAt != nil,
	}
	s.endsSoon = s.hasEnd && one.EndsAt.Sub(at) <= endsSoon
	for i, e := range looks.extras {
		if e.cell(&one.Session) != ui.Missing {
			s.extras |= 1 << i
		}
	}
	return s
}

func hasTrend(values []float64) bool {
	for _, v := range values {
		if v != 0 {
			return true
		}
	}
	return false
}

func hasCause(one session) bool {
	if one.live() {
		return ui.HasCause(one.Quality)
	}
	return endWords(one.Session) != ""
}

// valuesOf are the live values of a row, in the order in which row draws them.
func (looks rowLooks) valuesOf(l *rowState) []string {
	one, r := &l.session, &l.session.Session
	page, short := sessionPath(r.ID), ui.ShortID(r.ID)
	values := append(make([]string, 0, 40), r.ID, page, r.ID, short, page, r.User, who(*r), stateWord(*one, l.at))
	values = ui.AppendBadge(values, r.Quality)
	values = trend(*r).AppendLive(values)
	if l.shape.hasCause {
		short, full := causeTexts(*one)
		values = append(values, full, short, full)
	}
	for _, number := range [...]string{rtt(*r), loss(*r), firstWord(*r)} {
		values = appendNumber(values, number)
	}
	values = appendClock(values, lasted(*one, l.at))
	if l.shape.hasIdle {
		values = appendClock(values, l.at.Sub(r.LastActiveAt))
	}
	if l.shape.hasEnd {
		values = appendClock(values, max(r.EndsAt.Sub(l.at), 0))
	}
	for _, e := range looks.extras {
		values = appendNumber(values, e.cell(r))
	}
	values = append(values, pickLabel(r.ID))
	if l.shape.isLive {
		values = append(values, menuLabel(r.ID), menuLabel(r.ID))
	}
	return values
}

func appendNumber(values []string, text string) []string {
	if text == ui.Missing {
		return values
	}
	return append(values, text)
}

// lasted is how long a session has been there.
func lasted(one session, now time.Time) time.Duration {
	if one.EndedAt != nil {
		now = *one.EndedAt
	}
	return now.Sub(one.StartedAt)
}

// rowStates gives the rows of ids. Those out of sight stay as they were drawn before:
// making rows is what a tick costs.
func rowStates(ids []string, p picture, at time.Time, before []*rowState, looks rowLooks, inViewport func(i int) bool) []*rowState {
	old := make(map[string]*rowState, len(before))
	for _, l := range before {
		old[l.session.ID] = l
	}
	next := make([]*rowState, 0, len(ids))
	for i, id := range ids {
		was, isKnown := old[id]
		if isKnown && !inViewport(i) && was.shape.isSelected == looks.selected[id] && was.shape.columns == looks.columns {
			next = append(next, was)
			continue
		}
		one := p.sessions[id]
		next = append(next, &rowState{looks.shapeOf(&one, at), one, at})
	}
	return next
}
