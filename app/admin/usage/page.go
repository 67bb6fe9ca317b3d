// Package usage owns the admins' page of what agents used and what it costs, told
// apart by day, agent and user, with its sums and a file of all of it.
package usage

import (
	"context"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/client"
	"parley/app/ui"
	"parley/shared/rest"
)

// Server is what the page needs of the server. *client.Client is one.
type Server interface {
	Usage(ctx context.Context, q rest.UsageQuery) (rest.Page[rest.UsageRow], error)
}

const (
	keyGroup = "group"
	keyAgent = "agent"
	// usualSpan holds without a choice.
	usualSpan = "7d"
	// mostPages bounds what the sums are of.
	mostPages = 20
)

// Page shows sums of usage.
type Page struct {
	app.Compo

	server   Server
	filters  load.Filters
	resource load.Resource
	rows     []rest.UsageRow
	isPart   bool // there are more rows than are shown
}

// New makes the page. Without a server it shows its skeleton.
func New(s Server) *Page { return &Page{server: s} }

// OnMount asks for what the address names.
func (p *Page) OnMount(ctx app.Context) {
	p.filters.Keys = []string{keyAgent, keyGroup, ui.KeySince, ui.KeyFrom, ui.KeyTo}
	p.filters.OnChange = p.resource.Reload
	p.filters.Read(ctx)
	p.resource.Name = "usage"
	if p.server != nil {
		p.resource.Ask = p.ask
	}
	p.resource.Start(ctx)
}

// OnNav asks for what the address names by now.
func (p *Page) OnNav(ctx app.Context) {
	if p.filters.Read(ctx) {
		p.resource.Reload()
	}
}

// OnDismount stops asking.
func (p *Page) OnDismount() { p.resource.Stop() }

func (p *Page) group() rest.UsageGroup {
	if g := p.filters.Get(keyGroup); g != "" {
		return rest.UsageGroup(g)
	}
	return rest.UsageByDay
}

func (p *Page) query() rest.UsageQuery {
	q := rest.UsageQuery{Group: p.group(), Agent: p.filters.Get(keyAgent), Limit: rest.MaxLimit}
	q.From, q.To = ui.Range(&p.filters, usualSpan, time.Now())
	return q
}

func (p *Page) ask() load.Question {
	q := p.query()
	return func(ctx context.Context) (func(), error) {
		var rows []rest.UsageRow
		for range mostPages {
			found, err := p.server.Usage(ctx, q)
			if err != nil {
				return nil, err
			}
			rows = append(rows, found.Items...)
			if q.Cursor = found.NextCursor; q.Cursor == "" {
				break
			}
		}
		return func() { p.rows, p.isPart = rows, q.Cursor != "" }, nil
	}
}

// sum is what rows of one currency amount to.
func sum(rows []rest.UsageRow) (all []rest.UsageRow) {
	for _, r := range rows {
		at := -1
		for i := range all {
			if all[i].Usage.Currency == r.Usage.Currency {
				at = i
			}
		}
		if at < 0 {
			at = len(all)
			all = append(all, rest.UsageRow{Usage: rest.Usage{Currency: r.Usage.Currency}})
		}
		all[at].Sessions += r.Sessions
		all[at].Usage.Add(r.Usage)
	}
	return all
}

// cost writes millionths of a currency's unit; "" where there are no prices.
func cost(u rest.Usage) string {
	if u.Currency == "" {
		return ""
	}
	digits := 2
	if u.CostMicros < 1_000_000 {
		digits = 4
	}
	return strconv.FormatFloat(float64(u.CostMicros)/1e6, 'f', digits, 64) + " " + u.Currency
}

// Render draws the page.
func (p *Page) Render() app.UI {
	var narrowing *load.Filters // what sums are told apart by leaves none of them out
	if p.filters.Get(keyAgent) != "" {
		narrowing = &p.filters
	}
	return p.resource.UI(load.Page{Title: "Usage", Class: "usage", View: load.View{
		Skeleton: ui.Skeleton(ui.SkeletonRows, 7), Count: len(p.rows), Items: "usage records", Filters: narrowing, Above: p.filterBar(), Content: p.content,
		Empty: ui.EmptyState{Icon: ui.IconActivity, Title: "Nothing was used in this time.", Text: "What agents of a provider use in calls is added up here."},
	}})
}

func (p *Page) filterBar() app.UI {
	export := app.A().Class("button", "button-plain").Href(client.ExportPath("usage", "csv", p.query())).
		Body(ui.Icon(ui.IconDownload), app.Span().Class("button-label").Text("Export CSV"))
	return &ui.FilterBar{Label: "Filter usage", Values: &p.filters, Time: &ui.TimeRange{Values: &p.filters, Usual: usualSpan},
		Fields: []ui.Filter{
			{Key: keyGroup, Label: "By", Kind: ui.FilterSelect, Options: []ui.Option{{Value: "", Label: "By day"}, {Value: "agent", Label: "By agent"},
				{Value: "user", Label: "By user"}, {Value: "day,agent", Label: "By day and agent"}, {Value: "day,user", Label: "By day and user"}}},
			{Key: keyAgent, Label: "Agent", Kind: ui.FilterText, Max: 64},
		}, Beside: []app.UI{export}}
}

// byGroup picks of three texts those that sums are told apart by.
func byGroup(g rest.UsageGroup, day, agent, user string) (out []string) {
	for i, by := range []rest.UsageGroup{rest.UsageByDay, rest.UsageByAgent, rest.UsageByUser} {
		if g.Has(by) {
			out = append(out, []string{day, agent, user}[i])
		}
	}
	return out
}

func (p *Page) content() app.UI {
	group := p.group()
	columns := []ui.Column{}
	for i, title := range byGroup(group, "Day (UTC)", "Agent", "User") {
		columns = append(columns, ui.Column{Key: title, Title: title, Card: []ui.Place{ui.PlaceLead, ui.PlaceSide, ui.PlaceMore}[i]})
	}
	for _, title := range []string{"Calls", "Answers", "Tokens read", "From cache", "Tokens written", "Cost"} {
		columns = append(columns, ui.Column{Key: title, Title: title, Number: true})
	}
	columns = append(columns, ui.Column{Key: "share", Title: "Share", Card: ui.PlaceGone})
	rows, most := []ui.Row{}, largest(p.rows)
	for i, r := range p.rows {
		rows = append(rows, ui.Row{ID: strconv.Itoa(i), Cells: append(cells(byGroup(group, r.Day, r.Agent, r.User), r), share(amount(r), most))})
	}
	for _, total := range sum(p.rows) {
		lead := byGroup(group, "", "", "")
		if len(lead) > 0 {
			lead[0] = "Total"
		}
		rows = append(rows, ui.Row{ID: "total", Mark: true, Cells: append(cells(lead, total), ui.Blank())})
	}
	body := []app.UI{ui.Table{Label: "Usage", Columns: columns, Rows: rows}.UI()}
	if p.isPart {
		body = append(body, app.P().Class("card-text").Text("There is more than is shown; the sums are of what is. Export has all of it."))
	}
	return app.Div().Class("usage-body").Body(body...)
}

// amount is what rows are compared by: their cost, or where there are no prices their calls.
func amount(r rest.UsageRow) int64 {
	if r.Usage.Currency == "" {
		return r.Sessions
	}
	return r.Usage.CostMicros
}

func largest(rows []rest.UsageRow) (most int64) {
	for _, r := range rows {
		most = max(most, amount(r))
	}
	return most
}

// share draws an amount beside the largest one: its figure stands in a column of its own.
func share(n, most int64) app.UI {
	return ui.SVG("svg").Class("usage-share").Attr("viewBox", "0 0 100 8").Attr("preserveAspectRatio", "none").Aria("hidden", true).
		Body(ui.Path("usage-bar", "M0 4h"+strconv.FormatInt(100*n/max(most, 1), 10)))
}

func cells(lead []string, r rest.UsageRow) (out []app.UI) {
	for _, text := range lead {
		out = append(out, app.Span().Text(text))
	}
	t := r.Usage.Tokens
	cached := t.InputTextCached + t.InputAudioCached + t.InputImageCached
	written := t.OutputText + t.OutputAudio + t.OutputOther
	for _, n := range []int64{r.Sessions, r.Usage.Responses, t.Sum() - cached - written, cached, written} {
		out = append(out, app.Span().Class("num").Text(ui.Count(n)))
	}
	if text := cost(r.Usage); text != "" {
		return append(out, app.Span().Class("num").Text(text))
	}
	return append(out, ui.NoData())
}
