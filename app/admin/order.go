package admin

import (
	"cmp"
	"slices"

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

// arrange gives the ids of the sessions that keep lets pass, worst first. While
// held, those of before stay where they are and new ones join at the end, so
// that nothing moves under a pointer.
func arrange(before []string, p picture, keep func(session) bool, held bool) []string {
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
	slices.SortFunc(rest, worstFirst)
	for _, s := range rest {
		order = append(order, s.ID)
	}
	return order
}
