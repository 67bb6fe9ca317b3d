package nodes_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/goleak"

	"parley/server/bus"
	"parley/server/fault"
	"parley/server/monitor"
	"parley/server/nodes"
	"parley/shared/rest"
	"parley/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a condition may take on a machine that is busy.
const patience = 60 * time.Second

func waitFor(t testing.TB, what string, is func() bool) {
	t.Helper()
	tooLate := time.After(patience)
	for !is() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-tooLate:
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}

// record is what the nodes of a test share.
type record struct {
	mu       sync.Mutex
	live     []string
	version  int
	sessions map[string]rest.SessionRecord
}

func (r *record) Live(context.Context) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live, nil
}

func (r *record) Session(_ context.Context, id string) (rest.SessionRecord, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	of, ok := r.sessions[id]
	if !ok {
		return of, fault.NotFound
	}
	return of, nil
}

func (r *record) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

// node is one of a cluster.
type node struct {
	*nodes.Nodes
	bus      *bus.Bus
	picture  *monitor.Monitor
	operator *operator
	calls    *calls
	acts     *nodes.Acts
	stop     func()
	drains   atomic.Bool

	mu      sync.Mutex
	version int
}

func (n *node) known() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.version
}

// operator does acts on the sessions that it has, and can be made to fail.
type operator struct {
	nodes.Operator

	mu    sync.Mutex
	has   map[string]bool
	fails error
	ended []string
}

func (o *operator) EndSession(_ context.Context, id, _, reason string, by rest.AuditEntry) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.has[id] {
		return fault.NotFound
	}
	o.ended = append(o.ended, id+" by "+by.Actor+": "+reason)
	return o.fails
}

func (o *operator) CheckTimeouts(context.Context, rest.AuditEntry) (rest.TimeoutsChecked, error) {
	return rest.TimeoutsChecked{Checked: 1}, o.fails
}

// calls are a node's, of which some end by a limit.
type calls struct {
	operator *operator
	overdue  atomic.Int32
}

func (c *calls) EndSession(_ context.Context, id string) error {
	return c.operator.EndSession(context.Background(), id, "", "own", rest.AuditEntry{Actor: "the caller"})
}

func (c *calls) CheckTimeouts(time.Time) (checked, ended int) { return 5, 2 }
func (c *calls) EndOverdue()                                  { c.overdue.Add(1) }

func (o *operator) RevealPerson(_ context.Context, id, _, _ string, _ rest.AuditEntry) (rest.Person, error) {
	if !o.has[id] {
		return rest.Person{}, fault.NotFound
	}
	return rest.Person{Subject: "alice"}, nil
}

func startServer(t testing.TB, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("NATS does not start")
	}
	return s
}

func startNode(t testing.TB, s *server.Server, r *record, name string) *node {
	t.Helper()
	n := &node{operator: &operator{has: map[string]bool{}}}
	n.calls = &calls{operator: n.operator}
	var err error
	if n.bus, err = bus.Open(bus.Config{Node: name, OnLost: func() { n.ReadAgain() }, Connection: bus.Connection{Servers: []string{s.ClientURL()}}}); err != nil {
		t.Fatal(err)
	}
	var told func(monitor.Changes)
	n.picture = monitor.New(monitor.Config{Node: name, OnChanges: func(c monitor.Changes) { told(c) }})
	n.Nodes, err = nodes.New(nodes.Config{
		Bus: n.bus, Members: r, Picture: n.picture, Self: func() nodes.Beat { return nodes.Beat{Version: "1"} },
		Drain: func(is bool) { n.drains.Store(is) }, EndCalls: func(reason string) int { return len(name + reason) },
		Shared: map[string]func(context.Context) error{"settings": func(context.Context) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			n.mu.Lock()
			defer n.mu.Unlock()
			n.version = r.version
			return nil
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	told = n.Publish
	if n.acts, err = nodes.NewActs(n.Nodes, n.operator, n.calls, r); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { n.picture.Run(ctx) })
	running.Go(func() { n.Run(ctx) })
	n.stop = sync.OnceFunc(func() { cancel(); running.Wait(); _ = n.bus.Close() })
	t.Cleanup(n.stop)
	r.set(func() { r.live = append(r.live, name) })
	return n
}

func startTwo(t *testing.T) (s *server.Server, r *record, a, b *node) {
	t.Helper()
	s, r = startServer(t, server.RANDOM_PORT), &record{sessions: map[string]rest.SessionRecord{}}
	a, b = startNode(t, s, r, "a"), startNode(t, s, r, "b")
	waitFor(t, "the nodes hear each other", func() bool { return a.IsHeard("b") && b.IsHeard("a") && !a.IsDegraded() && !b.IsDegraded() })
	return s, r, a, b
}

func live(id string) rest.Session {
	return rest.Session{ID: id, User: "alice", State: wire.StateActive, StartedAt: time.Now()}
}

func TestAChangeOfTheRecordIsTakenUpByAllNodes(t *testing.T) {
	t.Parallel()
	s, r, a, b := startTwo(t)
	r.set(func() { r.version = 1 })
	a.Tell("settings")
	a.Tell("of another release")
	waitFor(t, "the change is told", func() bool { return b.known() == 1 })
	// And without the bus it is found.
	s.Shutdown()
	waitFor(t, "the bus is missed", func() bool { return b.IsDegraded() })
	r.set(func() { r.version = 2 })
	waitFor(t, "the change is found", func() bool { return a.known() == 2 && b.known() == 2 })
}

func TestThePictureOfEachNodeShowsAll(t *testing.T) {
	t.Parallel()
	s, r, a, b := startTwo(t)
	a.picture.SessionChanged(live("s1"))
	waitFor(t, "the call is told", func() bool { return len(b.picture.Active("")) == 1 })
	if node, ok := b.picture.NodeOf("s1"); !ok || node != "a" {
		t.Errorf("it is of %q", node)
	}
	// A node that comes later is told all there is.
	c := startNode(t, s, r, "c")
	waitFor(t, "the picture is asked for", func() bool { return len(c.picture.Active("")) == 1 && c.picture.Stats("").Started == 1 })
	row := live("s1")
	row.State, row.EndCause = wire.StateEnded, wire.CallerLeft
	a.picture.SessionChanged(row)
	waitFor(t, "the end is told", func() bool { return len(b.picture.Active("")) == 0 && len(c.picture.Active("")) == 0 })
}

func TestAPictureHealsWhenTheBusComesBack(t *testing.T) {
	t.Parallel()
	s, _, a, b := startTwo(t)
	a.picture.SessionChanged(live("s1"))
	waitFor(t, "the call is told", func() bool { return len(b.picture.Active("")) == 1 })
	port := s.Addr().(*net.TCPAddr).Port
	s.Shutdown()
	s.WaitForShutdown()
	waitFor(t, "the bus is missed", func() bool { return a.IsDegraded() && b.IsDegraded() })
	ended := live("s1")
	ended.State = wire.StateEnded
	a.picture.SessionChanged(ended)
	a.picture.SessionChanged(live("s2"))
	startServer(t, port)
	waitFor(t, "the picture is whole again", func() bool {
		rows := b.picture.Active("")
		return len(rows) == 1 && rows[0].ID == "s2" && !a.IsDegraded() && !b.IsDegraded()
	})
}

func TestTheRowsOfADeadNodeGo(t *testing.T) {
	t.Parallel()
	_, r, a, b := startTwo(t)
	a.picture.SessionChanged(live("s1"))
	waitFor(t, "the call is told", func() bool { return len(b.picture.Active("")) == 1 })
	a.stop()
	waitFor(t, "the node is missed", func() bool { return b.IsDegraded() })
	if len(b.picture.Active("")) != 1 {
		t.Error("its rows went before its lease")
	}
	r.set(func() { r.live = []string{"b"} })
	waitFor(t, "its rows go", func() bool { return len(b.picture.Active("")) == 0 && !b.IsDegraded() })
}

func TestAnActIsDoneByTheNodeThatHoldsTheCall(t *testing.T) {
	t.Parallel()
	_, r, a, b := startTwo(t)
	a.operator.has["s1"] = true
	r.set(func() { r.sessions["s1"] = rest.SessionRecord{ID: "s1", Node: "a"} })
	if err := b.acts.EndSession(t.Context(), "s1", "", "enough", rest.AuditEntry{Actor: "root"}); err != nil {
		t.Fatal(err)
	}
	if len(a.operator.ended) != 1 || a.operator.ended[0] != "s1 by root: enough" {
		t.Errorf("ended: %q", a.operator.ended)
	}
	if person, err := b.acts.RevealPerson(t.Context(), "s1", "", "why", rest.AuditEntry{}); err != nil || person.Subject != "alice" {
		t.Errorf("%+v, %v", person, err)
	}
	a.operator.fails = fault.Unrecorded
	if err := b.acts.EndSession(t.Context(), "s1", "", "enough", rest.AuditEntry{}); !errors.Is(err, fault.Unrecorded) {
		t.Errorf("what can't be recorded there: %v", err)
	}
	if err := b.acts.EndSession(t.Context(), "s9", "", "enough", rest.AuditEntry{}); !errors.Is(err, fault.NotFound) {
		t.Errorf("a call that is nowhere: %v", err)
	}
	if err := b.DrainNode(t.Context(), "a", true); err != nil || !a.drains.Load() || b.drains.Load() {
		t.Errorf("a drains %v, b %v: %v", a.drains.Load(), b.drains.Load(), err)
	}
	if n, err := b.EndNodeCalls(t.Context(), "a", "power"); n != len("a"+"power") || err != nil {
		t.Errorf("%d calls of a ended: %v", n, err)
	}
	r.set(func() { r.sessions["s2"] = rest.SessionRecord{ID: "s2", Node: "gone"} })
	var problem *rest.Problem
	err := b.acts.EndSession(t.Context(), "s2", "", "enough", rest.AuditEntry{})
	if !errors.As(err, &problem) || problem.Code != rest.CodeNodeUnreachable || problem.RetryAfterS == 0 || problem.Status == http.StatusGatewayTimeout {
		t.Errorf("a node that is gone: %v", err)
	}
}

// TestACallerEndsTheirCallOnAnotherNode, and hears when that can't be reached.
func TestACallerEndsTheirCallOnAnotherNode(t *testing.T) {
	t.Parallel()
	_, r, a, b := startTwo(t)
	a.operator.has["s1"] = true
	r.set(func() {
		r.sessions["s1"], r.sessions["s2"] = rest.SessionRecord{ID: "s1", Node: "a"}, rest.SessionRecord{ID: "s2", Node: "gone"}
		r.sessions["s3"] = rest.SessionRecord{ID: "s3", Node: "a"}
	})
	if err := b.acts.EndOwnSession(t.Context(), "s1"); err != nil || len(a.operator.ended) != 1 {
		t.Errorf("%v, ended %q", err, a.operator.ended)
	}
	if err := b.acts.EndOwnSession(t.Context(), "s3"); !errors.Is(err, fault.NotFound) {
		t.Errorf("one that is over there: %v", err)
	}
	var problem *rest.Problem
	if err := b.acts.EndOwnSession(t.Context(), "s2"); !errors.As(err, &problem) || problem.Code != rest.CodeNodeUnreachable {
		t.Errorf("a node that is gone: %v", err)
	}
}

// TestDeadlinesAreLookedAtOnAllNodes, by the settings that are on record, and it is said of
// which nodes nobody knows.
func TestDeadlinesAreLookedAtOnAllNodes(t *testing.T) {
	t.Parallel()
	_, r, a, b := startTwo(t)
	r.set(func() { r.version = 7 })
	done, err := a.acts.CheckTimeouts(t.Context(), rest.AuditEntry{})
	if err != nil || done.Checked != 6 || done.Ended != 2 || len(done.Unreachable) != 0 || b.known() != 7 {
		t.Errorf("%+v, %v; the other node knows version %d", done, err, b.known())
	}
	if a.acts.EndOverdue(t.Context()); b.calls.overdue.Load() != 1 || a.calls.overdue.Load() != 0 {
		t.Errorf("overdue calls of the other node were ended %d times", b.calls.overdue.Load())
	}
	a.operator.fails = fault.Unrecorded
	if _, err := a.acts.CheckTimeouts(t.Context(), rest.AuditEntry{}); !errors.Is(err, fault.Unrecorded) {
		t.Errorf("what can't be recorded: %v", err)
	}
	a.operator.fails = nil
	b.stop()
	if done, err = a.acts.CheckTimeouts(t.Context(), rest.AuditEntry{}); err != nil || done.Checked != 1 || !slices.Equal(done.Unreachable, []string{"b"}) {
		t.Errorf("with a node gone: %+v, %v", done, err)
	}
}
