package cluster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"parley/server/cluster"
	"parley/server/session"
	"parley/server/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scale is how large the simulation is: PARLEY_SIMULATION multiplies its length.
type scale struct {
	nodes, calls, users, perUser, orgs int
	disturbed                          int  // one node in so many
	endsCalls                          bool // of a lease that ran out
	countsAll                          bool // calls, and not those of leases in force alone; nodes are cut off, none stands still
	length                             time.Duration
}

// world is many nodes on one record, and what a being that sees all counts.
type world struct {
	*record
	t     *testing.T
	scale scale
	until time.Time
	nodes []*node

	mu       sync.Mutex
	limits   session.Settings
	live     map[capKey]map[lease]int // calls, by cap and the lease that they were admitted by
	over     int                      // admissions that went over a cap
	example  string
	admitted int
	refused  map[session.RefusalCode]int
	ended    int // by their node, which was taken for dead
}

// node is one server: the real lease and the real permits, and callers who come and go.
type node struct {
	*line
	w       *world
	id      uint16
	member  *cluster.Membership
	permits *cluster.Permits
	random  *rand.Rand
	lock    sync.Mutex // guards random

	mu    sync.Mutex
	calls map[*call]bool
}

// lease names one of a node's.
type lease struct {
	id    uint16
	epoch int64
}

type call struct {
	by      lease
	caps    []capKey
	release func()
}

func (n *node) float() float64 {
	n.lock.Lock()
	defer n.lock.Unlock()
	return n.random.Float64()
}

// clock is monotonic, but off by up to 2 s, and too fast or too slow by up to 0.2 %. One
// that stands still fences nothing.
func (n *node) clock(fenced bool) func() time.Time {
	born := time.Now()
	off := time.Duration((n.float() - 0.5) * float64(4*time.Second))
	rate := 1 + (n.float()-0.5)*0.004
	return func() time.Time {
		if !fenced {
			return born
		}
		return born.Add(off + time.Duration(float64(time.Since(born))*rate))
	}
}

func (w *world) newNode(i int, fenced bool) *node {
	n := &node{w: w, random: rand.New(rand.NewPCG(12, uint64(i))), calls: map[*call]bool{}}
	n.line = &line{record: w.record, chance: n.float, loss: 0.01}
	var err error
	name := fmt.Sprint("n", i)
	n.member, err = cluster.Join(w.t.Context(), cluster.Config{Record: n.line, Identity: store.NodeIdentity{Name: name, Instance: name}, Now: n.clock(fenced)})
	if err != nil {
		w.t.Fatal(err)
	}
	n.id = n.member.Self().ID
	n.permits = cluster.NewPermits(cluster.PermitsConfig{Member: n.member, Record: n.line, Others: others{w, n}, Key: func(s string) string { return s }})
	return n
}

// others are some nodes that a node can reach: the bus loses what it loses.
type others struct {
	w *world
	n *node
}

func (o others) GiveBack(ctx context.Context, scope store.PermitScope, key string) {
	for range 4 {
		of := o.w.nodes[int(o.n.float()*float64(len(o.w.nodes)))]
		if of != o.n && !of.cut() && !o.n.cut() && o.n.float() > 0.05 {
			_ = of.permits.GiveBack(ctx, scope, key)
		}
	}
}

func (others) Replace(context.Context, string) bool { return false }

// run is the life of a node.
func (n *node) run(ctx context.Context, running *sync.WaitGroup) {
	running.Go(func() {
		d := cluster.Duties{
			Load:    func() cluster.Load { return cluster.Load{} },
			Taken:   n.endAll,
			Renewed: n.permits.Renewed,
		}
		if n.w.scale.endsCalls {
			d.Lapsed = n.endAll
		}
		n.member.Run(ctx, d)
	})
	running.Go(func() {
		for time.Now().Before(n.w.until) {
			time.Sleep(time.Duration(n.float() * 2 * float64(n.w.scale.length) / float64(n.w.scale.calls)))
			n.await()
			running.Go(func() { n.call(running) })
		}
	})
}

// call is one caller.
func (n *node) call(running *sync.WaitGroup) {
	w := n.w
	c := session.Caller{User: fmt.Sprint("u", int(n.float()*float64(w.scale.users))), Org: fmt.Sprint("o", int(n.float()*float64(w.scale.orgs)))}
	w.mu.Lock()
	set := w.limits
	w.mu.Unlock()
	release, err := n.permits.Take(c, set)
	if err != nil {
		w.mu.Lock()
		w.refused[err.(*session.Refusal).Code]++
		w.mu.Unlock()
		return
	}
	one := &call{release: release, by: lease{n.id, n.member.Self().Epoch}, caps: []capKey{{store.PermitAll, ""}, {store.PermitOrg, "org " + c.Org}, {store.PermitUser, n.permits.KeyOf(c)}}}
	n.mu.Lock()
	n.calls[one] = true
	n.mu.Unlock()
	w.count(n, one, set)
	time.Sleep(time.Duration(n.float() * float64(w.scale.length) * 2 / 3))
	n.await()
	n.end(one)
}

func (n *node) end(c *call) bool {
	n.mu.Lock()
	is := n.calls[c]
	delete(n.calls, c)
	n.mu.Unlock()
	if is {
		n.w.mu.Lock()
		for _, k := range c.caps {
			n.w.live[k][c.by]--
		}
		n.w.mu.Unlock()
		c.release()
	}
	return is
}

func (n *node) endAll() {
	n.mu.Lock()
	all := make([]*call, 0, len(n.calls))
	for c := range n.calls {
		all = append(all, c)
	}
	n.mu.Unlock()
	for _, c := range all {
		if n.end(c) {
			n.w.mu.Lock()
			n.w.ended++
			n.w.mu.Unlock()
		}
	}
}

// count counts a call that was admitted, and whether it was one too many: of what was
// admitted by leases that are in force, and by this one. Calls that outlived the lease
// that they were admitted by go on, whoever has their places.
func (w *world) count(n *node, c *call, set session.Settings) {
	w.record.mu.Lock()
	defer w.record.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.admitted++
	limits := []int{set.MaxSessions, set.MaxPerOrg, set.MaxPerUser}
	for i, k := range c.caps {
		if w.live[k] == nil {
			w.live[k] = map[lease]int{}
		}
		w.live[k][c.by]++
		sum := 0
		for by, calls := range w.live[k] {
			if of := w.rows[by.id]; w.scale.countsAll || by == c.by || of.State == store.NodeLive && of.Epoch == by.epoch {
				sum += calls
			}
		}
		if sum > limits[i] {
			w.over++
			w.example = fmt.Sprintf("%s %s: %d of %d at %s, admitted by node %d (%+v)", k.scope, k.key, sum, limits[i], time.Now().Format("05.000"), n.id, w.rows[n.id].Node)
		}
	}
}

func (w *world) setLimits(set session.Settings) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limits = set
}

// disturb cuts nodes off and has nodes stand still, each for longer than a lease.
func (w *world) disturb(running *sync.WaitGroup) {
	for i := range len(w.nodes) / w.scale.disturbed {
		n := w.nodes[i*w.scale.disturbed]
		running.Go(func() {
			time.Sleep(time.Duration(n.float() * float64(w.scale.length) / 4))
			long := 2*cluster.LeaseTTL + time.Duration(n.float()*float64(cluster.LeaseTTL))
			if w.scale.countsAll || i%2 == 0 {
				n.setCut(true)
				time.Sleep(long)
				n.setCut(false)
				return
			}
			resume := n.pause()
			time.Sleep(long)
			resume()
		})
	}
}

// simulate runs a world, and returns it when all have ended.
func simulate(t *testing.T, s scale, fenced bool) (w *world) {
	synctest.Test(t, func(t *testing.T) {
		w = &world{record: newRecord(), t: t, scale: s, until: time.Now().Add(s.length), live: map[capKey]map[lease]int{}, refused: map[session.RefusalCode]int{}}
		full := session.Settings{MaxSessions: s.nodes * 3, MaxPerOrg: s.nodes * 3 / s.orgs, MaxPerUser: s.perUser}
		w.setLimits(full)
		for i := range s.nodes {
			w.nodes = append(w.nodes, w.newNode(i, fenced))
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for _, n := range w.nodes {
			n.run(ctx, &running)
		}
		w.disturb(&running)
		time.Sleep(s.length * 2 / 3)
		lower := full
		lower.MaxSessions /= 2
		w.setLimits(lower)
		time.Sleep(time.Until(w.until) + s.length)
		stop()
		running.Wait()
	})
	return w
}

// length is how long the simulation is of time that isn't real.
func length(t *testing.T) time.Duration {
	times := 1
	if text := os.Getenv("PARLEY_SIMULATION"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		times = n
	}
	return time.Duration(times) * time.Minute
}

// TestCapsOfAThousandNodes are exact: clocks are off, questions and answers are lost and
// repeated, nodes are cut off and stand still, and a cap is lowered.
func TestCapsOfAThousandNodes(t *testing.T) {
	w := simulate(t, scale{nodes: 1000, calls: 12, users: 2000, perUser: 2, orgs: 10, disturbed: 20, length: length(t)}, true)
	t.Logf("%d admitted, refused %v, %d ended by nodes that were taken for dead", w.admitted, w.refused, w.ended)
	if w.over > 0 {
		t.Errorf("%d admissions over a cap, such as %s", w.over, w.example)
	}
	if w.admitted < 1000 {
		t.Errorf("%d admitted: nothing was tried", w.admitted)
	}
	for _, code := range []session.RefusalCode{session.CapReached, session.UserCap, session.OrgCap, session.Unavailable} {
		if w.refused[code] == 0 {
			t.Errorf("nobody was refused for %s", code)
		}
	}
	for k, n := range w.totals {
		if n > 0 && k.scope != store.PermitUser {
			t.Errorf("%s %s: %d places are held when all have ended", k.scope, k.key, n)
		}
	}
}

// TestCallsThatEndWithTheLeaseKeepWithinTheCaps, all of them; those that go on don't.
func TestCallsThatEndWithTheLeaseKeepWithinTheCaps(t *testing.T) {
	for ends, fits := range map[bool]func(int) bool{true: func(n int) bool { return n == 0 }, false: func(n int) bool { return n > 0 }} {
		w := simulate(t, scale{nodes: 40, calls: 100, users: 2, perUser: 1000, orgs: 1, disturbed: 4, endsCalls: ends, countsAll: true, length: length(t)}, true)
		t.Logf("calls end %v: %d of %d admissions were over a cap, %d calls ended", ends, w.over, w.admitted, w.ended)
		if !fits(w.over) {
			t.Errorf("calls end %v: %d of %d admissions were over a cap %s", ends, w.over, w.admitted, w.example)
		}
	}
}

// TestWithoutFencingCapsAreExceeded: what the test above would see. In one run of four
// nothing comes of it.
func TestWithoutFencingCapsAreExceeded(t *testing.T) {
	over := func(isFenced bool) int {
		w := simulate(t, scale{nodes: 40, calls: 100, users: 2, perUser: 1000, orgs: 1, disturbed: 4, length: length(t)}, isFenced)
		t.Logf("fenced %v: %d of %d admissions were over a cap %s", isFenced, w.over, w.admitted, w.example)
		return w.over
	}
	if over(true) > 0 {
		t.Error("a cap is exceeded with fencing")
	}
	for range 12 {
		if over(false) > 0 {
			return
		}
	}
	t.Error("no cap is exceeded without fencing")
}
