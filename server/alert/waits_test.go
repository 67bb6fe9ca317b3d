package alert

import (
	"testing"
	"time"
)

// Each wait is at least half of twice the one before, and never beyond the
// longest.
func TestWaitsDouble(t *testing.T) {
	s := NewWebhookSender(WebhookSenderConfig{})
	longest := FirstWait
	var sum time.Duration
	for attempt := 1; attempt < 2*MaxAttempts; attempt++ {
		seen := map[time.Duration]bool{}
		for range 50 {
			w := s.retryDelay(attempt)
			if w < longest/2 || w > longest {
				t.Fatalf("after attempt %d: %v, at most %v", attempt, w, longest)
			}
			seen[w] = true
		}
		if len(seen) < 10 {
			t.Errorf("after attempt %d: %d different waits of 50", attempt, len(seen))
		}
		if attempt < MaxAttempts {
			sum += longest
		}
		longest = min(2*longest, LongestWait)
	}
	if sum < 10*time.Minute || sum > time.Hour {
		t.Errorf("given up after %v at most", sum)
	}
}
