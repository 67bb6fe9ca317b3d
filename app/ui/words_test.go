package ui_test

import (
	"regexp"
	"strings"
	"testing"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// TestHasCause: a cause is there where it has a name.
func TestHasCause(t *testing.T) {
	for _, c := range []quality.Cause{quality.CauseNone, quality.CauseLoss, quality.CauseDelay, quality.CauseJitter, quality.CauseCPU, quality.CauseAgentSlow, "of a newer server"} {
		v := quality.Verdict{Cause: c, Value: 4}
		if has, name := ui.HasCause(v), ui.CauseShort(v); has != (name != "") {
			t.Errorf("cause %q, called %q: %v", c, name, has)
		}
	}
}

func TestAdvice(t *testing.T) {
	verdict := func(l quality.Level, c quality.Cause, d quality.Direction, v float64) quality.Verdict {
		return quality.Verdict{Level: l, Cause: c, Direction: d, Value: v}
	}
	cases := map[string]struct {
		v    quality.Verdict
		want string
	}{
		"nothing to say":          {verdict(quality.Excellent, "", "", 0), ""},
		"good is good enough":     {verdict(quality.Good, quality.CauseLoss, quality.ToAgent, 1.2), ""},
		"no data":                 {verdict(quality.None, "", "", 0), ""},
		"loss to the agent":       {verdict(quality.Fair, quality.CauseLoss, quality.ToAgent, 4.2), "The agent is missing parts of what you say (4.2 % lost). Move closer to your Wi-Fi, or switch to mobile data."},
		"loss to the caller":      {verdict(quality.Poor, quality.CauseLoss, quality.ToCaller, 12), "Parts of the agent's voice don't reach you (12 % lost). Move closer to your Wi-Fi, or switch to mobile data."},
		"delay":                   {verdict(quality.Fair, quality.CauseDelay, quality.ToAgent, 310), "The line is slow (310 ms each way). Leave a short pause before you speak."},
		"jitter":                  {verdict(quality.Fair, quality.CauseJitter, quality.ToAgent, 40), "The connection is uneven. Close downloads or video on this network."},
		"busy device":             {verdict(quality.Fair, quality.CauseCPU, "", 0), "Your device is busy. Close other tabs."},
		"slow agent, line fine":   {verdict(quality.Excellent, quality.CauseAgentSlow, "", 1900), "Your line is fine. The agent is taking longer than usual (1.9 s)."},
		"poor for no known cause": {verdict(quality.Poor, "", "", 0), "The line is weak just now. Move closer to your Wi-Fi, or switch to mobile data."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := ui.Advice(c.v); got != c.want {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestRatingInWords(t *testing.T) {
	v := quality.Verdict{Level: quality.Good, MOS: 3.9, Cause: quality.CauseDelay, Direction: quality.ToCaller, Value: 210}
	if got, want := ui.BadgeTitle(v), "Good. Estimated MOS 3.90. Main cause: delay 210 ms, agent → caller."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := ui.BadgeTitle(quality.Verdict{Level: quality.None}), "No data yet."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	v.Quiet = true
	if !strings.Contains(ui.BadgeTitle(v), "the last rating stands") {
		t.Error("a quiet line's title doesn't say that its rating is an older one")
	}
}

func TestCopyIsComplete(t *testing.T) {
	for _, cause := range wire.EndCauses() {
		if !ui.Known("ended:" + string(cause)) {
			t.Errorf("no words for the end %q", cause)
		}
		if ui.EndWord(string(cause)) == ui.EndWord("") {
			t.Errorf("no short word for the end %q", cause)
		}
	}
	for _, code := range []rest.ProblemCode{
		rest.CodeUnauthorized, rest.CodeForbidden, rest.CodeCapReached, rest.CodeUserCap, rest.CodeOrgCap, rest.CodeDraining, rest.CodePaused,
		rest.CodeRateLimited, rest.CodeServerError,
	} {
		if !ui.Known(string(code)) {
			t.Errorf("no words for the problem %q", code)
		}
	}
	for _, code := range []string{
		"mic_denied", "mic_denied_system", "mic_none", "mic_busy", "mic_lost", "insecure", "unsupported",
		"ice_failed", "dtls_failed", "lost", "unreachable", "device_busy", "server_error",
	} {
		if !ui.Known(code) {
			t.Errorf("no words for the failure %q", code)
		}
	}
}

// TestWordsOfANewerServer: what it may say that this page has no words for is neither
// taken for another word nor for a fault.
func TestWordsOfANewerServer(t *testing.T) {
	for got, want := range map[string]string{
		ui.EndCopy("agent_bored").Title: "Call ended", ui.EndCopy("").Title: "Call ended",
		ui.EndWord("agent_bored"): "reason unknown", ui.EndWord(""): "reason unknown", ui.AgentWord("dancing"): "Connected",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestUnknownCodeSaysWhoseFaultItIs(t *testing.T) {
	if got, want := ui.Copy("never heard of").Title, "Something broke on our side"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWith(t *testing.T) {
	w := ui.Copy("cap_reached").With("lines", "All 100 lines are in use", "seconds", "15 s")
	if want := "All 100 lines are in use. We'll try again in 15 s and keep your place on this screen."; w.Text != want {
		t.Errorf("got %q, want %q", w.Text, want)
	}
	// A value that looks like a place for one stays as it is.
	w = ui.EndCopy("admin_ended").With("reason", "{reason} & more")
	if want := "Reason: {reason} & more"; w.Text != want {
		t.Errorf("got %q, want %q", w.Text, want)
	}
	if got := w.Action(7); got != "" {
		t.Errorf("an action that isn't there is called %q", got)
	}
}

// The rules of copy: nobody is begged, nobody is to blame, nothing is shouted.
func TestTone(t *testing.T) {
	loud := regexp.MustCompile(`(?i)!|\b(please|oops|sorry|invalid|error|illegal)\b`)
	for code, w := range ui.CopyTable {
		if s := w.Title + " " + w.Text; loud.MatchString(s) {
			t.Errorf("%s: %q", code, s)
		}
		if w.Title == "" && w.Text == "" {
			t.Errorf("%s says nothing", code)
		}
		if strings.HasSuffix(w.Title, ".") {
			t.Errorf("%s: a title is no sentence: %q", code, w.Title)
		}
	}
}
