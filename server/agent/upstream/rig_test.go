package upstream_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/goleak"

	"parley/server/agent"
	"parley/server/agent/double"
	"parley/server/agent/tool"
	"parley/server/agent/upstream"
	"parley/server/logtest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// TestMain checks that nothing of a call outlives it. A connection takes a while to
// close where packages are tested side by side.
func TestMain(m *testing.M) {
	code := m.Run()
	for deadline := time.Now().Add(patience); code == 0; {
		err := goleak.Find()
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

const (
	key    = "sk-a-key-that-nobody-sees"
	prompt = "You are a pirate, and this is a secret."
	// patience bounds every wait for a condition.
	patience = 20 * time.Second
)

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// ledger is a disk in memory.
type ledger struct {
	mu   sync.Mutex
	rows map[string][2]string // session: agent, reference
	puts int
	full error
}

func newLedger() *ledger { return &ledger{rows: map[string][2]string{}} }

func (l *ledger) PutUpstreamCall(_ context.Context, session, agent, reference string, _ time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full != nil {
		return l.full
	}
	l.rows[session] = [2]string{agent, reference}
	l.puts++
	return nil
}

func (l *ledger) DeleteUpstreamCall(_ context.Context, session string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.rows, session)
	return nil
}

func (l *ledger) UpstreamCalls(_ context.Context, yield func(session, agent, reference string, opened time.Time)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for session, row := range l.rows {
		yield(session, row[0], row[1], time.Now())
	}
	return nil
}

// fill has the disk take nothing more, or, with nil, take it again.
func (l *ledger) fill(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.full = err
}

func (l *ledger) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.rows)
}

// writes is how often a call was put on disk.
func (l *ledger) writes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.puts
}

// rig is an agent at a service.
type rig struct {
	t       testing.TB
	service *double.Server
	agent   *upstream.Agent
	hangups *upstream.Hangups
	ledger  *ledger
	log     *logtest.Buffer
	web     string // the service's address
}

// newRig makes an agent at a double of a dialect.
func newRig(t testing.TB, service double.Config, change func(*upstream.Config)) *rig {
	t.Helper()
	service.Key = key
	s, err := double.New(service)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	r := &rig{t: t, web: web.URL, service: s, ledger: newLedger(), log: &logtest.Buffer{}}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.hangups = upstream.NewHangups(r.ledger, log)
	dialect := upstream.Dialect(service.Dialect)
	if dialect == "" {
		dialect = upstream.OpenAI
	}
	cfg := upstream.Config{
		Name: "pirate", Dialect: dialect, URL: web.URL + double.CallsPath, Key: key, AllowPrivate: true,
		Session: upstream.Session{Model: "gpt-realtime-2.1", Voice: "marin", Instructions: prompt},
	}
	if change != nil {
		change(&cfg)
	}
	if r.agent, err = upstream.New(cfg, r.hangups, log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.hangups.Close(); err != nil {
			t.Error(err)
		}
		web.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for _, secret := range []string{key, prompt} {
			if strings.Contains(r.log.String(), secret) {
				t.Errorf("the log has %q", secret)
			}
		}
	})
	return r
}

// caller is the other side of an agent's leg.
type caller struct {
	t   testing.TB
	leg agent.Leg

	mu       sync.Mutex
	states   []wire.AgentState
	heard    []rtp.Header
	bytes    int
	levels   int
	messages []string
	samples  []rtcstats.Sample
	speech   map[rtcstats.Leg]int
	left     chan error
	warned   []wire.EndCause

	seq   uint16
	stamp uint32
}

// open has a caller call the agent.
func (r *rig) open(session string) *caller {
	r.t.Helper()
	c := &caller{t: r.t, speech: map[rtcstats.Leg]int{}, left: make(chan error, 1)}
	far, err := r.agent.Open(context.Background(), agent.Call{Session: session, User: "hash-of-" + session, Audio: c, Messages: c}, c)
	if err != nil {
		r.t.Fatal(err)
	}
	c.leg = far
	r.t.Cleanup(func() { c.hangUp() })
	return c
}

func (c *caller) hangUp() {
	if err := c.leg.Close(); err != nil {
		c.t.Error(err)
	}
}

func (c *caller) WriteRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, *h)
	c.bytes += len(payload)
	if level != nil {
		c.levels++
	}
	return nil
}

func (c *caller) WriteMessage(text []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = append(c.messages, string(text))
	return nil
}

func (c *caller) AgentState(s wire.AgentState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states = append(c.states, s)
}

func (c *caller) Speech(by rtcstats.Leg) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.speech[by]++
}

func (c *caller) Sampled(by rtcstats.Leg, s rtcstats.Sample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if by != rtcstats.LegAgent {
		c.t.Errorf("a sample of %s", by)
	}
	c.samples = append(c.samples, s)
}

func (c *caller) AgentStuck(cause wire.EndCause, endsAt time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.warned = append(c.warned, cause); (cause == "") != endsAt.IsZero() {
		c.t.Errorf("stuck for %q until %v", cause, endsAt)
	}
}

// warnings are the causes that the agent said it would leave for, "" taking one back.
func (c *caller) warnings() []wire.EndCause {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.warned)
}

func (c *caller) AgentLeft(err error) { c.left <- err }

// told are the agent's states so far.
func (c *caller) told() []wire.AgentState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.states)
}

func (c *caller) is(s wire.AgentState) func() bool {
	return func() bool {
		all := c.told()
		return len(all) > 0 && all[len(all)-1] == s
	}
}

func (c *caller) packets() []rtp.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.heard)
}

// types are those of the events that came.
func (c *caller) types() (types []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.messages {
		var event struct{ Type string }
		if err := json.Unmarshal([]byte(m), &event); err != nil {
			c.t.Errorf("no event: %.80q", m)
		}
		types = append(types, event.Type)
	}
	return types
}

func (c *caller) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.messages, "\n")
}

// say sends audio in real time, loud or as a quiet room.
func (c *caller) say(d time.Duration, isLoud bool) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	level := rtp.AudioLevelExtension{Level: 80}
	if isLoud {
		level = rtp.AudioLevelExtension{Level: 20, Voice: true}
	}
	for range int(d / (20 * time.Millisecond)) {
		c.seq++
		c.stamp += 960
		c.leg.HandleRTP(&rtp.Header{Version: 2, SSRC: 5, SequenceNumber: c.seq, Timestamp: c.stamp}, append([]byte{0x78}, make([]byte, 79)...), &level)
		<-tick.C
	}
}

// withNoTools gives an agent a set of tools with none in it.
func withNoTools(cfg *upstream.Config) {
	set, err := tool.NewSet(nil)
	if err != nil {
		panic(err)
	}
	cfg.Tools = set
}
