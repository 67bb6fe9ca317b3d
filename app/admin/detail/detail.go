// Package detail owns the page of one session: who called, how well, why it was
// poor and whose fault that was, second by second, live while it goes on; and
// what an admin can do about it. It decides nothing about rights.
package detail

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/client"
	"parley/app/ui"
	"parley/app/ui/chart"
	"parley/shared/rest"
)

// Monitor is what the page reads of the server. *client.Client is one.
type Monitor interface {
	Session(ctx context.Context, id string) (rest.OwnSession, error)
	Connection(ctx context.Context, id string, s client.Span) (rest.Connection, error)
	Activities(ctx context.Context, q rest.ActivityQuery) (rest.Page[rest.Activity], error)
	Settings(ctx context.Context) (rest.Settings, error)
	Logs(ctx context.Context, q rest.LogQuery) (rest.Page[rest.LogEntry], error)
	// Watch makes a watch of the monitoring stream; it does nothing until Run.
	Watch(on func([]client.Frame)) *client.Watch
}

// Operator does what the page offers. *client.Client is one.
type Operator interface {
	EndSession(ctx context.Context, id, reason string) error
	ExtendSession(ctx context.Context, id string) error
	RevealPerson(ctx context.Context, id, reason string) (rest.Person, error)
	RevokeSession(ctx context.Context, id string, asked rest.RevokeRequest) (rest.Revoked, error)
}

// Page shows one session.
type Page struct {
	app.Compo

	id       string
	monitor  Monitor
	operator Operator

	session, events, logs load.Resource
	shown                 picture
	line                  chart.Timeline
	tab                   string
	feed                  feed
	acts                  acts
	raw                   raw
	copying               ui.Copying
	keptSince             time.Time // where the session isn't there: since when they are kept
	ctx                   app.Context
	stopKeys              func()
}

// New makes the page of a session. Without a monitor it shows its skeleton.
func New(id string, m Monitor, o Operator) *Page {
	p := &Page{id: id, monitor: m, operator: o, tab: tabQuality}
	p.session = load.Resource{Name: "this session"}
	p.events = load.Resource{Name: "its events"}
	p.logs = load.Resource{Name: "its log lines"}
	if m != nil {
		p.session.Ask, p.events.Ask, p.logs.Ask = p.ask, p.askEvents, p.askLogs
	}
	return p
}

// OnMount asks for the session and takes from the address what to show of it.
func (p *Page) OnMount(ctx app.Context) {
	p.ctx = ctx
	ctx.Page().SetTitle(ui.ShortID(p.id) + " · Parley")
	p.readAddress(ctx)
	p.line.OnSettle = p.writeAddress
	// Events are marks of the charts, too, and log lines name the browser.
	p.session.Start(ctx)
	p.events.Start(ctx)
	p.logs.Start(ctx)
	ctx.Handle(load.EndAsked, func(app.Context, app.Action) { p.askToEnd() })
	p.stopKeys = load.Keys(ctx, []string{"[", "]"}, p.key)
}

// OnDismount ends what was begun.
func (p *Page) OnDismount() {
	p.session.Stop()
	p.events.Stop()
	p.logs.Stop()
	p.feed.stop()
	if p.stopKeys != nil {
		p.stopKeys()
	}
}

// ask reads the record, and then how the line was in steps that a chart can show.
func (p *Page) ask() load.Question {
	return func(ctx context.Context) (func(), error) {
		record, err := p.monitor.Session(ctx, p.id)
		if err != nil {
			return nil, p.explain(ctx, err)
		}
		quality, err := p.monitor.Connection(ctx, p.id, client.Span{Step: stepOf(record.SessionRecord, time.Now())})
		return func() { p.take(record, quality) }, err
	}
}

// explain finds out since when sessions are kept, for one that isn't there.
func (p *Page) explain(ctx context.Context, lost error) error {
	var problem *rest.Problem
	if errors.As(lost, &problem) && problem.Status == 404 {
		if settings, err := p.monitor.Settings(ctx); err == nil {
			p.ctx.Dispatch(func(app.Context) { p.keptSince = keptSince(settings, time.Now()) })
		}
	}
	return lost
}

// keptSince is the day before which logs were deleted; zero where that isn't known.
func keptSince(s rest.Settings, now time.Time) time.Time {
	days, ok := s.Settings[rest.SettingLogRetention].Value.(float64) // as JSON has it
	if !ok {
		return time.Time{}
	}
	return now.AddDate(0, 0, -int(days))
}

// lostText says why a session may not be there.
func lostText(since time.Time) string {
	if since.IsZero() {
		return "It may have ended before logs of that age were deleted."
	}
	return "It may have ended before " + ui.Day(since, time.Now()) + ", when logs of that age were deleted."
}

// mostPoints is how many steps a series is asked for in: some for each pixel.
const mostPoints = 1200

// stepOf is how long a step is, in whole seconds.
func stepOf(r rest.SessionRecord, now time.Time) time.Duration {
	seconds := int(lengthOf(r, now).Seconds())
	return time.Duration(max(1, (seconds+mostPoints-1)/mostPoints)) * time.Second
}

func lengthOf(r rest.SessionRecord, now time.Time) time.Duration {
	if r.EndedAt != nil {
		now = *r.EndedAt
	}
	return max(now.Sub(r.StartedAt), time.Second)
}

// take shows what the server answered, and follows the session if it goes on.
func (p *Page) take(record rest.OwnSession, quality rest.Connection) {
	p.shown = p.shown.opened(record, quality)
	p.extend(time.Now())
	if record.EndedAt == nil {
		p.feed.start(p.ctx, p.monitor, p.heard)
	}
	p.askToEnd()
}

func (p *Page) extend(now time.Time) {
	r := p.shown.record
	p.line.Extend(r.StartedAt, r.StartedAt.Add(lengthOf(r, p.shown.clock(now))))
}

// heard takes what the stream told.
func (p *Page) heard(_ app.Context, frames []client.Frame, now time.Time) {
	was := p.shown
	for _, f := range frames {
		p.shown = p.shown.apply(f, p.id, now)
		if _, whole := f.(client.Snapshot); whole && now.Sub(p.shown.asked) >= reportsLag {
			p.session.Reload() // the stream was away, and so are the seconds of that time
		}
	}
	if len(frames) == 0 { // a second has passed
		p.shown = p.shown.addSecond(now)
	}
	p.extend(now)
	switch {
	case p.shown.isLive():
		p.refresh(now)
	case was.isLive():
		p.feed.stop()
		p.ctx.After(recordLag, func(app.Context) { p.session.Reload() })
	}
}

// recordLag is when the record of a call that has ended has the summary of it all,
// and the turns that were under way.
const recordLag = 2 * time.Second

const (
	// refreshEvery is how often turns are asked for again while there are new ones:
	// each look is on record.
	refreshEvery = 30 * time.Second
	// reportsLag is when the caller's own figures of the time before the first answer
	// have come in: their page reports each 5 s.
	reportsLag = 10 * time.Second
)

// refresh asks again for what the stream doesn't tell, when there is more.
func (p *Page) refresh(now time.Time) {
	since := now.Sub(p.shown.asked)
	isDue := p.shown.hasNewTurns() && since >= refreshEvery || p.shown.answers == 1 && since >= reportsLag
	if isDue && !p.session.Busy() {
		p.session.Reload()
	}
}

func (p *Page) askEvents() load.Question {
	return func(ctx context.Context) (func(), error) {
		found, err := p.monitor.Activities(ctx, rest.ActivityQuery{Session: p.id, Limit: rest.MaxLimit})
		return func() { p.shown.activities = found.Items }, err
	}
}

func (p *Page) askLogs() load.Question {
	return func(ctx context.Context) (func(), error) {
		found, err := p.monitor.Logs(ctx, rest.LogQuery{Session: p.id})
		return func() { p.shown.logs = found.Items }, err
	}
}

// readAddress takes tab, moment and zoom from the address.
func (p *Page) readAddress(ctx app.Context) {
	asked := ctx.Page().URL().Query()
	if t := asked.Get("tab"); isTab(t) {
		p.tab = t
	}
	p.line.Open(moment(asked.Get("t")), moment(asked.Get("from")), moment(asked.Get("to")))
}

// moment reads a time of an address; one that can't be read asks for nothing.
func moment(text string) time.Time {
	t, _ := time.Parse(time.RFC3339, text)
	return t
}

// writeAddress makes the address a link to what is shown.
func (p *Page) writeAddress(ctx app.Context) {
	address := *ctx.Page().URL()
	query := url.Values{}
	if p.tab != tabQuality {
		query.Set("tab", p.tab)
	}
	if t := p.line.Cursor(); !t.IsZero() {
		query.Set("t", stamp(t))
	}
	if from, to, zoomed := p.line.Zoom(); zoomed {
		query.Set("from", stamp(from))
		query.Set("to", stamp(to))
	}
	if next := query.Encode(); next != address.RawQuery {
		address.RawQuery = next
		ctx.Page().ReplaceURL(&address)
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// jump leads to a moment from an event or a turn.
func (p *Page) jump(at time.Time) app.EventHandler {
	return func(app.Context, app.Event) { p.line.MoveTo(at) }
}
