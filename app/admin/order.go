package admin

import (
	"cmp"
	"slices"
	"time"

	"parley/shared/quality"
)

// rank orders the levels, worst first. A line without figures stands between
// those that need a look and those that don't.
func rank(l quality.Level) int {
	switch l {
	case quality.Poor:
		return 0
	case quality.Fair:
		return 1
	case quality.Good:
		return 3
	case quality.Excellent:
		return 4
	}
	return 2
}

// worstFirst compares by level, then by the time in it, longest first. The id
// settles the rest, so that an order never flickers.
func worstFirst(a, b session) int {
	return cmp.Or(
		cmp.Compare(rank(level(a.Session)), rank(level(b.Session))),
		a.since.Compare(b.since),
		cmp.Compare(a.ID, b.ID),
	)
}

// orderHolds is how long an order lasts at least: who reaches for a row must
// find it where it was.
const orderHolds = 5 * time.Second

// steadyOrder is an order of ids that holds still.
type steadyOrder struct {
	ids   []string
	since time.Time
}

// holds reports whether the order must last at that time.
func (o steadyOrder) holds(now time.Time) bool {
	return len(o.ids) > 0 && now.Sub(o.since) < orderHolds
}

// replaced returns the order with other ids. One that is the same has held since
// it was made.
func (o steadyOrder) replaced(ids []string, now time.Time) steadyOrder {
	if slices.Equal(o.ids, ids) {
		return o
	}
	return steadyOrder{ids, now}
}

// follow returns the order that is wanted, once the old one has lasted. Until
// then what is still wanted stays in its place, and the new joins at the end.
func (o steadyOrder) follow(wanted []string, now time.Time) steadyOrder {
	if !o.holds(now) {
		return o.replaced(wanted, now)
	}
	ids := slices.DeleteFunc(slices.Clone(o.ids), func(id string) bool { return !slices.Contains(wanted, id) })
	for _, id := range wanted {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return steadyOrder{ids, o.since}
}

// arrange gives the ids of the sessions that keep lets pass, worst first. While
// held, those of before stay where they are and new ones join at the end, so
// that nothing moves under a pointer.
func arrange(before []string, p picture, keep func(session) bool, held bool, compare func(a, b session) int) []string {
	var order []string
	placed := map[string]bool{}
	if held {
		for _, id := range before {
			if _, known := p.sessions[id]; known {
				order = append(order, id)
				placed[id] = true
			}
		}
	}
	var rest []session
	for id, s := range p.sessions {
		if !placed[id] && keep(s) {
			rest = append(rest, s)
		}
	}
	slices.SortFunc(rest, compare)
	for _, s := range rest {
		order = append(order, s.ID)
	}
	return order
}
