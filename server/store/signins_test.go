package store_test

import (
	"slices"
	"testing"
	"time"

	"parley/server/store"
)

func TestSignInsLastUntilTheyExpire(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		must(t, r.PutSignIn(t.Context(), "h2", "k1", "sealed 2", noon.Add(2*time.Hour)))
		must(t, r.PutSignIn(t.Context(), "h1", "k1", "sealed 1", noon.Add(time.Hour)))
		must(t, r.PutSignIn(t.Context(), "h3", "k2", "sealed 3", noon.Add(3*time.Hour)))
		must(t, r.DeleteSignIn(t.Context(), "h3"))
		must(t, r.DeleteSignIn(t.Context(), "never"))
		if err := r.PutSignIn(t.Context(), "h1", "k9", "forged", noon); err == nil {
			t.Error("a sign-in was replaced")
		}
		check := func(want ...string) {
			t.Helper()
			var got []string
			err := r.SignIns(t.Context(), func(hash, userKey, sealed string, expires time.Time) {
				got = append(got, hash+" "+userKey+" "+sealed+" "+expires.Sub(noon).String())
			})
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("got %q, want %q, %v", got, want, err)
			}
		}
		r.restart()
		check("h1 k1 sealed 1 1h0m0s", "h2 k1 sealed 2 2h0m0s")
		r.pass(time.Hour)
		retain(t, r)
		check("h1 k1 sealed 1 1h0m0s", "h2 k1 sealed 2 2h0m0s")
		r.pass(time.Millisecond)
		retain(t, r)
		check("h2 k1 sealed 2 2h0m0s")
	})
}

func retain(t *testing.T, r *rig) {
	t.Helper()
	if _, err := r.Retain(t.Context(), store.Before{}); err != nil {
		t.Fatal(err)
	}
}
