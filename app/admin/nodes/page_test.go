package nodes

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/rest"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// three are a cluster's: one that answers and leads, one that drains, one that is silent.
func three() *Page {
	return &Page{now: noon, nodes: []rest.Node{
		{Name: "a", Address: "https://a.example.org", Version: "1.2.3", State: stateLive, StartedAt: noon.Add(-3 * time.Hour), RenewedAt: noon.Add(-2 * time.Second),
			LeaseBy: noon.Add(13 * time.Second), Calls: 7, DelayMS: 1.4, Leader: true, Self: true, Reachable: true},
		{Name: "b", Version: "1.2.4", State: stateLive, RenewedAt: noon.Add(-4 * time.Second), Calls: 1, DelayMS: 40, Draining: true, Reachable: true},
		{Name: "c", Version: "1.2.4", State: stateLapsed, RenewedAt: noon.Add(-42 * time.Second), LeaseBy: noon.Add(-27 * time.Second), Calls: 2},
	}}
}

// TestFactsShowTheInterface: each fact shows the field that it is of, as it is written
// for people.
func TestFactsShowTheInterface(t *testing.T) {
	p := three()
	n := p.nodes[0]
	n.Self, n.MachineUsage = false, rest.MachineUsage{CPU: 0.34, ResidentBytes: 210 << 20, UDPErrors: 12}
	n.ClockSkewMS, n.HeartbeatAgeS = new(-700.0), new(1.4)
	n.Cap, n.Media, n.TURN = 100, "[::]:8081", rest.TURNReachable
	text, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{
		"calls": ">7 / 100<", "media_address": ">8081, UDP and TCP<", "turn": ">reachable<", "scheduling_delay_p50_ms": ui.Millis(1.4), "version": "1.2.3", "lease_by": "renewed 2 s ago",
		"started_at": ui.Age(3 * time.Hour), "address": "https://a.example.org", "cpu_ratio": ui.Ratio(0.34), "resident_bytes": ui.Bytes(210 << 20),
		"udp_receive_errors": "is-warning", "clock_skew_ms": ui.Millis(700) + " behind", "heartbeat_age_s": ui.Age(time.Second) + " ago",
	}
	if len(facts()) != len(shown) {
		t.Errorf("%d facts, %d are tested", len(facts()), len(shown))
	}
	for _, f := range facts() {
		if _, ok := fields[f.field]; !ok {
			t.Errorf("the interface has no %s", f.field)
		}
		if html := app.HTMLString(f.value(p, n)); shown[f.field] == "" || !strings.Contains(html, shown[f.field]) {
			t.Errorf("%s is shown as %s", f.field, html)
		}
	}
}

// TestFiguresStandOutWhereTheySayThatSomethingIsWrong, and only there.
func TestFiguresStandOutWhereTheySayThatSomethingIsWrong(t *testing.T) {
	of := func(change func(*rest.Node)) string {
		n := rest.Node{Name: "x", State: stateLive, Reachable: true, DelayMS: 25, ClockSkewMS: new(500.0), HeartbeatAgeS: new(1.0), MachineUsage: rest.MachineUsage{CPU: 1, ResidentBytes: 1}}
		change(&n)
		return app.HTMLString((&Page{now: noon, nodes: []rest.Node{n}}).card(n))
	}
	for name, c := range map[string]struct {
		change func(*rest.Node)
		want   bool
	}{
		"all well":            {func(*rest.Node) {}, false},
		"late packets":        {func(n *rest.Node) { n.DelayMS = 25.1 }, true},
		"packets lost":        {func(n *rest.Node) { n.UDPErrors = 1 }, true},
		"TURN not found":      {func(n *rest.Node) { n.TURN = rest.TURNUnreachable }, true},
		"TURN off":            {func(n *rest.Node) { n.TURN = rest.TURNOff }, false},
		"a clock ahead":       {func(n *rest.Node) { n.ClockSkewMS = new(501.0) }, true},
		"a clock behind":      {func(n *rest.Node) { n.ClockSkewMS = new(-501.0) }, true},
		"not heard":           {func(n *rest.Node) { n.Reachable = false }, true},
		"of another release":  {func(n *rest.Node) { n.ClockSkewMS, n.MachineUsage = nil, rest.MachineUsage{} }, false},
		"one that is stopped": {func(n *rest.Node) { n.State, n.DelayMS, n.HeartbeatAgeS = stateLeft, 0, new(900.0) }, false},
	} {
		if html := of(c.change); strings.Contains(html, "is-warning") != c.want {
			t.Errorf("%s: stands out %t: %s", name, !c.want, html)
		}
	}
}

// TestANodesStateSaysWhatItDoes, and what can be done about it.
func TestANodesStateSaysWhatItDoes(t *testing.T) {
	for name, test := range map[string]struct {
		node rest.Node
		says []string
		acts []string // all that there are
	}{
		"serving":  {rest.Node{State: stateLive, Reachable: true}, []string{"Serving"}, []string{"Drain "}},
		"in calls": {rest.Node{State: stateLive, LeaseBy: noon, Reachable: true, Calls: 3}, []string{"Serving", "/admin/sessions?node=x+y", "/admin/logs?node=x+y"}, []string{"Drain ", "End calls of "}},
		"draining": {rest.Node{State: stateLive, Reachable: true, Draining: true}, []string{"Draining"}, []string{"Undrain "}},
		"unheard":  {rest.Node{State: stateLive, Calls: 3}, []string{"Not heard"}, nil},
		"silent":   {rest.Node{State: stateLapsed, RenewedAt: noon.Add(-42 * time.Second), LeaseBy: noon.Add(-27 * time.Second)}, []string{"Silent 42 s", "ran out 27 s ago"}, nil},
		"lost":     {rest.Node{State: stateLost, LeaseBy: noon.Add(-time.Minute)}, []string{"Lost", "is-gone"}, nil},
		"stopped":  {rest.Node{State: stateLeft, RenewedAt: noon.Add(-time.Minute)}, []string{"Stopped", "given back", "is-gone"}, nil},
	} {
		test.node.Name = "x y"
		p := &Page{now: noon, nodes: []rest.Node{test.node}}
		html := strings.ReplaceAll(app.HTMLString(p.content()), "\u00a0", " ")
		for _, want := range test.says {
			if !strings.Contains(html, want) {
				t.Errorf("%s: no %q in %s", name, want, html)
			}
		}
		for _, act := range []string{"Drain ", "Undrain ", "End calls of "} {
			want := false
			for _, a := range test.acts {
				want = want || a == act
			}
			if strings.Contains(html, `"`+act+`x y"`) != want {
				t.Errorf("%s: %s offered: %t", name, act, !want)
			}
		}
	}
}

// TestTheClusterInASentence counts those that run.
func TestTheClusterInASentence(t *testing.T) {
	p := three()
	if got := p.sentence(); got != "1 node takes calls, 1 draining. 10 calls in all. 2 versions run side by side." {
		t.Error(got)
	}
	p.nodes = append(p.nodes[:1], rest.Node{Name: "d", State: stateLost, Calls: 9, Version: "0"}, rest.Node{Name: "e", State: stateLive, Version: "1.2.3"})
	if got := p.sentence(); got != "2 nodes take calls. 7 calls in all." {
		t.Error(got)
	}
	if html := app.HTMLString(p.content()); !strings.Contains(html, "Nodes can&#39;t see each other. Counts below are for this node only.") {
		t.Errorf("none of the others is heard: %s", html)
	}
	p.nodes = append(p.nodes, rest.Node{Name: "f", State: stateLive, Version: "1.2.3", Reachable: true})
	if html := app.HTMLString(p.content()); !strings.Contains(html, "hear e.") {
		t.Errorf("one that isn't heard: %s", html)
	}
}

// TestAServerAlone is told of as the only node, with how to have more.
func TestAServerAlone(t *testing.T) {
	p := &Page{now: noon, nodes: []rest.Node{{Name: "a", State: stateLive, StartedAt: noon, Calls: 2, Cap: 100, Leader: true, Self: true, Reachable: true}}}
	html := app.HTMLString(p.content())
	for _, want := range []string{"This is the only node. Draining it stops new calls for everyone.", ">2 / 100<", "--cluster", `"Drain a"`} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
	for _, not := range []string{"Lease", "node-beats", "Heard"} {
		if strings.Contains(html, ">"+not) {
			t.Errorf("%q in %s", not, html)
		}
	}
	p.selected = p.nodes[0]
	if got := p.drainWords(); got != "This is the only node. Draining it stops new calls for everyone. 2 live calls go on until they end." {
		t.Error(got)
	}
	p.nodes[0].Calls = 1 // while one thinks
	if got := p.drainWords(); !strings.HasSuffix(got, " 1 live call goes on until it ends.") {
		t.Error(got)
	}
	p.nodes[0].Draining = true
	if got := p.sentence(); got != "This is the only node, and it drains: nobody can start a call." {
		t.Error(got)
	}
}

// TestTheStripTellsEachSecondOfTheLastMinute.
func TestTheStripTellsEachSecondOfTheLastMinute(t *testing.T) {
	if beats(rest.Node{}) != nil {
		t.Error("there is a strip of nothing")
	}
	html := app.HTMLString(beats(rest.Node{Heartbeats: "101"}))
	for _, want := range []string{"Heard in 2 of the last 3", `d="M2875 10v180M2975 10v180"`, `d="M2925 150v40"`} {
		if !strings.Contains(strings.ReplaceAll(html, "\u00a0", " "), want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
}

// TestDrainingIsAskedFirst: for what it does to callers.
func TestDrainingIsAskedFirst(t *testing.T) {
	p := three()
	p.selected = p.nodes[0]
	if got := p.drainWords(); got != "No other node takes calls: draining this one stops new calls for everyone. 7 live calls go on until they end." {
		t.Error(got)
	}
	p.selected = p.nodes[1]
	if got := p.drainWords(); got != "No new calls here. 1 live call goes on until it ends." {
		t.Error(got)
	}
	for calls, phrase := range map[int]string{askNumberOver: "", askNumberOver + 1: "6"} {
		p.dialog, p.selected.Calls = endDialog, calls
		if d := p.dialogUI().(*ui.ConfirmWithReason); d.Phrase != phrase || d.NoReason {
			t.Errorf("%d calls: %q is to be typed", calls, d.Phrase)
		}
	}
}
