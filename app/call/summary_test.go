package call_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/call"
	"parley/shared/quality"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// ended is the page after a call of so many seconds at each level.
func ended(levels map[quality.Level]int, change func(*call.Picture)) string {
	p := with(talking(), func(p *call.Picture) {
		p.Phase, p.End = call.Over, call.End{At: noon, Ended: wire.Ended{Cause: wire.CallerLeft}}
		p.Talk.Tally = call.Tally{Levels: levels, MOSLowest: 2.1}
		for _, n := range levels {
			p.Talk.Tally.Rated += n
		}
		p.Talk.Tally.MOSSum = 4 * float64(p.Talk.Tally.Rated)
	})
	if change != nil {
		change(&p)
	}
	return app.HTMLString(call.PageOf(p, false, false, false))
}

// TestACallIsSummedUp by the level of most of its seconds: of the better where two had
// as many; and not at all where it was too short, or never begun.
func TestACallIsSummedUp(t *testing.T) {
	type levels = map[quality.Level]int
	measured := func(p *call.Picture) {
		tally := &p.Talk.Tally
		tally.LossSum, tally.LossCount = map[quality.Direction]float64{quality.ToAgent: 0.5}, map[quality.Direction]int{quality.ToAgent: 10}
		tally.DelaySum, tally.DelayCount = map[quality.Direction]float64{quality.ToAgent: 800}, map[quality.Direction]int{quality.ToAgent: 10}
	}
	for name, test := range map[string]struct {
		levels      levels
		change      func(*call.Picture)
		says, lacks []string
	}{
		"no second rated":  {nil, nil, []string{"1:00", "Too short to rate."}, []string{"lowest", "of the call"}},
		"too short":        {levels{quality.Good: call.TooShort - 1}, nil, []string{"Too short to rate.", "Estimated MOS<", `aria-label="no data"`}, []string{"of the call", "lowest"}},
		"just long enough": {levels{quality.Good: call.TooShort}, nil, []string{"Good", "for 100 % of the call", "4.0, lowest 2.1"}, []string{"Too short"}},
		"as many of two":   {levels{quality.Good: 10, quality.Fair: 10}, nil, []string{"Good", "for 50 % of the call"}, []string{"Fair"}},
		"almost all":       {levels{quality.Excellent: 999, quality.Poor: 1}, nil, []string{"Excellent", "for 99 % of the call"}, []string{"100 %"}},
		"what was measured": {levels{quality.Good: 10}, measured,
			[]string{"You → agent", "5.0 % lost · 80 ms", "Agent → you", `aria-label="no data"`}, nil},
		"never begun": {nil, func(p *call.Picture) { p.Talk = call.Talk{} }, []string{"Call ended"}, []string{"Too short", "Agent → you"}},
	} {
		t.Run(name, func(t *testing.T) {
			html := ended(test.levels, test.change)
			for _, want := range test.says {
				if !strings.Contains(html, want) {
					t.Errorf("no %q in %s", want, html)
				}
			}
			for _, never := range test.lacks {
				if strings.Contains(html, never) {
					t.Errorf("%q in %s", never, html)
				}
			}
		})
	}
}

// TestAShareIsWrittenAsItIs: whole percents are not one less than they are.
func TestAShareIsWrittenAsItIs(t *testing.T) {
	for good := 50; good <= 100; good++ {
		html := ended(map[quality.Level]int{quality.Good: good, quality.Poor: 100 - good}, nil)
		if want := fmt.Sprintf("for %d %% of the call", good); !strings.Contains(html, want) {
			t.Errorf("%d of 100 seconds, and no %q", good, want)
		}
	}
}

// TestWhatOneCanDoAfterACall is by how it ended: who has no right any more signs in, who
// moved takes the call back, all others may call again.
func TestWhatOneCanDoAfterACall(t *testing.T) {
	for _, test := range []struct {
		cause   wire.EndCause
		failure peer.Failure
		label   string // "" for none
		signsIn bool
	}{
		{wire.CallerLeft, "", "Start again", false}, {wire.ServerShutdown, "", "Call again", false}, {wire.Replaced, "", "Start here", false},
		{wire.TokenExpired, "", "", true}, {wire.Revoked, "", "", true},
		{wire.TokenExpired, "ice_failed", "Try again", false}, // it broke before the server said so
		{wire.BudgetSpent, "", "", false}, {wire.PrivacyBlocked, "", "", false},
	} {
		html := ended(nil, func(p *call.Picture) { p.End.Ended.Cause, p.End.Failure = test.cause, test.failure })
		if got := strings.Contains(html, "start-again"); got != (test.label != "") || !strings.Contains(html, test.label) {
			t.Errorf("%s: it can be called again: %v, want %q", test.cause, got, test.label)
		}
		if got := strings.Contains(html, "/sign-in?next=/call"); got != test.signsIn {
			t.Errorf("%s: one can sign in: %v", test.cause, got)
		}
		if got := strings.Contains(html, "Copy diagnostics") && strings.Contains(html, "Check first"); got == test.signsIn {
			t.Errorf("%s: the line can be checked: %v", test.cause, got)
		}
	}
}

// TestASlowStepSaysWhatItMayBe, each its own, and only once it is slow.
func TestASlowStepSaysWhatItMayBe(t *testing.T) {
	for step, reason := range map[peer.Step]string{
		peer.StepServer: "The server is slow to answer.", peer.StepPath: "Your network may be blocking call traffic.",
		peer.StepSecure: "The first packets are slow to come through.", peer.StepAgent: "The line is fine; the agent is slow to answer.",
	} {
		setup := call.Picture{Phase: call.Connecting, Now: noon, Setup: call.Setup{Step: step, Since: noon.Add(-call.SlowStep)}}
		hint := func() string {
			_, after, _ := strings.Cut(app.HTMLString(call.PageOf(setup, false, false, false)), `class="steps-hint">`)
			text, _, _ := strings.Cut(after, "<")
			return text
		}
		if got := hint(); got != "" {
			t.Errorf("step %v: says %q in time", step, got)
		}
		setup.Now = noon.Add(1)
		if got := hint(); got != "Taking longer than usual. "+reason {
			t.Errorf("step %v: says %q", step, got)
		}
		setup.Mic.State = call.MicAsking
		if got := hint(); got != "Your browser is asking for the microphone. Choose Allow." {
			t.Errorf("step %v, while the browser asks: %q", step, got)
		}
	}
}
