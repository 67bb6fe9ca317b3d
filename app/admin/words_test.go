package admin

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/quality"
	"parley/shared/rest"
)

// calls makes a picture with so many calls of each level.
func calls(limit int, n map[quality.Level]int, verdicts ...quality.Verdict) picture {
	var list []rest.Session
	for l, count := range n {
		for i := range count {
			list = append(list, one(fmt.Sprint(l, i), l))
		}
	}
	for i, v := range verdicts {
		s := one(fmt.Sprint("v", i), v.Level)
		s.Quality = v
		list = append(list, s)
	}
	p := after(snap(list...))
	p.stats = rest.Stats{Cap: limit, Started: int64(len(list))}
	return p
}

func TestSentence(t *testing.T) {
	type levels = map[quality.Level]int
	loss := quality.Verdict{Level: quality.Poor, Cause: quality.CauseLoss, Direction: quality.ToAgent, Value: 8.1}
	light := quality.Verdict{Level: quality.Fair, Cause: quality.CauseLoss, Direction: quality.ToCaller, Value: 4.99}
	delay := quality.Verdict{Level: quality.Poor, Cause: quality.CauseDelay, Direction: quality.ToAgent, Value: 410}
	jitter := quality.Verdict{Level: quality.Fair, Cause: quality.CauseJitter, Direction: quality.ToAgent}
	busy := quality.Verdict{Level: quality.Poor, Cause: quality.CauseCPU}
	bare := quality.Verdict{Level: quality.Poor}
	idle := calls(100, nil)
	idle.stats.Started = 7
	cases := map[string]struct {
		p    picture
		want string
	}{
		"never":              {calls(100, nil), "No calls yet."},
		"nobody now":         {idle, "No one is calling right now."},
		"one new":            {calls(100, levels{quality.None: 1}), "One call, with no figures yet."},
		"some new":           {calls(100, levels{quality.None: 3}), "3 calls, with no figures yet."},
		"one well":           {calls(100, levels{quality.Good: 1}), "The one call is good or better."},
		"all well":           {calls(100, levels{quality.Good: 2, quality.Excellent: 40}), "All 42 calls are good or better."},
		"well and new":       {calls(100, levels{quality.Good: 2, quality.None: 1}), "2 of 2 calls are good or better. 1 more has no figures yet."},
		"one poor":           {calls(100, levels{quality.Excellent: 41}, loss), "41 of 42 calls are good or better. 1 poor call: heavy loss from caller to agent."},
		"only one, and poor": {calls(100, nil, busy), "The one call is poor: a busy device."},
		"only one, and fair": {calls(100, nil, light), "The one call is fair: loss from agent to caller."},
		"only one, no cause": {calls(100, nil, bare), "The one call is poor."},
		"one fair":           {calls(100, levels{quality.Good: 1}, light), "1 of 2 calls are good or better. 1 fair call: loss from agent to caller."},
		"poor and fair": {calls(100, levels{quality.Good: 1}, loss, loss, delay, jitter),
			"1 of 5 calls are good or better. 3 poor, 1 fair: mostly heavy loss from caller to agent."},
		"several fair": {calls(100, levels{quality.Good: 1}, jitter, jitter),
			"1 of 3 calls are good or better. 2 fair calls: an uneven connection from caller to agent."},
		"a tie":       {calls(100, levels{quality.Good: 1}, loss, delay), "1 of 3 calls are good or better. 2 poor calls: several causes."},
		"no cause":    {calls(100, levels{quality.Good: 1}, bare), "1 of 2 calls are good or better. 1 poor call."},
		"79 of 100":   {calls(100, levels{quality.Good: 79}), "All 79 calls are good or better."},
		"80 of 100":   {calls(100, levels{quality.Good: 80}), "All 80 calls are good or better. Most lines are in use."},
		"95 of 100":   {calls(100, levels{quality.Good: 95}), "All 95 calls are good or better. Nearly all lines are in use."},
		"100 of 100":  {calls(100, levels{quality.Good: 100}), "All 100 calls are good or better. All lines are in use; new callers are refused."},
		"unknown cap": {calls(0, levels{quality.Good: 2}), "All 2 calls are good or better."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := sentence(c.p); got != c.want {
				t.Errorf("%q, want\n%q", got, c.want)
			}
		})
	}
}

func TestSentenceCarriesNoMeasurement(t *testing.T) {
	a := calls(100, nil, quality.Verdict{Level: quality.Poor, Cause: quality.CauseLoss, Value: 8.1, MOS: 2.6})
	b := calls(100, nil, quality.Verdict{Level: quality.Poor, Cause: quality.CauseLoss, Value: 9.4, MOS: 2.4})
	if sentence(a) != sentence(b) {
		t.Errorf("%q became %q though its meaning is the same", sentence(a), sentence(b))
	}
}

func TestLiveLine(t *testing.T) {
	type levels = map[quality.Level]int
	for want, p := range map[string]picture{
		"No live calls.":         calls(100, nil),
		"1 live call.":           calls(100, levels{quality.Good: 1}),
		"43 live calls, 1 poor.": calls(100, levels{quality.Good: 42, quality.Poor: 1}),
	} {
		if got := liveLine(p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSaidStandsLongEnough(t *testing.T) {
	s := throttledText{}.update("a", noon, 30*time.Second)
	if s.text != "a" {
		t.Fatalf("the first text is %q", s.text)
	}
	if got := s.update("b", noon.Add(30*time.Second-1), 30*time.Second); got.text != "a" {
		t.Errorf("changed to %q a nanosecond early", got.text)
	}
	if got := s.update("b", noon.Add(30*time.Second), 30*time.Second); got.text != "b" {
		t.Errorf("still %q after 30 s", got.text)
	}
	if got := s.update("a", noon.Add(time.Hour), 30*time.Second); got != s {
		t.Error("the same text counts as a change")
	}
}

func TestFilterGoesThroughTheAddress(t *testing.T) {
	cases := map[string]struct {
		address string
		want    filter
		back    string
	}{
		"nothing":      {"", filter{}, ""},
		"all of it":    {"q=ann%20b&quality=fair,poor&state=reconnecting&idle=25m&path=relay", filter{text: "ann b", levels: []quality.Level{quality.Poor, quality.Fair}, doing: rest.DoingReconnecting, quiet: true, relay: true}, "quality=poor,fair&state=reconnecting&idle=25m&path=relay&q=ann+b"},
		"unknown":      {"quality=awful,poor&state=x&idle=1h&place=a", filter{levels: []quality.Level{quality.Poor}}, "quality=poor"},
		"more":         {"agent=parrot&state=thinking&cause=loss&longer=5m&sort=-age", filter{agent: "parrot", doing: rest.DoingThinking, cause: "loss", longer: "5m", sort: "age", down: true}, "state=thinking&agent=parrot&cause=loss&longer=5m&sort=-age"},
		"awkward text": {"q=%26%3D%22%3C", filter{text: `&="<`}, "q=%26%3D%22%3C"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			q, err := url.ParseQuery(c.address)
			if err != nil {
				t.Fatal(err)
			}
			got := readFilter(q)
			if fmt.Sprint(got) != fmt.Sprint(c.want) || got.query() != c.back {
				t.Errorf("read %+v, written %q; want %+v, %q", got, got.query(), c.want, c.back)
			}
			if got.isEmpty() != (c.back == "") {
				t.Errorf("empty is %t", got.isEmpty())
			}
		})
	}
}

// TestFilterAsksInTheInterfacesWords: what passes is then decided where the server
// decides it.
func TestFilterAsksInTheInterfacesWords(t *testing.T) {
	f := filter{text: " ann ", levels: []quality.Level{quality.Poor, quality.Fair}, quiet: true, relay: true, agent: "parrot", node: "eu-1", cause: "loss", longer: "5m",
		doing: rest.DoingMuted, sort: "age", columns: "buffer"}
	want := rest.ActiveQuery{Q: "ann", Quality: "poor,fair", IdleS: 1500, Agent: "parrot", Node: "eu-1", Cause: quality.CauseLoss, LongerS: 300, Path: rest.PathRelay, Doing: rest.DoingMuted}
	if got := f.asked(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := (filter{longer: "long"}).asked(); got != (rest.ActiveQuery{}) {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestFilterToggle(t *testing.T) {
	f := filter{}.toggle(quality.Fair).toggle(quality.Poor)
	if got := f.query(); got != "quality=poor,fair" {
		t.Errorf("query %q", got)
	}
	if got := f.toggle(quality.Poor).toggle(quality.Fair); !got.isEmpty() {
		t.Errorf("query %q", got.query())
	}
}

func TestAttention(t *testing.T) {
	soon := func(id string, left time.Duration) rest.Session {
		s := one(id, quality.Good)
		at := far.Add(left)
		s.EndsAt = &at
		return s
	}
	lost := one("lost", quality.None)
	lost.State = "reconnecting"
	stuck := one("stuck", quality.None)
	stuck.State, stuck.StartedAt = "connecting", far.Add(-setupSlow-1)
	setup := one("setup", quality.None)
	setup.State, setup.StartedAt = "connecting", far.Add(-setupSlow)
	caused := one("caused", quality.Poor)
	caused.Quality = quality.Verdict{Level: quality.Poor, Cause: quality.CauseLoss, Direction: quality.ToAgent, Value: 8}
	p := after(snap(one("fine", quality.Good), one("fair", quality.Fair), lost, stuck, setup, caused,
		soon("later", endsSoon+1), soon("two", endsSoon), soon("now", time.Second)))
	p = apply(p, upsert(ended("never", "")), noon)

	var got []string
	for _, n := range attention(p, far) {
		got = append(got, n.session.ID+": "+n.reason())
	}
	want := []string{"caused: loss 8.0 %, caller → agent", "lost: reconnecting", "stuck: still connecting",
		"fair: fair", "now: ends in 0:01", "two: ends in 2:00"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCapLevel(t *testing.T) {
	for live, want := range map[int]quality.Level{0: "", 79: "", 80: quality.Fair, 94: quality.Fair, 95: quality.Poor, 100: quality.Poor, 101: quality.Poor} {
		if got := capLevel(live, 100); got != want {
			t.Errorf("%d of 100: %q, want %q", live, got, want)
		}
	}
	if got := capLevel(5, 0); got != "" {
		t.Errorf("without a cap: %q", got)
	}
}

func TestStateWord(t *testing.T) {
	type change func(*session)
	cases := map[string]change{
		"Listening":    func(*session) {},
		"Thinking":     func(s *session) { s.AgentState = "thinking" },
		"Speaking":     func(s *session) { s.AgentState = "speaking" },
		"Connecting":   func(s *session) { s.State = "connecting" },
		"Reconnecting": func(s *session) { s.State = "reconnecting" },
		"Muted":        func(s *session) { s.Muted = true },
		"Quiet":        func(s *session) { s.LastActiveAt = far.Add(-rest.QuietAfter) },
		"Ended":        func(s *session) { s.gone = noon },
	}
	for want, c := range cases {
		s := session{Session: one("a", quality.Good)}
		c(&s)
		if got := stateWord(s, far); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestCauseCell(t *testing.T) {
	cases := map[string]struct {
		s    session
		want []string
	}{
		"a line": {session{Session: rest.Session{Quality: quality.Verdict{Level: quality.Poor, Cause: quality.CauseLoss, Direction: quality.ToAgent, Value: 8.1}}},
			[]string{"loss 8.1 % ↑", "loss 8.1 %, caller → agent"}},
		"the other way": {session{Session: rest.Session{Quality: quality.Verdict{Level: quality.Fair, Cause: quality.CauseDelay, Direction: quality.ToCaller, Value: 310}}},
			[]string{"delay 310 ms ↓", "delay 310 ms, agent → caller"}},
		"an admin's reason": {session{gone: noon, Session: rest.Session{EndCause: "admin_ended", EndReason: "maintenance"}}, []string{"maintenance", "Ended: maintenance"}},
		"an end":            {session{gone: noon, Session: rest.Session{EndCause: "caller_left"}}, []string{"caller ended", "Ended: caller ended"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { holds(t, app.HTMLString(cause(c.s)), c.want...) })
	}
	lacks(t, app.HTMLString(cause(session{})), "sr-only")
}
