package e2e_test

import (
	"testing"
	"time"
)

// dropTimeouts loses the timeouts that Go's runtime has asked for, once it is told to.
const dropTimeouts = `(() => {
  const keep = window.setTimeout;
  window.setTimeout = (act, ...rest) => keep(() => window.areTimeoutsLost && String(act).includes('_scheduledTimeouts') || act(), ...rest);
})()`

// comesToRest is how long a page takes at most to do what it began.
const comesToRest = 2 * time.Second

// TestAPageIsDrawnWithoutItsTimeout loses the timeout that a page is drawn by.
func TestAPageIsDrawnWithoutItsTimeout(t *testing.T) {
	srv := startServer(t, nil)
	page := startBrowser(t, microphone{}, nil).open(srv.callerLink, dropTimeouts)
	page.says("Ready when you are")
	page.goTo(srv.origin() + "/history") // where nothing moves
	page.says("No calls yet")
	const label = "document.querySelector('.head-theme')?.ariaLabel ?? ''"
	evaluate[bool](page, "window.areTimeoutsLost = true")
	<-time.After(comesToRest)
	was := evaluate[string](page, label)
	evaluate[bool](page, "document.querySelector('.head-theme').click(), true") // once: nothing else happens on the page
	eventually(t, "another label", patience, func() (string, bool) {
		now := evaluate[string](page, label)
		return now, now != was && was != "" && now != ""
	})
}
