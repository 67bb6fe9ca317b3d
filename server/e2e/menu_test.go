package e2e_test

import (
	"fmt"
	"regexp"
	"testing"

	"parley/shared/rest"
)

// told are the names that the menu's entries have for a screen reader, from those that
// tell how many there are.
func (s *screen) told() []string {
	return evaluate[[]string](s, "[...document.querySelectorAll('.nav .nav-link[aria-label]')].map(e => e.ariaLabel)")
}

// tellsInTheMenu waits until the menu tells that, and no more.
func (s *screen) tellsInTheMenu(want string) {
	s.t.Helper()
	eventually(s.t, "the menu tells "+want, patience, func() (string, bool) {
		got := fmt.Sprintf("%q", s.told())
		return got, regexp.MustCompile(`^\[` + want + `\]$`).MatchString(got)
	})
}

// The menu tells how many there are of what the page's stream tells; where a page has no
// stream, as of when one told it; and nothing is asked for it.
func TestTheMenuTellsHowManyThereAre(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--demo-data")
	admin := startBrowser(t, microphone{}, nil).open(srv.adminLink)
	const all = `"Sessions, \d+ live" "Alerts, \d+ firing" "Nodes, 1" "Privacy, on"`
	admin.says("Quality now")
	admin.tellsInTheMenu(all)
	admin.press("Sessions")
	admin.says("Check timeouts now")
	admin.tellsInTheMenu(all)
	var stats rest.Stats
	if err := srv.get(rest.PathStats, &stats); err != nil || stats.Nodes != 1 {
		t.Errorf("%d nodes, %v", stats.Nodes, err)
	}
	admin.press("Nodes")
	admin.says("This is the only node.")
	admin.tellsInTheMenu(`"Sessions, \d+ live, as of [\d:]{8}" "Alerts, \d+ firing, as of [\d:]{8}" "Nodes, 1" "Privacy, on"`)
	admin.press("Usage")
	admin.tellsInTheMenu(`"Sessions, \d+ live, as of [\d:]{8}" "Alerts, \d+ firing, as of [\d:]{8}" "Nodes, 1, as of [\d:]{8}" "Privacy, on"`)
	admin.press("Alerts")
	admin.tellsInTheMenu(`"Sessions, \d+ live, as of [\d:]{8}" "Alerts, \d+ firing" "Nodes, 1, as of [\d:]{8}" "Privacy, on"`)
}
