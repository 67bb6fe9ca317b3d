package cluster_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"parley/server/cluster"
	"parley/server/fault"
	"parley/server/store"
)

// errCut is what a node hears of a database that it can't reach.
var errCut = errors.New("cut off")

// capKey names a cap.
type capKey struct {
	scope store.PermitScope
	key   string
}

// row is a node in the record, with what the test knows of it.
type row struct {
	store.Node
	instance  string
	lostEpoch int64
}

// record does in memory what the store does in SQL (see its own tests, on both engines),
// by one clock, one transaction after the other.
type record struct {
	mu      sync.Mutex
	names   map[string]uint16
	rows    map[uint16]*row
	roster  int64
	leader  uint16
	epoch   int64 // of the leader; 0: none
	permits map[capKey]map[uint16]int
	totals  map[capKey]int
}

func newRecord() *record {
	return &record{names: map[string]uint16{}, rows: map[uint16]*row{}, permits: map[capKey]map[uint16]int{}, totals: map[capKey]int{}}
}

func (r *record) JoinCluster(_ context.Context, of store.NodeIdentity, ttl time.Duration) (store.Node, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	id, ok := r.names[of.Name]
	if !ok {
		id = uint16(len(r.names))
		r.names[of.Name], r.rows[id] = id, &row{Node: store.Node{ID: id, Name: of.Name}}
	}
	n := r.rows[id]
	if n.State == store.NodeLive && n.LeaseBy.After(now) && n.instance != of.Instance {
		return store.Node{}, store.ErrNameTaken
	}
	n.State, n.Epoch, n.RenewedAt, n.LeaseBy = store.NodeLive, n.Epoch+1, now, now.Add(ttl)
	n.instance = of.Instance
	r.setAllLocked(id)
	r.roster++
	return n.Node, nil
}

func (r *record) RejoinCluster(_ context.Context, of store.Renewal, ttl time.Duration) (store.Node, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.rows[of.ID]
	if n.instance != of.Instance {
		return store.Node{}, false, store.ErrNameTaken
	}
	wasLost, now := n.lostEpoch >= of.Epoch, time.Now()
	n.State, n.Epoch, n.RenewedAt, n.LeaseBy = store.NodeLive, n.Epoch+1, now, now.Add(ttl)
	r.setAllLocked(of.ID)
	r.roster++
	return n.Node, wasLost, nil
}

func (r *record) isLiveLocked(id uint16, epoch int64) bool {
	n := r.rows[id]
	return n != nil && n.Epoch == epoch && n.State == store.NodeLive && n.LeaseBy.After(time.Now())
}

func (r *record) RenewNode(_ context.Context, of store.Renewal, ttl time.Duration) (store.Cluster, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isLiveLocked(of.ID, of.Epoch) {
		return store.Cluster{}, store.ErrLapsed
	}
	n := r.rows[of.ID]
	n.RenewedAt, n.LeaseBy, n.Calls = time.Now(), time.Now().Add(ttl), of.Calls
	return store.Cluster{Roster: r.roster, HasLeader: r.isLiveLocked(r.leader, r.epoch), IsLeader: r.leader == of.ID && r.epoch == of.Epoch}, nil
}

func (r *record) LeadCluster(_ context.Context, id uint16, epoch int64) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isLiveLocked(r.leader, r.epoch) {
		return false, nil
	}
	r.leader, r.epoch = id, epoch
	return true, nil
}

func (r *record) LeaveCluster(_ context.Context, id uint16, epoch int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rows[id].Epoch == epoch {
		r.rows[id].State = store.NodeLeft
		r.takeBackLocked()
		r.roster++
	}
	return nil
}

func (r *record) ReapNodes(_ context.Context, judge bool, patience time.Duration) (lost []store.Node, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.rows {
		if n.State == store.NodeLive && !n.LeaseBy.After(time.Now()) {
			n.State = store.NodeLapsed
			r.roster++
		}
		if judge && n.State == store.NodeLapsed && time.Since(n.LeaseBy) >= patience {
			n.State, n.lostEpoch = store.NodeLost, n.Epoch
			r.roster++
			lost = append(lost, n.Node)
		}
	}
	r.takeBackLocked()
	return lost, nil
}

// takeBackLocked takes the permits of nodes that don't live. mu must be held.
func (r *record) takeBackLocked() {
	for id, n := range r.rows {
		if n.State != store.NodeLive {
			r.setAllLocked(id)
		}
	}
}

// setAllLocked takes all permits of a node. mu must be held.
func (r *record) setAllLocked(id uint16) {
	for k, of := range r.permits {
		if n, ok := of[id]; ok {
			r.totals[k] -= n
			delete(of, id)
		}
	}
}

func (r *record) Nodes(context.Context) ([]store.Node, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	nodes := make([]store.Node, len(r.rows))
	for id, n := range r.rows {
		nodes[id] = n.Node
	}
	return nodes, nil
}

func (r *record) PutClusterSecret(context.Context, string) error { return nil }

func (r *record) SyncPermits(_ context.Context, id uint16, epoch int64, demands []store.PermitDemand) (grants []store.PermitGrant, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isLiveLocked(id, epoch) {
		return nil, store.ErrLapsed
	}
	for _, d := range demands {
		k := capKey{d.Scope, d.Key}
		if r.permits[k] == nil {
			r.permits[k] = map[uint16]int{}
		}
		others := r.totals[k] - r.permits[k][id]
		added := max(0, min(d.Want, d.Cap-others-d.Have))
		r.permits[k][id], r.totals[k] = d.Have+added, others+d.Have+added
		grants = append(grants, store.PermitGrant{Added: added, Total: r.totals[k]})
	}
	return grants, nil
}

func (r *record) PermitsOf(_ context.Context, of []store.PermitDemand) (held []store.PermitHolding, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range of {
		for id, n := range r.permits[capKey{d.Scope, d.Key}] {
			held = append(held, store.PermitHolding{Scope: d.Scope, Key: d.Key, NodeID: id, Node: r.rows[id].Name, Granted: n})
		}
	}
	return held, nil
}

// line is a node's connection to the record. What is asked takes a moment, and may be lost
// on the way there or on the way back, or arrive twice.
type line struct {
	*record
	chance func() float64 // 0 to 1
	loss   float64        // share of questions that are lost, and of answers, and that come twice

	mu      sync.Mutex
	isCut   bool
	resumed chan struct{} // not nil: the node stands still until it is closed
}

// pass is the way of one question.
func pass[T any](ctx context.Context, l *line, ask func() (T, error)) (answer T, err error) {
	l.await()
	time.Sleep(time.Duration(1+l.chance()*20) * time.Millisecond)
	if l.cut() || l.chance() < l.loss {
		<-ctx.Done()
		return answer, errors.Join(fault.Unavailable, errCut)
	}
	if l.chance() < l.loss {
		_, _ = ask() // the first of two
	}
	answer, err = ask()
	l.await()
	if l.cut() || l.chance() < l.loss {
		<-ctx.Done()
		var none T
		return none, errors.Join(fault.Unavailable, errCut)
	}
	return answer, err
}

func (l *line) cut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.isCut
}

func (l *line) setCut(is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = is
}

// await blocks while the node stands still.
func (l *line) await() {
	l.mu.Lock()
	resumed := l.resumed
	l.mu.Unlock()
	if resumed != nil {
		<-resumed
	}
}

// pause has the node stand still, until the returned func is called.
func (l *line) pause() (resume func()) {
	stands := make(chan struct{})
	l.mu.Lock()
	l.resumed = stands
	l.mu.Unlock()
	return func() {
		l.mu.Lock()
		l.resumed = nil
		l.mu.Unlock()
		close(stands)
	}
}

func (l *line) RenewNode(ctx context.Context, of store.Renewal, ttl time.Duration) (store.Cluster, error) {
	return pass(ctx, l, func() (store.Cluster, error) { return l.record.RenewNode(ctx, of, ttl) })
}

func (l *line) RejoinCluster(ctx context.Context, of store.Renewal, ttl time.Duration) (store.Node, bool, error) {
	type joined struct {
		store.Node
		wasLost bool
	}
	answer, err := pass(ctx, l, func() (joined, error) {
		n, wasLost, err := l.record.RejoinCluster(ctx, of, ttl)
		return joined{n, wasLost}, err
	})
	return answer.Node, answer.wasLost, err
}

func (l *line) SyncPermits(ctx context.Context, id uint16, epoch int64, demands []store.PermitDemand) ([]store.PermitGrant, error) {
	return pass(ctx, l, func() ([]store.PermitGrant, error) {
		return l.record.SyncPermits(ctx, id, epoch, slices.Clone(demands))
	})
}

func (l *line) ReapNodes(ctx context.Context, judge bool, patience time.Duration) ([]store.Node, error) {
	return pass(ctx, l, func() ([]store.Node, error) { return l.record.ReapNodes(ctx, judge, patience) })
}

var (
	_ cluster.Record       = (*line)(nil)
	_ cluster.PermitRecord = (*line)(nil)
)
