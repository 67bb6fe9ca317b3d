package health

import (
	"slices"
	"sync"
	"time"

	"parley/shared/rest"
)

// deletionSpan is how far back it is told what went.
const deletionSpan = 24 * time.Hour

// deletion is one look for lines that are too old.
type deletion struct {
	at    time.Time
	lines int64
}

// deletions remember the looks of the last day, with what went.
type deletions struct {
	mu    sync.Mutex
	looks []deletion
}

func (d *deletions) add(at time.Time, lines int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.looks = slices.DeleteFunc(d.looks, func(l deletion) bool { return at.Sub(l.at) >= deletionSpan })
	d.looks = append(d.looks, deletion{at, lines})
}

// Deleted tells when this server looked last for lines of the access and audit log that are
// too old, and how many went in a day. Its time is zero where another node does it.
func (u *Upkeep) Deleted() (told rest.Deletion) {
	u.deletions.mu.Lock()
	defer u.deletions.mu.Unlock()
	for _, l := range u.deletions.looks {
		told.CheckedAt = l.at.UTC()
		told.Lines += l.lines
	}
	return told
}
