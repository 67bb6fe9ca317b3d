package load

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/shared/rest"
)

// What the menu tells behind its entries, by the names of go-app's states.
const (
	MenuCounts  = "menu-counts"  // Counts, kept by the page that is shown
	MenuPrivacy = "menu-privacy" // whether privacy mode is "on" or "off"; "" is not known
)

// Counts are how many there are now, as far as the page knows: 0 alerts or servers are
// told to nobody.
type Counts struct {
	HasLive bool // else Live is not known
	Live    int  // calls
	Firing  int  // alerts
	Nodes   int  // servers

	by *Tally
}

// Tally tells the menu what a page learns anyway, of its stream mostly: nothing is asked
// for it.
type Tally struct {
	now, told Counts
	firing    map[string]bool
}

// tallyStays is how long counts outlive the page that kept them: the next one has mostly
// told its own by then, and after it they would be old.
const tallyStays = 5 * time.Second

// Take takes frames that came together, and tells counts that have changed.
func (t *Tally) Take(ctx app.Context, frames []client.Frame) {
	isTold := true
	for _, frame := range frames {
		switch f := frame.(type) {
		case client.Status:
			isTold = f.State == client.Live || f.Polling
		case client.Snapshot:
			t.now = Counts{HasLive: true, Live: f.Stats.Live, Nodes: f.Stats.Nodes}
			if t.firing = nil; !f.Polled {
				t.firing = map[string]bool{}
				t.follow(f.Alerts)
			}
		case client.Counts:
			t.now.Live, t.now.Nodes = f.Stats.Live, f.Stats.Nodes
		case client.Alerts:
			t.follow(f.Items)
		}
	}
	next := t.now
	if !isTold {
		next = Counts{} // what was heard is old
	}
	if next != t.told {
		t.told = next
		t.Tell(ctx, next)
	}
}

// follow takes alerts as they are now. One whose beginning was missed counts for nothing.
func (t *Tally) follow(alerts []rest.Alert) {
	if t.firing == nil {
		return
	}
	for _, a := range alerts {
		if t.firing[a.ID] = true; a.State != rest.AlertFiring {
			delete(t.firing, a.ID)
		}
	}
	t.now.Firing = len(t.firing)
}

// Tell tells what the page knows of itself.
func (t *Tally) Tell(ctx app.Context, known Counts) {
	if known.by = t; isSet(ctx) {
		ctx.SetState(MenuCounts, known)
	}
}

// Stop forgets what this page told, unless the next one tells it. It belongs into the
// page's OnDismount.
func (t *Tally) Stop(ctx app.Context) {
	if !isSet(ctx) {
		return
	}
	time.AfterFunc(tallyStays, func() {
		var told Counts
		if ctx.GetState(MenuCounts, &told); told.by == t {
			ctx.SetState(MenuCounts, Counts{})
		}
	})
}
