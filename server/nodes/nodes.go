// Package nodes owns what the servers of a cluster know and do together while they run:
// each tells the others what changed, shows their calls beside its own, and passes an
// admin's act on to the node that holds the call. What it tells is only a hint: all of it
// is in the record, too, and is found there when the bus lost it. It decides about no call
// and admits nobody.
package nodes

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"parley/server/bus"
	"parley/server/health"
	"parley/server/monitor"
	"parley/shared/rest"
)

// The rhythm.
const (
	// PollEvery is how often the record is looked at for what the bus may have lost, and
	// PollAlone how often while it is away.
	PollEvery = 5 * time.Second
	PollAlone = 2 * time.Second
	// beatEvery is how often a node says that it is there.
	beatEvery = time.Second
	// silentAfter is how long a node may say nothing before it is taken for out of reach.
	silentAfter = 4 * time.Second
	// readTimeout bounds one look at the record.
	readTimeout = 5 * time.Second
	// watchedFor is for how long one who follows the picture counts as somebody who looks:
	// a page asks again within a second, one that comes back within this.
	watchedFor = 10 * time.Second
)

// Members tells which nodes have a lease. *cluster.Membership is behind it.
type Members interface {
	// Live returns the names of all that have one, this node's among them.
	Live(ctx context.Context) ([]string, error)
}

// Config is what Nodes need. All but Heard and Logger must be given.
type Config struct {
	Bus     *bus.Bus
	Members Members
	Picture *monitor.Monitor
	// Shared are by name what is read again when another node says that it changed, and
	// each PollEvery.
	Shared map[string]func(context.Context) error
	// Self is what this node tells of itself.
	Self func() Beat
	// Heard is called with what other nodes tell of themselves; may be nil.
	Heard func(node string, b Beat)
	// Drain has this node take no new calls, or take them again.
	Drain func(isDraining bool)
	// EndCalls ends all calls of this node, and counts them.
	EndCalls func(reason string) (ended int)
	Logger   *slog.Logger
}

// Beat is what a node says of itself each second.
type Beat struct {
	Calls   int     `json:"calls"`
	DelayMS float64 `json:"delay_ms"`
	rest.MachineUsage
	ClockSkewMS *float64 `json:"clock_skew_ms,omitempty"`
	// Media is where callers' media comes in, and TURN how the node finds its TURN server.
	Media string         `json:"media,omitempty"`
	TURN  rest.TURNState `json:"turn,omitempty"`

	Draining bool   `json:"draining"`
	Version  string `json:"version"`
	// Health is what the node that leads judges for all.
	Health health.Report `json:"health"`
	// Address is where callers reach it, if that is known.
	Address string `json:"address,omitempty"`
	// Watching: somebody at this node looks at the picture, as it changes.
	Watching bool `json:"watching"`
}

// other is what this node has heard of another.
type other struct {
	beat    Beat
	beats   heartbeats
	heardAt time.Time
	epoch   int64
	seq     uint64            // of its changes, as far as they came without a gap
	behind  bool              // its whole picture is to be asked for
	asking  bool              // it is asked for: changes are kept to follow it
	missed  []monitor.Changes // meanwhile
}

// Nodes is safe for use by many goroutines.
type Nodes struct {
	cfg   Config
	log   *slog.Logger
	epoch int64
	wakes map[string]chan struct{}
	now   func() time.Time

	telling sync.Mutex // held by who tells of this node: numbers go out in their order

	mu     sync.Mutex
	others map[string]*other
	own    heartbeats // of this node: whether they reached the bus
	live   []string   // as of the last look
	told   teller
}

// New makes Nodes, which listen. They say nothing before Run.
func New(cfg Config) (*Nodes, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	n := &Nodes{
		cfg: cfg, log: cfg.Logger, epoch: time.Now().UnixNano(), wakes: make(map[string]chan struct{}), now: time.Now,
		others: make(map[string]*other), told: teller{levels: make(map[string]toldLevel), stats: make(map[string]monitor.NodeStats)},
	}
	for name := range cfg.Shared {
		n.wakes[name] = make(chan struct{}, 1)
	}
	return n, n.subscribe()
}

func (n *Nodes) subscribe() error {
	for _, subscribe := range []func() error{
		func() error { return bus.Subscribe(n.cfg.Bus, topicChanged, n.hearChanged) },
		func() error { return bus.Subscribe(n.cfg.Bus, topicPicture, n.hear) },
		func() error { return bus.Answer(n.cfg.Bus, topicWhole, n.answerWhole) },
		func() error { return bus.Answer(n.cfg.Bus, topicRead, n.answerRead) },
		func() error { return bus.Answer(n.cfg.Bus, topicDrain, n.answerDrain) },
		func() error { return bus.Answer(n.cfg.Bus, topicEndCalls, n.answerEndCalls) },
	} {
		if err := subscribe(); err != nil {
			return err
		}
	}
	return nil
}

// What is told, and asked.
const (
	topicChanged  = "changed"   // something of the record
	topicEndCalls = "end_calls" // end all calls of a node
	topicPicture  = "picture"   // that a node is there, and changes of its sessions
	topicWhole    = "whole"     // all of a node's sessions
	topicDrain    = "drain"     // take no new calls, or take them again
	topicRead     = "read"      // take something of the record up, and say when it is done
)

// changed says that something of the record is another now.
type changed struct {
	What string `json:"what"`
}

// Tell has the other nodes read something of the record again.
func (n *Nodes) Tell(what string) {
	if err := n.cfg.Bus.Publish(topicChanged, changed{what}); err != nil {
		n.log.Debug("the others find a change by themselves", "event", "bus", "cause", what, "err", err)
	}
}

func (n *Nodes) hearChanged(_ string, c changed) { n.wake(c.What) }

// wake has something read again; a name of another release's is nothing here.
func (n *Nodes) wake(what string) {
	select {
	case n.wakes[what] <- struct{}{}:
	default:
	}
}

// ReadAgain has all that is shared read again, and all pictures asked for: the bus lost
// something.
func (n *Nodes) ReadAgain() {
	for what := range n.wakes {
		n.wake(what)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, o := range n.others {
		o.behind = true
	}
}

// Run tells and listens until ctx is over.
func (n *Nodes) Run(ctx context.Context) {
	var running sync.WaitGroup
	for what, read := range n.cfg.Shared {
		running.Go(func() { n.keepReading(ctx, what, read) })
	}
	running.Go(func() { n.followOthers(ctx) })
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-beat.C:
			n.beat()
		}
	}
	running.Wait()
}

// keepReading reads something when it is told to, and by itself.
func (n *Nodes) keepReading(ctx context.Context, what string, read func(context.Context) error) {
	for {
		poll := time.NewTimer(n.pollInterval())
		select {
		case <-ctx.Done():
			poll.Stop()
			return
		case <-n.wakes[what]:
		case <-poll.C:
		}
		poll.Stop()
		bounded, cancel := context.WithTimeout(ctx, readTimeout)
		if err := read(bounded); err != nil && ctx.Err() == nil {
			n.log.Warn("what other nodes changed can't be read now", "event", "cluster", "cause", what, "err", err)
		}
		cancel()
	}
}

func (n *Nodes) pollInterval() time.Duration {
	if n.IsDegraded() {
		return PollAlone
	}
	return PollEvery
}

// IsDegraded reports whether the bus is away, or a node with a lease can't be heard.
func (n *Nodes) IsDegraded() bool {
	if !n.cfg.Bus.IsConnected() {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.ContainsFunc(n.live, func(name string) bool { return name != n.cfg.Bus.Node() && !n.isHeardLocked(name) })
}

// IsHeard reports whether another node said something of late.
func (n *Nodes) IsHeard(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.isHeardLocked(name)
}

// mu must be held.
func (n *Nodes) isHeardLocked(name string) bool {
	o := n.others[name]
	return o != nil && n.now().Sub(o.heardAt) < silentAfter
}

// BeatOf is what another node said of itself last, and how long ago it was heard; ok is
// false where it never was.
func (n *Nodes) BeatOf(name string) (b Beat, age time.Duration, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	o := n.others[name]
	if o == nil {
		return b, 0, false
	}
	return o.beat, n.now().Sub(o.heardAt), true
}

// Reports are what the other nodes said of their health last, by name.
func (n *Nodes) Reports() map[string]health.Report {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make(map[string]health.Report, len(n.others))
	for name, o := range n.others {
		if o.beat.Version != "" { // it has said something
			out[name] = o.beat.Health
		}
	}
	return out
}

// Open are the addresses of the other nodes that take calls, of those that have one, and
// whether there is any.
func (n *Nodes) Open() (addresses []string, isAny bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(n.others)) {
		beat := n.others[name].beat
		if !n.isHeardLocked(name) || beat.Draining {
			continue
		}
		if isAny = true; beat.Address != "" {
			addresses = append(addresses, beat.Address)
		}
	}
	return addresses, isAny
}

// Others are the other nodes that were heard of late.
func (n *Nodes) Others() (names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(n.others)) {
		if n.isHeardLocked(name) {
			names = append(names, name)
		}
	}
	return names
}

// beat says that this node is there, and how many changes it told.
func (n *Nodes) beat() {
	b := n.cfg.Self()
	b.Watching = n.cfg.Picture.IsWatched(watchedFor)
	n.telling.Lock()
	defer n.telling.Unlock()
	n.mu.Lock()
	p := picture{Seq: n.told.seq, Epoch: n.epoch, Beat: &b}
	if n.cfg.Bus.IsConnected() {
		n.own.heard++
	}
	n.endSecondLocked()
	n.mu.Unlock()
	n.publish(p)
}

// read asks for something of the record to be read.
type read struct {
	What string `json:"what"`
}

type readDone struct {
	Calls int `json:"calls"` // that ended by it
}

// answerRead reads something now, for one who waits for it.
func (n *Nodes) answerRead(ctx context.Context, _ string, q read) (readDone, error) {
	read, ok := n.cfg.Shared[q.What]
	if !ok {
		return readDone{}, nil // of another release
	}
	before := liveOf(n.cfg.Picture)
	err := read(ctx)
	return readDone{max(0, before-liveOf(n.cfg.Picture))}, err
}

func liveOf(m *monitor.Monitor) (live int) {
	for _, row := range m.Own() {
		if row.EndedAt == nil {
			live++
		}
	}
	return live
}

// TellAndWait has every other node read something now, and returns how many calls ended
// by it. One that doesn't answer finds it by itself.
func (n *Nodes) TellAndWait(ctx context.Context, what string) (ended int) {
	n.Tell(what)
	var asking sync.WaitGroup
	var mu sync.Mutex
	for _, name := range n.Others() {
		asking.Go(func() {
			var done readDone
			if err := n.cfg.Bus.Request(ctx, name, topicRead, read{what}, &done); err != nil {
				n.log.Warn("a node finds a change by itself", "event", "bus", "node", name, "cause", what, "err", err)
			}
			mu.Lock()
			ended += done.Calls
			mu.Unlock()
		})
	}
	asking.Wait()
	return ended
}
