package monitor

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Lateness is how late this machine does what is due: a timer, as each of the relay's
// packets and reports waits for. Where processors are taken by others, calls suffer,
// and their networks are not to blame.
const (
	// latenessEach is the rhythm of packets.
	latenessEach = 20 * time.Millisecond
	// latenessQuantile of a second's is what counts: one late packet in twenty is heard.
	latenessQuantile = 0.95
)

// lateness is safe for use by several goroutines.
type lateness struct {
	mu  sync.Mutex
	all []time.Duration // since it was last taken
}

// run looks until ctx is done.
func (l *lateness) run(ctx context.Context) {
	timer := time.NewTimer(latenessEach)
	defer timer.Stop()
	for {
		due := time.Now().Add(latenessEach)
		timer.Reset(latenessEach)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			l.add(time.Since(due))
		}
	}
}

func (l *lateness) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, max(0, d))
}

// take returns how late the machine was since it was last asked; 0 where nobody looked.
func (l *lateness) take() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return 0
	}
	slices.Sort(l.all)
	late := l.all[int(latenessQuantile*float64(len(l.all)-1))]
	l.all = l.all[:0]
	return late
}
