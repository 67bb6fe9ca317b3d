package api_test

import (
	"fmt"
	"testing"
	"time"

	"parley/server/api"
)

// TestCountedViewsAreBounded: one more admin than can be remembered costs one of
// them the count, never memory; those whose line is old go first.
func TestCountedViewsAreBounded(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		age  time.Duration // of the lines when one more comes
		left int
	}{
		"all are young": {time.Minute, api.MaxCountedViews},
		"all are old":   {10 * time.Minute, 1},
	} {
		views := api.NewCountedViews()
		for i := range api.MaxCountedViews {
			views.Take(fmt.Sprint(i), now)
		}
		if n := views.Len(); n != api.MaxCountedViews {
			t.Fatalf("%s: %d are remembered", name, n)
		}
		if _, due := views.Take("0", now.Add(time.Second)); due {
			t.Errorf("%s: one that is remembered is recorded again", name)
		}
		views.Take("one more", now.Add(c.age))
		if n := views.Len(); n != c.left {
			t.Errorf("%s: %d are remembered after one more, want %d", name, n, c.left)
		}
	}
}
