package main

import (
	"context"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"

	"parley/server/agent/double"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/wasm/peer"
	"parley/wasm/peer/native"
)

// badPath is a socket whose packets are lost and late, both ways, once it is spoiled.
type badPath struct {
	net.PacketConn
	isBad *atomic.Bool
	loss  float64
	delay time.Duration // of what goes out
	late  sync.WaitGroup
}

func (p *badPath) loses() bool { return p.isBad.Load() && rand.Float64() < p.loss }

func (p *badPath) ReadFrom(b []byte) (n int, from net.Addr, err error) {
	for {
		n, from, err = p.PacketConn.ReadFrom(b)
		if err != nil || !p.loses() {
			return n, from, err
		}
	}
}

func (p *badPath) WriteTo(b []byte, to net.Addr) (int, error) {
	switch {
	case p.loses():
		return len(b), nil
	case p.delay == 0 || !p.isBad.Load():
		return p.PacketConn.WriteTo(b, to)
	}
	packet := slices.Clone(b)
	p.late.Add(1)
	time.AfterFunc(p.delay, func() {
		defer p.late.Done()
		_, _ = p.PacketConn.WriteTo(packet, to) // the call may be over
	})
	return len(b), nil
}

func (p *badPath) Close() error {
	p.late.Wait()
	return p.PacketConn.Close()
}

// ringOver calls the server over a path of the test's own.
func (p *program) ringOver(t *testing.T, agent string, path func(net.PacketConn) net.PacketConn, changes ...func(*peer.Config)) *talker {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: path(conn)})
	k := &talker{end: make(chan peer.CallEnded, 1)}
	k.Caller = native.New(native.Config{Server: p.base, Token: p.token(t, "ann"), Agent: agent, Heard: k.heard, Engine: func(s *webrtc.SettingEngine) {
		s.SetICEUDPMux(mux)
		s.SetIncludeLoopbackCandidate(true)
	}})
	cfg := k.Peer(k.saw)
	for _, change := range changes {
		change(&cfg)
	}
	k.call = peer.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { k.end <- k.call.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-k.end
		_ = mux.Close()
	})
	eventually(t, "the caller is connected", func() bool { return has[peer.CallConnected](k) })
	return k
}

// How right blame and first word have to be.
const (
	leastRight      = 0.95
	firstWordWithin = 20 * time.Millisecond
	// leastPoor is how many poor seconds a proof is of: two in so many may be wrong, for
	// what is averaged over seconds lags behind a way that fails at once.
	leastPoor = 40
)

// Over a path of known loss and delay on either side, the wait that is measured is what the
// service made it and what the agent's path adds to it. Not in parallel: what is compared
// is how long two programs of one machine waited.
func TestFirstWordIsTrue(t *testing.T) {
	const loss, callersDelay, agentsDelay = .01, 150 * time.Millisecond, 80 * time.Millisecond
	var isBad atomic.Bool
	over := func(delay time.Duration) func(net.PacketConn) net.PacketConn {
		return func(c net.PacketConn) net.PacketConn {
			return &badPath{PacketConn: c, isBad: &isBad, loss: loss, delay: delay}
		}
	}
	s := newService(t, double.Config{Path: over(agentsDelay)})
	p := start(t, "--agents="+s.file)
	k := p.ringOver(t, "polly", over(callersDelay))
	isBad.Store(true)
	for range 3 {
		converse(t, k)
	}
	var c rest.Connection
	p.ask(t, "demo-admin", http.MethodGet, "/api/v1/monitoring/connection/"+k.session(), nil, &c)
	firstWordIsTrue(t, c.Turns.Latest, s.Calls()[0].Answers(), agentsDelay)
}

// What is wrong with either leg is that leg's, in at least 95 % of the poor seconds.
func TestBlameNamesTheRightLeg(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		owner quality.Owner
		loss  float64
		delay time.Duration
	}{
		"the caller's packets get lost": {quality.OwnerCaller, .2, 0},
		"the caller is far":             {quality.OwnerCaller, 0, 900 * time.Millisecond},
		"the agent's packets get lost":  {quality.OwnerAgent, .2, 0},
		"the agent is far":              {quality.OwnerAgent, 0, 900 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var isBad atomic.Bool
			bad := func(c net.PacketConn) net.PacketConn {
				return &badPath{PacketConn: c, isBad: &isBad, loss: test.loss, delay: test.delay}
			}
			toCaller, toAgent := func(c net.PacketConn) net.PacketConn { return c }, bad
			if test.owner == quality.OwnerCaller {
				toCaller, toAgent = bad, nil
			}
			s := newService(t, double.Config{Path: toAgent})
			p := start(t, "--agents="+s.file)
			k := p.ringOver(t, "polly", toCaller)
			see := func() (c rest.Connection) {
				p.ask(t, "demo-admin", http.MethodGet, "/api/v1/monitoring/connection/"+k.session(), nil, &c)
				return c
			}
			for range 3 {
				converse(t, k)
			}
			before := see().PoorSeconds
			isBad.Store(true)
			var poor, right int
			for end := time.Now().Add(patience); poor < leastPoor && time.Now().Before(end); {
				converse(t, k)
				poor, right = 0, 0
				for owner, n := range see().PoorSeconds {
					poor += n - before[owner]
					if owner == test.owner {
						right += n - before[owner]
					}
				}
			}
			t.Logf("%d of %d poor seconds are %s's", right, poor, test.owner)
			if poor < leastPoor || float64(right) < leastRight*float64(poor) {
				t.Errorf("%d of %d poor seconds are %s's: %v, before %v", right, poor, test.owner, see().PoorSeconds, before)
			}
		})
	}
}

// converse says something, and listens to the answer.
func converse(t *testing.T, k *talker) {
	t.Helper()
	k.say(t, 600*time.Millisecond, true)
	k.say(t, 3600*time.Millisecond, false)
}

// firstWordIsTrue compares what the server measured with what the service did, and what
// its path added: half of the turns have to be as near as promised, for on a busy machine a
// packet may wait on the way between the two, and one that counts may be lost.
func firstWordIsTrue(t *testing.T, turns []rest.Turn, answers []double.Answer, added time.Duration) {
	t.Helper()
	var apart []float64
	for _, turn := range turns {
		nearest := math.Inf(1)
		for _, a := range answers {
			if d := a.EndOfSpeech.Sub(turn.EndOfSpeech); d.Abs() < time.Second {
				nearest = min(nearest, math.Abs(turn.WaitMS-float64(a.FirstAudio.Sub(a.EndOfSpeech)+added)/float64(time.Millisecond)))
			}
		}
		apart = append(apart, nearest)
	}
	slices.Sort(apart)
	t.Logf("first words are %.1f ms apart", apart)
	if n := len(apart); n < 2 || apart[(n-1)/2] > float64(firstWordWithin/time.Millisecond) {
		t.Errorf("first words are %.1f ms apart, want at most %v: %+v, of %+v", apart, firstWordWithin, turns, answers)
	}
}
