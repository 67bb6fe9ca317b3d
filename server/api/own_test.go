package api_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"parley/shared/rest"
	"parley/shared/wire"
)

// TestWhatACallerIsToldOfTheirCall: how it was rated, what it used but not what that cost,
// and until when its lines are kept, as retention stands.
func TestWhatACallerIsToldOfTheirCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		id, alice := r.call("alice", ""), r.as("alice")
		one := func() rest.OwnSession {
			return read[rest.OwnSession](t, r.do("GET", "/api/v1/sessions/"+id, "", alice))
		}
		if s := one(); s.Receipt.LogKeptUntil != nil || s.Rating != nil || s.Usage != nil {
			t.Errorf("while it lasts: %+v", s)
		}
		r.end(id, wire.CallerLeft, "")
		entry := rest.UsageEntry{Session: id, Day: "2026-11-24", Usage: rest.Usage{Responses: 2, CostMicros: 9, Currency: "USD"}}
		if err := r.store.AddUsage(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
		if got := r.do("PUT", "/api/v1/sessions/"+id+"/rating", `{"score":0,"tags":["slow"]}`, alice); got.status != 204 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		s := one()
		if s.Rating == nil || s.Rating.Score != 0 || !slices.Equal(s.Rating.Tags, []rest.RatingTag{rest.TagSlow}) {
			t.Errorf("rated %+v", s.Rating)
		}
		if s.Usage == nil || *s.Usage != (rest.Usage{Responses: 2}) {
			t.Errorf("used %+v", s.Usage)
		}
		if body := string(r.do("GET", "/api/v1/sessions/"+id, "", alice).body); strings.Contains(body, "USD") {
			t.Errorf("it tells the currency: %s", body)
		}
		if want := s.EndedAt.AddDate(0, 0, 30); s.Receipt.LogKeptUntil == nil || !s.Receipt.LogKeptUntil.Equal(want) {
			t.Errorf("kept until %v, want %v", s.Receipt.LogKeptUntil, want)
		}
	})
}
