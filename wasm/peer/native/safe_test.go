//go:build !js

package native

import "testing"

// TestATokenIsNotSentInTheClear where it came encrypted, whatever a server says.
func TestATokenIsNotSentInTheClear(t *testing.T) {
	for _, c := range []struct {
		from, to string
		is       bool
	}{
		{"https://a", "https://b", true}, {"http://a", "https://b", true}, {"http://a", "http://b", true},
		{"https://a", "http://b", false}, {"http://a", "ftp://b", false}, {"https://a", "", false},
	} {
		if got := isAsSafe(c.from, c.to); got != c.is {
			t.Errorf("from %s to %q: %t", c.from, c.to, got)
		}
	}
}
