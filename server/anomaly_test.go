package main

import (
	"net/http"
	"testing"

	"parley/server/store"
	"parley/shared/rest"
)

// TestHoursAreLearnedFrom: what happened in an hour that a server didn't see to its end is
// kept for the next, and while nothing is known of the past nothing is told.
func TestHoursAreLearnedFrom(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.tokens = map[string]string{"guesser": "guessed"}
	for range 3 {
		if status := p.ask(t, "guesser", http.MethodPost, rest.PathAuthSession, nil, nil); status != http.StatusUnauthorized {
			t.Fatalf("a guessed token: %d", status)
		}
	}
	var stats rest.Stats
	if status := p.ask(t, "demo-admin", http.MethodGet, rest.PathStats, nil, &stats); status != http.StatusOK || stats.Anomalies == nil || len(stats.Anomalies) != 0 {
		t.Errorf("%d, anomalies %+v", status, stats.Anomalies)
	}
	p.stop()
	p.finished(t)
	kept, err := store.Open(t.Context(), p.dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	hours, err := kept.Baselines(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0.0
	for _, h := range hours {
		if h.Series == rest.AnomalySignIns {
			refused += h.Total
		}
	}
	if refused != 3 {
		t.Errorf("%v refused sign-ins are kept of 3: %+v", refused, hours)
	}
}
