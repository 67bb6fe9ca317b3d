package admin

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

const (
	// endsSoon is when a session that will be ended needs a look: the default
	// warning is 120 s before.
	endsSoon = 2 * time.Minute
	// setupSlow is how long setting up may take before it needs one.
	setupSlow = 15 * time.Second
	// mostAttention is how many the list shows: more is a filter's work.
	mostAttention = 8
)

// urgency is why a session needs attention, worst first.
type urgency int

const (
	isPoor urgency = iota
	isReconnecting
	isStuck // still setting up
	isFair
	isEnding
)

// need is one line of the list.
type need struct {
	session session
	why     urgency
	span    time.Duration // since when, or until when it ends
}

// attention lists the sessions that need a look, worst first, longest first.
// now is the server's.
func attention(p picture, now time.Time) []need {
	var all []need
	for _, s := range p.sessions {
		if n, ok := needOf(s, now); ok && s.live() {
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b need) int {
		by := cmp.Compare(b.span, a.span)
		if a.why == isEnding {
			by = -by // the nearest end first
		}
		return cmp.Or(cmp.Compare(a.why, b.why), by, cmp.Compare(a.session.ID, b.session.ID))
	})
	return all
}

func needOf(s session, now time.Time) (need, bool) {
	in := now.Sub(s.since)
	switch {
	case level(s.Session) == quality.Poor:
		return need{s, isPoor, in}, true
	case s.State == wire.StateReconnecting:
		return need{s, isReconnecting, in}, true
	case s.State == wire.StateConnecting && now.Sub(s.StartedAt) > setupSlow:
		return need{s, isStuck, now.Sub(s.StartedAt)}, true
	case level(s.Session) == quality.Fair:
		return need{s, isFair, in}, true
	case s.EndsAt != nil && s.EndsAt.Sub(now) <= endsSoon:
		return need{s, isEnding, max(s.EndsAt.Sub(now), 0)}, true
	}
	return need{}, false
}

// ids are the sessions of a list.
func ids(needs []need) []string {
	out := make([]string, len(needs))
	for i, n := range needs {
		out[i] = n.session.ID
	}
	return out
}

// inOrder returns the needs in an order of their ids.
func inOrder(order []string, needs []need) []need {
	slices.SortStableFunc(needs, func(a, b need) int {
		return cmp.Compare(slices.Index(order, a.session.ID), slices.Index(order, b.session.ID))
	})
	return needs
}

// reason says why in a few words.
func (n need) reason() string {
	switch n.why {
	case isReconnecting:
		return "reconnecting"
	case isStuck:
		return "still connecting"
	case isEnding:
		return "ends in " + ui.Duration(n.span)
	}
	if why := ui.CauseShort(n.session.Quality); why != "" {
		return why
	}
	return strings.ToLower(ui.LevelWord(level(n.session.Session)))
}

// attentionList draws the first of them.
func attentionList(all []need) app.UI {
	if len(all) == 0 {
		return app.P().Class("panel-empty").Body(ui.Icon(ui.IconCheck), app.Span().Text("Nothing needs attention."))
	}
	items := make([]app.UI, 0, mostAttention)
	for _, n := range all[:min(len(all), mostAttention)] {
		items = append(items, n.item())
	}
	list := app.Ul().Class("attention").Body(items...)
	if more := len(all) - len(items); more > 0 {
		return app.Div().Body(list, app.P().Class("panel-more").Body(
			app.A().Href("/admin/sessions").Text("And "+ui.Count(int64(more))+" more")))
	}
	return app.Div().Body(list)
}

func (n need) item() app.UI {
	age := ui.Age(n.span)
	if n.why == isEnding {
		age = ""
	}
	return app.Li().Class("attention-item").Body(
		n.sign(),
		app.A().Class("attention-who").Href("/admin/sessions/"+n.session.ID).Title(n.session.ID).
			Body(app.Code().Text(ui.ShortID(n.session.ID))),
		app.Span().Class("attention-name").Text(who(n.session.Session)),
		app.Span().Class("attention-why").Text(n.reason()),
		app.Span().Class("attention-age", "num").Text(age),
	)
}

func (n need) sign() app.UI {
	switch n.why {
	case isEnding:
		return app.Span().Class("attention-sign").Body(ui.Icon(ui.IconClock), app.Span().Class("sr-only").Text("Ends soon"))
	case isReconnecting, isStuck:
		return app.Span().Class("attention-sign").Body(ui.Icon(ui.IconRefresh), app.Span().Class("sr-only").Text("No connection"))
	}
	l := level(n.session.Session)
	return app.Span().Class("attention-sign").Body(ui.Bars(l), app.Span().Class("sr-only").Text(ui.LevelWord(l)))
}

// who names the caller.
func who(s rest.Session) string {
	if s.Name != "" {
		return s.Name
	}
	return s.User
}
