package site_test

import (
	"sync"
	"testing"

	"parley/server/site"
)

// Pages are rendered for many at once, out of nothing that they share; the race
// detector sees the rest. Attributes come in any order, so their bytes are counted.
func TestPagesAreRenderedSideBySide(t *testing.T) {
	_, url := serve(t, site.Config{})
	paths := []string{"/", "/sign-in", "/call", "/admin", "/admin/sessions", "/nothing"}
	alone := make([]int, len(paths))
	for i, path := range paths {
		alone[i] = len(get(t, url+path).body)
	}
	var running sync.WaitGroup
	for range 4 {
		for i, path := range paths {
			running.Go(func() {
				if got := len(get(t, url+path).body); got != alone[i] {
					t.Errorf("%s has %d bytes beside others, %d alone", path, got, alone[i])
				}
			})
		}
	}
	running.Wait()
}
