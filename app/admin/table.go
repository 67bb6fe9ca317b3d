package admin

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
)

// columns are the table's, in order; row has a cell for each.
func columns() []ui.Column {
	return []ui.Column{
		{Key: "session", Sorts: true, Title: "Session", Card: ui.PlaceLead},
		{Key: "user", Sorts: true, Title: "User", Card: ui.PlaceLead},
		{Key: "state", Sorts: true, Title: "State", Card: ui.PlaceMore},
		{Key: "quality", Sorts: true, Title: "Quality", Card: ui.PlaceLead},
		{Key: "trend", Title: "Trend", Card: ui.PlaceMore},
		{Key: "cause", Title: "Cause", Card: ui.PlaceMore},
		{Key: "rtt", Sorts: true, Title: "RTT", Number: true, Card: ui.PlaceMore},
		{Key: "loss", Sorts: true, Title: "Loss ↑↓", Number: true, Card: ui.PlaceMore},
		{Key: "word", Sorts: true, Title: "First word", Number: true, Card: ui.PlaceGone},
		{Key: "age", Sorts: true, Title: "Age", Number: true, Card: ui.PlaceSide},
		{Key: "idle", Sorts: true, Title: "Idle", Number: true, Card: ui.PlaceGone},
		{Key: "ends", Sorts: true, Title: "Ends", Number: true, Card: ui.PlaceGone},
		{Key: "actions", Title: "Actions", Hidden: true, Card: ui.PlaceSide},
	}
}

func (s *Sessions) table() app.UI {
	if len(s.order) == 0 {
		return nil
	}
	rows := make([]ui.Row, len(s.lines))
	for i, l := range s.lines {
		rows[i].Line = &sessionRow{Of: l.shape, Slot: i, page: s}
	}
	return ui.Table{Label: "Live sessions", Columns: s.filter.allColumns(), Rows: rows, OnHold: s.hold, Sort: s.filter.sort, Down: s.filter.down, OnSort: s.sortBy}.UI()
}

// sessionRow is one row, of whichever session has its place. go-app draws it again when
// Of is another one, and only then.
type sessionRow struct {
	app.Compo
	Of   rowShape
	Slot int // its place

	page    *Sessions
	drawn   rowShape
	written *rowState // whose values it has
	live    ui.LiveRow
}

// OnMount makes the row known to the page.
func (r *sessionRow) OnMount(ctx app.Context) {
	if r.page.slots == nil {
		r.page.slots = map[int]mounted[*sessionRow]{}
	}
	r.page.slots[r.Slot] = mounted[*sessionRow]{r, ctx}
}

// Render draws the row.
func (r *sessionRow) Render() app.UI {
	if r.Slot >= len(r.page.lines) { // it is about to go
		return app.Tr()
	}
	l := r.page.lines[r.Slot]
	r.drawn = l.shape
	r.live.Drawn()
	return r.page.row(l.session, l.at).UI(r.page.filter.allColumns())
}

const (
	// liveRows and liveCounts are what the page's live values stand in.
	liveRows, liveCounts = ".sessions tbody", ".session-bar .filter-bar > .chips"
	// margin is how many rows beyond the window count as in sight, so that a slow
	// scroll meets drawn ones.
	margin = 3
)

func (s *Sessions) row(one session, now time.Time) ui.Row {
	r := one.Session
	row := ui.Row{ID: r.ID, Live: true, Gone: !one.live(), Cells: []app.UI{
		// Of two ways to the same page the keys need one: that which a phone shows, too.
		app.A().Class("session-id").DataSet("live", "href title").Href(sessionPath(r.ID)).TabIndex(-1).Title(r.ID).
			Body(app.Code().DataSet("live", ui.LiveText).Text(ui.ShortID(r.ID))),
		app.A().Class("session-user").DataSet("live", "href title text").Href(sessionPath(r.ID)).Title(r.User).Text(who(r)),
		app.Span().Class("session-state").DataSet("live", ui.LiveText).Text(stateWord(one, now)),
		ui.Badge(r.Quality, true),
		trend(r).UI(),
		cause(one),
		numberCell(rtt(r)),
		numberCell(loss(r)),
		numberCell(firstWord(r)),
		clock(lasted(one, now)),
		idle(one, now),
		ends(one, now),
		app.Span().Class("row-acts").Body(s.pickBox(one), s.menuButton(one)),
	}}
	for _, e := range s.filter.chosenExtras() {
		row.Cells = slices.Insert(row.Cells, len(row.Cells)-1, app.UI(numberCell(e.cell(&r))))
	}
	return row
}

func sessionPath(id string) string { return "/admin/sessions/" + id }

// idOfRow is whose row an element of the table is in now.
func idOfRow(element app.Value) string {
	return element.Call("closest", "tr[data-id]").Call("getAttribute", "data-id").String()
}

// stateWord is what the session is doing: while it talks, what its agent does.
func stateWord(one session, now time.Time) string {
	if !one.live() {
		return "Ended"
	}
	return doingWord(one.DoingAt(now))
}

func doingWord(d rest.Doing) string { return strings.ToUpper(string(d[:1])) + string(d[1:]) }

// cause is the main thing that is wrong with the line, or why the call ended.
// The arrow says the way, as in the head of the loss column; the words are there
// for those who hear or hover.
func cause(one session) app.UI {
	short, full := causeTexts(one)
	if short == "" {
		return ui.Blank()
	}
	return app.Span().Class("session-cause").DataSet("live", "title").Title(full).Body(
		app.Span().Aria("hidden", true).DataSet("live", ui.LiveText).Text(short),
		app.Span().Class("sr-only").DataSet("live", ui.LiveText).Text(full))
}

func causeTexts(one session) (short, full string) {
	if !one.live() {
		short = endWords(one.Session)
		return short, "Ended: " + short
	}
	return causeArrow(one.Quality), ui.CauseShort(one.Quality)
}

func causeArrow(v quality.Verdict) string {
	direction := v.Direction
	v.Direction = ""
	short := ui.CauseShort(v)
	switch {
	case short == "":
	case direction == quality.ToAgent:
		short += " ↑"
	case direction == quality.ToCaller:
		short += " ↓"
	}
	return short
}

// endWords says why a call ended: the admin's reason, or the cause.
func endWords(r rest.Session) string {
	switch {
	case r.EndReason != "":
		return r.EndReason
	case r.EndCause != "":
		return ui.EndWord(string(r.EndCause))
	}
	return ""
}

// numberCell is a number cell. What is missing is said to be, and is never 0.
func numberCell(text string) app.UI {
	if text == ui.Missing {
		return app.Span().Class("num", "nodata").Role("img").Aria("label", "no data").Text(ui.Missing)
	}
	return app.Span().Class("num").DataSet("live", ui.LiveText).Text(text)
}

// rtt is the caller's leg's round trip; either direction may carry it.
func rtt(r rest.Session) string {
	for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
		if v := r.Metrics[d].RTTMS; v != nil {
			return ui.Millis(*v)
		}
	}
	return ui.Missing
}

// loss is what gets lost from and to the caller, in percent.
func loss(r rest.Session) string {
	up, down := r.Metrics[quality.ToAgent].LossRatio, r.Metrics[quality.ToCaller].LossRatio
	if up == nil && down == nil {
		return ui.Missing
	}
	return percent(up) + "/" + percent(down) + percentUnit
}

// firstWord is how long the agent's first word took, in half of the turns.
func firstWord(r rest.Session) string {
	if r.FirstWord == nil {
		return ui.Missing
	}
	return ui.Millis(r.FirstWord.P50MS)
}

// percentUnit is how the unit stands after a number.
const percentUnit = " %"

func percent(v *float64) string {
	if v == nil {
		return ui.Missing
	}
	return strings.TrimSuffix(ui.Ratio(*v), percentUnit)
}

// clock is a duration that runs; readers hear it in words.
func clock(d time.Duration) app.UI {
	return app.Time().Class("num").DataSet("live", "datetime aria-label text").DateTime(clockCode(d)).
		Aria("label", ui.DurationWords(d)).Text(ui.Duration(d))
}

func clockCode(d time.Duration) string { return "PT" + strconv.Itoa(int(max(d, 0)/time.Second)) + "S" }

func appendClock(values []string, d time.Duration) []string {
	return append(values, clockCode(d), ui.DurationWords(d), ui.Duration(d))
}

func idle(one session, now time.Time) app.UI {
	if !one.live() || one.LastActiveAt.IsZero() {
		return numberCell(ui.Missing)
	}
	return clock(now.Sub(one.LastActiveAt))
}

// ends is the time left, marked when it is short.
func ends(one session, now time.Time) app.UI {
	if !one.live() || one.EndsAt == nil {
		return numberCell(ui.Missing)
	}
	left := max(one.EndsAt.Sub(now), 0)
	if left > endsSoon {
		return clock(left)
	}
	return app.Span().Class("ends-soon").Body(ui.Icon(ui.IconClock), clock(left))
}

// trend is the estimated MOS of the last minute.
func trend(r rest.Session) ui.Spark {
	return ui.Spark{
		Values: r.MOSTrend, ZeroIsGap: true, Low: 1, High: 4.5,
		Level: level(r), Label: trendLabel(r.MOSTrend),
	}
}

func trendLabel(values []float64) string {
	lowest, last := 0.0, 0.0
	for _, v := range values {
		if v == 0 {
			continue
		}
		if lowest == 0 || v < lowest {
			lowest = v
		}
		last = v
	}
	if last == 0 {
		return "MOS last minute: no data"
	}
	return "MOS last minute: " + ui.MOS(last) + ", lowest " + ui.MOS(lowest)
}
