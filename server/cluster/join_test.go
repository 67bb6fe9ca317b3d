package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/cluster"
	"parley/server/fault"
	"parley/server/store"
)

// awayRecord is a database that answers after some time.
type awayRecord struct {
	*record
	from time.Time
	err  error
}

func (r *awayRecord) JoinCluster(ctx context.Context, of store.NodeIdentity, ttl time.Duration) (store.Node, error) {
	if time.Now().Before(r.from) {
		return store.Node{}, r.err
	}
	return r.record.JoinCluster(ctx, of, ttl)
}

// A node waits for a database that is away for a moment, as for its own last life, and no
// longer than for that; what waiting doesn't cure is said at once.
func TestJoiningWaitsForTheDatabase(t *testing.T) {
	away := fmt.Errorf("%w: joining the cluster took too long", fault.Unavailable)
	const patience = cluster.LeaseTTL + cluster.RenewEvery
	for name, c := range map[string]struct {
		away   time.Duration
		err    error
		within time.Duration
		joins  bool
	}{
		"at once":      {0, nil, 0, true},
		"for a moment": {10 * time.Second, away, 11 * time.Second, true},
		"for too long": {time.Hour, away, patience + 2*time.Second, false},
		"another key":  {time.Hour, store.ErrOtherKey, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				r := &awayRecord{newRecord(), began.Add(c.away), c.err}
				_, err := cluster.Join(t.Context(), cluster.Config{Record: r, Identity: store.NodeIdentity{Name: "a"}})
				if took := time.Since(began); took > c.within {
					t.Errorf("it took %v, more than %v", took, c.within)
				}
				if c.joins && err != nil || !c.joins && !errors.Is(err, c.err) {
					t.Errorf("it says %v", err)
				}
			})
		})
	}
}
