package logs

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/shared/rest"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

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

// kept is a server with these lines, and what it was asked for.
type kept struct {
	logs     []rest.LogEntry
	audit    []rest.AuditEntry
	chain    rest.Chain
	next     string
	counts   rest.Counts
	askedFor *rest.LogQuery
}

func (k kept) Logs(_ context.Context, q rest.LogQuery) (rest.Page[rest.LogEntry], error) {
	*k.askedFor = q
	return rest.Page[rest.LogEntry]{Items: k.logs, NextCursor: k.next}, nil
}

func (k kept) Audit(context.Context, rest.AuditQuery) (rest.AuditPage, error) {
	return rest.AuditPage{Items: k.audit, Chain: k.chain, NextCursor: k.next}, nil
}

func (k kept) LogCounts(_ context.Context, q rest.LogQuery) (rest.Counts, error) {
	return k.counts, nil
}

func (k kept) AuditCounts(context.Context, rest.AuditQuery) (rest.Counts, error) {
	return k.counts, nil
}

func (k kept) Settings(context.Context) (rest.Settings, error) {
	return rest.Settings{Settings: map[string]rest.Setting{rest.SettingLogRetention: {Value: 30.0}, rest.SettingPrivacy: {Value: true}}}, nil
}

// mounted is a page as in a browser: elsewhere go-app mounts nothing.
type mounted struct{ *Log }

func (m mounted) OnPreRender(ctx app.Context) { m.OnMount(ctx) }

// shown draws a page that has asked its server.
func shown(t *testing.T, l *Log) string {
	t.Helper()
	page := &mounted{l}
	e := app.NewTestEngine()
	if err := e.Load(page); err != nil {
		t.Fatal(err)
	}
	e.ConsumeAll()
	l.OnDismount()
	return app.HTMLString(page)
}

func entry(id int64, status int) rest.LogEntry {
	return rest.LogEntry{ID: id, T: noon.Add(time.Duration(id) * time.Second), Kind: rest.LogAPI, Method: "GET", Path: "/api/v1/me", Status: status,
		DurationMS: 3.2, User: "+90•••••34", Remote: "203.0.113.•", RequestID: "req_8F3K7Q2M", Session: "sess_7Q2M", Node: "a"}
}

func TestAccessLog(t *testing.T) {
	var asked rest.LogQuery
	l := NewAccess(kept{logs: []rest.LogEntry{entry(2, 503), entry(1, 200)}, next: "c1", askedFor: &asked})
	l.opened["2"] = true
	html := shown(t, l)
	holds(t, html, "Access logs", "Kept 30 days, since ", "masked before they&#39;re written", "503", "Unavailable", "✕", "3 ms", "+90•••••34", "203.0.113.•", "req_8F3K7…",
		"2 requests, 1 failed", "Load 100 more", "Open session", "/admin/sessions/sess_7Q2M", "Filter on path /api/v1/me", "Copy JSON",
		"format=csv", "format=ndjson", "format=json", "Copy curl")
	lacks(t, html, "style=", "audit chain")
	if asked.Limit != rest.DefaultLimit || asked.From.IsZero() || !asked.To.IsZero() {
		t.Errorf("asked for %+v", asked)
	}
	if got := l.asked.Get("to"); got != "2026-11-21T12:00:02.001Z" {
		t.Errorf("what is asked for later ends at %s", got)
	}
	if strings.Contains(l.exportPath("csv"), "limit") || !strings.HasPrefix(l.exportPath("csv"), "/api/v1/monitoring/export/logs?format=csv&from=") {
		t.Errorf("export %s", l.exportPath("csv"))
	}
}

// TestTheHistogramIsOfAllOfTheTime where not all lines are loaded, once they are
// counted; newer ones that come in are counted with them.
func TestTheHistogramIsOfAllOfTheTime(t *testing.T) {
	var asked rest.LogQuery
	counts := rest.Counts{From: noon.Add(-time.Hour), To: noon.Add(time.Minute), Bars: []rest.CountBar{{All: 800, Errors: 20}, {All: 100}}}
	l := NewAccess(kept{logs: []rest.LogEntry{entry(2, 503), entry(1, 200)}, next: "c1", counts: counts, askedFor: &asked})
	holds(t, shown(t, l), "900 requests, 20 failed")
	l.take([]line{{id: "3", at: noon.Add(30 * time.Second), isError: true}})
	holds(t, app.HTMLString(l.histogram()), "901 requests, 21 failed")
	whole := NewAccess(kept{logs: []rest.LogEntry{entry(2, 503)}, counts: counts, askedFor: &asked})
	holds(t, shown(t, whole), "1 requests, 1 failed")
	counts.IsPartial = true
	part := NewAccess(kept{logs: []rest.LogEntry{entry(2, 503)}, next: "c1", counts: counts, askedFor: &asked})
	holds(t, shown(t, part), "1 requests, 1 failed")
}

func TestAuditLog(t *testing.T) {
	e := rest.AuditEntry{ID: 9, Seq: 4812, T: noon, Actor: "root", Action: rest.AuditSettings, Target: "settings", Outcome: "denied", Reason: "maintenance",
		Details: map[string]any{"idle_timeout_minutes": map[string]any{"old": 30, "new": 20}, "rows": 2}}
	intact := NewAudit(kept{audit: []rest.AuditEntry{e}, chain: rest.Chain{Intact: true, CheckedTo: 4812, CheckedAt: noon}})
	intact.opened["9"] = true
	html := shown(t, intact)
	holds(t, html, "Audit log", "changed settings", "denied", "maintenance", "Chain intact to entry 4\u202f812", "Verify", "All 1 entries shown.",
		"idle_timeout_minutes", "diff-old", "30", "20")
	broken := NewAudit(kept{audit: []rest.AuditEntry{e}, chain: rest.Chain{BrokenAt: 4812}})
	holds(t, shown(t, broken), "The audit chain is broken at entry 4\u202f812. Lines after it can&#39;t be trusted.", "tone-danger")
}

func TestPagesPrerenderTheirSkeleton(t *testing.T) {
	for name, page := range map[string]app.Composer{"access": NewAccess(nil), "audit": NewAudit(nil), "activity": NewActivity(nil)} {
		t.Run(name, func(t *testing.T) {
			e := app.NewTestEngine()
			if err := e.Load(page); err != nil {
				t.Fatal(err)
			}
			e.ConsumeAll()
			holds(t, app.HTMLString(page), `class="skeleton`, "<h1")
		})
	}
}

func TestALinkAsksForOneLine(t *testing.T) {
	l := NewAccess(nil)
	l.filters.Set("id", "req_8F3K7Q2M", "since", "1h", "limit", "500")
	if got := l.query(noon).Encode(); got != "limit=500&q=req_8F3K7Q2M" {
		t.Errorf("asked for %s", got)
	}
	if got := l.kind.link(line{key: "req_8F3K"}); got != "id=req_8F3K" {
		t.Errorf("link %s", got)
	}
	at := line{key: "7", at: noon.Add(300 * time.Millisecond)}
	if got := auditLog().link(at); got != "from=2026-11-21T12:00:00Z&to=2026-11-21T12:00:01Z&id=7" {
		t.Errorf("link %s", got)
	}
}

func TestAnAddressMayAskForAnyPageSize(t *testing.T) {
	l := NewAccess(nil)
	for asked, want := range map[string]int{"": 100, "50": 50, "500": 500, "7": 100, "many": 100} {
		l.filters.Set("limit", asked)
		if got := l.size(); got != want {
			t.Errorf("%q gives %d rows", asked, got)
		}
	}
}

func TestBars(t *testing.T) {
	got := bars([]line{{at: noon, isError: true}, {at: noon.Add(time.Hour)}, {at: noon.Add(30 * time.Minute)}}, noon, noon.Add(time.Hour))
	if got[0].All != 1 || got[0].Errors != 1 || got[30].All != 1 || got[59].All != 1 {
		t.Errorf("%v", got)
	}
	if one := bars([]line{{at: noon}}, noon, noon); one[0].All != 1 {
		t.Errorf("one moment: %v", one)
	}
}

// tailing is a page with the lines 2 and 1, whose tail is on.
func tailing() *Log {
	l := NewAccess(nil)
	l.asked, l.tail.on = url.Values{"to": {"x"}}, true
	l.lines = []line{{id: "2", at: noon.Add(2 * time.Second)}, {id: "1", at: noon}}
	return l
}

func TestNewerLinesComeInOnce(t *testing.T) {
	l := tailing()
	l.take([]line{{id: "3", at: noon.Add(3 * time.Second)}, {id: "2", at: noon.Add(2 * time.Second)}})
	if len(l.lines) != 3 || l.lines[0].id != "3" || len(l.tail.held) != 0 || l.asked.Get("to") != "2026-11-21T12:00:03.001Z" {
		t.Errorf("%d lines, %d held, to %s", len(l.lines), len(l.tail.held), l.asked.Get("to"))
	}
}

func TestNewerLinesWaitForWhoReads(t *testing.T) {
	l := tailing()
	l.opened["1"] = true
	l.take([]line{{id: "3", at: noon.Add(3 * time.Second)}})
	l.take([]line{{id: "4", at: noon.Add(4 * time.Second)}, {id: "3", at: noon.Add(3 * time.Second)}})
	if len(l.lines) != 2 || len(l.tail.held) != 2 || l.newest() != noon.Add(4*time.Second) {
		t.Fatalf("%d lines, %d held", len(l.lines), len(l.tail.held))
	}
	holds(t, app.HTMLString(l.newer()), "2 new ↑")
	holds(t, app.HTMLString(l.pill()), "Paused · 2 new")
	l.showNewer()
	if len(l.lines) != 4 || l.lines[0].id != "4" || l.newer() != nil {
		t.Errorf("%d lines", len(l.lines))
	}
}

// feed is a page that has heard of these frames.
func feed(a *Activity, frames ...client.Frame) *Activity {
	a.take(frames, noon)
	return a
}

func happened(kind, what string, seconds int) rest.Activity {
	return rest.Activity{At: noon.Add(time.Duration(seconds) * time.Second), Kind: kind, What: what, User: "+90•••••34", Remote: "203.0.113.•", Session: "sess_7Q2M", Detail: "poor"}
}

func frame(items ...rest.Activity) client.Activities {
	return client.Activities{ActivityFrame: rest.ActivityFrame{Items: items}}
}

func snapshot(items ...rest.Activity) client.Snapshot {
	return client.Snapshot{Snapshot: rest.Snapshot{Activities: items}}
}

func TestActivityFeed(t *testing.T) {
	a := feed(NewActivity(nil), client.Status{State: client.Live}, snapshot(happened(rest.ActivityCall, rest.CallStarted, 1)),
		frame(happened(rest.ActivityQuality, rest.QualityFell, 2)))
	html := app.HTMLString(a.Render())
	holds(t, html, `role="log"`, `aria-live="off"`, "Call started", "Quality fell to poor", "+90•••••34", "203.0.113.•", "Saturday, 21 November 2026", "Announce new items", "Live")
	if strings.Index(html, "Call started") > strings.Index(html, "Quality fell") {
		t.Error("the newest isn't last")
	}
	a.filters.Set("kind", "call,admin")
	lacks(t, app.HTMLString(a.Render()), "Quality fell to poor")
	a.filters.Set("kind", "", "q", "FELL")
	lacks(t, app.HTMLString(a.Render()), "Call started")
	a.filters.Set("q", "nobody")
	holds(t, app.HTMLString(a.Render()), "No activities match these filters.", "Clear filters")
	holds(t, app.HTMLString(feed(NewActivity(nil), snapshot()).Render()), "Nothing has happened yet.")
}

func TestAPausedFeedCountsWhatComes(t *testing.T) {
	a := feed(NewActivity(nil), snapshot(happened(rest.ActivityCall, rest.CallStarted, 1)))
	a.paused = true
	feed(a, frame(happened(rest.ActivityCall, rest.CallEnded, 2), happened(rest.ActivityCall, rest.CallEnded, 3)))
	html := app.HTMLString(a.Render())
	holds(t, html, "2 new ↓", "Paused · 2 new")
	lacks(t, html, "Call ended")
}

func TestAFeedKeepsItsBound(t *testing.T) {
	a := NewActivity(nil)
	for i := range mostActivities + 1 {
		feed(a, frame(happened(rest.ActivityCall, rest.CallStarted, i)))
	}
	if len(a.kept) != mostActivities || a.drawn != mostActivities || len(a.passing()) != drawnAtOnce {
		t.Errorf("%d kept, %d drawn", len(a.kept), len(a.passing()))
	}
}

func TestAGapInTheFeedIsTold(t *testing.T) {
	a := feed(NewActivity(nil), snapshot(happened(rest.ActivityCall, rest.CallStarted, 1)))
	feed(a, snapshot(happened(rest.ActivityCall, rest.CallStarted, 1), happened(rest.ActivityCall, rest.CallEnded, 2)))
	lacks(t, app.HTMLString(a.Render()), "were not shown")
	lacks(t, app.HTMLString(a.Render()), "were not shown")
}

// counted are items that came when the server had counted n.
func counted(n int64, items ...rest.Activity) client.Snapshot {
	s := snapshot(items...)
	s.ActivityCount = n
	return s
}

// TestTheFeedSaysHowManyItMissed: by the server's count, and why.
func TestTheFeedSaysHowManyItMissed(t *testing.T) {
	first, second := happened(rest.ActivityCall, rest.CallStarted, 1), happened(rest.ActivityCall, rest.CallEnded, 9)
	next := func(n int64) client.Activities {
		f := frame(second)
		f.ActivityCount = n
		return f
	}
	live := client.Status{State: client.Live}
	anew := counted(3, second)
	anew.IsAnew = true
	for name, c := range map[string]struct {
		came []client.Frame
		want string // "" for nothing
	}{
		"all came":               {[]client.Frame{live, counted(40, first), next(41)}, ""},
		"the first is no loss":   {[]client.Frame{live, counted(1400, first)}, ""},
		"nothing new in between": {[]client.Frame{live, counted(40, first), live, counted(40, first)}, ""},
		"more than a frame has":  {[]client.Frame{live, counted(40, first), next(353)}, "312 events were not shown because they arrived too fast. They are in the access logs."},
		"too slow":               {[]client.Frame{live, counted(40, first), counted(353, second)}, "312 events were not shown because they arrived too fast. They are in the access logs."},
		"one":                    {[]client.Frame{live, counted(40, first), next(42)}, "1 event was not shown because it arrived too fast. It is in the access logs."},
		"twice":                  {[]client.Frame{live, counted(40, first), next(42), next(44)}, "2 events were not shown because they arrived too fast."},
		"away":                   {[]client.Frame{live, counted(40, first), live, counted(353, first, second)}, "312 events were not shown because this page was not connected. They are in the access logs."},
		"a server began anew":    {[]client.Frame{live, counted(40, first), live, anew, next(4)}, "Some events were not shown because this page was not connected. They are in the access logs."},
		"asked for, not told":    {[]client.Frame{live, counted(40, first), client.Snapshot{Polled: true}, next(41)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			html := app.HTMLString(feed(NewActivity(nil), c.came...).Render())
			if c.want == "" {
				lacks(t, html, "not shown")
			} else {
				holds(t, html, c.want)
			}
		})
	}
}

func TestEachThingThatHappensHasWords(t *testing.T) {
	seen := map[string]string{}
	for _, what := range []string{rest.SignedIn, rest.SignedOut, rest.CallStarted, rest.CallEnded, rest.CallReconnecting, rest.CallResumed,
		rest.CallTimedOut, rest.CallFailed, rest.QualityFell, rest.QualityRose, rest.AdminEndedCall,
		rest.SettingsChanged, rest.PersonRevealed, rest.PrivacyTurnedOn, rest.PrivacyTurnedOff} {
		words := whatWords(rest.Activity{What: what, Detail: "x"})
		if other, twice := seen[words]; twice || strings.Contains(words, "_") {
			t.Errorf("%s and %s are both %q", what, other, words)
		}
		seen[words] = what
	}
}
