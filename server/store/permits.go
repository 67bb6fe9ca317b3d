package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
)

// PermitScope is what a cap is of.
type PermitScope string

// The scopes of permits, in the order in which they are locked: what all wait for last.
const (
	PermitUser PermitScope = "user"
	PermitOrg  PermitScope = "org"
	PermitAll  PermitScope = "all"
)

var lockOrder = map[PermitScope]int{PermitUser: 0, PermitOrg: 1, PermitAll: 2}

// PermitDemand is what a node has of a cap, and what it wants more. What it has is what
// the record says from then on, however many others have: calls that live end for no cap.
type PermitDemand struct {
	Scope           PermitScope
	Key             string // of the organization or the user
	Have, Want, Cap int
}

// PermitGrant answers a demand: what of it was granted, and what all nodes have now.
type PermitGrant struct{ Added, Total int }

// PermitHolding is what a node has of a cap.
type PermitHolding struct {
	Scope   PermitScope
	Key     string
	NodeID  uint16
	Node    string
	Granted int
}

// PermitsOf returns what all nodes have of some caps, by the nodes' names.
func (s *Store) PermitsOf(ctx context.Context, of []PermitDemand) (held []PermitHolding, err error) {
	conditions, args := make([]string, len(of)), make([]any, 0, 2*len(of))
	for i, d := range of {
		conditions[i], args = "permit.scope = ? AND permit.key = ?", append(args, d.Scope, d.Key)
	}
	err = s.control.read(ctx, "reading places", `SELECT permit.scope, permit.key, permit.node, node.name, permit.granted
		FROM permit JOIN node ON node.id = permit.node WHERE `+strings.Join(conditions, " OR ")+" ORDER BY node.name", args, func(r rowScanner) error {
		var h PermitHolding
		err := r.Scan(&h.Scope, &h.Key, &h.NodeID, &h.Node, &h.Granted)
		held = append(held, h)
		return err
	})
	return held, err
}

// SyncPermits writes what a node has, and grants what it wants as far as the caps allow,
// in one transaction. It says what is, not what changes: it may be tried again when
// nobody knows how it ended. ErrLapsed: the node has nothing to speak of.
func (s *Store) SyncPermits(ctx context.Context, id uint16, epoch int64, demands []PermitDemand) (grants []PermitGrant, err error) {
	inOrder := make([]int, len(demands))
	for i := range demands {
		inOrder[i] = i
	}
	slices.SortFunc(inOrder, func(i, j int) int {
		a, b := demands[i], demands[j]
		return cmp.Or(cmp.Compare(lockOrder[a.Scope], lockOrder[b.Scope]), cmp.Compare(a.Key, b.Key))
	})
	grants = make([]PermitGrant, len(demands))
	err = s.control.write(ctx, "asking for places", func(ctx context.Context, tx *sql.Tx) error {
		// The row is held: nobody reaps the node until it has what it is granted.
		done, err := tx.ExecContext(ctx, "UPDATE node SET epoch = epoch WHERE id = ? AND epoch = ? AND state = 'live' AND expires_at > "+s.clock(), id, epoch)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrLapsed)
		}
		for _, i := range inOrder {
			if grants[i], err = s.syncPermit(ctx, tx, id, demands[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return grants, err
}

// syncPermit is SyncPermits for one cap. Others wait before they look at what there is.
func (s *Store) syncPermit(ctx context.Context, tx *sql.Tx, id uint16, d PermitDemand) (g PermitGrant, err error) {
	if err := s.control.engine.lockName(ctx, tx, string(d.Scope)+" "+d.Key); err != nil {
		return g, err
	}
	var others int
	err = tx.QueryRowContext(ctx, "SELECT coalesce(sum(granted), 0) FROM permit WHERE scope = ? AND key = ? AND node <> ?", d.Scope, d.Key, id).Scan(&others)
	if err != nil {
		return g, err
	}
	g.Added = max(0, min(d.Want, d.Cap-others-d.Have))
	own := d.Have + g.Added
	g.Total = others + own
	if own == 0 {
		_, err = tx.ExecContext(ctx, "DELETE FROM permit WHERE scope = ? AND key = ? AND node = ?", d.Scope, d.Key, id)
		return g, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO permit (scope, key, node, granted) VALUES (?, ?, ?, ?)
		ON CONFLICT (scope, key, node) DO UPDATE SET granted = excluded.granted`, d.Scope, d.Key, id, own)
	return g, err
}

// AbandonPermit takes one permit of a user's from a node, whose call is over for its caller:
// they came back to another node, and that one can't be reached. Should it live, its call
// counts again when it says next what it has.
func (s *Store) AbandonPermit(ctx context.Context, node, key string) error {
	return s.control.write(ctx, "giving up a place", func(ctx context.Context, tx *sql.Tx) error {
		if err := s.control.engine.lockName(ctx, tx, string(PermitUser)+" "+key); err != nil {
			return err
		}
		const ofNode = " WHERE scope = ? AND key = ? AND node = (SELECT id FROM node WHERE name = ?)"
		if _, err := tx.ExecContext(ctx, "UPDATE permit SET granted = granted - 1"+ofNode, PermitUser, key, node); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM permit"+ofNode+" AND granted <= 0", PermitUser, key, node)
		return err
	})
}
