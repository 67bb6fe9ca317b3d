package agents

import (
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/rest"
)

// TestACardTellsHowAnAgentDoes; what was not measured is not 0.
func TestACardTellsHowAnAgentDoes(t *testing.T) {
	a := rest.AgentStatus{Agent: rest.Agent{Name: "support", Title: "Support"}, Calls: 3,
		Failures: []rest.AgentFailure{{At: time.Now(), Detail: "refused the key"}}, FirstWord: rest.FirstWord{Turns: 1200, P50MS: 480, P95MS: 1900},
		Refused: []rest.RefusedEvent{{Direction: "from_browser", Type: "session.update", Reason: "not_allowed", Count: 2}}}
	p := New(nil)
	p.checks["support"] = check{result: rest.AgentCheck{Agent: "support", Result: rest.CheckMissing, Steps: []rest.AgentCheckStep{
		{Name: "connect", Result: rest.CheckOK, TookMS: 120}, {Name: "transcription", Result: rest.CheckMissing, Detail: "turn it on"}, {Name: "end", Result: rest.CheckUntried}}}}
	html := app.HTMLString(p.card(a))
	for _, want := range []string{"480 ms", "1\u202f900 ms", "of 1\u202f200 turns", "refused the key", "session.update", "from browsers, not_allowed",
		"works, with something missing", "120 ms", "turn it on", "not tried"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
	bare := app.HTMLString(New(nil).card(rest.AgentStatus{Agent: rest.Agent{Name: "echo"}}))
	if strings.Count(bare, `aria-label="no data"`) != 2 || strings.Contains(bare, "0 ms") {
		t.Errorf("without a turn: %s", bare)
	}
	p.checks["support"] = check{problem: "Not now."}
	if html := app.HTMLString(p.card(a)); !strings.Contains(html, "Not now.") {
		t.Errorf("a check that was refused: %s", html)
	}
}
