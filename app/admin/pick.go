package admin

import (
	"cmp"
	"context"
	"errors"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
)

// askNumberOver is how many calls can be ended at once before their number has to be
// typed: a slip of the hand must not end them.
const askNumberOver = 5

// tabs leads from the live sessions to those that are over, and back.
func (s *Sessions) tabs() app.UI {
	tab := func(label, href string, on bool) app.UI {
		a := app.A().Class("tab").Href(href).Text(label)
		if on {
			a = a.Aria("current", "page")
		}
		return a
	}
	live := "Live"
	if s.feed.shown.known {
		live += " " + strconv.Itoa(s.feed.shown.live())
	}
	return app.Nav().Class("tabs").Aria("label", "Which sessions").Body(
		tab(live, "/admin/sessions", !s.isEnded), tab("Ended", "/admin/sessions?"+keyTab+"="+tabEnded, s.isEnded))
}

// tools are what can be done with the list as a whole, or with what is selected of it: in
// the same place, so that no row moves from under the pointer that selects it.
func (s *Sessions) tools() app.UI {
	n := len(s.picked())
	if n == 0 {
		body := []app.UI{ui.Act(ui.Button(ui.Quiet, ui.IconClock, "Check timeouts now")).OnClick(s.checkTimeouts)}
		body = append(append(body, ui.Export(s.exportPath)...), ui.Button(ui.Quiet, ui.IconCopy, "Copy curl").OnClick(s.copyCurl), s.columnChooser())
		return app.Div().Class("session-tools").Body(body...)
	}
	return app.Div().Class("session-tools", "is-picking").Body(
		app.Span().Class("num").Text(strconv.Itoa(n)+" selected"),
		ui.Act(ui.Button(ui.Danger, ui.IconPhoneOff, "End calls…")).OnClick(func(app.Context, app.Event) { s.ending = ending{ids: s.picked()} }),
		ui.Button(ui.Plain, ui.IconCopy, "Copy ids").OnClick(s.copyIDs),
		ui.Button(ui.Quiet, ui.IconClose, "Select none").OnClick(func(app.Context, app.Event) { s.selected = nil; s.arrange() }),
	)
}

// picked are the selected sessions that live, in the order of the table.
func (s *Sessions) picked() (ids []string) {
	for _, id := range s.order {
		if s.selected[id] && s.feed.shown.sessions[id].live() {
			ids = append(ids, id)
		}
	}
	return ids
}

// pickBox selects the session whose row it is in.
func (s *Sessions) pickBox(one session) app.UI {
	box := app.Input().Type("checkbox").Class("check-box", "session-pick").DataSet("live", "aria-label").Aria("label", pickLabel(one.ID)).Checked(s.selected[one.ID]).
		OnChange(func(ctx app.Context, _ app.Event) {
			s.pick(idOfRow(ctx.JSSrc()), ctx.JSSrc().Get("checked").Bool())
		})
	return box.Disabled(!one.live())
}

func pickLabel(id string) string { return "Select " + ui.ShortID(id) }

func (s *Sessions) pick(id string, on bool) {
	if s.selected == nil {
		s.selected = map[string]bool{}
	}
	s.selected[id] = on
	s.arrange()
}

func (s *Sessions) copyIDs(ctx app.Context, _ app.Event) {
	text := ""
	for _, id := range s.picked() {
		text += id + "\n"
	}
	s.menu.id = text
	s.menu.copying.Start(ctx, text, "Session ids copied.")
}

// exportPath is where the live sessions that pass the filter come as a file, masked as
// they are here.
func (s *Sessions) exportPath(format string) string {
	return client.ExportPath("active", format, s.filter.asked())
}

func (s *Sessions) copyCurl(ctx app.Context, _ app.Event) {
	address := app.Window().URL()
	s.menu.id = ui.Curl(address.Scheme+"://"+address.Host, s.exportPath("ndjson"))
	s.menu.copying.Start(ctx, s.menu.id, "Command copied.")
}

// copyLink copies the address of the session's page.
func (s *Sessions) copyLink(ctx app.Context, _ app.Event) {
	s.closeMenu()
	address, id := app.Window().URL(), s.menu.id
	s.menu.copying.Start(ctx, address.Scheme+"://"+address.Host+"/admin/sessions/"+id, "Link copied.")
}

// act has something done, and says how it went.
func (s *Sessions) act(do func(ctx context.Context) (said string, err error)) {
	ctx := s.feed.ctx
	ctx.Async(func() {
		limited, cancel := context.WithTimeout(context.Background(), endTimeout)
		defer cancel()
		said, err := do(limited)
		ctx.Dispatch(func(app.Context) {
			if err != nil {
				ui.Alert(endingCall.Words(err))
				return
			}
			s.said = said
			ui.Announce(said)
		})
	})
}

func (s *Sessions) checkTimeouts(app.Context, app.Event) {
	s.act(func(ctx context.Context) (string, error) {
		checked, err := s.monitor.CheckTimeouts(ctx)
		return "Checked " + ui.Count(int64(checked.Checked)) + " " + verb(checked.Checked, "call", "calls") + ": " + ui.Count(int64(checked.Ended)) + " ended.", err
	})
}

func (s *Sessions) extend(app.Context, app.Event) {
	s.closeMenu()
	id := s.menu.id
	s.act(func(ctx context.Context) (string, error) {
		return "The idle time of " + ui.ShortID(id) + " begins anew.", s.monitor.ExtendSession(ctx, id)
	})
}

// orders compare sessions by a column, lowest first.
var orders = map[string]func(a, b session) int{
	"session": func(a, b session) int { return cmp.Compare(a.ID, b.ID) },
	"user":    func(a, b session) int { return cmp.Compare(who(a.Session), who(b.Session)) },
	"state":   func(a, b session) int { return cmp.Compare(a.State, b.State) },
	"quality": func(a, b session) int { return cmp.Compare(rank(level(a.Session)), rank(level(b.Session))) },
	"rtt":     func(a, b session) int { return cmp.Compare(rttOf(a.Session), rttOf(b.Session)) },
	"loss":    func(a, b session) int { return cmp.Compare(worstLoss(a.Session), worstLoss(b.Session)) },
	"word":    func(a, b session) int { return cmp.Compare(firstWordOf(a.Session), firstWordOf(b.Session)) },
	"age":     func(a, b session) int { return b.StartedAt.Compare(a.StartedAt) },
	"idle":    func(a, b session) int { return b.LastActiveAt.Compare(a.LastActiveAt) },
	"ends": func(a, b session) int {
		switch {
		case a.EndsAt == nil || b.EndsAt == nil:
			return cmp.Compare(boolOf(a.EndsAt == nil), boolOf(b.EndsAt == nil))
		}
		return a.EndsAt.Compare(*b.EndsAt)
	},
}

func boolOf(is bool) int {
	if is {
		return 1
	}
	return 0
}

// firstWordOf is how long the first word took, -1 where there was none.
func firstWordOf(r rest.Session) float64 {
	if r.FirstWord == nil {
		return -1
	}
	return r.FirstWord.P50MS
}

// rttOf is the round trip, -1 where none was measured.
func rttOf(r rest.Session) float64 {
	for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
		if v := r.Metrics[d].RTTMS; v != nil {
			return *v
		}
	}
	return -1
}

func worstLoss(r rest.Session) (worst float64) {
	worst = -1
	for _, m := range r.Metrics {
		if m.LossRatio != nil {
			worst = max(worst, *m.LossRatio)
		}
	}
	return worst
}

// compare is the order of the table: worst first, or by the column that was chosen.
func (s *Sessions) compare(a, b session) int {
	by := orders[s.filter.sort]
	if by == nil {
		return worstFirst(a, b)
	}
	n := by(a, b)
	if s.filter.down {
		n = -n
	}
	return cmp.Or(n, worstFirst(a, b))
}

// sortBy sorts by a column, then the other way round, then as at first.
func (s *Sessions) sortBy(_ app.Context, key string) {
	f := s.filter
	switch {
	case f.sort != key:
		f.sort, f.down = key, false
	case !f.down:
		f.down = true
	default:
		f.sort, f.down = "", false
	}
	s.refilter(f)
}

// bulkDialog asks whether to end all that are selected.
func (s *Sessions) bulkDialog() app.UI {
	n := len(s.ending.ids)
	phrase := ""
	if n > askNumberOver {
		phrase = strconv.Itoa(n)
	}
	return &ui.ConfirmWithReason{
		Title:   "End " + strconv.Itoa(n) + " " + verb(n, "call", "calls") + "?",
		Text:    "They end at once. The callers see your reason.",
		Confirm: "End calls", Presets: reasons(), Max: rest.MaxReason, Phrase: phrase,
		Busy: s.ending.busy, Problem: s.ending.problem,
		OnConfirm: s.endAll, OnCancel: s.keepCall,
	}
}

// endAll ends the selected calls, one after the other; those that are over by then
// count as ended.
func (s *Sessions) endAll(_ app.Context, reason string) {
	ids, ctx := s.ending.ids, s.feed.ctx
	s.ending.busy, s.ending.problem = true, ""
	ctx.Async(func() {
		limited, cancel := context.WithTimeout(context.Background(), endTimeout)
		defer cancel()
		var failed error
		for _, id := range ids {
			if err := s.monitor.EndSession(limited, id, reason); err != nil && !isOver(err) {
				failed = err
				break
			}
		}
		ctx.Dispatch(func(app.Context) {
			s.ending.busy = false
			if failed != nil {
				s.ending.problem = endingCall.Words(failed)
				return
			}
			s.ending, s.selected = ending{}, nil
			ui.Announce(ui.Count(int64(len(ids))) + " calls ended.")
			s.arrange()
		})
	})
}

// isOver reports whether a call could not be ended because it has ended.
func isOver(err error) bool {
	var p *rest.Problem
	return errors.As(err, &p) && p.Status == http404
}

// http404 is the status of what isn't there; net/http is too heavy for a page.
const http404 = 404
