package store_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"parley/server/fault"
	"parley/server/store"
	"parley/shared/rest"
)

// put keeps revocations and returns the id of the last.
func (r *rig) put(list ...rest.Revocation) (id int64) {
	r.audit(rest.AuditEntry{}, func(tx *store.Tx) (err error) {
		for _, v := range list {
			if id, err = tx.PutRevocation(v); err != nil {
				return err
			}
		}
		return nil
	})
	return id
}

func TestRevocationsLastUntilTheyAreMoot(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		first := r.put(rest.Revocation{UserKey: "k1", User: "a•••@x.org", Since: noon, By: "root", Reason: "why"})
		again := r.put(rest.Revocation{UserKey: "k1", Since: noon.Add(-time.Hour)}) // takes nothing back
		r.put(rest.Revocation{UserKey: "k1", Org: "acme", Since: noon}, rest.Revocation{UserKey: "k1", Block: true, Since: noon},
			rest.Revocation{UserKey: "k2", Since: noon.Add(2 * time.Hour)})
		if first != again {
			t.Errorf("one revocation is %d and %d", first, again)
		}
		must(t, r.RevokeToken(t.Context(), "t1", noon.Add(time.Hour)))
		must(t, r.RevokeToken(t.Context(), "t1", noon.Add(time.Hour))) // signed out twice
		must(t, r.RevokeToken(t.Context(), "t2", noon.Add(24*time.Hour)))
		check := func(want int, tokens map[string]time.Time) {
			t.Helper()
			got, err := r.RevocationsInForce(t.Context())
			if err != nil || len(got) != want {
				t.Errorf("%+v, %v", got, err)
			}
			for _, v := range got {
				if v.ID == first && v != (rest.Revocation{ID: first, UserKey: "k1", User: "a•••@x.org", Since: noon, By: "root", Reason: "why"}) {
					t.Errorf("the first is kept as %+v", v)
				}
			}
			if found, err := r.RevokedTokens(t.Context()); err != nil || !maps.Equal(found, tokens) {
				t.Errorf("%v, %v", found, err)
			}
		}
		r.restart()
		check(4, map[string]time.Time{"t1": noon.Add(time.Hour), "t2": noon.Add(24 * time.Hour)})
		r.pass(24 * time.Hour)
		retain(t, r)
		check(4, map[string]time.Time{"t2": noon.Add(24 * time.Hour)})
		r.pass(time.Hour + time.Second)
		retain(t, r)
		check(2, map[string]time.Time{}) // k2's, and the block, which lasts
		r.pass(10_000 * time.Hour)
		retain(t, r)
		if got, err := r.RevocationsInForce(t.Context()); err != nil || len(got) != 1 || !got[0].Block {
			t.Errorf("a block doesn't last: %+v, %v", got, err)
		}
	})
}

func TestRevocationsAreListedAndTakenBack(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		var ids []int64
		for _, org := range []string{"acme", "zeta", "acme", ""} {
			ids = append(ids, r.put(rest.Revocation{Org: org, UserKey: "k" + org + string(rune('a'+len(ids))), Since: noon}))
		}
		listed := func(q rest.RevocationQuery) (found []int64) {
			for {
				page, next, err := r.Revocations(t.Context(), q)
				must(t, err)
				for _, v := range page {
					found = append(found, v.ID)
				}
				if q.Cursor = next; next == "" {
					return found
				}
			}
		}
		if got := listed(rest.RevocationQuery{Limit: 1}); len(got) != 4 || got[0] != ids[3] || got[3] != ids[0] {
			t.Errorf("%v of %v", got, ids)
		}
		if got := listed(rest.RevocationQuery{Org: "acme"}); len(got) != 2 || got[0] != ids[2] || got[1] != ids[0] {
			t.Errorf("of acme %v of %v", got, ids)
		}
		takeBack := func(id int64, org string) (v rest.Revocation, err error) {
			r.audit(rest.AuditEntry{}, func(tx *store.Tx) error {
				v, err = tx.DeleteRevocation(id, org)
				return nil
			})
			return v, err
		}
		if _, err := takeBack(ids[1], "acme"); !errors.Is(err, fault.NotFound) {
			t.Errorf("another organization's: %v", err)
		}
		if v, err := takeBack(ids[0], "acme"); err != nil || v.UserKey != "kacmea" {
			t.Errorf("%+v, %v", v, err)
		}
		if _, err := takeBack(ids[0], ""); !errors.Is(err, fault.NotFound) {
			t.Errorf("twice: %v", err)
		}
		if got := listed(rest.RevocationQuery{UserKey: "kacmea"}); len(got) != 0 {
			t.Errorf("%v is still listed", got)
		}
	})
}
