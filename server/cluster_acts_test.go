package main

import (
	"net/http"
	"strings"
	"testing"

	"parley/shared/rest"
	"parley/shared/wire"
)

// callersActFromElsewhere has callers end calls of a at b, as a page and as a client of
// OpenAI's does; b finds who is in a call at a, and looks at its deadlines.
func callersActFromElsewhere(t *testing.T, a, b *program) {
	t.Helper()
	k := a.talking(t, "hal", "echo")
	eventually(t, "the call is on record", func() bool {
		return b.ask(t, "hal", http.MethodGet, strings.Replace(rest.PathOwnSession, "{id}", k.session(), 1), nil, nil) == http.StatusOK
	})
	erase := func() int {
		return b.ask(t, "demo-admin", http.MethodDelete, strings.Replace(rest.PathPersonData, "{sub}", "hal", 1), rest.EraseRequest{Reason: "asked"}, nil)
	}
	if status := erase(); status != http.StatusConflict {
		t.Errorf("erasing somebody in a call at the other node: %d", status)
	}
	var checked rest.TimeoutsChecked
	if status := b.ask(t, "demo-admin", http.MethodPost, rest.PathCheckTimeouts, nil, &checked); status != http.StatusOK || checked.Checked != 1 || checked.Unreachable != nil {
		t.Errorf("looking at deadlines: %d %+v", status, checked)
	}
	end := strings.Replace(rest.PathEndOwn, "{id}", k.session(), 1)
	if status := b.ask(t, "eve", http.MethodPost, end, nil, nil); status != http.StatusNotFound {
		t.Errorf("somebody else's call at the other node: %d", status)
	}
	if status := b.ask(t, "hal", http.MethodPost, end, nil, nil); status != http.StatusNoContent {
		t.Errorf("one's own: %d", status)
	}
	if over := k.over(t); over.Ended.Cause != wire.CallerLeft {
		t.Errorf("it ended by %+v", over)
	}
	if status := b.ask(t, "hal", http.MethodPost, end, nil, nil); status != http.StatusNotFound {
		t.Errorf("once more: %d", status)
	}
	if status := erase(); status != http.StatusOK {
		t.Errorf("erasing them then: %d", status)
	}

	s := a.callSocketless(t, a.token(t, "ivy"), "")
	hangUp := strings.Replace(rest.PathHangUp, "{id}", s.id, 1)
	if status, _, answer := b.post(t, hangUp, b.token(t, "eve"), "", ""); status != http.StatusNotFound {
		t.Errorf("hanging up somebody else's call at the other node: %d %s", status, answer)
	}
	if status, _, answer := b.post(t, hangUp, b.token(t, "ivy"), "", ""); status != http.StatusOK {
		t.Errorf("hanging up at the other node: %d %s", status, answer)
	}
	eventually(t, "no call is left", func() bool { return len(a.active(t))+len(b.active(t)) == 0 })
}
