package detail

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

// stream is one direction with these ratings, one a second; a negative one is a gap.
func stream(leg rtcstats.Leg, d quality.Direction, by rtcstats.MeasuredBy, ratings ...float64) rest.StreamQuality {
	s := rest.StreamQuality{Leg: leg, Direction: d, MeasuredBy: by}
	for i, r := range ratings {
		p := rest.Point{At: at(i), Gap: r < 0}
		if r >= 0 {
			p.Metrics.R, p.Metrics.MOS = new(r), new(quality.MOS(r))
		}
		s.Series = append(s.Series, p)
	}
	return s
}

func pictureOf(streams ...rest.StreamQuality) picture {
	return picture{record: rest.SessionRecord{ID: "s", StartedAt: noon}, quality: rest.Connection{Streams: streams}}
}

// The worst of both legs counts, and whose leg that is.
func TestTheLineIsTheWorstOfBothLegs(t *testing.T) {
	p := pictureOf(
		stream(rtcstats.LegCaller, quality.ToAgent, rtcstats.ByServer, 85, 85, 40, 40, 85, -1),
		stream(rtcstats.LegCaller, quality.ToCaller, rtcstats.ByClient, 90, 75, 75, 30, 90, -1),
		stream(rtcstats.LegAgent, quality.ToCaller, rtcstats.ByServer, 90, 90, 90, 90, 20, -1),
		stream(rtcstats.LegCaller, quality.ToAgent, rtcstats.ByClient, 0, 0, 0, 0, 0, 0), // not believed
	)
	got := ""
	for _, r := range p.levels() {
		got += string(r.level) + "/" + string(r.owner) + " " + r.to.Sub(r.from).String() + "; "
	}
	if want := "excellent/ 1s; good/ 1s; poor/caller_network 2s; poor/agent_network 1s; none/ 1s; "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	names := []string{}
	for _, l := range p.lines() {
		names = append(names, l.name)
	}
	if got := strings.Join(names, ","); got != "Caller ↑,Caller ↓,Agent ↓" {
		t.Errorf("lines %s", got)
	}
}

func TestVerdicts(t *testing.T) {
	end := at(100)
	ended := func(q rest.RecordQuality) picture {
		return picture{record: rest.SessionRecord{StartedAt: noon, EndedAt: &end, Quality: q}}
	}
	poor := pictureOf(stream(rtcstats.LegCaller, quality.ToAgent, rtcstats.ByServer, 85, 40, 40, 40))
	poor.row = &rest.Session{
		Quality:     quality.Verdict{Level: quality.Poor, Cause: quality.CauseLoss, Direction: quality.ToAgent, Value: 8},
		PoorSeconds: map[quality.Owner]int{quality.OwnerCaller: 3},
	}
	for name, test := range map[string]struct {
		p    picture
		want string
	}{
		"nothing is known": {pictureOf(), "Nothing is known of the line yet."},
		"nothing was":      {ended(rest.RecordQuality{}), "Nothing was measured in this call."},
		"all was well": {ended(rest.RecordQuality{Seconds: map[quality.Level]int{quality.Excellent: 94, quality.Good: 6}}),
			"Excellent for 94 % of the call. No second of it was poor."},
		"one owner": {ended(rest.RecordQuality{Seconds: map[quality.Level]int{quality.Good: 88, quality.Poor: 12},
			PoorSeconds: map[quality.Owner]int{quality.OwnerCaller: 12}}),
			"Good for 88 % of the call. 12 s were poor, because of the caller's network."},
		"two owners": {ended(rest.RecordQuality{Seconds: map[quality.Level]int{quality.Good: 88, quality.Poor: 12},
			PoorSeconds: map[quality.Owner]int{quality.OwnerCaller: 10, quality.OwnerModel: 2}}),
			"Good for 88 % of the call. 12 s were poor: 10 s the caller's network, 2 s the agent itself."},
		"poor just now": {poor, "Poor since " + at(1).Local().Format("15:04:05") + " (3 seconds). " +
			"The caller's line loses 8.0 % of what the caller says. This server, the agent's network and the agent itself are fine."},
	} {
		if got := test.p.sentence(at(4)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// A trouble and its end are one event, with its length.
func TestTroublesArePairs(t *testing.T) {
	end := at(60)
	p := picture{record: rest.SessionRecord{StartedAt: noon, EndedAt: &end, EndCause: wire.AdminEnded, EndReason: "maintenance"},
		activities: []rest.Activity{ // newest first
			{At: at(60), What: rest.CallEnded},
			{At: at(50), What: rest.CallResumed},
			{At: at(45), What: rest.CallReconnecting},
			{At: at(40), What: rest.QualityRose, Detail: "excellent"},
			{At: at(30), What: rest.QualityFell, Detail: "poor"},
			{At: at(20), What: rest.QualityFell, Detail: "fair"},
			{At: at(0), What: rest.CallStarted},
			{At: at(-1), What: rest.SignedIn},
		}}
	got := ""
	for _, e := range p.history() {
		got += e.text
		if !e.until.IsZero() {
			got += " for " + e.until.Sub(e.at).String()
		}
		got += "; "
	}
	want := "Signed in; Call started; Quality fell to fair for 10s; Quality fell to poor for 10s; Connection lost, reconnecting for 5s; " +
		"Call ended: ended by an admin (maintenance); "
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if marks := p.marks(); len(marks) != 6 || !marks[3].Grave || marks[2].Grave {
		t.Errorf("%+v", marks)
	}
}

// A trouble that was not over is as long as the call, or goes on; a line that rises to
// fair only has another.
func TestATroubleLastsUntilTheCallEnds(t *testing.T) {
	end := at(60)
	p := picture{record: rest.SessionRecord{StartedAt: noon}, activities: []rest.Activity{
		{At: at(50), Kind: rest.ActivityQuality, What: rest.QualityRose, Detail: "fair"},
		{At: at(30), Kind: rest.ActivityQuality, What: rest.QualityFell, Detail: "poor"},
		{At: at(5), Kind: rest.ActivityQuality, What: rest.QualityRose, Detail: "excellent"},
	}}
	live := p.history()
	if len(live) != 4 || live[1].text != "Quality rose to excellent" || live[2].until != at(50) || !live[3].goesOn || live[3].tone != ui.ToneWarning {
		t.Errorf("%+v", live)
	}
	p.record.EndedAt = &end
	if over := p.history(); len(over) != 5 || over[3].goesOn || over[3].until != end {
		t.Errorf("%+v", over)
	}
}

// Some seconds of which nothing is known don't end the time since when a line is poor; more
// do, and so do those that nothing comes after.
func TestALevelStandsOverAFewUnknownSeconds(t *testing.T) {
	run := func(from, to int, l quality.Level) levelRun { return levelRun{from: at(from), to: at(to), level: l} }
	for name, test := range map[string]struct{ runs, want []levelRun }{
		"few":      {[]levelRun{run(0, 9, quality.Poor), run(9, 12, quality.None), run(12, 15, quality.Poor)}, []levelRun{run(0, 15, quality.Poor)}},
		"another":  {[]levelRun{run(0, 9, quality.Poor), run(9, 12, quality.None), run(12, 15, quality.Fair)}, []levelRun{run(0, 12, quality.Poor), run(12, 15, quality.Fair)}},
		"many":     {[]levelRun{run(0, 9, quality.Poor), run(9, 14, quality.None), run(14, 15, quality.Poor)}, []levelRun{run(0, 9, quality.Poor), run(9, 14, quality.None), run(14, 15, quality.Poor)}},
		"at first": {[]levelRun{run(0, 3, quality.None), run(3, 9, quality.Good)}, []levelRun{run(0, 3, quality.None), run(3, 9, quality.Good)}},
		"at last":  {[]levelRun{run(0, 9, quality.Good), run(9, 10, quality.None)}, []levelRun{run(0, 9, quality.Good), run(9, 10, quality.None)}},
	} {
		if got := bridged(test.runs); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

// What a leg is like is told of now while the call goes on, and then of all of it.
func TestALegIsToldOfNowOrOfTheWhole(t *testing.T) {
	s := stream(rtcstats.LegCaller, quality.ToAgent, rtcstats.ByServer, 85)
	s.Latest, s.Summary = rest.Metrics{LossRatio: new(0.12)}, rest.Summary{LossRatio: &rest.Range{Avg: 0.04}}
	p := pictureOf(s)
	if html := app.HTMLString(p.pathLeg(rtcstats.LegCaller, "leg")); !strings.Contains(html, "12 % lost") {
		t.Error(html)
	}
	end := at(60)
	p.record.EndedAt = &end
	if html := app.HTMLString(p.pathLeg(rtcstats.LegCaller, "leg")); !strings.Contains(html, "4.0 % lost") {
		t.Error(html)
	}
}

// What the stream tells moves the picture on.
func TestTheStreamMovesThePictureOn(t *testing.T) {
	p := pictureOf(stream(rtcstats.LegCaller, quality.ToAgent, rtcstats.ByServer, 85))
	row := rest.Session{ID: "s", State: wire.StateActive, AgentState: wire.AgentSpeaking, StartedAt: noon,
		Metrics: map[quality.Direction]rest.Metrics{quality.ToAgent: {R: new(70.0)}}}
	p = p.apply(client.Status{State: client.Live}, "s", at(1))
	p = p.apply(client.Snapshot{Snapshot: rest.Snapshot{T: at(1), Sessions: []rest.Session{{ID: "other"}, row}}}, "s", at(1))
	if !p.isLive() || p.row == nil || len(p.speaking) != 1 {
		t.Fatalf("%+v", p)
	}
	p = p.addSecond(at(1)).addSecond(at(1)).addSecond(at(2))
	if n := len(p.quality.Streams[0].Series); n != 3 {
		t.Errorf("%d seconds, want 3", n)
	}
	if n := len(p.addSecond(at(1).Add(tellsFor).Add(1)).quality.Streams[0].Series); n != 3 {
		t.Errorf("of a stream that has long told nothing there are %d seconds", n)
	}
	row.AgentState = wire.AgentListening
	p = p.apply(client.Sessions{SessionsFrame: rest.SessionsFrame{T: at(3), Upsert: []rest.Session{row}}}, "s", at(3))
	if p.speaking[0].To.IsZero() {
		t.Error("the agent still speaks")
	}
	p = p.apply(client.Activities{ActivityFrame: rest.ActivityFrame{T: at(3), Items: []rest.Activity{
		{At: at(3), What: rest.QualityFell, Session: "s"}, {At: at(3), What: rest.QualityFell, Session: "other"}}}}, "s", at(3))
	if len(p.activities) != 1 {
		t.Errorf("activities %+v", p.activities)
	}
	p = p.apply(client.Status{State: client.Reconnecting}, "s", at(3)).addSecond(at(4))
	if n := len(p.quality.Streams[0].Series); n != 3 {
		t.Errorf("without a stream there are %d seconds", n)
	}
	p = p.apply(client.Sessions{SessionsFrame: rest.SessionsFrame{T: at(5), Remove: []string{"s"}}}, "s", at(5))
	if p.isLive() || p.record.EndedAt == nil || !p.record.EndedAt.Equal(at(5)) {
		t.Errorf("not over: %+v", p.record)
	}
}

// Who spoke when is by the turns, and after them by the stream.
func TestWhoSpokeWhen(t *testing.T) {
	p := pictureOf()
	p.quality.Turns.Latest = []rest.Turn{{Started: new(at(1)), EndOfSpeech: at(3), WaitMS: 1000, AgentSpokeMS: new(2000.0)}, {EndOfSpeech: at(9), WaitMS: 500}}
	p.speaking = []speech{{From: at(4), To: at(7)}, {From: at(10)}}
	got := p.agentBlocks(at(12))
	if len(got) != 2 || got[0].From != at(4).UnixMilli() || got[0].To != at(6).UnixMilli() || got[1].From != at(10).UnixMilli() || got[1].To != at(12).UnixMilli() {
		t.Errorf("%+v", got)
	}
}

func TestStepsFitAChart(t *testing.T) {
	for seconds, want := range map[int]time.Duration{1: 1, 1200: 1, 1201: 2, 3600: 3, 43_200: 36} {
		if got := stepOf(rest.SessionRecord{StartedAt: noon}, at(seconds)); got != want*time.Second {
			t.Errorf("%d s in steps of %v", seconds, got)
		}
	}
}

func TestBrowsersAreNamed(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/130.0.0.0 Safari/537.36":                           "Chrome 130 Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.1":             "Edge 130 Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1": "Safari 19 iOS",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0":                                                    "Firefox 140 macOS",
		"parley-load/1.0 (test)": "parley-load/1.0", "": "",
	} {
		if got := browserName(agent); got != want {
			t.Errorf("%s is %q, want %q", agent, got, want)
		}
	}
}

func TestRawFiguresAreFound(t *testing.T) {
	p := pictureOf(stream(rtcstats.LegCaller, quality.ToAgent, rtcstats.ByServer, 85), stream(rtcstats.LegCaller, quality.ToCaller, rtcstats.ByClient, 85))
	all := len(p.rawRows(""))
	if all != 2*len(figures()) {
		t.Errorf("%d rows", all)
	}
	if got := p.rawRows("CLIENT jitter"); len(got) != 1 || got[0].figure.key != "jitter_ms" {
		t.Errorf("%+v", got)
	}
	if got := p.rawRows("nothing of that"); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}
