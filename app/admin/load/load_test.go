package load

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/rest"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// html draws an element.
func html(e app.UI) string { return app.HTMLString(e) }

func holds(t *testing.T, html string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(html, w) {
			t.Errorf("the page lacks %q:\n%s", w, html)
		}
	}
}

func lacks(t *testing.T, html string, want ...string) {
	t.Helper()
	for _, w := range want {
		if strings.Contains(html, w) {
			t.Errorf("the page has %q:\n%s", w, html)
		}
	}
}

// logs is a page of one item, whose resource has heard of these outcomes.
func logs(r *Resource, count int, filters *Filters) string {
	return html(r.UI(Page{Title: "Access logs", View: View{
		Skeleton: ui.Skeleton(ui.SkeletonRows, 3), Count: count, Filters: filters,
		Above:   app.P().Text("the filters"),
		Empty:   ui.EmptyState{Title: "No requests in this time."},
		Content: func() app.UI { return app.P().Text("the lines") },
	}}))
}

// heard is a resource after these outcomes: nil is an answer.
func heard(outcomes ...error) *Resource {
	r := &Resource{Name: "access logs"}
	for _, err := range outcomes {
		r.take(func() {}, err, noon)
	}
	return r
}

var errCut = errors.New("connection refused")

func TestStatesWithoutData(t *testing.T) {
	for name, c := range map[string]struct {
		r    *Resource
		want []string
	}{
		"loading":           {heard(), []string{"<h1", "Access logs", `class="skeleton`, "Still loading. The server is slow to answer.", "the filters"}},
		"error":             {heard(&rest.Problem{Status: 500, RequestID: "req_8F3K"}), []string{"We couldn&#39;t load access logs.", "This is on our side.", "req_8F3K", "Try again", "the filters"}},
		"error with a wait": {heard(&rest.Problem{Status: 503, RetryAfterS: 5}), []string{"This is on our side. Trying again in 5 s."}},
		"server down":       {heard(errCut), []string{"We can&#39;t reach the server.", "Check your connection. Trying again in 1 s.", "Try again"}},
		"too many":          {heard(&rest.Problem{Status: 429, RetryAfterS: 12}), []string{"Too many requests.", "Trying again in 12 s."}},
		"bad filter":        {heard(&rest.Problem{Status: 422, Field: "from"}), []string{"These filters can&#39;t be used.", "The value of from is out of range."}},
	} {
		t.Run(name, func(t *testing.T) {
			page := logs(c.r, 0, nil)
			holds(t, page, c.want...)
			lacks(t, page, "the lines", "style=")
		})
	}
}

func TestStatesThatFillThePage(t *testing.T) {
	for name, c := range map[string]struct {
		problem rest.Problem
		want    []string
	}{
		"signed out": {rest.Problem{Status: 401}, []string{"Your sign-in expired", "/sign-in?next=/admin", "Sign in"}},
		"no right":   {rest.Problem{Status: 403}, []string{"Admins only", "Your account can&#39;t open this page. If you need it, ask whoever runs this server.", "Back to call"}},
		"address":    {rest.Problem{Status: 403, Code: rest.CodeNetwork}, []string{"This page isn&#39;t available from your network", "Your address isn&#39;t on this server&#39;s admin list."}},
	} {
		t.Run(name, func(t *testing.T) {
			page := logs(heard(nil, &c.problem), 1, nil)
			holds(t, page, append(c.want, "<h1")...)
			lacks(t, page, "the lines", "the filters", "Access logs")
		})
	}
}

func TestDataStaysAndSaysHowOldItIs(t *testing.T) {
	from := "Showing data from " + ui.Clock(noon) + "."
	offline := heard(nil, errCut)
	offline.offline = true
	for name, c := range map[string]struct {
		r    *Resource
		want []string
	}{
		"offline":     {offline, []string{"You&#39;re offline. " + from, "load-old", "Try again"}},
		"server down": {heard(nil, errCut), []string{"We can&#39;t reach the server. " + from, "load-old"}},
		"error":       {heard(nil, &rest.Problem{Status: 500, RequestID: "req_8F3K"}), []string{"We couldn&#39;t load access logs. This is on our side. " + from, "req_8F3K"}},
		"too many":    {heard(nil, &rest.Problem{Status: 429, RetryAfterS: 12}), []string{"Too many requests. Trying again in 12 s."}},
		"bad filter":  {heard(nil, &rest.Problem{Status: 422}), []string{"These filters can&#39;t be used. " + from}},
	} {
		t.Run(name, func(t *testing.T) { holds(t, logs(c.r, 1, nil), append(c.want, "the lines", "Access logs")...) })
	}
	lacks(t, logs(heard(errCut, nil), 1, nil), "banner ", "load-old", "Trying again")
}

func TestNothingThere(t *testing.T) {
	filters := &Filters{Keys: []string{"q"}, View: []string{"since"}}
	filters.Set("since", "24h")
	holds(t, logs(heard(nil), 0, filters), "No requests in this time.", "the filters")
	filters.Set("q", "x")
	page := logs(heard(nil), 0, filters)
	holds(t, page, "No access logs match these filters.", "Clear filters", "the filters")
	lacks(t, page, "No requests in this time.")
	r := heard(&rest.Problem{Status: 404})
	lost := View{Lost: ui.EmptyState{Title: "This session isn't here."}}
	holds(t, html(r.Part(lost)), "This session isn&#39;t here.")
}

func TestTriesGrowApart(t *testing.T) {
	r := heard()
	for i, want := range []time.Duration{1, 2, 4, 8, 15, 30, 30} {
		r.take(nil, errCut, noon)
		if got := r.until.Sub(noon); got != want*time.Second {
			t.Errorf("after failure %d: %v", i+1, got)
		}
	}
	r.take(func() {}, nil, noon)
	r.take(nil, errCut, noon)
	if got := r.until.Sub(noon); got != time.Second {
		t.Errorf("after an answer: %v", got)
	}
}

// page is a page as others write it.
type page struct {
	app.Compo

	lines Resource
	shown string
}

// OnPreRender stands for OnMount, which go-app calls in a browser only.
func (p *page) OnPreRender(ctx app.Context) { p.lines.Start(ctx) }

func (p *page) Render() app.UI {
	return p.lines.UI(Page{Title: "Lines", View: View{Count: len(p.shown),
		Skeleton: ui.Skeleton(ui.SkeletonRows, 1), Content: func() app.UI { return app.P().Text(p.shown) }}})
}

// answering asks what always has this answer.
func (p *page) answering(text string, err error) func() Question {
	return func() Question {
		return func(context.Context) (func(), error) { return func() { p.shown = text }, err }
	}
}

func TestAResourceIsAskedForAndShown(t *testing.T) {
	p := &page{lines: Resource{Name: "lines"}}
	p.lines.Ask = p.answering("", &rest.Problem{Status: 500})
	e := app.NewTestEngine()
	if err := e.Load(p); err != nil {
		t.Fatal(err)
	}
	e.ConsumeAll()
	holds(t, html(p), "We couldn&#39;t load lines.")
	p.lines.Ask = p.answering("what came", nil)
	p.lines.Reload()
	e.ConsumeAll()
	holds(t, html(p), "what came")
	if !p.lines.Known() || p.lines.Busy() {
		t.Errorf("known %v, busy %v", p.lines.Known(), p.lines.Busy())
	}
	p.lines.Stop()
}

func TestOnlyTheLastAnswerCounts(t *testing.T) {
	p := &page{lines: Resource{Name: "lines"}}
	p.lines.Ask = func() Question {
		return func(context.Context) (func(), error) {
			p.lines.ctx.Dispatch(func(app.Context) { // before this answer is there
				p.lines.Ask = p.answering("new", nil)
				p.lines.Reload()
			})
			return func() { p.shown = "old"; t.Error("the answer that nobody waits for is shown") }, nil
		}
	}
	e := app.NewTestEngine()
	if err := e.Load(p); err != nil {
		t.Fatal(err)
	}
	e.ConsumeAll()
	holds(t, html(p), "new")
}

func TestFiltersStandInTheAddress(t *testing.T) {
	f := &Filters{Keys: []string{"status", "q"}}
	f.Set("q", "a,b c", "status", "5xx")
	if got := f.Query(); got != "status=5xx&q=a,b+c" {
		t.Errorf("query %q", got)
	}
	if got := f.merged(url.Values{"q": {"old"}, "tz": {"utc"}}); got != "status=5xx&q=a,b+c&tz=utc" {
		t.Errorf("address %q", got)
	}
	f.Values().Set("q", "not mine")
	f.Set("q", "")
	f.Clear()
	if !f.IsEmpty() || f.Query() != "" {
		t.Errorf("cleared to %q", f.Query())
	}
}

func TestClearLeavesTheView(t *testing.T) {
	f := &Filters{Keys: []string{"q"}, View: []string{"since"}}
	f.Set("since", "1h", "q", "x")
	f.Clear()
	if got := f.Query(); got != "since=1h" || !f.IsEmpty() {
		t.Errorf("cleared to %q", got)
	}
}

func TestCountdownsEndAtOne(t *testing.T) {
	for left, want := range map[time.Duration]string{-1: "Trying again now.", 0: "Trying again now.",
		1: "Trying again in 1 s.", time.Second: "Trying again in 1 s.", time.Second + 1: "Trying again in 2 s."} {
		if got := TryingAgain(noon.Add(left), noon); got != want {
			t.Errorf("%v: %q", left, got)
		}
	}
}
