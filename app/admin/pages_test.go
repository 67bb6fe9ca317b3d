package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// showing is a feed that has heard of these things, the last at noon.
func showing(frames ...client.Frame) feed {
	f := feed{now: noon}
	for _, frame := range frames {
		f.newest = apply(f.newest, frame, noon)
	}
	f.shown = f.newest
	return f
}

// rendered draws a page through go-app's own engine.
func rendered(t *testing.T, page app.Composer) string {
	t.Helper()
	e := app.NewTestEngine()
	if err := e.Load(page); err != nil {
		t.Fatal(err)
	}
	e.ConsumeAll()
	return app.HTMLString(page)
}

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

func TestPagesPrerenderTheirSkeleton(t *testing.T) {
	for name, page := range map[string]app.Composer{"overview": NewOverview(nil), "sessions": NewSessions(nil)} {
		t.Run(name, func(t *testing.T) {
			html := rendered(t, page)
			holds(t, html, `class="skeleton`, "<h1")
			lacks(t, html, "style=")
		})
	}
}

// states are the ways in which a page has no data, and what it says.
func TestPagesSayWhyThereIsNothing(t *testing.T) {
	broken := &rest.Problem{Status: 500, RequestID: "req_8F3K"}
	soon := noon.Add(11500 * time.Millisecond)
	cases := map[string]struct {
		feed feed
		want []string
	}{
		"error": {showing(client.Status{State: client.Reconnecting, Problem: broken, Until: soon}),
			[]string{"We couldn&#39;t load ", "This is on our side. Trying again in 12 s.", "req_8F3K", "Try again"}},
		"no network": {showing(client.Status{State: client.Reconnecting, Until: soon}),
			[]string{"We can&#39;t reach the server.", "Trying again in 12 s."}},
		"offline": {showing(client.Status{State: client.Offline, Until: noon}),
			[]string{"We can&#39;t reach the server.", "Trying again now."}},
		"rate limited": {showing(client.Status{State: client.RateLimited, Until: soon}),
			[]string{"Too many requests.", "Trying again in 12 s."}},
		"signed out": {feed{denied: &rest.Problem{Status: 401}},
			[]string{"Your sign-in expired", "/sign-in?next=", "Sign in"}},
		"no right": {feed{denied: &rest.Problem{Status: 403}},
			[]string{"Admins only", "Your account can&#39;t open this page.", "Back to call"}},
	}
	for name, c := range cases {
		t.Run("overview "+name, func(t *testing.T) {
			holds(t, rendered(t, &Overview{past: newPast(nil), feed: c.feed}), c.want...)
		})
		t.Run("sessions "+name, func(t *testing.T) {
			holds(t, rendered(t, &Sessions{feed: c.feed}), c.want...)
		})
	}
}

func TestBanners(t *testing.T) {
	data := snap(one("a", quality.Good))
	soon := noon.Add(24 * time.Second)
	cases := map[string]struct {
		status client.Status
		want   string // "" for no banner
	}{
		"live":         {client.Status{State: client.Live}, ""},
		"a short cut":  {client.Status{State: client.Reconnecting, Until: soon}, ""},
		"polling":      {client.Status{State: client.Reconnecting, Until: soon, Polling: true}, "Live updates are interrupted. The data below is refreshed each 10 s."},
		"rate limited": {client.Status{State: client.RateLimited, Until: soon}, "They resume in 24 s; the data below is refreshed each 10 s until then."},
		"offline":      {client.Status{State: client.Offline}, "We can&#39;t reach the server. Showing data from "},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			html := rendered(t, &Sessions{feed: showing(data, c.status)})
			if c.want != "" {
				holds(t, html, c.want)
			} else {
				lacks(t, html, `class="banner `)
			}
		})
	}
}

func sessionsPage(frames ...client.Frame) *Sessions {
	s := &Sessions{feed: showing(frames...), rows: mostRows}
	s.arrange()
	return s
}

func TestTableShowsASession(t *testing.T) {
	lost, back, trip := 0.081, 0.002, 84.0
	s := one("sess_7Q2M", quality.Poor)
	s.Name = "Ann Berg"
	s.Quality = quality.Verdict{Level: quality.Poor, MOS: 2.61, Cause: quality.CauseLoss, Direction: quality.ToAgent, Value: 8.1}
	s.Metrics = map[quality.Direction]rest.Metrics{
		quality.ToAgent:  {LossRatio: &lost},
		quality.ToCaller: {LossRatio: &back, RTTMS: &trip},
	}
	s.MOSTrend = []float64{4.1, 0, 3.2, 2.6}
	s.AgentState, s.StartedAt, s.LastActiveAt = "speaking", far.Add(-252*time.Second), far.Add(-3*time.Second)
	at := far.Add(100 * time.Second)
	s.EndsAt = &at
	html := rendered(t, sessionsPage(snap(s)))
	holds(t, html, "sess_7Q2M", "Ann Berg", "Speaking", "Poor", "2.6", "loss 8.1 %, caller → agent",
		"84 ms", "8.1/0.2 %", "4:12", "0:03", "1:40", "MOS last minute: 2.6, lowest 2.6", `aria-label="4 minutes 12 seconds"`,
		"Actions for ")
	lacks(t, html, "style=", "Order paused")
}

func TestWhatIsMissingIsNeverZero(t *testing.T) {
	html := rendered(t, sessionsPage(snap(one("a", quality.None))))
	if n := strings.Count(html, `aria-label="no data"`); n != 4 { // RTT, loss, first word, ends in
		t.Errorf("%d cells say that there is no data, want 4:\n%s", n, html)
	}
	holds(t, html, "MOS last minute: no data")
}

func TestTableDrawsAtMostAHundredRows(t *testing.T) {
	var list []rest.Session
	for i := range 250 {
		list = append(list, one(fmt.Sprintf("s%03d", i), quality.Good))
	}
	s := sessionsPage(snap(list...))
	html := rendered(t, s)
	if n := strings.Count(html, "data-id="); n != mostRows {
		t.Errorf("%d rows", n)
	}
	holds(t, html, "Load 100 more")
	s.more(app.Context{}, app.Event{})
	s.more(app.Context{}, app.Event{})
	html = app.HTMLString(&Sessions{feed: s.feed, rows: s.rows, order: s.order, lines: s.lines})
	if n := strings.Count(html, "data-id="); n != 250 {
		t.Errorf("%d rows after two more", n)
	}
	lacks(t, html, " more<")
}

func TestAnEndedRowIsGreyedWithItsReason(t *testing.T) {
	html := rendered(t, sessionsPage(snap(one("a", quality.Good)), upsert(ended("a", "maintenance"))))
	holds(t, html, "row-gone", "Ended", "maintenance")
	lacks(t, html, "Actions for")
}

func TestNoMatchAndNobody(t *testing.T) {
	s := sessionsPage(snap(one("a", quality.Good)))
	s.filter.levels = []quality.Level{quality.Poor}
	s.order = nil // as when a filter is set by hand
	s.arrange()
	html := rendered(t, s)
	holds(t, html, "No sessions match these filters.", "Clear filters")
	// go-app's encoder writes an attribute that is true without its value.
	if all, off := strings.Count(html, "aria-pressed"), strings.Count(html, `aria-pressed="false"`); all != 8+len(extras()) || off != all-1 {
		t.Errorf("%d chips, %d of them off; want all but one", all, off)
	}

	nobody := sessionsPage(snap())
	holds(t, rendered(t, nobody), "No calls yet.", "Start a test call")
	was := sessionsPage(snap(), client.Counts{StatsFrame: rest.StatsFrame{T: far, Stats: rest.Stats{Started: 3}}},
		client.Activities{ActivityFrame: rest.ActivityFrame{T: far, Items: []rest.Activity{{What: rest.CallEnded, At: far.Add(-12 * time.Minute)}}}})
	holds(t, rendered(t, was), "No one is calling right now. Last call ended 12 min ago.")
}

func TestOldDataIsDimmedAndDated(t *testing.T) {
	s := sessionsPage(snap(one("a", quality.Good)))
	s.feed.now = noon.Add(fresh)
	lacks(t, rendered(t, s), "is-stale")
	s = sessionsPage(snap(one("a", quality.Good)))
	s.feed.now = noon.Add(fresh + 1)
	holds(t, rendered(t, s), "is-stale", "as of "+noon.Local().Format("15:04:05"))
}

func TestOverviewShowsTheFigures(t *testing.T) {
	p := calls(100, map[quality.Level]int{quality.Excellent: 31, quality.Good: 8, quality.Fair: 2, quality.Poor: 1})
	p.stats.Ended, p.stats.ErrorRate = 1204, 0.021
	p.stats.EndCauses = map[wire.EndCause]int64{"caller_left": 1100, "idle_timeout": 79, "connection_lost": 25}
	p.stats.Refused = map[string]int64{"cap_reached": 4, "user_cap": 9, "draining": 0}
	o := &Overview{past: newPast(nil), feed: feed{shown: p, newest: p, now: noon}}
	o.changed(app.Context{})
	html := rendered(t, o)
	holds(t, html, "39 of 42 calls are good or better. 1 poor, 2 fair.",
		"of 100", "58 lines free", "31 excellent · 8 good · 2 fair · 1 poor", "quality=poor,fair",
		"2.1 %", "13", "9 already in a call · 4 all lines busy", "caller ended", "Needs attention")
	lacks(t, html, "style=", "server restarting")
}

func TestOverviewSaysTheSentenceAtMostEachThirtySeconds(t *testing.T) {
	o := &Overview{past: newPast(nil), feed: showing(snap(one("a", quality.Good)))}
	o.changed(app.Context{})
	first := o.announced.text
	o.feed.shown = after(snap(one("a", quality.Poor)))
	o.feed.now = noon.Add(sentenceEvery - 1)
	o.changed(app.Context{})
	if o.announced.text != first {
		t.Errorf("said %q after %v", o.announced.text, sentenceEvery-1)
	}
	holds(t, rendered(t, o), "The one call is poor.") // beside figures that say the same
	o.feed.now = noon.Add(sentenceEvery)
	o.changed(app.Context{})
	if o.announced.text != "The one call is poor." {
		t.Errorf("still says %q", o.announced.text)
	}
}

func TestPauseHoldsThePictureAndCounts(t *testing.T) {
	s := sessionsPage(snap(one("a", quality.Good)))
	s.feed.after = func(app.Context) { s.arrange() }
	s.feed.toggle(app.Context{})
	s.feed.take(app.Context{}, []client.Frame{upsert(one("b", quality.Poor)), client.Status{State: client.Live}}, noon.Add(time.Second))
	if len(s.order) != 1 || s.feed.behind() != 1 {
		t.Errorf("%d rows, %d behind", len(s.order), s.feed.behind())
	}
	holds(t, rendered(t, s), "Paused · 1 new")
	s.feed.toggle(app.Context{})
	if len(s.order) != 2 || s.order[0] != "b" || s.feed.behind() != 0 {
		t.Errorf("rows %v, %d behind", s.order, s.feed.behind())
	}
}

func TestAnEndedRowLeavesAfterTenSecondsUnlessHeld(t *testing.T) {
	s := sessionsPage(snap(one("a", quality.Good), one("b", quality.Good)), remove("a"))
	s.feed.after = func(app.Context) { s.arrange() }
	s.feed.held = true
	s.feed.tick(app.Context{}, noon.Add(time.Minute))
	if len(s.order) != 2 {
		t.Errorf("rows %v while held", s.order)
	}
	s.feed.held = false
	s.feed.tick(app.Context{}, noon.Add(2*time.Minute))
	if len(s.order) != 1 {
		t.Errorf("rows %v a while after", s.order)
	}
}

func TestHeldOrderSaysSo(t *testing.T) {
	s := sessionsPage(snap(one("a", quality.Good)))
	s.hold(app.Context{}, true)
	s.feed.shown = after(snap(one("a", quality.Good), one("b", quality.Poor)))
	s.arrange()
	if s.order[0] != "a" {
		t.Errorf("order %v moved while held", s.order)
	}
	holds(t, rendered(t, s), "Order paused")
	s.feed.now = s.feed.now.Add(orderHolds)
	s.hold(app.Context{}, false)
	if s.order[0] != "b" {
		t.Errorf("order %v, want the worst first", s.order)
	}
}

func TestEndingACall(t *testing.T) {
	s := sessionsPage(snap(one("a", quality.Good)))
	s.feed.shown.sessions["a"] = session{Session: rest.Session{ID: "a", Name: "Ann"}}
	s.askEnd("a")
	html := rendered(t, s)
	holds(t, html, "<dialog", "End this call?", "Ann", "The caller sees your reason.", "Maintenance", "End call")

	s.ending.busy = true
	s.keepCall(app.Context{})
	if s.ending.id != "a" {
		t.Error("the dialog closed while the call was being ended")
	}
	s.ended("b", nil)
	if s.ending.id != "a" {
		t.Error("another call's answer closed the dialog")
	}
	s.ended("a", &rest.Problem{Status: 404})
	if s.ending.busy || s.ending.problem != "This call is already over." {
		t.Errorf("ending %+v", s.ending)
	}
	s.ended("a", nil)
	if s.ending.id != "" {
		t.Error("the dialog stays open")
	}
}

func TestEndProblem(t *testing.T) {
	cases := map[string]error{
		"The server didn't answer. The call may still be on.": fmt.Errorf("post: %w", client.ErrNetwork),
		"This call is already over.":                          &rest.Problem{Status: 404},
		"Your sign-in expired. Sign in again to end it.":      &rest.Problem{Status: 401},
		"Your account can't end calls.":                       &rest.Problem{Status: 403},
		"Use a reason of 1 to 300 characters.":                &rest.Problem{Status: 422},
		"Too many requests. Try again in 12 s.":               &rest.Problem{Status: 429, RetryAfterS: 12},
		"Something broke on our side. Request req_8F3K.":      &rest.Problem{Status: 500, RequestID: "req_8F3K"},
		"Something broke on our side.":                        &rest.Problem{Status: 503},
	}
	for want, err := range cases {
		if got := endingCall.Words(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
	if got := endingCall.Words(errors.Join(context.DeadlineExceeded)); !strings.HasPrefix(got, "The server didn't answer") {
		t.Errorf("a timeout: %q", got)
	}
}

func TestSignInComesBackWithTheFilter(t *testing.T) {
	s := &Sessions{filter: filter{text: "a&b", levels: []quality.Level{quality.Poor}}}
	if got := s.address(); got != "%2Fadmin%2Fsessions%3Fquality%3Dpoor%26q%3Da%2526b" {
		t.Errorf("address %q", got)
	}
}

// BenchmarkTick is one second of a full page: a frame that changes every row,
// the new order, Render and go-app's comparison. It is measured without a
// browser, whose share comes on top; the budget of both is 16 ms.
func BenchmarkTick(b *testing.B) {
	var list []rest.Session
	for i := range mostRows {
		s := one(fmt.Sprintf("s%03d", i), quality.Good)
		s.MOSTrend = make([]float64, 60)
		for k := range s.MOSTrend {
			s.MOSTrend[k] = 3.6 + float64((i+k)%7)/10
		}
		list = append(list, s)
	}
	s := sessionsPage(snap(list...))
	s.feed.after = func(app.Context) { s.arrange() }
	e := app.NewTestEngine()
	probe := &tickProbe{page: s}
	if err := e.Load(probe); err != nil {
		b.Fatal(err)
	}
	e.ConsumeAll()
	for second := 1; b.Loop(); second++ {
		passed := time.Duration(second) * time.Second
		for i := range list {
			list[i].MOSTrend = append(list[i].MOSTrend[1:60:60], 3.6+float64((i+second)%5)/10)
		}
		frame := client.Sessions{SessionsFrame: rest.SessionsFrame{T: far.Add(passed), Upsert: list}}
		s.feed.take(app.Context{}, []client.Frame{frame}, noon.Add(passed))
		probe.ctx.Dispatch(func(app.Context) {})
		e.ConsumeAll()
	}
}

// tickProbe stands around a page to get at go-app's context, which a page is
// given only in a browser.
type tickProbe struct {
	app.Compo
	page *Sessions
	ctx  app.Context
}

func (p *tickProbe) OnPreRender(ctx app.Context) { p.ctx = ctx }
func (p *tickProbe) Render() app.UI              { return app.Div().Body(p.page.Render()) }

func TestRowsOutOfSightStayAsTheyWere(t *testing.T) {
	p := after(snap(one("a", quality.Good), one("b", quality.Good), one("c", quality.Good)))
	ids := []string{"a", "b", "c"}
	first := func(i int) bool { return i == 0 }
	before := rowStates(ids[:2], p, far, nil, rowLooks{}, first)
	next := rowStates([]string{"b", "a", "c"}, p, far.Add(time.Second), before, rowLooks{}, first)
	for i, want := range []time.Time{far.Add(time.Second), far, far.Add(time.Second)} {
		// b is in sight now, a no longer is, c was never drawn.
		if got := next[i]; got.session.ID != []string{"b", "a", "c"}[i] || !got.at.Equal(want) {
			t.Errorf("row %d is %s at %v, want %v", i, got.session.ID, got.at, want)
		}
	}
}

// TestRowsHoldStill: the table keeps an order for orderHolds, though levels change
// each second.
func TestRowsHoldStill(t *testing.T) {
	s := NewSessions(nil)
	at := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	turn := func(worst string, after time.Duration) []string {
		sessions := map[string]session{}
		for _, id := range []string{"a", "b"} {
			one := session{Session: rest.Session{ID: id, Quality: quality.Verdict{Level: quality.Good}}}
			if id == worst {
				one.Quality.Level = quality.Poor
			}
			sessions[id] = one
		}
		s.feed.now, s.feed.shown = at.Add(after), picture{known: true, at: at.Add(after), heard: at.Add(after), sessions: sessions}
		s.arrange()
		return s.order
	}
	for _, step := range []struct {
		worst string
		after time.Duration
		first string
	}{{"b", 0, "b"}, {"a", time.Second, "b"}, {"a", orderHolds - 1, "b"}, {"a", orderHolds, "a"}, {"b", orderHolds + time.Second, "a"}} {
		if got := turn(step.worst, step.after); got[0] != step.first {
			t.Errorf("after %v: %v, want %s first", step.after, got, step.first)
		}
	}
}

// On a narrow page the selects are behind a button, which tells how many are set, and
// opens them.
func TestFiltersOfSessionsAreBehindAButton(t *testing.T) {
	s := NewSessions(nil)
	s.filter.agent, s.filter.longer = "parrot", "5m"
	closed := app.HTMLString(s.filterBar())
	s.areFiltersOpen = true
	open := app.HTMLString(s.filterBar())
	if !strings.Contains(closed, "Filters · 2") || !strings.Contains(closed, `aria-expanded="false"`) || strings.Contains(closed, "filter-more is-open") {
		t.Errorf("closed: %s", closed)
	}
	if strings.Contains(open, `aria-expanded="false"`) || !strings.Contains(open, "filter-more is-open") || !strings.Contains(open, `id="session-cause"`) {
		t.Errorf("open: %s", open)
	}
}
