package store_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/server/store"
	"parley/shared/rest"
	"parley/shared/wire"
)

const ttl = time.Hour // nothing lapses by itself where the database's clock is a real one

// member joins a cluster whose nodes have one key.
func (r *rig) member(name string) (store.Node, error) {
	return r.JoinCluster(r.t.Context(), store.NodeIdentity{Name: name, Address: "https://" + name, Version: "1", Instance: rand.Text(), Fingerprint: "key", Secrets: []string{"s1"}}, ttl)
}

func (r *rig) mustJoin(name string) store.Node {
	r.t.Helper()
	n, err := r.member(name)
	must(r.t, err)
	return n
}

// lapse has a node's lease run out.
func (r *rig) lapse(n store.Node) {
	r.t.Helper()
	must(r.t, r.Write(r.t.Context(), false, fmt.Sprintf("UPDATE node SET expires_at = 1, renewed_at = %d WHERE id = %d", noon.UnixMilli(), n.ID)))
}

// renewalOf is what a node of a name says, as its instance is the newest of the name.
func (r *rig) renewalOf(n store.Node) store.Renewal {
	r.t.Helper()
	instance, err := r.Ask(r.t.Context(), true, "SELECT instance FROM node WHERE id = "+fmt.Sprint(n.ID))
	must(r.t, err)
	return store.Renewal{ID: n.ID, Instance: instance, Epoch: n.Epoch, Calls: 3}
}

func TestNodesJoinUnderIDsOfTheirOwn(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		a, b := r.mustJoin("a"), r.mustJoin("b")
		if a.ID != 0 || b.ID != 1 || a.Epoch != 1 || a.State != store.NodeLive || a.Address != "https://a" {
			t.Errorf("%+v, %+v", a, b)
		}
		if _, err := r.member("a"); !errors.Is(err, store.ErrNameTaken) {
			t.Errorf("a second one of a name that lives: %v", err)
		}
		must(t, r.LeaveCluster(t.Context(), a.ID, a.Epoch))
		if again := r.mustJoin("a"); again.ID != 0 || again.Epoch != 2 {
			t.Errorf("its own id again, in another epoch: %+v", again)
		}
		r.lapse(b) // killed: no goodbye
		if again := r.mustJoin("b"); again.ID != 1 || again.Epoch != 2 {
			t.Errorf("%+v", again)
		}
		if _, err := r.RenewNode(t.Context(), r.renewalOf(b), ttl); !errors.Is(err, store.ErrLapsed) {
			t.Errorf("the life before renews: %v", err)
		}
		nodes, err := r.Nodes(t.Context())
		if err != nil || len(nodes) != 2 {
			t.Errorf("%+v, %v", nodes, err)
		}
	})
}

// The last id is one below that of a past that is made up; after it nobody joins, until an
// id has rested.
func TestIDsOfNodesRunOut(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.mustJoin("a")
		must(t, r.Write(t.Context(), false, fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO node SELECT i, 'n' || i, '', '', '', 'live', 1, 0, 0, 0, %d, 0, 0 FROM n`, store.MaxClusterNodeID-1, int64(1)<<60)))
		if last := r.mustJoin("last"); last.ID != store.MaxClusterNodeID {
			t.Errorf("%+v", last)
		}
		if _, err := r.member("late"); !errors.Is(err, store.ErrClusterFull) {
			t.Errorf("%v", err)
		}
		must(t, r.Write(t.Context(), false, "UPDATE node SET state = 'left' WHERE id = 700"))
		if n := r.mustJoin("late"); n.ID != 700 || n.Epoch != 2 {
			t.Errorf("%+v", n)
		}
	})
}

func TestANodeWithOtherKeysIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.mustJoin("a")
		join := func(key string, secrets ...string) error {
			n, err := r.JoinCluster(t.Context(), store.NodeIdentity{Name: "b", Fingerprint: key, Secrets: secrets}, ttl)
			if err == nil {
				err = r.LeaveCluster(t.Context(), n.ID, n.Epoch)
			}
			return err
		}
		if err := join("other", "s1"); !errors.Is(err, store.ErrOtherKey) {
			t.Errorf("another key: %v", err)
		}
		if err := join("key", "s9"); !errors.Is(err, store.ErrOtherSecret) {
			t.Errorf("another secret: %v", err)
		}
		must(t, join("key", "s2", "s1")) // the first to have the next secret
		if err := join("key", "s1"); !errors.Is(err, store.ErrOtherSecret) {
			t.Errorf("one that has only the secret before: %v", err)
		}
		must(t, r.PutClusterSecret(t.Context(), "s3"))
		must(t, join("key", "s3", "s2"))
	})
}

func TestOneNodeLeads(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		a, b := r.mustJoin("a"), r.mustJoin("b")
		leads := func(n store.Node, want bool) {
			t.Helper()
			if is, err := r.LeadCluster(t.Context(), n.ID, n.Epoch); err != nil || is != want {
				t.Errorf("%s leads: %v, %v", n.Name, is, err)
			}
		}
		if c, err := r.RenewNode(t.Context(), r.renewalOf(a), ttl); err != nil || c.HasLeader || c.IsLeader {
			t.Errorf("%+v, %v", c, err)
		}
		leads(a, true)
		leads(b, false)
		if c, err := r.RenewNode(t.Context(), r.renewalOf(b), ttl); err != nil || !c.HasLeader || c.IsLeader {
			t.Errorf("%+v, %v", c, err)
		}
		r.lapse(a)
		leads(b, true)
		if c, err := r.RenewNode(t.Context(), r.renewalOf(b), ttl); err != nil || !c.IsLeader {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

// begin keeps the start of a session of a node.
func (r *rig) begin(id, node string) {
	r.t.Helper()
	must(r.t, r.SessionStarted(r.t.Context(), rest.SessionRecord{ID: id, Node: node, UserKey: "k", State: wire.StateActive, StartedAt: noon.Add(-time.Minute)}))
}

func (r *rig) endOf(id string) (wire.EndCause, *time.Time) {
	r.t.Helper()
	s, err := r.Session(r.t.Context(), id)
	must(r.t, err)
	return s.EndCause, s.EndedAt
}

func TestTheCallsOfADeadNodeAreEndedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		a, b := r.mustJoin("a"), r.mustJoin("b")
		r.begin("of-a", "a")
		r.begin("of-b", "b")
		r.lapse(b)
		if lost, err := r.ReapNodes(t.Context(), false, 0); err != nil || len(lost) != 0 {
			t.Errorf("%v, %v", lost, err)
		}
		if cause, _ := r.endOf("of-b"); cause != "" {
			t.Errorf("a lease that ran out ended a call: %s", cause)
		}
		if lost, err := r.ReapNodes(t.Context(), true, 0); err != nil || len(lost) != 1 || lost[0].Name != "b" || lost[0].State != store.NodeLost {
			t.Errorf("%+v, %v", lost, err)
		}
		if cause, at := r.endOf("of-b"); cause != wire.NodeLost || !at.Equal(noon) {
			t.Errorf("%s at %v, not at its node's last word", cause, at)
		}
		// It was only paused: what it says of the end comes too late.
		end := noon.Add(time.Hour)
		must(t, r.SessionEnded(t.Context(), rest.SessionRecord{ID: "of-b", Node: "b", StartedAt: noon, EndedAt: &end, EndCause: wire.CallerLeft, State: wire.StateEnded}))
		if cause, at := r.endOf("of-b"); cause != wire.NodeLost || !at.Equal(noon) {
			t.Errorf("a second end was written: %s at %v", cause, at)
		}
		if got, err := r.Totals(t.Context(), "", 1); err != nil || got.Calls != 1 {
			t.Errorf("counted %d times, %v", got.Calls, err)
		}
		if _, wasLost, err := r.RejoinCluster(t.Context(), r.renewalOf(b), ttl); err != nil || !wasLost {
			t.Errorf("it is not told: %v", err)
		}
		if cause, _ := r.endOf("of-a"); cause != "" {
			t.Errorf("a call of a node that lives ended: %s", cause)
		}
		r.lapse(a)
		if n, wasLost, err := r.RejoinCluster(t.Context(), r.renewalOf(a), ttl); err != nil || wasLost || n.Epoch != a.Epoch+1 {
			t.Errorf("one that nobody took for dead: %+v, %v, %v", n, wasLost, err)
		}
		if n, _, err := r.RejoinCluster(t.Context(), r.renewalOf(a), ttl); err != nil || n.Epoch != a.Epoch+2 {
			t.Errorf("again, for the answer was lost: %+v, %v", n, err)
		}
		if _, wasLost, err := r.RejoinCluster(t.Context(), r.renewalOf(b), ttl); err != nil || !wasLost {
			t.Errorf("again, for the answer was lost: %v, %v", wasLost, err)
		}
		if _, _, err := r.RejoinCluster(t.Context(), store.Renewal{ID: a.ID, Instance: "another", Epoch: a.Epoch}, ttl); !errors.Is(err, store.ErrNameTaken) {
			t.Errorf("another process: %v", err)
		}
	})
}

// A node that starts ends what its own life before left, and nobody else's; one that is
// the first, what anybody left.
func TestANodeEndsItsOwnFormerLife(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.begin("of-one-alone", "x")
		r.mustJoin("a")
		if cause, _ := r.endOf("of-one-alone"); cause != wire.NodeLost {
			t.Errorf("what a server alone left: %q", cause)
		}
		b := r.mustJoin("b")
		r.begin("of-a", "a")
		r.begin("of-b", "b")
		must(t, r.LeaveCluster(t.Context(), b.ID, b.Epoch))
		r.mustJoin("b")
		mine, _ := r.endOf("of-b")
		others, _ := r.endOf("of-a")
		if mine != wire.NodeLost || others != "" {
			t.Errorf("its own %q, another's %q", mine, others)
		}
	})
}
