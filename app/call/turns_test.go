package call_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/call"
	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// answerTold is the server's word on the newest answer.
func answerTold(number int, waitMS float64) peer.StateReceived {
	return peer.StateReceived{State: wire.State{Session: wire.StateActive, Agent: wire.AgentSpeaking,
		Turn: &wire.AgentTurn{Number: number, WaitMS: waitMS, SilenceWindowMS: 300, NetworkMS: 40, ModelMS: waitMS - 340}}}
}

// talkedOf is a call of which so many seconds were heard: the agent's lane as it is told.
func talkedOf(agent ...float64) call.Picture {
	return with(talking(), func(p *call.Picture) {
		for _, loud := range agent {
			p.Talk.Seconds = append(p.Talk.Seconds, ui.RibbonSecond{Agent: loud, Level: quality.Excellent})
		}
		p.Talk.Whole = p.Talk.Seconds
	})
}

// TestAWaitIsDrawnWhereItEnded: before the second in which the agent was heard, as soon as
// both are known, in its band.
func TestAWaitIsDrawnWhereItEnded(t *testing.T) {
	for name, c := range map[string]struct {
		heard  []float64
		waitMS float64
		want   ui.RibbonWait
	}{
		"heard in the newest second": {[]float64{0, 0, 1}, 450, ui.RibbonWait{End: 2, Length: .45, Level: quality.Excellent}},
		"heard a second before":      {[]float64{0, 1, 1}, 800, ui.RibbonWait{End: 1, Length: .8, Level: quality.Good}},
		"not heard yet":              {[]float64{0, 0, 0}, 1500, ui.RibbonWait{End: 3, Length: 1.5, Level: quality.Fair}},
		"it went on from before":     {[]float64{1, 1, 1, 1, 1}, 1501, ui.RibbonWait{End: 5, Length: 1.501, Level: quality.Poor}},
	} {
		t.Run(name, func(t *testing.T) {
			p := call.Apply(talkedOf(c.heard...), answerTold(1, c.waitMS), noon)
			if len(p.Talk.Waits) != 1 || p.Talk.Waits[0] != c.want || len(p.Talk.Answers) != 1 {
				t.Fatalf("%+v, %+v", p.Talk.Waits, p.Talk.Answers)
			}
			if again := call.Apply(p, answerTold(1, c.waitMS), noon); len(again.Talk.Waits) != 1 || len(again.Talk.Answers) != 1 {
				t.Errorf("told twice: %+v", again.Talk.Waits)
			}
			if next := call.Apply(p, answerTold(2, c.waitMS), noon); len(next.Talk.Waits) != 2 || len(p.Talk.Waits) != 1 {
				t.Errorf("the next: %+v", next.Talk.Waits)
			}
		})
	}
	if p := call.Apply(talking(), answerTold(7, 800), noon); len(p.Talk.Waits) != 0 || len(p.Talk.Answers) != 1 {
		t.Errorf("of a page that has just come, a wait is drawn: %+v", p.Talk.Waits)
	}
}

// TestAWaitIsHeldUntilTheAgentIsHeard, for some seconds at most.
func TestAWaitIsHeldUntilTheAgentIsHeard(t *testing.T) {
	quiet, heard := peer.SampleMeasured{MicDBFS: -20, AgentDBFS: -90}, peer.SampleMeasured{MicDBFS: -90, AgentDBFS: -20}
	for name, c := range map[string]struct {
		samples []peer.SampleMeasured
		want    float64
	}{
		"at once":        {[]peer.SampleMeasured{heard, heard}, 2},
		"a second later": {[]peer.SampleMeasured{quiet, heard, quiet}, 3},
		"never":          {[]peer.SampleMeasured{quiet, quiet, quiet, quiet, quiet}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			p := call.Apply(talkedOf(0, 0), answerTold(1, 700), noon)
			for _, s := range c.samples {
				p = call.Apply(p, s, noon)
			}
			if got := p.Talk.Waits[0].End; got != c.want {
				t.Errorf("it ends at %v, want %v", got, c.want)
			}
		})
	}
}

// TestNoWaitEntersTheRating: a call whose agent takes ten seconds is rated as one whose
// agent answers at once, second by second, at the end and in what is copied.
func TestNoWaitEntersTheRating(t *testing.T) {
	quick, slow := talking(), talking()
	for n := range 12 {
		sample := peer.SampleMeasured{MicDBFS: -20, AgentDBFS: -20, Quality: quality.Verdict{Level: quality.Good, R: 75, MOS: 3.8}}
		quick = call.Apply(call.Apply(quick, answerTold(n+1, 341), noon), sample, noon)
		slow = call.Apply(call.Apply(slow, answerTold(n+1, 10_000), noon), sample, noon)
		if quick.Talk.Verdict() != slow.Talk.Verdict() {
			t.Fatalf("second %d: %+v and %+v", n, quick.Talk.Verdict(), slow.Talk.Verdict())
		}
	}
	if !reflect.DeepEqual(quick.Talk.Tally, slow.Talk.Tally) || quick.Talk.Tally.Rated != 12 {
		t.Errorf("%+v and %+v", quick.Talk.Tally, slow.Talk.Tally)
	}
	if reflect.DeepEqual(quick.Talk.Answers, slow.Talk.Answers) || reflect.DeepEqual(quick.Talk.Waits, slow.Talk.Waits) {
		t.Error("the waits themselves are alike")
	}
}

// TestTheDetailsSplitEachAnswer, the newest first, into what its wait was made of.
func TestTheDetailsSplitEachAnswer(t *testing.T) {
	p := talkedOf(0, 1)
	if html := app.HTMLString(call.PageOf(p, true, false, false)); !strings.Contains(html, "Time to first word") || !strings.Contains(html, "how long it took to begin") {
		t.Errorf("before the first: %s", html)
	}
	for n := range 8 {
		p = call.Apply(p, answerTold(n+1, 400+float64(n)*200), noon)
	}
	html := app.HTMLString(call.PageOf(p, true, false, false))
	for _, want := range []string{"Silence " + ui.Millis(300) + ", Network " + ui.Millis(40) + ", Model " + ui.Millis(1460), ">" + ui.Millis(1800) + "<", ">" + ui.Millis(800) + "<", `class="num wait-ms q1"`, `class="num wait-ms q3"`, "Silence</span>"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(html, ">600") || strings.Index(html, ">"+ui.Millis(1800)) > strings.Index(html, ">800") {
		t.Errorf("more than the newest six, or in another order: %s", html)
	}
}

// TestARibbonOfTheRecord has both voices by the turns, and each wait in its band.
func TestARibbonOfTheRecord(t *testing.T) {
	s, c := keptCall()
	began := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	c.Turns.Latest = []rest.Turn{
		{Number: 1, Started: new(began(1)), EndOfSpeech: began(3), WaitMS: 2000, ModelMS: 2000, AgentSpokeMS: new(2500.0)},
		{Number: 2, EndOfSpeech: began(9), WaitMS: 500, ModelMS: 500},
	}
	columns, waits := call.ColumnsOf(c, noon, began(12))
	var you, agent, line strings.Builder
	for _, s := range columns {
		for lane, spoke := range map[*strings.Builder]bool{&you: s.You > 0, &agent: s.Agent > 0, &line: !s.Gap} {
			lane.WriteString(map[bool]string{true: "#", false: "."}[spoke])
		}
	}
	if you.String() != ".##........." || agent.String() != ".....###.###" || line.String() != "########.##." {
		t.Errorf("you %s, agent %s, line %s", &you, &agent, &line)
	}
	if want := []ui.RibbonWait{{End: 5, Length: 2, Level: quality.Poor}, {End: 9.5, Length: .5, Level: quality.Excellent}}; !reflect.DeepEqual(waits, want) {
		t.Errorf("waits %+v", waits)
	}
	html := app.HTMLString(call.SummaryOf(s, c))
	if strings.Contains(html, "only the line is drawn") || !strings.Contains(html, "First word, turn by turn") {
		t.Error(html)
	}
	for _, path := range []string{"ribbon-you", "ribbon-agent", "ribbon-wait q1", "ribbon-wait q4"} {
		drawn := regexp.MustCompile(`<path[^>]*class="` + path + `"[^>]*>`).FindString(html)
		if !strings.Contains(drawn, ` d="M`) {
			t.Errorf("%s is empty: %s", path, drawn)
		}
	}
}
