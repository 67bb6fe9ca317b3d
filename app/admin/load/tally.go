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

// Count is how many there are of something, as far as the pages know.
type Count struct {
	N     int
	Known bool
	AsOf  time.Time // zero while a page keeps it up to date

	by *Tally // that page's
}

// counted is a count of now.
func counted(n int) Count { return Count{N: n, Known: true} }

// Counts are those that the menu tells.
type Counts struct {
	Live   Count // calls
	Firing Count // alerts
	Nodes  Count // servers
}

func (c *Counts) all() [3]*Count { return [...]*Count{&c.Live, &c.Firing, &c.Nodes} }

// Firing are counts of the alerts that fire, and of nothing else.
func Firing(n int) Counts { return Counts{Firing: counted(n)} }

// Nodes are counts of servers, and of nothing else.
func Nodes(n int) Counts { return Counts{Nodes: counted(n)} }

// Tally tells the menu what a page learns anyway, of its stream mostly: nothing is asked
// for it.
type Tally struct {
	now, told Counts
	firing    map[string]bool
}

// tallyStays is how long counts of a page that is gone are as good as new: the next one has
// mostly told its own by then.
const tallyStays = 5 * time.Second

// Take takes frames that came together, and tells counts that have changed.
func (t *Tally) Take(ctx app.Context, frames []client.Frame) {
	isTold := true
	for _, frame := range frames {
		switch f := frame.(type) {
		case client.Status:
			isTold = f.State == client.Live || f.Polling
		case client.Snapshot:
			t.now = Counts{Live: counted(f.Stats.Live), Nodes: counted(f.Stats.Nodes)}
			if t.firing = nil; !f.Polled {
				t.firing = map[string]bool{}
				t.follow(f.Alerts)
			}
		case client.Counts:
			t.now.Live, t.now.Nodes = counted(f.Stats.Live), counted(f.Stats.Nodes)
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
	t.now.Firing = counted(len(t.firing))
}

// Tell tells what the page knows now. What it knew before stays, as of now.
func (t *Tally) Tell(ctx app.Context, known Counts) {
	t.change(ctx, func(told *Counts, now time.Time) {
		for i, one := range told.all() {
			if fresh := known.all()[i]; fresh.Known {
				*one = *fresh
				one.by = t
			} else if one.by == t {
				one.by, one.AsOf = nil, now
			}
		}
	})
}

// Stop leaves what this page told as it was, unless the next one tells it. It belongs into
// the page's OnDismount.
func (t *Tally) Stop(ctx app.Context) {
	stopped := time.Now()
	time.AfterFunc(tallyStays, func() {
		t.change(ctx, func(told *Counts, _ time.Time) {
			for _, one := range told.all() {
				if one.by == t {
					one.by, one.AsOf = nil, stopped
				}
			}
		})
	})
}

func (t *Tally) change(ctx app.Context, do func(told *Counts, now time.Time)) {
	if !isSet(ctx) {
		return
	}
	var told Counts
	ctx.GetState(MenuCounts, &told)
	before := told
	if do(&told, time.Now()); told != before {
		ctx.SetState(MenuCounts, told)
	}
}
