package main

import (
	"net/http"
	"testing"

	"parley/shared/rest"
)

func (p *program) totals(t *testing.T) (got rest.Totals) {
	t.Helper()
	if status := p.ask(t, "demo-admin", http.MethodGet, rest.PathTotals, nil, &got); status != http.StatusOK {
		t.Fatalf("totals: %d", status)
	}
	return got
}

// TestTotalsOutliveAKill: what ended is counted once, before a kill as after it, and so is
// the call that the kill ended.
func TestTotalsOutliveAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := spawnIn(t, dir)
	k := c.talking(t, "ann", "echo")
	path := "/api/v1/monitoring/sessions/" + k.session() + "/end"
	if status := c.ask(t, "demo-admin", http.MethodPost, path, rest.EndRequest{Reason: "over"}, nil); status >= 300 {
		t.Fatalf("end: %d", status)
	}
	if got := c.totals(t); got.Calls != 1 || len(got.Days) != 1 || got.Days[0].Users != 1 {
		t.Errorf("before the kill: %+v", got)
	}
	c.talking(t, "bob", "echo")
	c.kill(t)
	c = spawnIn(t, dir)
	got := c.totals(t)
	if got.Calls != 2 || got.Since != got.Days[len(got.Days)-1].Day {
		t.Errorf("after the kill: %+v", got)
	}
	if figures := c.metrics(t); figures["parley_calls_total"] != 2 || figures["parley_sessions_started_total"] != 0 {
		t.Errorf("the figures say %v and %v", figures["parley_calls_total"], figures["parley_sessions_started_total"])
	}
}
