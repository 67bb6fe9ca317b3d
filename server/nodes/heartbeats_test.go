package nodes

import (
	"strings"
	"testing"
)

// TestHeartbeatsTellSecondsThatNothingWasHeardIn: one that comes late is of the second
// before, and the newest second is not told yet.
func TestHeartbeatsTellSecondsThatNothingWasHeardIn(t *testing.T) {
	for name, test := range map[string]struct {
		heard []int // in each second
		want  string
	}{
		"nothing known":   {nil, ""},
		"one second":      {[]int{1}, ""},
		"all heard":       {[]int{1, 1, 1, 1}, "111"},
		"one lost":        {[]int{1, 0, 1, 1}, "101"},
		"one late":        {[]int{1, 0, 2, 1}, "111"},
		"two lost":        {[]int{1, 0, 0, 2, 1}, "1011"},
		"gone":            {[]int{1, 1, 0, 0, 0}, "1100"},
		"a minute is all": {make([]int, 100), strings.Repeat("0", heartbeatSeconds)},
	} {
		var h heartbeats
		for _, n := range test.heard {
			h.heard = n
			h.endSecond()
		}
		if got := h.String(); got != test.want {
			t.Errorf("%s: %s, not %s", name, got, test.want)
		}
	}
}
