package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"parley/shared/rest"
)

const (
	// takeover is how long a stream may stand still that another tab goes on with, on a
	// machine that has nothing else to do.
	takeover = 2 * time.Second
	// takeoverCeiling is when this test fails: on a busy machine, and well before the 40 s
	// after which a tab gives up a stream that is silent.
	takeoverCeiling = 15 * time.Second
)

func (s *server) streamReaders(t *testing.T) int {
	t.Helper()
	var health rest.Health
	if err := s.get(rest.PathMonitorHealth, &health); err != nil {
		t.Fatal(err)
	}
	return health.StreamReaders
}

// Three tabs of an admin hold one stream. When the tab goes that made it, another one
// goes on with it, and all that are left see what happens.
func TestTabsShareOneStream(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	b := startBrowser(t, microphone{}, nil)
	window := b.open(srv.origin() + "/web/offline.html") // with its last tab, a browser would go
	first := window.openTab(srv.origin() + "/sign-in?next=/admin/sessions#token=" + token(srv.adminLink))
	first.says("No calls yet.")
	tabs := []*screen{first, window.openTab(srv.origin() + "/admin/sessions"), window.openTab(srv.origin() + "/admin/sessions")}
	oneStream := func(when string) {
		t.Helper()
		eventually(t, "one stream "+when, patience, func() (string, bool) {
			n := srv.streamReaders(t)
			return fmt.Sprintf("%d streams", n), n == 1
		})
	}
	for _, tab := range tabs {
		tab.says("No calls yet.")
	}
	oneStream("for three tabs")

	caller := b.signIn(srv.callerLink)
	caller.startCall()
	id := srv.onlySession(t).ID
	for _, tab := range tabs {
		tab.says(short(id))
	}
	oneStream("during a call")

	first.close()
	closed := time.Now()
	caller.press("End")
	for _, tab := range tabs[1:] {
		eventually(t, "the row of the call that is over", patience, func() (string, bool) {
			return tab.text(), evaluate[bool](tab, "!!document.querySelector('tr.row-gone')")
		})
	}
	took := time.Since(closed)
	t.Logf("another tab took over, and two tabs showed the end of a call, after %v; aim: %v", took, takeover)
	if took > takeoverCeiling {
		t.Errorf("after %v, at most %v are allowed", took, takeoverCeiling)
	}
	oneStream("for the two that are left")

	// Whoever signs out in one tab reads no stream in any.
	tabs[2].mayComplain("401")
	tabs[1].press("Sign out")
	tabs[2].says("Your sign-in expired")
}
