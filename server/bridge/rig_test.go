package bridge_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"parley/server/agent"
	"parley/server/bridge"
	"parley/server/fault"
	"parley/server/monitor"
	"parley/server/privacy"
	"parley/server/relay"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// disk is a store in memory that can be away, or slow.
type disk struct {
	mu     sync.Mutex
	kept   map[string]rest.SessionRecord
	used   []rest.UsageEntry
	broken error
	slow   chan struct{} // writes wait for it; nil: they don't
	writes int           // of sessions
}

func (d *disk) PutSessions(ctx context.Context, all []rest.SessionRecord) error {
	d.mu.Lock()
	slow := d.slow
	d.mu.Unlock()
	if slow != nil {
		select {
		case <-slow:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return d.broken
	}
	d.writes++
	for _, s := range all {
		d.kept[s.ID] = s
	}
	return nil
}

func (d *disk) AddUsage(_ context.Context, e rest.UsageEntry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken == nil {
		d.used = append(d.used, e)
	}
	return d.broken
}

func (d *disk) SpentOn(_ context.Context, userKey, _, agent, day string) (micros int64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.used {
		if e.UserKey == userKey && e.Agent == agent && e.Day == day {
			micros += e.Usage.CostMicros
		}
	}
	return micros, d.broken
}

func (d *disk) set(change func(*disk)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

func (d *disk) Sessions(context.Context, rest.SessionQuery) ([]rest.SessionRecord, string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []rest.SessionRecord
	for _, s := range d.kept {
		all = append(all, s)
	}
	return all, "", nil
}

func (d *disk) Session(_ context.Context, id string) (rest.SessionRecord, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s, ok := d.kept[id]; ok {
		return s, nil
	}
	return rest.SessionRecord{}, fault.NotFound
}

func (*disk) Turns(context.Context, string) ([]rest.Turn, []rest.Interruption, error) {
	return nil, nil, nil
}

func (*disk) ToolUses(context.Context, string) ([]rest.ToolUse, error) { return nil, nil }

func (*disk) Streams(context.Context, string, time.Time, time.Time, time.Duration) ([]rest.StreamQuality, error) {
	return nil, nil
}

// mask masks so that it shows, and protects unless it is told otherwise. It guards
// audio as a server does.
type mask struct {
	*privacy.Privacy
	broken error
}

func (m *mask) Protected() error      { return m.broken }
func (*mask) Person(s string) string  { return "masked " + s }
func (*mask) UserKey(s string) string { return "key of " + s }
func (*mask) Address(s string) string { return "masked " + s }
func (*mask) Phone(s string) string   { return "masked " + s }
func (*mask) Email(s string) string   { return "masked " + s }
func (*mask) Text(s string) string    { return "masked " + s }

// rig is a bridge over a real media port, real agents and real sessions.
type rig struct {
	*bridge.Bridge
	t       *testing.T
	disk    *disk
	mask    *mask
	monitor *monitor.Monitor
	history *bridge.History
}

func newRig(t *testing.T, change func(*bridge.Config)) *rig {
	t.Helper()
	port, err := relay.Listen(relay.Config{Addr: "127.0.0.1:0", AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	guard, err := privacy.New(privacy.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, disk: &disk{kept: map[string]rest.SessionRecord{}}, mask: &mask{Privacy: guard}}
	verdicts := bridge.NewVerdicts()
	r.monitor = monitor.New(monitor.Config{OnVerdict: verdicts.Put})
	cfg := bridge.Config{
		Relay: port, Agents: agent.NewRegistry(agent.Builtin(guard)...), Monitor: r.monitor, Verdicts: verdicts, Store: r.disk, Privacy: r.mask, Node: "n1",
		Sessions: session.Config{Settings: session.DefaultSettings(), DefaultAgent: "echo"},
	}
	if change != nil {
		change(&cfg)
	}
	r.Bridge = bridge.New(cfg)
	r.history = r.History(r.disk)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.monitor.Run(ctx) })
	running.Go(func() { r.Run(ctx) })
	t.Cleanup(func() {
		r.disk.set(func(d *disk) { d.broken = nil })
		if err := errors.Join(r.Sessions().Close(), port.Close()); err != nil {
			t.Error(err)
		}
		cancel()
		running.Wait()
	})
	return r
}

// ring admits a caller and attaches him to a socket's link.
func (r *rig) ring(user, agent string) *session.Link {
	r.t.Helper()
	s, err := r.Sessions().Admit(session.Caller{
		User: user, TokenID: "token of " + user, Org: "acme", Remote: "192.0.2.7", Phone: "+15550100", Email: "a@b.example", Agent: agent, TokenExpires: time.Now().Add(time.Hour),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	l, err := s.Attach()
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

// next waits for the next message of a kind.
func next[M wire.Message](t *testing.T, l *session.Link) M {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case m := <-l.Outbox():
			if m, ok := m.(M); ok {
				return m
			}
		case <-l.Context().Done():
			t.Fatalf("the link ended: %v", context.Cause(l.Context()))
		case <-limit:
			t.Fatal("nothing came")
		}
	}
}

// newPeer is a caller's connection, with the track that it speaks on.
func (r *rig) newPeer() (*webrtc.PeerConnection, *webrtc.TrackLocalStaticRTP) {
	r.t.Helper()
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	e.LoggerFactory = &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled, ScopeLevels: map[string]logging.LogLevel{}}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(e)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = pc.GracefulClose() })
	voice, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "voice", "voice")
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := pc.AddTrack(voice); err != nil {
		r.t.Fatal(err)
	}
	return pc, voice
}

// offer returns a peer's offer, with all candidates in it.
func (r *rig) offer(pc *webrtc.PeerConnection) string {
	r.t.Helper()
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		r.t.Fatal(err)
	}
	<-gathered
	return pc.LocalDescription().SDP
}

// connect has a peer take up the call, and returns the track that it speaks on.
func (r *rig) connect(l *session.Link) *webrtc.TrackLocalStaticRTP {
	r.t.Helper()
	pc, voice := r.newPeer()
	if refused := l.Offer(wire.Offer{SDP: r.offer(pc)}); refused != nil {
		r.t.Fatal(refused)
	}
	answer := next[wire.Answer](r.t, l)
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer.SDP}); err != nil {
		r.t.Fatal(err)
	}
	return voice
}

// until waits for a condition.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	limit := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not in time: %s", what)
		}
	}
}
