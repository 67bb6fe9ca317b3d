package admin

import (
	"slices"
	"testing"
	"time"
)

func TestAnOrderLasts(t *testing.T) {
	start := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	list := func(ids ...string) []string { return ids }
	type step struct {
		after  time.Duration // since start
		wanted []string
		want   []string
	}
	for name, steps := range map[string][]step{
		"held to the nanosecond": {
			{0, list("a", "b"), list("a", "b")},
			{orderHolds - 1, list("b", "a"), list("a", "b")},
			{orderHolds, list("b", "a"), list("b", "a")},
			{2*orderHolds - 1, list("a", "b"), list("b", "a")},
			{2 * orderHolds, list("a", "b"), list("a", "b")},
		},
		"an old one goes at once": {
			{0, list("a", "b"), list("a", "b")},
			{orderHolds, list("a", "b"), list("a", "b")},
			{orderHolds + 1, list("b", "a"), list("b", "a")},
		},
		"what comes joins at the end, what goes leaves its place": {
			{0, list("a", "b", "c"), list("a", "b", "c")},
			{1, list("d", "c", "a"), list("a", "c", "d")},
			{orderHolds, list("d", "c", "a"), list("d", "c", "a")},
		},
		"the first are in order": {
			{0, nil, nil},
			{1, list("b", "a"), list("b", "a")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var o steadyOrder
			for i, s := range steps {
				o = o.follow(s.wanted, start.Add(s.after))
				if !slices.Equal(o.ids, s.want) {
					t.Fatalf("step %d: %v, want %v", i, o.ids, s.want)
				}
			}
		})
	}
}
