// Package cluster keeps a server a node among others that share its database: the lease
// by which the others know that it lives, who leads, and how many of the places that a
// cap allows it may fill. What it knows of the others it has from the database, which is
// asked by an interface; it sends nothing to them.
//
// The lease is what all else hangs from. It is renewed by the database's clock, and
// counted by the node's own, monotonic one, from before the renewal was sent: a node that
// was paused or cut off knows by itself that others may have its places. From then on
// it admits nobody. Its calls go on, unless the others took it for dead and ended them in
// the record.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"parley/server/fault"
	"parley/server/store"
)

const (
	// LeaseTTL is how long a lease lasts: a dead node's places are free again after it.
	LeaseTTL = 15 * time.Second
	// RenewEvery is the rhythm of renewals: two may fail before a lease runs out.
	RenewEvery = 5 * time.Second
	// retryEvery is after how long a renewal that failed is tried again.
	retryEvery = time.Second
	// leaseMargin is how long before the end of its lease a node stops admitting: clocks
	// run at rates that differ by a few in a thousand, and an admission takes a moment.
	leaseMargin = 2 * time.Second
	// lostAfter is how long after the end of its lease a node is taken for dead: one that
	// could not reach a database which was away for all gets back to it first.
	lostAfter = 5 * time.Second
	// joinPatience is how long a node waits for the lease of its own former life, or for a
	// database that is away.
	joinPatience = LeaseTTL + RenewEvery
	// askTimeout bounds one question to the database.
	askTimeout = 3 * time.Second
)

// Record is where nodes know each other from: *store.Store.
type Record interface {
	JoinCluster(ctx context.Context, of store.NodeIdentity, ttl time.Duration) (store.Node, error)
	RejoinCluster(ctx context.Context, r store.Renewal, ttl time.Duration) (n store.Node, wasLost bool, err error)
	RenewNode(ctx context.Context, r store.Renewal, ttl time.Duration) (store.Cluster, error)
	LeadCluster(ctx context.Context, id uint16, epoch int64) (leads bool, err error)
	LeaveCluster(ctx context.Context, id uint16, epoch int64) error
	ReapNodes(ctx context.Context, judge bool, patience time.Duration) (lost []store.Node, err error)
	Nodes(ctx context.Context) ([]store.Node, error)
	PutClusterSecret(ctx context.Context, fingerprint string) error
}

// Config is what a membership is made of. Record and Identity must be given.
type Config struct {
	Record   Record
	Identity store.NodeIdentity
	// Secrets are the fingerprints of NodeIdentity.Secrets as they are now; nil: they stay.
	Secrets func() []string
	Logger  *slog.Logger
	// Now is the node's own clock, which must be monotonic; nil: time.Now.
	Now func() time.Time
}

// Load is what a node tells of itself with each renewal.
type Load struct {
	Calls      int
	IsDraining bool
}

// Duties are what the rest of the server does about its membership. Any may be nil.
type Duties struct {
	// Load is what the others are told.
	Load func() Load
	// Taken is called when the others took this node for dead: its calls are over in the
	// record, and end now. The node admits nobody before it returns.
	Taken func()
	// Lapsed is called when the lease ran out, before others may have its places, each
	// second from then on, and before the node has another: calls that are to keep within
	// the caps whatever happens end.
	Lapsed func()
	// Renewed is called after each renewal, and with isNew when the lease is another one,
	// of which no place is granted yet: nobody is admitted by it before that went well.
	Renewed func(ctx context.Context, isNew bool) error
	// Lost is told which nodes were taken for dead; on every node, some seconds after.
	Lost func(ctx context.Context, lost []store.Node)
	// Reaped is called on the leader alone, when the record of the lost is closed, and
	// once when it begins to lead: the leader before it may have died over that.
	Reaped func(ctx context.Context, lost []store.Node)
}

// Membership is a server's place in a cluster. Join makes it.
type Membership struct {
	cfg Config

	mu      sync.Mutex
	self    store.Node
	fence   time.Time // until when it may admit, by its own clock
	since   time.Time // since when its lease has not been interrupted
	leads   bool
	isGone  bool // its lease is known to be over, or given back
	roster  int64
	nodes   []store.Node
	live    int   // of nodes
	problem error // of the newest renewal
	skew    *time.Duration

	// Of Run's goroutine alone.
	signs     string // fingerprint of the secret, as the leader noted it last
	hasReaped bool   // since it leads
}

// Join takes a lease. While a node of the same name has one, or the database is away, it
// waits for a while: it may be its own life before this one.
func Join(ctx context.Context, cfg Config) (*Membership, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Membership{cfg: cfg}
	for began, told := cfg.Now(), false; ; {
		sent := cfg.Now()
		n, err := cfg.Record.JoinCluster(ctx, cfg.Identity, LeaseTTL)
		if err == nil {
			m.accept(n, sent)
			m.nodes = []store.Node{n}
			cfg.Logger.Info("joined the cluster", "event", "cluster", "node", n.Name, "id", n.ID, "epoch", n.Epoch)
			return m, nil
		}
		isTaken := errors.Is(err, store.ErrNameTaken)
		if !isTaken && !errors.Is(err, fault.Unavailable) || cfg.Now().Sub(began) > joinPatience {
			return nil, explainJoin(err, cfg.Identity.Name)
		}
		switch {
		case isTaken && !told:
			cfg.Logger.Info("a node of this name has a lease: waiting until it runs out, for it may be this server's last life", "event", "cluster", "node", cfg.Identity.Name)
			told = true
		case !isTaken:
			cfg.Logger.Warn("joining the cluster is tried again", "event", "cluster", "node", cfg.Identity.Name, "err", err)
		}
		if err := wait(ctx, retryEvery); err != nil {
			return nil, err
		}
	}
}

// explainJoin says what to do about a node that is not let in.
func explainJoin(err error, name string) error {
	switch {
	case errors.Is(err, store.ErrNameTaken):
		return fmt.Errorf("%w: %s lives: give this one another name by --node", err, name)
	case errors.Is(err, store.ErrOtherKey):
		return fmt.Errorf("%w: copy the file user-key from the --data-dir of a node that serves into this one's", err)
	case errors.Is(err, store.ErrOtherSecret):
		return fmt.Errorf("%w: copy the files jwt-secret and, where it is there, jwt-secret.previous from the --data-dir of a node that serves into this one's, or give all nodes the same by --jwt-secret-file or PARLEY_JWT_SECRET", err)
	}
	return fmt.Errorf("joining the cluster: %w", err)
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// accept begins a lease that was asked for at a time.
func (m *Membership) accept(n store.Node, sent time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.self, m.since, m.fence = n, sent, sent.Add(LeaseTTL-leaseMargin)
	m.leads, m.problem, m.roster = false, nil, 0
}

// Self is this node as it joined last.
func (m *Membership) Self() store.Node {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.self
}

// Nodes reads all nodes from the database.
func (m *Membership) Nodes(ctx context.Context) ([]store.Node, error) { return m.cfg.Record.Nodes(ctx) }

// Known returns the nodes as they were when last one came or went.
func (m *Membership) Known() []store.Node {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.nodes
}

// countLive is how many of them have a lease, this one at least.
func (m *Membership) countLive() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(1, m.live)
}

// MayAdmit reports whether the lease is in force.
func (m *Membership) MayAdmit() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.isInForceLocked()
}

// mu must be held.
func (m *Membership) isInForceLocked() bool { return !m.isGone && m.cfg.Now().Before(m.fence) }

// IsLeader reports whether this node does what one of the cluster does for all.
func (m *Membership) IsLeader() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.leads && m.isInForceLocked()
}

// IsFailing reports whether the newest renewal failed.
func (m *Membership) IsFailing() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.problem != nil || !m.isInForceLocked()
}

// ClockSkew is how far this node's clock was ahead of the database's at the newest renewal;
// ok is false before there was one. It is off by half of what the renewal took at most.
func (m *Membership) ClockSkew() (ahead time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.skew == nil {
		return 0, false
	}
	return *m.skew, true
}

// leaseLeft is for how long the lease is still in force; 0 when it isn't.
func (m *Membership) leaseLeft() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.isGone {
		return 0
	}
	return max(0, m.fence.Sub(m.cfg.Now()))
}

// lease returns whose lease is in force; ok is false while none is.
func (m *Membership) lease() (id uint16, epoch int64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.self.ID, m.self.Epoch, m.isInForceLocked()
}
