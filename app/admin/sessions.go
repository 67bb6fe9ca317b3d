package admin

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
)

const (
	// settles is how long a filter rests before it is written to the address.
	settles = 250 * time.Millisecond
	// mostRows is how many rows are drawn at first, and added at a time: making
	// rows is what a tick costs.
	mostRows = 100
	filterID = ui.FilterTextID
)

// Sessions shows who is calling, the worst line first, and ends a call.
type Sessions struct {
	app.Compo

	monitor   Monitor
	feed      feed
	announced throttledText
	filter    filter
	written   int         // counts the changes of the filter, to write only the last
	order     []string    // of all that pass the filter
	since     time.Time   // when the order was made
	lines     []*rowState // of the first of them, as they are drawn
	drawn     sessionsLook
	live      ui.LiveRows
	counts    []ui.LiveRow // of the chips
	bar       mounted[*sessionBar]
	slots     map[int]mounted[*sessionRow]
	rows      int // drawn at most
	title     string
	ending    ending
	menu      menu
	selected  map[string]bool
	said      string // what the last act came to
	isEnded   bool   // the tab of those that are over
	past      *endedList
	// areFiltersOpen: on a narrow page, where they don't stand over the list anyway.
	areFiltersOpen bool
}

// ending is the call that is about to be ended, in the dialog.
type ending struct {
	id      string   // "" while the dialog is closed
	ids     []string // of several
	busy    bool
	problem string
}

// NewSessions makes the page. Without a monitor it shows its skeleton.
func NewSessions(m Monitor) *Sessions {
	return &Sessions{monitor: m, rows: mostRows, counts: make([]ui.LiveRow, len(filterLevels())), past: newEnded(m)}
}

// OnMount starts the stream. The page may come after the navigation that led to
// it, so it takes the filter here, too.
func (s *Sessions) OnMount(ctx app.Context) {
	s.OnNav(ctx)
	s.feed.start(ctx, s.monitor, s.changed)
	s.feed.keys(s.key)
	s.feed.scrolls(s.moveOn)
}

// OnDismount stops it.
func (s *Sessions) OnDismount() {
	if s.monitor != nil {
		s.feed.ctx.SetState(load.SessionOrder, s.listed())
	}
	s.feed.stop()
	if s.past != nil {
		s.past.load.Stop()
	}
}

// listed are the sessions that are shown, in their order.
func (s *Sessions) listed() (ids []string) {
	if !s.isEnded {
		return s.order
	}
	for i := range s.past.list {
		ids = append(ids, s.past.list[i].ID)
	}
	return ids
}

// OnNav takes the filter from the address.
func (s *Sessions) OnNav(ctx app.Context) {
	s.filter = readFilter(ctx.Page().URL().Query())
	was := s.isEnded
	if s.isEnded = ctx.Page().URL().Query().Get(keyTab) == tabEnded; s.isEnded {
		if changed := s.past.filters.Read(ctx); !was {
			if s.past != nil {
				s.past.load.Stop()
			}
			s.past.load.Start(ctx)
		} else if changed {
			s.past.load.Reload()
		}
	}
	s.arrange()
	if field := app.Window().GetElementByID(filterID); field.Truthy() {
		field.Set("value", s.filter.text)
	}
}

// ChooseTab takes from the address which sessions are shown, for the skeleton.
func (s *Sessions) ChooseTab(query url.Values) { s.isEnded = query.Get(keyTab) == tabEnded }

func (s *Sessions) changed(ctx app.Context) {
	s.feed.held = s.feed.held && isRowPointedAt()
	s.moveOn(ctx)
	if !s.feed.shown.known {
		return
	}
	if next := s.announced.update(liveLine(s.feed.shown), s.feed.now, liveLineEvery); next != s.announced {
		s.announced = next
		ui.Announce(next.text)
	}
	if title := ui.Count(int64(s.feed.shown.live())) + " live · Sessions · Parley"; title != s.title {
		s.title = title
		ctx.Page().SetTitle(title)
	}
}

// arrange puts the rows in order, unless somebody is pointing at them, and
// brings those up to date that are in sight.
func (s *Sessions) arrange() {
	now := s.feed.clock()
	asked := s.filter.asked()
	keep := func(one session) bool { return asked.Passes(&one.Session, now) }
	was := steadyOrder{s.order, s.since}
	held := was.holds(s.feed.now)
	next := steadyOrder{arrange(s.order, s.feed.shown, keep, s.feed.held || held, s.compare), s.since}
	if !held {
		next = was.replaced(next.ids, s.feed.now)
	}
	s.order, s.since = next.ids, next.since
	shown := s.order[:min(len(s.order), s.rows)]
	s.lines = rowStates(shown, s.feed.shown, now, s.lines, s.looks(), ui.RowsInSight(liveRows, margin))
}

// hold freezes the order while pointer or focus is in the table.
func (s *Sessions) hold(_ app.Context, held bool) {
	s.feed.held = held || isRowPointedAt()
	s.arrange()
}

// isRowPointedAt asks the browser whether somebody is at the table, its menu or the
// dialog: focus that moves from cell to cell leaves and comes, and a table that
// is taken away tells nobody that the pointer has left it.
func isRowPointedAt() bool {
	return app.IsClient && app.Window().Get("document").
		Call("querySelector", ".table-box:hover,.table-box:focus-within,#"+menuID+":popover-open,dialog[open]").Truthy()
}

func (s *Sessions) pause(ctx app.Context, _ app.Event) { s.feed.toggle(ctx) }

func (s *Sessions) key(ctx app.Context, key string, target app.Value) {
	switch key {
	case " ":
		s.feed.toggle(ctx)
	case "/":
		ui.Focus(filterID)
	case "j":
		ui.MoveRow(rowLinks, 1)
	case "k":
		ui.MoveRow(rowLinks, -1)
	case ".":
		if row := rowOf(target); row.Truthy() {
			s.openMenu(ctx, idOfRow(row), row.Call("querySelector", ".row-menu"))
		}
	case "x":
		if row := rowOf(target); row.Truthy() {
			s.pickByKey(idOfRow(row), row.Call("querySelector", ".session-pick"))
		}
	}
}

// rowLinks are what leads from a row to its session, and has the focus as one goes from
// row to row.
const rowLinks = ".sessions-rows .session-user, .is-ended .session-id"

// rowOf is the row of a live session that has the focus or, without one, the pointer.
func rowOf(target app.Value) app.Value {
	if row := target.Call("closest", "tr[data-id]"); row.Truthy() {
		return row
	}
	return app.Window().Get("document").Call("querySelector", ".sessions-rows tbody tr:hover")
}

// pickByKey selects a live session, or no longer, and says how many are.
func (s *Sessions) pickByKey(id string, box app.Value) {
	if !box.Truthy() || box.Get("disabled").Bool() {
		return
	}
	box.Set("checked", !s.selected[id]) // an attribute does nothing for a box that was pressed
	s.pick(id, !s.selected[id])
	ui.Announce(strconv.Itoa(len(s.picked())) + " selected.")
}

// refilter shows what the new filter lets pass at once, and writes it to the
// address when it has settled.
func (s *Sessions) refilter(f filter) {
	s.filter, s.rows = f, mostRows
	s.order = nil
	s.arrange()
	s.written++
	mine := s.written
	// The page's context, not the event's: go-app drops what an element asked for
	// that is gone by then, such as the button that clears the filter.
	s.feed.ctx.After(settles, func(ctx app.Context) {
		if mine != s.written {
			return
		}
		address := *ctx.Page().URL()
		address.RawQuery = s.filter.query()
		ctx.Page().ReplaceURL(&address)
		ui.Announce(s.found())
	})
}

// found says how many rows the filter leaves.
func (s *Sessions) found() string {
	n := len(s.order)
	return ui.Count(int64(n)) + " " + verb(n, "session", "sessions") + " shown."
}

func (s *Sessions) typed(ctx app.Context, _ app.Event) {
	f := s.filter
	f.text = ctx.JSSrc().Get("value").String()
	s.refilter(f)
}

func (s *Sessions) toggleLevel(l quality.Level) app.EventHandler {
	return func(app.Context, app.Event) { s.refilter(s.filter.toggle(l)) }
}

func (s *Sessions) toggleReconnecting(app.Context, app.Event) {
	f := s.filter
	if f.doing == rest.DoingReconnecting {
		f.doing = ""
	} else {
		f.doing = rest.DoingReconnecting
	}
	s.refilter(f)
}

func (s *Sessions) toggleQuiet(app.Context, app.Event) {
	f := s.filter
	f.quiet = !f.quiet
	s.refilter(f)
}

func (s *Sessions) toggleRelay(app.Context, app.Event) {
	f := s.filter
	f.relay = !f.relay
	s.refilter(f)
}

func (s *Sessions) clear(app.Context, app.Event) {
	if field := app.Window().GetElementByID(filterID); field.Truthy() {
		field.Set("value", "")
	}
	s.refilter(filter{})
	ui.Focus(filterID)
}

func (s *Sessions) more(app.Context, app.Event) {
	s.rows += mostRows
	s.arrange()
}

// askEnd opens the dialog.
func (s *Sessions) askEnd(id string) { s.ending = ending{id: id} }

func (s *Sessions) keepCall(app.Context) {
	if !s.ending.busy {
		s.ending = ending{}
	}
}

// end ends the call that the dialog is about.
func (s *Sessions) end(_ app.Context, reason string) {
	id, ctx := s.ending.id, s.feed.ctx
	s.ending.busy, s.ending.problem = true, ""
	ctx.Async(func() {
		limited, cancel := context.WithTimeout(context.Background(), endTimeout)
		defer cancel()
		err := s.monitor.EndSession(limited, id, reason)
		ctx.Dispatch(func(app.Context) { s.ended(id, err) })
	})
}

// endTimeout is how long an answer may take before the dialog says so: the
// server ends both legs within 2 s.
const endTimeout = 10 * time.Second

func (s *Sessions) ended(id string, err error) {
	if s.ending.id != id {
		return
	}
	s.ending.busy = false
	if err == nil {
		s.ending = ending{}
		ui.Announce("Call ended.")
		return
	}
	s.ending.problem = endingCall.Words(err)
}

// endingCall says why a call could not be ended.
var endingCall = load.CallAct{Unanswered: "The call may still be on.", SignIn: "end it", Forbidden: "end calls"}

// address is the page's address with its filter, to come back to.
func (s *Sessions) address() string {
	address := "/admin/sessions"
	if q := s.filter.query(); q != "" {
		address += "?" + q
	}
	return url.QueryEscape(address)
}

func (s *Sessions) isLevelChosen(l quality.Level) bool { return slices.Contains(s.filter.levels, l) }
