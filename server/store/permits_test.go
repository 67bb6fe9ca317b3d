package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/store"
	"parley/shared/rest"
	"parley/shared/wire"
)

func (r *rig) sync(n store.Node, d ...store.PermitDemand) []store.PermitGrant {
	r.t.Helper()
	grants, err := r.SyncPermits(r.t.Context(), n.ID, n.Epoch, d)
	if err != nil {
		r.t.Error(err)
		return make([]store.PermitGrant, len(d))
	}
	return grants
}

func all(have, want, limit int) store.PermitDemand {
	return store.PermitDemand{Scope: store.PermitAll, Have: have, Want: want, Cap: limit}
}

func TestPermitsAreGrantedUpToACap(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		a, b := r.mustJoin("a"), r.mustJoin("b")
		for i, step := range []struct {
			of     store.Node
			demand store.PermitDemand
			want   store.PermitGrant
		}{
			{a, all(0, 4, 10), store.PermitGrant{Added: 4, Total: 4}},
			{b, all(0, 8, 10), store.PermitGrant{Added: 6, Total: 10}}, // what is left
			{a, all(4, 1, 10), store.PermitGrant{Total: 10}},
			{a, all(4, 1, 10), store.PermitGrant{Total: 10}}, // again, for the answer was lost
			{b, all(3, 0, 10), store.PermitGrant{Total: 7}},  // given back
			{a, all(4, 9, 5), store.PermitGrant{Total: 7}},   // the cap was lowered
			{b, all(0, 0, 5), store.PermitGrant{Total: 4}},
			{a, all(4, 9, 5), store.PermitGrant{Added: 1, Total: 5}},
			{b, all(9, 1, 5), store.PermitGrant{Total: 14}}, // what lives is told, however much it is
		} {
			if got := r.sync(step.of, step.demand); got[0] != step.want {
				t.Errorf("%d: %+v, want %+v", i, got[0], step.want)
			}
		}
		r.lapse(b)
		_, err := r.SyncPermits(t.Context(), b.ID, b.Epoch, []store.PermitDemand{all(9, 1, 99)})
		if !errors.Is(err, store.ErrLapsed) {
			t.Errorf("without a lease: %v", err)
		}
		_, err = r.ReapNodes(t.Context(), false, 0)
		must(t, err)
		if got := r.sync(a, all(5, 9, 9)); got[0].Added != 4 {
			t.Errorf("the places of a lease that ran out: %+v", got)
		}
		got := r.sync(a, store.PermitDemand{Scope: store.PermitUser, Key: "u", Want: 1, Cap: 1}, store.PermitDemand{Scope: store.PermitOrg, Key: "u", Want: 2, Cap: 1}, all(9, 1, 10))
		if got[0].Added != 1 || got[1].Added != 1 || got[2].Added != 1 {
			t.Errorf("caps are apart, and answered in order: %+v", got)
		}
	})
}

// TestTwoStoresOnOneDatabase: what reads and then writes holds with two servers: caps,
// the audit chain while one's clock is behind, days' totals, ids, and partitions.
func TestTwoStoresOnOneDatabase(t *testing.T) {
	a := newDatabase(t)
	var rigs []*rig
	var nodes []store.Node
	for i := range 2 {
		r := &rig{t: t}
		r.set(noon.Add(-time.Duration(i) * 2 * time.Second)) // its clock is behind
		s, err := store.OpenPostgres(t.Context(), a, store.Options{Node: fmt.Sprint("n", i), Now: r.now, IsShared: true})
		must(t, err)
		r.Store = s
		defer r.stop()
		rigs, nodes = append(rigs, r), append(nodes, r.mustJoin(fmt.Sprint("n", i)))
	}
	if _, err := store.OpenPostgres(t.Context(), a, store.Options{}); err == nil || !strings.Contains(err.Error(), "--cluster") {
		t.Errorf("a server alone beside a cluster: %v", err)
	}
	const rounds, limit = 30, 40
	held := make([]int, 2)
	var running sync.WaitGroup
	for i, r := range rigs {
		running.Go(func() {
			for round := range rounds {
				id := fmt.Sprintf("s%d-%d", i, round)
				_, err := r.AppendAudit(t.Context(), rest.AuditEntry{Actor: id}, seal, nil)
				held[i] += r.sync(nodes[i], all(held[i], 3, limit))[0].Added
				end := noon
				err = errors.Join(err,
					r.SessionEnded(t.Context(), rest.SessionRecord{ID: id, Node: "n", UserKey: "one", StartedAt: noon, EndedAt: &end, EndCause: wire.CallerLeft}),
					r.AppendLogs(t.Context(), []rest.LogEntry{{T: noon, User: "u", UserKey: "one"}}))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	if held[0]+held[1] != limit {
		t.Errorf("%v places of %d", held, limit)
	}
	if last, err := checkChain(t.Context(), rigs[0]); err != nil || last != 2*rounds {
		t.Errorf("%d lines, %v", last, err)
	}
	if got, err := rigs[1].Totals(t.Context(), "", 1); err != nil || got.Calls != 2*rounds || got.Days[0].Users != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, _, err := rigs[0].Logs(t.Context(), rest.LogQuery{Limit: 100}); err != nil || len(got) != 2*rounds {
		t.Errorf("%d log lines, %v", len(got), err)
	}
	for _, look := range []struct {
		after time.Duration
		lines int
	}{{0, 0}, {time.Minute, 2 * rounds}} { // first another node may still write one between them
		rigs[0].pass(look.after)
		if got, err := rigs[0].UnsentLogs(t.Context(), 100); err != nil || len(got) != look.lines {
			t.Errorf("%d lines are handed on after %s, %v", len(got), look.after, err)
		}
	}
}

// TestAUsersPlaceIsGivenUp at one node, and counts again when that one says so.
func TestAUsersPlaceIsGivenUp(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		a, b := r.mustJoin("a"), r.mustJoin("b")
		of := func(have, want int) store.PermitDemand {
			return store.PermitDemand{Scope: store.PermitUser, Key: "ann", Have: have, Want: want, Cap: 2}
		}
		r.sync(a, of(0, 2))
		if got := r.sync(b, of(0, 1)); got[0].Added != 0 {
			t.Fatalf("a third of two: %+v", got)
		}
		must(t, r.AbandonPermit(t.Context(), "a", "bob"))
		must(t, r.AbandonPermit(t.Context(), "c", "ann"))
		must(t, r.AbandonPermit(t.Context(), "a", "ann"))
		if got := r.sync(b, of(0, 2)); got[0] != (store.PermitGrant{Added: 1, Total: 2}) {
			t.Errorf("after one was given up: %+v", got)
		}
		must(t, r.AbandonPermit(t.Context(), "a", "ann"))
		must(t, r.AbandonPermit(t.Context(), "a", "ann")) // there is none left
		if got := r.sync(b, of(1, 1)); got[0] != (store.PermitGrant{Added: 1, Total: 2}) {
			t.Errorf("after both were: %+v", got)
		}
		if got := r.sync(a, of(2, 0)); got[0].Total != 4 {
			t.Errorf("what lives nevertheless is told: %+v", got)
		}
	})
}
