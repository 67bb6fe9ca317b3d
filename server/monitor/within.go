package monitor

import (
	"context"
	"time"

	"parley/shared/rest"
)

// Within is the picture of one organization alone: what is another's isn't
// there.
type Within struct {
	m   *Monitor
	org string
}

// Within gives the picture of an organization; "" is all.
func (m *Monitor) Within(org string) *Within { return &Within{m, org} }

// Active gives the live sessions, oldest first.
func (w *Within) Active() []rest.Session { return w.m.ActiveOf(w.org) }

// Stats gives the counts as they are now.
func (w *Within) Stats() rest.Stats { return w.m.StatsOf(w.org) }

// Snapshot gives the whole picture.
func (w *Within) Snapshot() rest.Snapshot { return w.m.SnapshotOf(w.org) }

// Follow gives the frames after the cursor.
func (w *Within) Follow(ctx context.Context, cursor uint64, encode Encode) ([]Event, uint64, error) {
	return w.m.Follow(ctx, cursor, w.org, encode)
}

// Owner tells whose session it is.
func (w *Within) Owner(id string) (user, org string, ok bool) {
	user, org, ok = w.m.Owner(id)
	if !ok || w.org != "" && org != w.org {
		return "", "", false
	}
	return user, org, true
}

// Connection gives the quality of one session.
func (w *Within) Connection(id string, from, to time.Time, step time.Duration) (rest.Connection, bool) {
	if _, _, ok := w.Owner(id); !ok {
		return rest.Connection{}, false
	}
	return w.m.Connection(id, from, to, step)
}
