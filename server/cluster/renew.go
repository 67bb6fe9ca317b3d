package cluster

import (
	"context"
	"errors"
	"sync"
	"time"

	"parley/server/store"
)

// Run renews the lease until ctx is over, and leads when it falls to this node.
func (m *Membership) Run(ctx context.Context, d Duties) {
	d = d.orNothing()
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { m.watchLease(ctx, d) })
	for {
		pause := RenewEvery
		if err := m.renew(ctx, d); err != nil {
			pause = retryEvery
		}
		if wait(ctx, pause) != nil {
			return
		}
	}
}

// watchLease tells while there is no lease, for questions to the database may hang: who
// asked for a place before it ran out may get it a moment after.
func (m *Membership) watchLease(ctx context.Context, d Duties) {
	for {
		left := m.leaseLeft()
		if left == 0 {
			d.Lapsed()
		}
		if wait(ctx, max(left, retryEvery)) != nil {
			return
		}
	}
}

func (d Duties) orNothing() Duties {
	if d.Load == nil {
		d.Load = func() Load { return Load{} }
	}
	if d.Taken == nil {
		d.Taken = func() {}
	}
	if d.Lapsed == nil {
		d.Lapsed = func() {}
	}
	if d.Renewed == nil {
		d.Renewed = func(context.Context, bool) error { return nil }
	}
	if d.Lost == nil {
		d.Lost = func(context.Context, []store.Node) {}
	}
	if d.Reaped == nil {
		d.Reaped = func(context.Context, []store.Node) {}
	}
	return d
}

// renew is one round: the lease, who leads, and what is known of the others.
func (m *Membership) renew(ctx context.Context, d Duties) error {
	sent := m.cfg.Now()
	c, err := m.ask(ctx, d)
	if errors.Is(err, store.ErrLapsed) {
		return m.rejoin(ctx, d)
	}
	if err != nil {
		return m.fail(err)
	}
	isSince := m.renewed(sent, c)
	if err := m.begin(ctx, d); err != nil {
		m.cfg.Logger.Warn("what this node has of the caps could not be told", "event", "cluster", "err", err)
	}
	if !c.HasLeader {
		m.lead(ctx)
	}
	if m.IsLeader() {
		m.reap(ctx, d, isSince)
		m.noteSecret(ctx)
	} else {
		m.hasReaped = false
	}
	m.look(ctx, d, c.Roster)
	return nil
}

func (m *Membership) ask(ctx context.Context, d Duties) (store.Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return m.cfg.Record.RenewNode(ctx, m.renewal(d), LeaseTTL)
}

func (m *Membership) renewal(d Duties) store.Renewal {
	load, self := d.Load(), m.Self()
	return store.Renewal{ID: self.ID, Instance: m.cfg.Identity.Instance, Epoch: self.Epoch, Calls: load.Calls, IsDraining: load.IsDraining}
}

// fail notes a renewal that failed. The lease runs on.
func (m *Membership) fail(err error) error {
	m.mu.Lock()
	wasWell := m.problem == nil
	m.problem = err
	m.mu.Unlock()
	if wasWell {
		m.cfg.Logger.Error("the lease of this node can't be renewed: when it runs out, no call is admitted", "event", "cluster", "err", err)
	}
	return err
}

// renewed lengthens the lease, and tells how long it has not been interrupted.
func (m *Membership) renewed(sent time.Time, c store.Cluster) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fence, m.leads, m.problem = sent.Add(LeaseTTL-leaseMargin), c.IsLeader, nil
	if !c.Now.IsZero() {
		now := m.cfg.Now()
		m.skew = new(sent.Add(now.Sub(sent) / 2).Round(0).Sub(c.Now))
	}
	return sent.Sub(m.since)
}

// rejoin takes a new lease after one that ran out. Whom the others took for dead ends its
// calls first.
func (m *Membership) rejoin(ctx context.Context, d Duties) error {
	m.mu.Lock()
	m.isGone, m.leads = true, false
	m.mu.Unlock()
	d.Lapsed() // whoever stood still hears of it here first
	asked, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	sent := m.cfg.Now()
	n, wasLost, err := m.cfg.Record.RejoinCluster(asked, m.renewal(d), LeaseTTL)
	if errors.Is(err, store.ErrNameTaken) {
		d.Taken()
		return m.fail(explainJoin(err, m.cfg.Identity.Name))
	}
	if err != nil {
		return m.fail(err)
	}
	m.cfg.Logger.Warn("joined the cluster again, after the lease ran out", "event", "cluster", "node", n.Name, "epoch", n.Epoch, "lost", wasLost)
	if wasLost {
		d.Taken()
	}
	m.accept(n, sent)
	if err := m.begin(ctx, d); err != nil {
		return m.fail(err)
	}
	return nil
}

// begin has the rest know of a renewal, and admits by a lease that is new.
func (m *Membership) begin(ctx context.Context, d Duties) error {
	m.mu.Lock()
	isNew := m.isGone
	m.mu.Unlock()
	err := d.Renewed(ctx, isNew)
	if err == nil && isNew {
		m.mu.Lock()
		m.isGone = false
		m.mu.Unlock()
	}
	return err
}

// lead takes the lead, unless another was faster.
func (m *Membership) lead(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	self := m.Self()
	leads, err := m.cfg.Record.LeadCluster(ctx, self.ID, self.Epoch)
	if err != nil {
		m.cfg.Logger.Error("nobody leads the cluster", "event", "cluster", "err", err)
		return
	}
	m.mu.Lock()
	m.leads = leads
	m.mu.Unlock()
	if leads {
		m.cfg.Logger.Info("leading the cluster", "event", "cluster", "node", self.Name)
	}
}

// reap takes back what dead nodes held. Others are judged by who could reach the database
// all the time that they could not.
func (m *Membership) reap(ctx context.Context, d Duties, isSince time.Duration) {
	asked, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	lost, err := m.cfg.Record.ReapNodes(asked, isSince >= LeaseTTL, lostAfter)
	if err != nil {
		m.cfg.Logger.Error("dead nodes can't be looked for", "event", "cluster", "err", err)
		return
	}
	for _, n := range lost {
		m.cfg.Logger.Error("a node is gone: its calls were ended", "event", "cluster", "node", n.Name, "id", n.ID, "epoch", n.Epoch, "last_word", n.RenewedAt)
	}
	if isSince >= LeaseTTL && (len(lost) > 0 || !m.hasReaped) {
		m.hasReaped = true
		d.Reaped(ctx, lost)
	}
}

// noteSecret has nodes that join compare their secret with the one that signs now.
func (m *Membership) noteSecret(ctx context.Context) {
	if m.cfg.Secrets == nil {
		return
	}
	secrets := m.cfg.Secrets()
	if len(secrets) == 0 || secrets[0] == m.signs {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := m.cfg.Record.PutClusterSecret(ctx, secrets[0]); err != nil {
		m.cfg.Logger.Error("which secret signs can't be noted", "event", "cluster", "err", err)
		return
	}
	m.signs = secrets[0]
}

// look reads who is there, if that changed, and tells who was lost.
func (m *Membership) look(ctx context.Context, d Duties, roster int64) {
	m.mu.Lock()
	isNew := roster != m.roster
	before := m.nodes
	m.mu.Unlock()
	if !isNew {
		return
	}
	asked, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	nodes, err := m.cfg.Record.Nodes(asked)
	if err != nil {
		m.cfg.Logger.Error("the nodes can't be read", "event", "cluster", "err", err)
		return
	}
	m.mu.Lock()
	m.roster, m.nodes, m.live = roster, nodes, countLive(nodes)
	m.mu.Unlock()
	if lost := newlyLost(before, nodes); len(lost) > 0 {
		d.Lost(ctx, lost)
	}
}

func countLive(nodes []store.Node) (live int) {
	for i := range nodes {
		if nodes[i].State == store.NodeLive {
			live++
		}
	}
	return live
}

// newlyLost are the nodes that were there and are taken for dead now; both lists are in
// the order of ids.
func newlyLost(before, now []store.Node) (lost []store.Node) {
	for _, n := range now {
		for len(before) > 0 && before[0].ID < n.ID {
			before = before[1:]
		}
		if n.State == store.NodeLost && len(before) > 0 && before[0].ID == n.ID && before[0].Epoch == n.Epoch && before[0].State != store.NodeLost {
			lost = append(lost, n)
		}
	}
	return lost
}

// Leave gives the lease back. Nobody is admitted anymore, and all calls have ended.
func (m *Membership) Leave(ctx context.Context) error {
	m.mu.Lock()
	m.isGone, m.leads = true, false
	self := m.self
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return m.cfg.Record.LeaveCluster(ctx, self.ID, self.Epoch)
}
