// Package logs owns the pages of what was asked for and done: the access log,
// the audit log and the activity feed. The first two are one page with two
// descriptions. A page shows what the interface gives, with its masks: it
// reveals nothing, and its export and its command ask for what it shows.
package logs

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// Server is what the logs need of the server. *client.Client is one.
type Server interface {
	Logs(ctx context.Context, q rest.LogQuery) (rest.Page[rest.LogEntry], error)
	Audit(ctx context.Context, q rest.AuditQuery) (rest.AuditPage, error)
	LogCounts(ctx context.Context, q rest.LogQuery) (rest.Counts, error)
	AuditCounts(ctx context.Context, q rest.AuditQuery) (rest.Counts, error)
	Settings(ctx context.Context) (rest.Settings, error)
}

const (
	usualSpan = "24h"
	keyID     = "id"    // one line, by its request or its number
	keyLimit  = "limit" // rows a page
	keyNode   = "node"  // the server of a cluster
	// timeLayout is how moments stand in a question of ours.
	timeLayout = "2006-01-02T15:04:05.000Z"
	// dayLayout is how a day stands above its lines.
	dayLayout = "Monday, 2 January 2006"
)

// line is one row of either log.
type line struct {
	id, key string // key is what a link to it names
	at      time.Time
	name    string // as its button says it
	isError bool
	session string
	value   any // the resource
	cells   func() []app.UI
}

// batch is a page of lines as it came.
type batch struct {
	lines []line
	next  string
	chain *rest.Chain
}

// kind describes one log.
type kind struct {
	title, what, rows string // "Access logs", "access logs", "requests"
	address           string // of the page
	path, export      string // of the interface
	class             string
	filters           []ui.Filter
	columns           []ui.Column
	empty             ui.EmptyState
	kept              string            // the setting that says for how many days
	filterOn          map[string]string // a field's name to the filter that takes its value
	list              func(ctx context.Context, s Server, q url.Values) (batch, error)
	count             func(ctx context.Context, s Server, q url.Values) (rest.Counts, error)
	link              func(l line) string // query of a link to one line
}

// Log is the page of one log.
type Log struct {
	app.Compo

	kind    kind
	server  Server
	filters load.Filters
	list    load.Resource
	facts   load.Resource

	lines    []line
	next     string
	chain    *rest.Chain
	asked    url.Values  // what lines are the answer to
	counts   rest.Counts // of all of them over the time; no bars: not known
	shows    int         // counts first pages, to tell whose counts come
	loading  bool        // another page is on its way
	opened   map[string]bool
	tail     tail
	settings rest.Settings
	stop     []func()
	ctx      app.Context
}

// NewAccess makes the page of the access log. Without a server it shows its
// skeleton.
func NewAccess(s Server) *Log { return newLog(s, accessLog()) }

// NewAudit makes the page of the audit log.
func NewAudit(s Server) *Log { return newLog(s, auditLog()) }

func newLog(s Server, k kind) *Log {
	l := &Log{kind: k, server: s, opened: map[string]bool{}}
	for _, f := range k.filters {
		l.filters.Keys = append(l.filters.Keys, f.Key)
	}
	l.filters.Keys = append(l.filters.Keys, keyID)
	l.filters.View = []string{ui.KeySince, ui.KeyFrom, ui.KeyTo, keyLimit}
	l.filters.OnChange = l.refilter
	l.list = load.Resource{Name: k.what}
	l.facts = load.Resource{Name: "settings"}
	l.tail = tail{source: load.Resource{Name: k.what, Every: tailEvery}}
	if s != nil {
		l.list.Ask, l.facts.Ask, l.tail.source.Ask = l.ask, l.askSettings, l.askTail
	}
	return l
}

// CompoID keeps the two logs apart: go-app would take the page of one for the
// page of the other, because they are one type.
func (l *Log) CompoID() string { return l.kind.address }

// OnMount asks for the log.
func (l *Log) OnMount(ctx app.Context) {
	l.ctx = ctx
	l.filters.Read(ctx)
	l.list.Start(ctx)
	l.facts.Start(ctx)
	l.stop = append(l.stop,
		load.Keys(ctx, []string{"/", "j", "k", "e", "f", " "}, l.key),
		ui.Listen(app.Window(), "scroll", l.scrolled))
}

// OnNav takes the filters from the address, as after a link to one line.
func (l *Log) OnNav(ctx app.Context) {
	if l.filters.Read(ctx) {
		l.list.Reload()
	}
}

// OnDismount ends what OnMount began.
func (l *Log) OnDismount() {
	l.list.Stop()
	l.facts.Stop()
	l.tail.source.Stop()
	for _, stop := range l.stop {
		stop()
	}
	l.stop = nil
}

// refilter asks for other lines.
func (l *Log) refilter() {
	l.tail.held = nil
	l.opened = map[string]bool{}
	l.list.Reload()
}

// size is how many lines a page has.
func (l *Log) size() int {
	for _, o := range ui.PageSizes() {
		if o.Value == l.filters.Get(keyLimit) {
			n, _ := strconv.Atoi(o.Value)
			return n
		}
	}
	return rest.DefaultLimit
}

// query is what the page asks for at now, in the interface's words.
func (l *Log) query(now time.Time) url.Values {
	q := url.Values{keyLimit: {strconv.Itoa(l.size())}}
	for _, f := range l.kind.filters {
		if v := l.filters.Get(f.Key); v != "" {
			q.Set(f.Key, v)
		}
	}
	if id := l.filters.Get(keyID); id != "" && l.kind.export == "logs" {
		q.Set("q", id)
		return q
	}
	from, to := ui.Range(&l.filters, usualSpan, now)
	for key, at := range map[string]time.Time{ui.KeyFrom: from, ui.KeyTo: to} {
		if !at.IsZero() {
			q.Set(key, at.UTC().Format(timeLayout))
		}
	}
	return q
}

// ask asks for the first page.
func (l *Log) ask() load.Question {
	q := l.query(time.Now())
	return func(ctx context.Context) (func(), error) {
		got, err := l.kind.list(ctx, l.server, q)
		return func() { l.show(q, got) }, err
	}
}

// show takes the first page. What is asked for later ends at its newest line, so
// that an export, a command and the next page are of what is seen.
func (l *Log) show(q url.Values, got batch) {
	wasShown := l.list.Known()
	l.counts, l.shows = rest.Counts{}, l.shows+1
	l.lines, l.next, l.chain, l.asked, l.loading = got.lines, got.next, got.chain, q, false
	if len(got.lines) > 0 && q.Get(ui.KeyTo) == "" {
		q.Set(ui.KeyTo, got.lines[0].at.Add(time.Millisecond).UTC().Format(timeLayout))
	}
	if id := l.filters.Get(keyID); id != "" {
		for _, one := range got.lines {
			if one.key == id {
				l.opened[one.id] = true
			}
		}
	}
	if wasShown {
		ui.Announce(ui.Count(int64(len(l.lines))) + " " + l.kind.rows + " shown.")
	}
	if l.next != "" && q.Get(ui.KeyFrom) != "" {
		l.countAll(q)
	}
}

// countAll asks how many lines there were when, where not all of them are here.
func (l *Log) countAll(q url.Values) {
	asked := url.Values{}
	for key := range q {
		if key != keyLimit {
			asked.Set(key, q.Get(key))
		}
	}
	mine := l.shows
	var got rest.Counts
	load.Act(l.ctx, func(ctx context.Context) (err error) {
		got, err = l.kind.count(ctx, l.server, asked)
		return err
	}, func(_ app.Context, err error) {
		if err == nil && !got.IsPartial && mine == l.shows { // else the bars are of the lines that are here
			l.counts = got
		}
	})
}

// more asks for the next page.
func (l *Log) more(app.Context, app.Event) {
	if l.loading || l.next == "" {
		return
	}
	l.loading = true
	q := url.Values{"cursor": {l.next}}
	for key := range l.asked {
		q.Set(key, l.asked.Get(key))
	}
	mine := l.next
	l.ctx.Async(func() {
		ctx, cancel := context.WithTimeout(context.Background(), pageTimeout)
		defer cancel()
		got, err := l.kind.list(ctx, l.server, q)
		l.ctx.Dispatch(func(app.Context) {
			if l.next == mine {
				l.add(got, err)
			}
		})
	})
}

// pageTimeout is how long the next page may take.
const pageTimeout = 30 * time.Second

func (l *Log) add(got batch, err error) {
	l.loading = false
	if err != nil {
		ui.Alert("We couldn't load more. Try again.")
		return
	}
	l.lines, l.next = append(l.lines, got.lines...), got.next
	ui.Announce(ui.Count(int64(len(l.lines))) + " " + l.kind.rows + " shown.")
}

func (l *Log) askSettings() load.Question {
	return func(ctx context.Context) (func(), error) {
		got, err := l.server.Settings(ctx)
		return func() { l.settings = got }, err
	}
}

func (l *Log) open(_ app.Context, id string) { l.opened[id] = !l.opened[id] }

// key is a key of the page's own. target is what has the focus.
func (l *Log) key(ctx app.Context, key string, target app.Value) {
	switch key {
	case "/":
		ui.Focus(ui.FilterTextID)
	case "j":
		ui.MoveRow(ui.RowOpeners, 1)
	case "k":
		ui.MoveRow(ui.RowOpeners, -1)
	case " ":
		l.toggleTail(ctx, app.Event{})
	case "e":
		if row := target.Call("closest", "tr[data-id]"); row.Truthy() {
			l.open(ctx, row.Call("getAttribute", "data-id").String())
		}
	case "f":
		l.filterOnCell(target)
	}
}

// filterOnCell filters on the first value of the line that has the focus.
func (l *Log) filterOnCell(target app.Value) {
	row := target.Call("closest", "tr[data-id]")
	if !row.Truthy() {
		return
	}
	id := row.Call("getAttribute", "data-id").String()
	for _, one := range l.lines {
		if one.id != id {
			continue
		}
		for _, f := range ui.JSONFields(one.value) {
			if f.Name == l.kind.columns[1].Key {
				l.filters.Set(l.kind.filterOn[f.Name], f.Value)
			}
		}
	}
}
