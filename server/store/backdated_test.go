package store_test

import (
	"context"
	"testing"
	"time"

	"parley/shared/rest"
)

// TestBackdatedRowsLieInTheirTime: what another node keeps by a clock of its own is found
// where its time is, among what the store itself keeps.
func TestBackdatedRowsLieInTheirTime(t *testing.T) {
	t.Parallel()
	s := openIn(t, t.TempDir())
	at := noon.Add(-6 * time.Hour)
	past := s.Backdated(7, func() time.Time { return at })
	end := noon
	for _, r := range []struct {
		in interface {
			SessionEnded(ctx context.Context, r rest.SessionRecord) error
		}
		id      string
		started time.Time
	}{{s, "now", end}, {past, "then", at}} {
		if err := r.in.SessionEnded(t.Context(), rest.SessionRecord{ID: r.id, StartedAt: r.started, EndedAt: &end}); err != nil {
			t.Fatal(err)
		}
	}
	all, _, err := s.Sessions(t.Context(), rest.SessionQuery{})
	if err != nil || len(all) != 2 || all[0].ID != "now" || all[1].ID != "then" {
		t.Errorf("%v, %+v", err, all)
	}
	found, _, err := s.Sessions(t.Context(), rest.SessionQuery{From: at.Add(-time.Minute), To: at.Add(time.Minute)})
	if err != nil || len(found) != 1 || found[0].ID != "then" {
		t.Errorf("at its time there is %+v, %v", found, err)
	}
}
