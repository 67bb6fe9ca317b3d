package callapi_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"parley/server/callapi"
	"parley/server/session"
	"parley/shared/wire"
)

// PROTOCOL.md shows the events as they are, and names every code that one may have.
func TestProtocolIsWhatIsSent(t *testing.T) {
	raw, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, event := range [][]byte{
		callapi.WarningEvent(1, wire.Warning{Code: wire.WarnIdle, EndsAt: time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)}),
		callapi.EndEvent(2, &session.End{Cause: wire.AdminEnded, Reason: "maintenance"}),
	} {
		if !strings.Contains(page, "\n"+string(event)+"\n") {
			t.Errorf("it lacks %s", event)
		}
	}
	for _, cause := range wire.EndCauses() {
		if cause != wire.CallerLeft && !strings.Contains(page, "`"+string(cause)+"`") {
			t.Errorf("it lacks the end cause %s", cause)
		}
	}
	for _, code := range wire.WarningCodes() {
		if !strings.Contains(page, "`"+string(code)+"`") {
			t.Errorf("it lacks the warning %s", code)
		}
	}
}
