package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"parley/server/fault"
	"parley/shared/wire"
)

// MaxClusterNodeID is the largest id of a cluster's node: MaxNodeID is of a past that is
// made up.
const MaxClusterNodeID = MaxNodeID - 1

// idRest is how long a node must have been gone for another to be given its id: by then
// nothing of it is on its way to the database.
const idRest = time.Hour

// Kinds of errors of nodes.
var (
	// ErrNameTaken: a node of this name lives.
	ErrNameTaken = errors.New("another node of the cluster has this name")
	// ErrOtherKey: the cluster's nodes have another key of users than this one.
	ErrOtherKey = errors.New("the key of users is not that of the cluster's other nodes")
	// ErrOtherSecret: they sign tokens with a secret that this one doesn't have.
	ErrOtherSecret = errors.New("the token secret is not that of the cluster's other nodes")
	// ErrClusterFull: there is no id left.
	ErrClusterFull = fmt.Errorf("the cluster has %d nodes, and room for no more", MaxClusterNodeID+1)
	// ErrLapsed: the lease ran out, and others may have what it stood for.
	ErrLapsed = fmt.Errorf("%w: the lease of this node ran out", fault.Unavailable)
)

// NodeState is what the others know of a node.
type NodeState string

// The states of a node.
const (
	NodeLive   NodeState = "live"
	NodeLapsed NodeState = "lapsed" // its lease ran out: it admits nobody, and its calls may go on
	NodeLost   NodeState = "lost"   // taken for dead: its calls were ended
	NodeLeft   NodeState = "left"   // it said goodbye
)

// Node is one server of a cluster. Times are the database's.
type Node struct {
	ID                            uint16
	Name, Address, Version        string
	State                         NodeState
	Epoch                         int64 // how often it has joined
	StartedAt, RenewedAt, LeaseBy time.Time
	Calls                         int
	IsDraining, IsLeader          bool
}

// NodeIdentity is what a node says of itself when it joins.
type NodeIdentity struct {
	Name, Address, Version string
	Instance               string // names the process: no other has it
	// Fingerprint is of the key that all nodes must have: a hash, not the key. Secrets are
	// of those that tokens are good by, the one that signs first; none where others sign.
	Fingerprint string
	Secrets     []string
}

// Renewal is what a node says of itself when it renews its lease.
type Renewal struct {
	ID         uint16
	Instance   string
	Epoch      int64
	Calls      int
	IsDraining bool
}

// Cluster is what a node hears when it renews its lease.
type Cluster struct {
	Roster    int64 // counts the changes of who is there
	HasLeader bool
	IsLeader  bool      // this node is it
	Now       time.Time // by the clock that leases go by
}

// clock is the present in SQL, by the clock that leases go by.
func (s *Store) clock() string { return s.control.engine.clock(s.ids.now) }

// JoinCluster takes a lease for a node, which has an id from now on: the one that a node
// of this name had, or the lowest that is free. What that life left open is ended.
func (s *Store) JoinCluster(ctx context.Context, of NodeIdentity, ttl time.Duration) (n Node, err error) {
	err = s.control.write(ctx, "joining the cluster", func(ctx context.Context, tx *sql.Tx) error {
		if err := s.control.engine.lockName(ctx, tx, "cluster"); err != nil {
			return err
		}
		if err := checkKeys(ctx, tx, of); err != nil {
			return err
		}
		found, err := s.findNode(ctx, tx, of)
		if err != nil {
			return err
		}
		n, err = s.putNode(ctx, tx, found, of, ttl)
		if err != nil {
			return err
		}
		return s.endFormerLife(ctx, tx, n, found)
	})
	if err == nil {
		s.ids.setNode(n.ID)
	}
	return n, err
}

// checkKeys compares those of a node with the cluster's, which the first node gives. A
// secret that was changed is good while the one before it is.
func checkKeys(ctx context.Context, tx *sql.Tx, of NodeIdentity) error {
	signs := ""
	if len(of.Secrets) > 0 {
		signs = of.Secrets[0]
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO cluster_state (one, fingerprint, secret, roster, leader, leader_epoch) VALUES (1, ?, ?, 0, -1, 0)
		ON CONFLICT (one) DO NOTHING`, of.Fingerprint, signs)
	if err != nil {
		return err
	}
	var key, secret string
	if err := tx.QueryRowContext(ctx, "SELECT fingerprint, secret FROM cluster_state").Scan(&key, &secret); err != nil {
		return err
	}
	switch {
	case key != of.Fingerprint:
		return ErrOtherKey
	case secret != signs && !slices.Contains(of.Secrets, secret):
		return ErrOtherSecret
	}
	_, err = tx.ExecContext(ctx, "UPDATE cluster_state SET secret = ?", signs)
	return err
}

// PutClusterSecret notes the fingerprint of a secret that was changed while nodes live.
func (s *Store) PutClusterSecret(ctx context.Context, fingerprint string) error {
	return s.inTransaction(ctx, "noting which secret signs", func(tx *Tx) error {
		return tx.exec("UPDATE cluster_state SET secret = ?", fingerprint)
	})
}

// formerNode is what is known of a node of a name, or of an id that is free.
type formerNode struct {
	id, epoch int64
	lastWord  sql.NullInt64
	is        bool // there was one of the name
}

// findNode finds the id that a node of a name may have.
func (s *Store) findNode(ctx context.Context, tx *sql.Tx, of NodeIdentity) (f formerNode, err error) {
	var isLive bool
	err = tx.QueryRowContext(ctx, "SELECT id, epoch, renewed_at, state = 'live' AND instance <> ? AND expires_at > "+s.clock()+" FROM node WHERE name = ?", of.Instance, of.Name).
		Scan(&f.id, &f.epoch, &f.lastWord, &isLive)
	switch {
	case isLive:
		return f, ErrNameTaken
	case err == nil:
		f.is = true
		return f, nil
	case !errors.Is(err, sql.ErrNoRows):
		return f, err
	}
	err = tx.QueryRowContext(ctx, `SELECT CASE WHEN EXISTS (SELECT 1 FROM node WHERE id = 0) THEN (SELECT min(id) + 1 FROM node
		WHERE NOT EXISTS (SELECT 1 FROM node AS after WHERE after.id = node.id + 1)) ELSE 0 END`).Scan(&f.id)
	if err != nil || f.id <= MaxClusterNodeID {
		return f, err
	}
	err = tx.QueryRowContext(ctx, "SELECT id, epoch FROM node WHERE state IN ('left', 'lost') AND renewed_at < "+s.clock()+
		" - ? ORDER BY renewed_at LIMIT 1", idRest.Milliseconds()).Scan(&f.id, &f.epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return f, ErrClusterFull
	}
	return f, err
}

// putNode writes the row of a node that joins.
func (s *Store) putNode(ctx context.Context, tx *sql.Tx, f formerNode, of NodeIdentity, ttl time.Duration) (Node, error) {
	now := s.clock()
	for _, step := range []struct {
		query string
		args  []any
	}{
		{"DELETE FROM node WHERE id = ?", []any{f.id}},
		{`INSERT INTO node (id, name, address, version, instance, state, epoch, lost_epoch, started_at, renewed_at, expires_at, calls, draining)
			VALUES (?, ?, ?, ?, ?, 'live', ?, 0, ` + now + `, ` + now + `, ` + now + ` + ?, 0, 0)`,
			[]any{f.id, of.Name, of.Address, of.Version, of.Instance, f.epoch + 1, ttl.Milliseconds()}},
		{"DELETE FROM permit WHERE node = ?", []any{f.id}},
		{rosterChanged, nil},
	} {
		if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
			return Node{}, err
		}
	}
	return scanNode(tx.QueryRowContext(ctx, nodeFrom+" WHERE node.id = ?", f.id))
}

const rosterChanged = "UPDATE cluster_state SET roster = roster + 1"

// endFormerLife ends what a node of this name left open; the first node of a cluster,
// what anybody did.
func (s *Store) endFormerLife(ctx context.Context, tx *sql.Tx, n Node, f formerNode) error {
	lastWord := ms(s.lastWord)
	if f.is {
		lastWord = f.lastWord.Int64
	}
	where, args := "node = ?", []any{n.Name}
	var others int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM node WHERE id <> ? AND state IN ('live', 'lapsed')", n.ID).Scan(&others)
	if err != nil {
		return err
	}
	if others == 0 {
		where, args = "1 = 1", nil
	}
	if _, err := tx.ExecContext(ctx, "UPDATE upstream_call SET node = '' WHERE "+where, args...); err != nil {
		return err
	}
	_, err = s.endLost(ctx, tx, lastWord, where, args...)
	return err
}

// endLost ends sessions whose node is gone, at its last word.
func (s *Store) endLost(ctx context.Context, tx *sql.Tx, lastWord int64, where string, args ...any) (int64, error) {
	r, err := tx.ExecContext(ctx, `UPDATE session SET state = ?, end_cause = ?,
		ended_at = CASE WHEN started_at > ? THEN started_at ELSE ? END WHERE ended_at IS NULL AND `+where,
		append([]any{stateEnded, wire.NodeLost, lastWord, lastWord}, args...)...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// RejoinCluster takes a new lease for a node whose lease ran out while it lived. wasLost:
// since the epoch that it knows of the others took it for dead and ended its calls, so they
// are over. It may be asked again when nobody knows how it ended.
func (s *Store) RejoinCluster(ctx context.Context, r Renewal, ttl time.Duration) (n Node, wasLost bool, err error) {
	err = s.control.write(ctx, "joining the cluster again", func(ctx context.Context, tx *sql.Tx) error {
		now := s.clock()
		err := tx.QueryRowContext(ctx, `UPDATE node SET state = 'live', epoch = epoch + 1, renewed_at = `+now+`, expires_at = `+now+` + ?,
			calls = ?, draining = ? WHERE id = ? AND instance = ? RETURNING lost_epoch >= ?`,
			ttl.Milliseconds(), r.Calls, toBit(r.IsDraining), r.ID, r.Instance, r.Epoch).Scan(&wasLost)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNameTaken
		}
		return s.rejoined(ctx, tx, r.ID, err, &n)
	})
	return n, wasLost, err
}

func (s *Store) rejoined(ctx context.Context, tx *sql.Tx, id uint16, err error, n *Node) error {
	if err == nil {
		_, err = tx.ExecContext(ctx, "DELETE FROM permit WHERE node = ?", id)
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, rosterChanged)
	}
	if err == nil {
		*n, err = scanNode(tx.QueryRowContext(ctx, nodeFrom+" WHERE node.id = ?", id))
	}
	return err
}

// RenewNode lengthens a lease that has not run out, or says ErrLapsed.
func (s *Store) RenewNode(ctx context.Context, r Renewal, ttl time.Duration) (c Cluster, err error) {
	err = s.control.write(ctx, "renewing a lease", func(ctx context.Context, tx *sql.Tx) error {
		now := s.clock()
		done, err := tx.ExecContext(ctx, "UPDATE node SET renewed_at = "+now+", expires_at = "+now+` + ?, calls = ?, draining = ?
			WHERE id = ? AND epoch = ? AND state = 'live' AND expires_at > `+now,
			ttl.Milliseconds(), r.Calls, toBit(r.IsDraining), r.ID, r.Epoch)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrLapsed)
		}
		var ms int64
		err = tx.QueryRowContext(ctx, "SELECT roster, "+hasLeader(now)+", leader = ? AND leader_epoch = ?, "+now+" FROM cluster_state", r.ID, r.Epoch).
			Scan(&c.Roster, &c.HasLeader, &c.IsLeader, &ms)
		c.Now = fromMS(ms)
		return err
	})
	return c, err
}

// hasLeader is whether the cluster's leader has a lease.
func hasLeader(now string) string {
	return `EXISTS (SELECT 1 FROM node WHERE node.id = cluster_state.leader AND node.epoch = cluster_state.leader_epoch
		AND node.state = 'live' AND node.expires_at > ` + now + ")"
}

// LeadCluster makes a node the leader, if there is none.
func (s *Store) LeadCluster(ctx context.Context, id uint16, epoch int64) (leads bool, err error) {
	err = s.control.write(ctx, "looking for a leader", func(ctx context.Context, tx *sql.Tx) error {
		if err := s.control.engine.lockName(ctx, tx, "cluster"); err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, "UPDATE cluster_state SET leader = ?, leader_epoch = ?, roster = roster + 1 WHERE NOT "+hasLeader(s.clock()), id, epoch)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		leads = n > 0
		return err
	})
	return leads, err
}

// LeaveCluster gives a lease back: the node ends in order, and has ended its calls.
func (s *Store) LeaveCluster(ctx context.Context, id uint16, epoch int64) error {
	return s.inTransaction(ctx, "leaving the cluster", func(tx *Tx) error {
		err := tx.exec("UPDATE node SET state = 'left', expires_at = renewed_at, calls = 0 WHERE id = ? AND epoch = ? AND state IN ('live', 'lapsed')", id, epoch)
		if err == nil {
			err = tx.exec("DELETE FROM permit WHERE node IN (SELECT id FROM node WHERE state = 'left')")
		}
		if err == nil {
			err = tx.exec(rosterChanged)
		}
		return err
	})
}

// ReapNodes lapses the leases that ran out and takes back what they stood for. With
// judge it takes for dead whose lease ran out longer than patience ago, and ends their
// calls; it returns them.
func (s *Store) ReapNodes(ctx context.Context, judge bool, patience time.Duration) (lost []Node, err error) {
	err = s.control.write(ctx, "looking for dead nodes", func(ctx context.Context, tx *sql.Tx) error {
		now := s.clock()
		lapsed, err := tx.ExecContext(ctx, "UPDATE node SET state = 'lapsed' WHERE state = 'live' AND expires_at <= "+now)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM permit WHERE NOT EXISTS (SELECT 1 FROM node WHERE node.id = permit.node AND node.state = 'live')"); err != nil {
			return err
		}
		if judge {
			if lost, err = s.loseNodes(ctx, tx, patience); err != nil {
				return err
			}
		}
		if n, err := lapsed.RowsAffected(); err != nil || n == 0 && len(lost) == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, rosterChanged)
		return err
	})
	return lost, err
}

// loseNodes takes nodes for dead, and ends the calls of all that are.
func (s *Store) loseNodes(ctx context.Context, tx *sql.Tx, patience time.Duration) (lost []Node, err error) {
	rows, err := tx.QueryContext(ctx, "UPDATE node SET state = 'lost', lost_epoch = epoch, calls = 0 WHERE state = 'lapsed' AND expires_at <= "+s.clock()+` - ?
		RETURNING id, name, address, version, state, epoch, started_at, renewed_at, expires_at, calls, draining, 1 = 0`, patience.Milliseconds())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		n, err := scanNode(rows)
		if err != nil {
			return nil, err
		}
		lost = append(lost, n)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	ended, err := tx.ExecContext(ctx, `UPDATE session SET state = ?, end_cause = ?, ended_at = (SELECT CASE WHEN session.started_at > node.renewed_at
			THEN session.started_at ELSE node.renewed_at END FROM node WHERE node.name = session.node)
		WHERE ended_at IS NULL AND EXISTS (SELECT 1 FROM node WHERE node.name = session.node AND node.state IN ('lost', 'left'))`, stateEnded, wire.NodeLost)
	if err != nil {
		return nil, err
	}
	if n, err := ended.RowsAffected(); err != nil || n > 0 {
		s.log.Warn("ended sessions of nodes that are gone", "event", "ghosts", "cause", wire.NodeLost, "sessions", n)
		return lost, err
	}
	return lost, nil
}

const nodeFrom = `SELECT node.id, node.name, node.address, node.version, node.state, node.epoch, node.started_at, node.renewed_at,
	node.expires_at, node.calls, node.draining, node.id = cluster_state.leader AND node.epoch = cluster_state.leader_epoch AND node.state = 'live'
	FROM node JOIN cluster_state ON 1 = 1`

func scanNode(r rowScanner) (n Node, err error) {
	var started, renewed, expires int64
	var draining int
	err = r.Scan(&n.ID, &n.Name, &n.Address, &n.Version, &n.State, &n.Epoch, &started, &renewed, &expires, &n.Calls, &draining, &n.IsLeader)
	n.StartedAt, n.RenewedAt, n.LeaseBy, n.IsDraining = fromMS(started), fromMS(renewed), fromMS(expires), draining != 0
	return n, err
}

// Nodes returns all that joined and have not been replaced, by their ids.
func (s *Store) Nodes(ctx context.Context) (nodes []Node, err error) {
	err = s.control.read(ctx, "reading the nodes", nodeFrom+" ORDER BY node.id", nil, func(r rowScanner) error {
		n, err := scanNode(r)
		nodes = append(nodes, n)
		return err
	})
	return nodes, err
}
