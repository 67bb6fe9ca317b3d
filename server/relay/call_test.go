package relay_test

import (
	"bytes"
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"parley/server/agent"
	"parley/server/leg"
	"parley/server/privacy"
	"parley/server/relay"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// turns keeps an agent's states.
type turns struct {
	mu     sync.Mutex
	states []wire.AgentState
}

func (s *turns) AgentState(a wire.AgentState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states = append(s.states, a)
}

func (*turns) Speech(rtcstats.Leg) {}

func (*turns) Sampled(rtcstats.Leg, rtcstats.Sample) {}

func (*turns) AgentStuck(wire.EndCause, time.Time) {}

func (*turns) AgentLeft(error) {}

// alone opens a leg that no agent is at the other end of.
func alone(*relay.Leg) (leg.Handler, error) { return leg.Discard, nil }

func (s *turns) now() wire.AgentState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[len(s.states)-1]
}

// open wires a leg to an agent, as the server does.
func open(t testing.TB, r *relay.Relay, a agent.Agent) (*relay.Leg, *log) {
	t.Helper()
	l, on, _ := openTurns(t, r, a)
	return l, on
}

func openTurns(t testing.TB, r *relay.Relay, a agent.Agent) (*relay.Leg, *log, *turns) {
	t.Helper()
	on, states := &log{}, &turns{}
	var far agent.Leg
	l, err := r.Open("s1", on, func(caller *relay.Leg) (_ leg.Handler, err error) {
		far, err = a.Open(context.Background(), agent.Call{Session: "s1", Audio: caller, Messages: caller}, states)
		return far, err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close leg: %v", err)
		}
		if far == nil {
			return
		}
		if err := far.Close(); err != nil {
			t.Errorf("close agent: %v", err)
		}
	})
	return l, on, states
}

func TestEchoComesBack(t *testing.T) {
	for name, cfg := range map[string]callerConfig{
		"over UDP":          {},
		"over TCP":          {tcpOnly: true},
		"without levels":    {noLevels: true},
		"trickled":          {trickle: true},
		"by SHA-1, as some": {settings: func(se *webrtc.SettingEngine) { se.SetSRTPProtectionProfiles(sha1) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, on := open(t, listen(t), agent.Echo{})
			c := newCaller(t, cfg)
			c.call(l)
			said := speech(t)[20:80]
			c.say(said)
			heard := c.hears(len(said))
			for i, p := range heard {
				if !bytes.Equal(p.Payload, said[i].opus) {
					t.Fatalf("packet %d is not what was said", i)
				}
				if i > 0 && p.SequenceNumber != heard[i-1].SequenceNumber+1 {
					t.Fatalf("packet %d: sequence %d after %d", i, p.SequenceNumber, heard[i-1].SequenceNumber)
				}
				if len(p.Extensions) != 0 {
					t.Fatalf("packet %d carries the caller's own extensions back", i)
				}
			}
			eventually(t, "a sample tells of all packets", func() bool {
				_, s := on.last()
				return s.Inbound != nil && s.Inbound.PacketsReceived == int64(len(said)) && s.Outbound.PacketsSent == int64(len(said))
			})
			state, s := on.last()
			if state != rtcstats.StateConnected || s.CandidatePair == nil || (s.CandidatePair.Protocol == "tcp") != cfg.tcpOnly {
				t.Errorf("%v by %+v", state, s.CandidatePair)
			}
			if err := s.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParrotIsHeardAtTheFarEnd(t *testing.T) {
	t.Parallel()
	guard, err := privacy.New(privacy.Config{})
	if err != nil {
		t.Fatal(err)
	}
	l, _, states := openTurns(t, listen(t), agent.Parrot{Guard: guard})
	c := newCaller(t, callerConfig{})
	c.call(l)
	all := speech(t)
	sentence, quiet := all[10:170], all[180:]
	c.say(sentence)
	if n := len(c.packets()); n != 0 {
		t.Fatalf("%d packets while the caller speaks", n)
	}
	c.say(quiet)
	heard := c.hears(130)
	if heard[0].Payload[0] != all[20].opus[0] || !heard[0].Marker {
		t.Errorf("the answer begins with %v, marker %v", heard[0].Payload[0], heard[0].Marker)
	}
	// Talk over it: it stops, though most of the sentence is to come.
	c.say(sentence[:60])
	eventually(t, "the answer", func() bool { return len(c.packets()) > 130 })
	c.say(quiet[:50])
	eventually(t, "it speaks", func() bool { return states.now() == wire.AgentSpeaking })
	c.say(sentence[20:40])
	if s := states.now(); s != wire.AgentListening {
		t.Errorf("talked over, it is %s", s)
	}
}

func TestICERestartInACall(t *testing.T) {
	t.Parallel()
	l, on := open(t, listen(t), agent.Echo{})
	c := newCaller(t, callerConfig{})
	c.call(l)
	said := speech(t)[20:70]
	c.say(said)
	before := len(c.hears(len(said)))

	was := c.pc.RemoteDescription().SDP
	c.negotiate(l, true)
	if ufrag(was) == ufrag(c.pc.RemoteDescription().SDP) {
		t.Fatal("the answer has the old ICE credentials: nothing was restarted")
	}
	c.say(said) // while ICE begins anew
	eventually(t, "audio goes on", func() bool { return len(c.packets()) >= before+len(said)/2 })
	c.connected()
	n := len(c.packets())
	c.say(said)
	eventually(t, "all audio comes back", func() bool { return len(c.packets()) >= n+len(said) })
	eventually(t, "the counters go on", func() bool {
		_, s := on.last()
		return s.Inbound != nil && s.Inbound.PacketsReceived >= int64(2*len(said)+len(said)/2)
	})
	for _, s := range on.told() {
		if s == rtcstats.StateFailed {
			t.Error("the restart was told as a failure")
		}
	}
	c.negotiate(l, false) // is none
	if n := on.restarted(); n != 1 {
		t.Errorf("%d restarts told, want 1", n)
	}
}

// A caller whose packets come from where they may not is not answered.
func TestPrivateCallersAreRefused(t *testing.T) {
	t.Parallel()
	r, err := relay.Listen(relay.Config{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	for name, cfg := range map[string]callerConfig{"over UDP": {}, "over TCP": {tcpOnly: true}} {
		t.Run(name, func(t *testing.T) {
			l, on := open(t, r, agent.Echo{})
			cfg.settings = func(se *webrtc.SettingEngine) {
				se.SetICETimeouts(time.Second, time.Second, 200*time.Millisecond)
			}
			c := newCaller(t, cfg)
			c.negotiate(l, false)
			eventually(t, "the caller gives up", func() bool {
				return c.pc.ICEConnectionState() == webrtc.ICEConnectionStateFailed
			})
			if state, _ := on.last(); state == rtcstats.StateConnected {
				t.Error("it was connected")
			}
		})
	}
}

func TestLossIsMeasuredOnBothSides(t *testing.T) {
	t.Parallel()
	l, on := open(t, listen(t), agent.Echo{})
	c := newCaller(t, callerConfig{})
	reports := make(chan rtcp.Packet, 100)
	c.onReport = func(p rtcp.Packet) {
		select {
		case reports <- p:
		default:
		}
	}
	c.call(l)
	said := append(speech(t)[:100], speech(t)[:100]...)
	c.say(said, 10, 11, 12, 50) // three in a row and one
	eventually(t, "the relay counts loss and runs", func() bool {
		_, s := on.last()
		in := s.Inbound
		return in != nil && in.PacketsLost == 4 && *in.LossRuns == 2 && *in.LossRunPackets == 4 && in.PacketsReceived == int64(len(said)-4)
	})
	_, s := on.last()
	// A busy machine sends unevenly; a wrong unit is off by a thousand.
	if j := s.Inbound.Jitter; j < 0 || j > 0.2 {
		t.Errorf("jitter %v s on loopback", j)
	}
	eventually(t, "the caller is told of the loss, and can tell the round trip", func() bool {
		select {
		case p := <-reports:
			sr, ok := p.(*rtcp.SenderReport)
			return ok && len(sr.Reports) == 1 && sr.Reports[0].TotalLost == 4 && sr.Reports[0].LastSenderReport != 0
		default:
			return false
		}
	})
	eventually(t, "the relay knows the round trip", func() bool {
		_, s := on.last()
		far := s.RemoteInbound
		return far != nil && far.RoundTripTime != nil && *far.RoundTripTime < 0.1 && *far.RoundTripTimeMeasurements > 0 && far.PacketsLost == 0
	})
}

func TestALegEnds(t *testing.T) {
	for name, meanwhile := range map[string]func(c *caller, l *relay.Leg){
		"before an offer":    func(*caller, *relay.Leg) {},
		"before it connects": func(c *caller, l *relay.Leg) { c.negotiate(l, false) },
		"connected":          func(c *caller, l *relay.Leg) { c.call(l) },
		"in the midst of audio": func(c *caller, l *relay.Leg) {
			c.call(l)
			go func() {
				for _, s := range speech(c.t) {
					c.send(s, false)
				}
			}()
		},
		"after the caller vanished": func(c *caller, l *relay.Leg) { c.call(l); c.leave() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := listen(t)
			on := &log{}
			l, err := r.Open("s1", on, alone)
			if err != nil {
				t.Fatal(err)
			}
			c := newCaller(t, callerConfig{})
			meanwhile(c, l)
			if err := l.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			n := len(on.told())
			if err := l.Close(); err != nil {
				t.Errorf("a second close: %v", err)
			}
			if _, err := l.Offer(context.Background(), offer); err == nil {
				t.Error("an offer is answered after the end")
			}
			if len(on.told()) != n {
				t.Error("something is told after the end")
			}
		})
	}
}

func TestACallerWhoLeavesIsMissed(t *testing.T) {
	t.Parallel()
	l, on := open(t, listen(t), agent.Echo{})
	c := newCaller(t, callerConfig{})
	c.call(l)
	c.leave()
	eventually(t, "the relay tells", func() bool {
		state, _ := on.last()
		return state == rtcstats.StateClosed || state == rtcstats.StateFailed // failed: before the relay was connected, too
	})
}

func TestManyCallsOnOnePort(t *testing.T) {
	t.Parallel()
	r := listen(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			l, _ := open(t, r, agent.Echo{})
			c := newCaller(t, callerConfig{})
			c.call(l)
			said := speech(t)[:40]
			c.say(said)
			c.hears(len(said))
		})
	}
	wg.Wait()
}

// Nothing that a stranger sends to the port disturbs it.
func TestGarbageOnThePort(t *testing.T) {
	t.Parallel()
	r := listen(t)
	l, _ := open(t, r, agent.Echo{})
	c := newCaller(t, callerConfig{})
	c.call(l)
	to := r.Addr().(*net.UDPAddr)
	udp, err := net.DialUDP("udp", nil, to)
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	for _, g := range garbage() {
		for range 200 {
			if _, err := udp.Write(g); err != nil {
				t.Fatal(err)
			}
		}
		tcp, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: to.IP, Port: to.Port})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = tcp.Write(append([]byte{byte(len(g) >> 8), byte(len(g))}, g...)) // the relay may have hung up
		tcp.Close()
	}
	said := speech(t)[:30]
	c.say(said)
	c.hears(len(said))

	again, _ := open(t, r, agent.Echo{})
	next := newCaller(t, callerConfig{})
	next.call(again)
	next.say(said)
	next.hears(len(said))
}

// A caller's own garbage, which SRTP lets through.
func TestGarbageFromACaller(t *testing.T) {
	t.Parallel()
	l, on := open(t, listen(t), agent.Echo{})
	c := newCaller(t, callerConfig{})
	c.call(l)
	said := speech(t)[:30]
	c.say(said)
	c.hears(len(said))
	for _, p := range []*rtp.Packet{
		{Header: rtp.Header{PayloadType: 5}},
		{Header: rtp.Header{}},
		{Header: rtp.Header{Padding: true, PaddingSize: 255}},
		{Header: rtp.Header{}, Payload: make([]byte, 1000)},
	} {
		p.Version, p.SequenceNumber, p.Timestamp = 2, c.seq, c.stamp
		c.seq++
		c.stamp += 960        // what comes next is no second packet of the same moment
		_ = c.out.WriteRTP(p) // some don't even go out
	}
	ssrc := uint32(c.pc.GetSenders()[0].GetParameters().Encodings[0].SSRC)
	for _, p := range []rtcp.Packet{
		&rtcp.ReceiverReport{SSRC: ssrc, Reports: []rtcp.ReceptionReport{{SSRC: ssrc, LastSenderReport: 1, Delay: 1 << 31}}},
		&rtcp.SenderReport{SSRC: ssrc},
		&rtcp.Goodbye{Sources: []uint32{ssrc}},
		&rtcp.PictureLossIndication{MediaSSRC: ssrc},
	} {
		if err := c.pc.WriteRTCP([]rtcp.Packet{p}); err != nil {
			t.Error(err)
		}
	}
	n := len(c.packets())
	c.say(said)
	eventually(t, "the call goes on", func() bool { return len(c.packets()) >= n+len(said) })
	if state, _ := on.last(); state != rtcstats.StateConnected {
		t.Errorf("it is %v", state)
	}
}

// A leg to which no agent is connected keeps silent.
func TestALegWithoutAnAgent(t *testing.T) {
	t.Parallel()
	on := &log{}
	l, err := listen(t).Open("s1", on, alone)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.WriteRTP(&rtp.Header{}, []byte{1}, nil); err != nil {
		t.Errorf("a packet before the connection: %v", err)
	}
	c := newCaller(t, callerConfig{})
	c.call(l)
	c.say(speech(t)[:10])
	eventually(t, "it counts", func() bool {
		_, s := on.last()
		return s.Inbound != nil && s.Inbound.PacketsReceived == 10
	})
	if n := len(c.packets()); n != 0 {
		t.Errorf("%d packets came back", n)
	}
	if s := on.told(); !slices.Equal(s, []rtcstats.ConnectionState{rtcstats.StateConnected}) {
		t.Errorf("states %v", s)
	}
}
