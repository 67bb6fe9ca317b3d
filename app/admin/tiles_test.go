package admin

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// TestTheLiveTileCountsTheLines that are left, and warns by colour where they run out.
func TestTheLiveTileCountsTheLines(t *testing.T) {
	for name, test := range map[string]struct {
		live, limit int
		says, lacks []string
	}{
		"nobody":          {0, 100, []string{"of 100", "100 lines free", "bar-rest"}, []string{"bar-plain", "q1", "q2"}},
		"one line left":   {1, 2, []string{"of 2", "1 line free", "bar-plain"}, []string{"lines free"}},
		"nearly full":     {4, 5, []string{"1 line free", `class="bar-part q2"`}, []string{"bar-plain", `class="bar-part q1"`}},
		"full":            {5, 5, []string{"no line free", `class="bar-part q1"`}, []string{"bar-rest"}},
		"more than a cap": {6, 5, []string{"of 5", "no line free", `class="bar-part q1"`}, []string{"bar-rest", "-1"}},
		"a cap not told":  {3, 0, []string{"Live calls", ">3<"}, []string{"of 0", "free", "<svg"}},
	} {
		t.Run(name, func(t *testing.T) {
			html := app.HTMLString(liveTile(calls(test.limit, map[quality.Level]int{quality.Good: test.live})))
			holds(t, html, test.says...)
			lacks(t, html, test.lacks...)
		})
	}
}

// TestTheQualityTileCountsWhatIsRated: a call without figures is neither good nor bad.
func TestTheQualityTileCountsWhatIsRated(t *testing.T) {
	type levels = map[quality.Level]int
	for name, test := range map[string]struct {
		n           levels
		says, lacks []string
	}{
		"nobody":       {nil, []string{"–", `href="/admin/sessions"`}, []string{"good or better", "bar-part"}},
		"all new":      {levels{quality.None: 2}, []string{"2 no data"}, []string{"good or better", "quality=poor"}},
		"all well":     {levels{quality.Good: 1, quality.Excellent: 2}, []string{"of 3 good or better", "2 excellent · 1 good"}, []string{"quality=poor", "poor"}},
		"one new":      {levels{quality.Good: 1, quality.None: 1}, []string{"of 1 good or better", "1 good · 1 no data"}, nil},
		"only fair":    {levels{quality.Fair: 2}, []string{">0<", "of 2 good or better", "quality=poor,fair"}, []string{"excellent"}},
		"of each kind": {levels{quality.Excellent: 1, quality.Good: 1, quality.Fair: 1, quality.Poor: 1}, []string{"of 4 good or better", "1 excellent · 1 good · 1 fair · 1 poor"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			html := app.HTMLString(qualityTile(calls(100, test.n)))
			holds(t, html, test.says...)
			lacks(t, html, test.lacks...)
		})
	}
}

// TestTheEndedTileHasNoShareOfNothing: before a call has ended, none failed and none went well.
func TestTheEndedTileHasNoShareOfNothing(t *testing.T) {
	none := app.HTMLString(endedTile(nil, "in this time"))
	holds(t, none, "no call has ended in this time")
	lacks(t, none, "%", "0")
	holds(t, app.HTMLString(endedTile(map[wire.EndCause]int64{wire.CallerLeft: 3}, "in this time")), "0 %", "of 3 ended in this time")
	holds(t, app.HTMLString(endedTile(map[wire.EndCause]int64{wire.CallerLeft: 3, wire.MediaFailed: 1}, "since the server started")),
		"25 %", "of 4 ended since the server started")
}

// TestTheTotalsTile tells what was ever, and today's callers.
func TestTheTotalsTile(t *testing.T) {
	now := time.Date(2026, 3, 4, 1, 0, 0, 0, time.UTC)
	lacks(t, app.HTMLString(totalsTile(rest.Totals{}, now)), ">0<", "today", "svg", "no call") // not known yet
	holds(t, app.HTMLString(totalsTile(rest.Totals{Days: []rest.DayTotal{}}, now)), "no call has ended yet")
	html := app.HTMLString(totalsTile(rest.Totals{Since: "2025-11-30", Calls: 12_345, Minutes: 5_432.4, Days: []rest.DayTotal{
		{Day: "2026-03-04", Calls: 7, Users: 2}, {Day: "2026-03-01", Calls: 9, Users: 8}, {Day: "2025-12-01", Calls: 99, Users: 1}}}, now))
	holds(t, html, "12.3 k", ui.Count(5432)+" min", "since 30 Nov 2025, 2 callers today", "today 7, most 9")
}

// TestTheRefusedTileNamesTheTwoMost frequent refusals, and counts them all.
func TestTheRefusedTileNamesTheTwoMost(t *testing.T) {
	p := calls(100, nil)
	holds(t, app.HTMLString(refusedTile(p)), ">0<", "Refused", "since the server started; every caller got a line")
	p.stats.Refused = map[string]int64{"forbidden": 1, "rate_limited": 1200, "user_cap": 30, "draining": 0}
	html := app.HTMLString(refusedTile(p))
	holds(t, html, ui.Count(1200)+" too fast · 30 already in a call")
	lacks(t, html, "without rights", "server restarting")
	p.stats.Refused = map[string]int64{"b_code": 2, "a_code": 2}
	holds(t, app.HTMLString(refusedTile(p)), "2 a code · 2 b code") // of as many, by name: they would change places
}

// TestARefusalIsInWords: no code of the interface is shown as it is.
func TestARefusalIsInWords(t *testing.T) {
	seen := map[string]bool{}
	for _, code := range []rest.ProblemCode{
		rest.CodeCapReached, rest.CodeUserCap, rest.CodeOrgCap, rest.CodeDraining, rest.CodePaused, rest.CodeUnauthorized, rest.CodeForbidden, rest.CodeRateLimited, rest.CodeOrigin,
		rest.CodePrivacyBlock, rest.CodeBudgetSpent, rest.CodeAgentUnavailable,
	} {
		word := refusalWord(string(code))
		if word == "" || strings.Contains(word, "_") || seen[word] {
			t.Errorf("%s is shown as %q", code, word)
		}
		seen[word] = true
	}
}

// TestABarIsFilledToItsEnd, whatever it is made of: no part overlaps another, and none
// leaves a gap.
func TestABarIsFilledToItsEnd(t *testing.T) {
	number := regexp.MustCompile(` (x|width)="(\d+)"`)
	for _, parts := range [][]int{{1}, {1, 1, 1}, {7, 0, 3}, {1, 999}, {1, 5000}, {333, 333, 334}, {0, 2}, {13, 29, 31, 5, 1}} {
		var of []part
		for i, n := range parts {
			of = append(of, part{fmt.Sprint("c", i), n})
		}
		end := 0
		found := number.FindAllStringSubmatch(app.HTMLString(bar(of)), -1)
		sizes := map[string][]int{}
		for _, f := range found {
			n, _ := strconv.Atoi(f[2])
			sizes[f[1]] = append(sizes[f[1]], n)
		}
		for i, x := range sizes["x"] {
			if x != end {
				t.Errorf("%v: part %d begins at %d, the one before ends at %d", parts, i, x, end)
			}
			end = x + sizes["width"][i]
		}
		if end != barWidth {
			t.Errorf("%v: filled to %d of %d", parts, end, barWidth)
		}
	}
	lacks(t, app.HTMLString(bar([]part{{"c", 0}})), "<rect")
}

// TestTheEndsOfCallsAreCounted, most frequent first, in words that no code shows through.
func TestTheEndsOfCallsAreCounted(t *testing.T) {
	holds(t, app.HTMLString(endCauses(nil)), "No call has ended yet.")
	holds(t, app.HTMLString(endCauses(map[wire.EndCause]int64{wire.CallerLeft: 0})), "No call has ended yet.")
	html := app.HTMLString(endCauses(map[wire.EndCause]int64{wire.ConnectionLost: 25, wire.CallerLeft: 1100, wire.IdleTimeout: 79, "newer_cause": 1}))
	holds(t, html, ui.Count(1100), "quiet too long")
	lacks(t, html, "newer_cause", "idle_timeout")
	if first, last := strings.Index(html, "caller ended"), strings.Index(html, "connection lost"); first < 0 || last < first {
		t.Errorf("the most frequent is at %d, a rare one at %d", first, last)
	}
}

// TestTheListOfNeedsSaysWhatItLeavesOut, and that there is nothing, where there is.
func TestTheListOfNeedsSaysWhatItLeavesOut(t *testing.T) {
	needs := func(n int, why urgency) []need {
		var all []need
		for i := range n {
			all = append(all, need{session{Session: one(fmt.Sprint("s", i), quality.Poor)}, why, time.Minute})
		}
		return all
	}
	for n, more := range map[int]string{1: "", mostAttention: "", mostAttention + 1: "And 1 more", 1200 + mostAttention: "And " + ui.Count(1200) + " more"} {
		html := app.HTMLString(attentionList(needs(n, isPoor)))
		if got := strings.Count(html, "<li"); got != min(n, mostAttention) {
			t.Errorf("%d of %d are listed", got, n)
		}
		if more == "" {
			lacks(t, html, "more")
		} else {
			holds(t, html, more)
		}
	}
	holds(t, app.HTMLString(attentionList(nil)), "Nothing needs attention.")
	for why, sign := range map[urgency]string{isPoor: "Poor", isReconnecting: "No connection", isStuck: "No connection", isEnding: "Ends soon"} {
		html := app.HTMLString(attentionList(needs(1, why)))
		holds(t, html, `<span class="sr-only">`, sign, "/admin/sessions/s0")
		if hasAge := strings.Contains(html, "1 min"); hasAge == (why == isEnding) {
			t.Errorf("%s: the age is shown: %v", sign, hasAge)
		}
	}
}

// TestProblemsAreCounted: alerts first, then servers of the cluster that don't do as they should.
func TestProblemsAreCounted(t *testing.T) {
	node := func(name, state string, draining, heard bool) rest.Node {
		return rest.Node{Name: name, State: state, Draining: draining, Reachable: heard, Calls: 2}
	}
	well := cluster{node("a", "live", false, true), node("z", "left", false, false)}
	holds(t, app.HTMLString(problemsTile(nil, nil)), "–")
	one := map[string]rest.Alert{"1": {Title: "Poor calls"}}
	two := map[string]rest.Alert{"1": {ID: "1", Title: "Poor calls", RaisedAt: noon}, "2": {ID: "2", Title: "Slow agent", RaisedAt: far}}
	for name, test := range map[string]struct {
		alerts      map[string]rest.Alert
		nodes       cluster
		says, lacks []string
	}{
		"nothing":      {map[string]rest.Alert{}, well, []string{">0<", "alerts fire", "Nothing is wrong with the server.", `href="/admin/alerts"`}, []string{"tile-marked"}},
		"an alert":     {one, nil, []string{">1<", "alert fires", "Poor calls", "tile-marked"}, []string{"Nothing"}},
		"nodes":        {map[string]rest.Alert{}, append(well, node("b", "live", true, true), node("c", "lapsed", false, false)), []string{">0<", "1 node silent · 1 node draining", `href="/admin/nodes"`, "tile-marked"}, nil},
		"both of them": {two, cluster{node("b", "live", false, false)}, []string{">2<", "Slow agent · 1 node not heard", `href="/admin/alerts"`}, []string{"Poor calls"}},
	} {
		t.Run(name, func(t *testing.T) {
			html := app.HTMLString(problemsTile(test.alerts, test.nodes))
			holds(t, html, test.says...)
			lacks(t, html, test.lacks...)
		})
	}
	lacks(t, app.HTMLString(cluster{}.panel()), "panel")
	lacks(t, app.HTMLString(well[:1].panel()), "panel") // of one there is nothing to list
	html := app.HTMLString(append(well, node("b", "live", true, true)).panel())
	holds(t, html, "serving", "draining", "2 calls", ">b<")
	lacks(t, html, ">z<")
}

// TestTheChecklistKnowsOfTURN what the server that answers knows of its own.
func TestTheChecklistKnowsOfTURN(t *testing.T) {
	for state, want := range map[rest.TURNState]string{rest.TURNReachable: "TURN: reachable", rest.TURNUnreachable: "doesn&#39;t reach its own", rest.TURNOff: "TURN: off", "": ""} {
		html := app.HTMLString(checklist(cluster{{Self: true, TURN: state}, {TURN: rest.TURNOff}}))
		if want == "" {
			lacks(t, html, "TURN")
			continue
		}
		holds(t, html, want, "First admin: you", "First call: not yet")
	}
}

// TestAlertsAreFollowed, unless the stream is away: then nothing tells of them.
func TestAlertsAreFollowed(t *testing.T) {
	firing := func(ids ...string) (all []rest.Alert) {
		for _, id := range ids {
			all = append(all, rest.Alert{ID: id, State: rest.AlertFiring})
		}
		return all
	}
	whole := func(ids ...string) client.Snapshot {
		return client.Snapshot{Snapshot: rest.Snapshot{T: far, Alerts: firing(ids...)}}
	}
	changed := func(all ...rest.Alert) client.Alerts {
		return client.Alerts{AlertFrame: rest.AlertFrame{T: far, Items: all}}
	}
	polled := whole("a")
	polled.Polled = true
	for name, test := range map[string]struct {
		frames []client.Frame
		want   int // -1: not known
	}{
		"all that fire":    {[]client.Frame{whole("a", "b")}, 2},
		"one more":         {[]client.Frame{whole("a"), changed(firing("b", "a")...)}, 2},
		"one less":         {[]client.Frame{whole("a", "b"), changed(rest.Alert{ID: "a", State: rest.AlertResolved})}, 1},
		"asked for anew":   {[]client.Frame{whole("a", "b"), whole("c")}, 1},
		"polled":           {[]client.Frame{whole("a"), polled, changed(firing("b")...)}, -1},
		"nothing came yet": {nil, -1},
	} {
		p := after(test.frames...)
		if got := len(p.alerts); p.alerts == nil && test.want != -1 || p.alerts != nil && got != test.want {
			t.Errorf("%s: %v", name, p.alerts)
		}
	}
}

// TestBucketsHaveARoundLength, of which a title can tell.
func TestBucketsHaveARoundLength(t *testing.T) {
	for span, want := range map[time.Duration]string{
		10 * time.Second: "per 15 s", 15 * time.Minute: "per 15 s", time.Hour: "per minute", 6 * time.Hour: "per 5 min", 24 * time.Hour: "per 30 min",
		7 * 24 * time.Hour: "per 3 h", 30 * 24 * time.Hour: "per 12 h", 31 * 24 * time.Hour: "per 12 h", 60 * 24 * time.Hour: "per day", 3 * 24 * time.Hour: "per hour",
	} {
		if got := per(float64(stepOf(span))); got != want {
			t.Errorf("%v: %s, want %s", span, got, want)
		}
	}
}
