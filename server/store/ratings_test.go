package store_test

import (
	"errors"
	"reflect"
	"testing"

	"parley/server/fault"
	"parley/shared/rest"
)

// TestARatingStaysWithItsSession: the newest one, through the session's end and a restart.
func TestARatingStaysWithItsSession(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		if err := r.RateSession(t.Context(), "s_1", rest.Rating{Score: 1}); !errors.Is(err, fault.NotFound) {
			t.Errorf("a session that never was: %v", err)
		}
		must(t, r.SessionStarted(t.Context(), begun("s_1")))
		must(t, r.RateSession(t.Context(), "s_1", rest.Rating{Score: 1}))
		want := rest.Rating{Score: 0, Tags: []rest.RatingTag{rest.TagCutOut, rest.TagSlow}}
		must(t, r.RateSession(t.Context(), "s_1", want))
		must(t, r.SessionEnded(t.Context(), over("s_1")))
		must(t, r.SessionEnded(t.Context(), over("s_2")))
		r.restart()
		rated, err := r.Session(t.Context(), "s_1")
		if err != nil || rated.Rating == nil || !reflect.DeepEqual(*rated.Rating, want) {
			t.Errorf("%+v, %v", rated.Rating, err)
		}
		if other, err := r.Session(t.Context(), "s_2"); err != nil || other.Rating != nil {
			t.Errorf("one that nobody rated: %+v, %v", other.Rating, err)
		}
	})
}

// TestUsageOfOneSession is that of all its days, and of no other.
func TestUsageOfOneSession(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for _, e := range []rest.UsageEntry{
			{Session: "s_1", Day: "2026-11-25", Usage: rest.Usage{Tokens: rest.Tokens{InputAudio: 7}, Responses: 1, CostMicros: 5, Currency: "USD"}},
			{Session: "s_1", Day: "2026-11-26", Usage: rest.Usage{Tokens: rest.Tokens{InputAudio: 2}, Responses: 3, CostMicros: 1, Currency: "USD"}},
			{Session: "s_2", Day: "2026-11-26", Usage: rest.Usage{Responses: 100, Currency: "USD"}},
		} {
			must(t, r.AddUsage(t.Context(), e))
		}
		want := rest.Usage{Tokens: rest.Tokens{InputAudio: 9}, Responses: 4, CostMicros: 6, Currency: "USD"}
		if got, err := r.SessionUsage(t.Context(), "s_1"); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := r.SessionUsage(t.Context(), "s_3"); err != nil || got != (rest.Usage{}) {
			t.Errorf("of one that used nothing: %+v, %v", got, err)
		}
	})
}
