package peer_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/shared/wire"
	"parley/wasm/peer"
)

func TestStallRestartsICEAfterThreeSeconds(t *testing.T) {
	s := &script{heals: true}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		quiet := s.pulse()
		s.set(func() { s.frames = nil })

		wait(quiet + peer.DropAfter - time.Nanosecond - s.since())
		if n := len(happened[peer.ConnectionDropped](s)); n != 0 {
			t.Fatalf("%d drops before their time", n)
		}
		wait(time.Nanosecond)
		if got := happened[peer.ConnectionDropped](s); len(got) != 1 || got[0].what.Until.Sub(s.start) != s.since()+30*time.Second {
			t.Fatalf("drops %v", got)
		}
		wait(quiet + peer.RestartAfter - time.Nanosecond - s.since())
		if n := len(sent[wire.Offer](s)); n != 0 {
			t.Fatalf("%d offers before their time", n)
		}
		wait(time.Nanosecond)
		if got := sent[wire.Offer](s); len(got) != 1 || !strings.HasSuffix(got[0].what.SDP, "restart true") {
			t.Fatalf("offers %v", got)
		}
		wait(time.Second)
		if n := len(happened[peer.ConnectionRecovered](s)); n != 1 {
			t.Errorf("recovered %d times", n)
		}
	})
}

// pulse cuts the path just after a pong and gives the time of that pong: the
// last sign of life.
func (s *script) pulse() time.Duration {
	s.t.Helper()
	cut := make(chan time.Duration)
	at := s.since().Truncate(time.Second) + 2*time.Second + 500*time.Millisecond + 3*latency
	// Pings go out each half second from when the connection stood (2 latencies
	// after the start), so a pong arrives 3 latencies after each half second.
	time.AfterFunc(at-s.since()+time.Nanosecond, func() {
		s.set(func() { s.deadPath = true })
		cut <- at
	})
	return <-cut
}

func TestRestartIsRepeatedUntilItHelps(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
		s.live()
		quiet := s.pulse()
		s.set(func() { s.frames = nil })
		end := <-done
		if want := quiet + peer.DropAfter + 30*time.Second; s.since() != want {
			t.Errorf("gave up after %v, want %v", s.since(), want)
		}
		if end.Failure != peer.Lost || end.Ended.Cause != wire.ConnectionLost {
			t.Errorf("ended %+v", end)
		}
		for i, offer := range sent[wire.Offer](s) {
			if want := quiet + peer.RestartAfter + time.Duration(i)*peer.RestartEvery; offer.at != want {
				t.Errorf("restart %d at %v, want %v", i, offer.at, want)
			}
		}
		if n := len(sent[wire.Offer](s)); n != 6 {
			t.Errorf("%d restarts in 30 s, want 6", n)
		}
	})
}

func TestSocketIsResumed(t *testing.T) {
	s := &script{}
	play(t, s, func(c *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.set(func() { s.noDial, s.frames = errNoNetwork, nil })
		s.newest().drop(1006)
		wait(7 * time.Second)
		c.Mute(true)
		if n := len(s.frames); n != 0 {
			t.Errorf("%d frames without a socket", n)
		}
		s.set(func() { s.noDial = nil })
		wait(5 * time.Second)

		if got, ok := s.frames[0].what.(wire.Resume); !ok || got.SessionID != "session-one" || got.ResumeToken != "token-1" {
			t.Errorf("first frame of the new socket: %+v", s.frames[0].what)
		}
		if got := sent[wire.Activity](s); len(got) != 1 || got[0].what.Kind != wire.ActivityMute {
			t.Errorf("activities %v: the server has to learn what it missed", got)
		}
		if got := sent[wire.Report](s); len(got) == 0 || len(got[0].what.Samples) < 7 {
			t.Errorf("reports %v: samples wait for the socket", got)
		}
		if n := len(sent[wire.Offer](s)); n != 0 {
			t.Errorf("%d offers, though media flowed on", n)
		}
		drop, back := happened[peer.ConnectionDropped](s), happened[peer.ConnectionRecovered](s)
		if len(drop) != 1 || len(back) != 1 {
			t.Errorf("%d drops, %d recoveries", len(drop), len(back))
		}
		s.newest().drop(1006)
		wait(time.Second)
		if got := sent[wire.Resume](s); len(got) != 2 || got[1].what.ResumeToken != "token-2" {
			t.Errorf("second resume %v: each hello brings a new token", got)
		}
	})
}

func TestSocketThatIsSoonBackIsNoDrop(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.newest().drop(1006)
		wait(30 * time.Second)
		if n := len(sent[wire.Resume](s)); n != 1 {
			t.Errorf("%d resumes", n)
		}
		if n := len(happened[peer.ConnectionDropped](s)) + len(happened[peer.ConnectionRecovered](s)); n != 0 {
			t.Errorf("%d times a caller heard of it, though the agent was heard throughout", n)
		}
	})
}

func TestSocketThatStaysAwayIsTold(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.set(func() { s.noDial = errNoNetwork })
		lost := s.since()
		s.newest().drop(1006)
		wait(peer.DropAfter - time.Nanosecond)
		if n := len(happened[peer.ConnectionDropped](s)); n != 0 {
			t.Errorf("%d drops before their time", n)
		}
		wait(time.Nanosecond)
		if got := happened[peer.ConnectionDropped](s); len(got) != 1 || got[0].what.Until.Sub(s.start) != lost+30*time.Second {
			t.Errorf("drops %v, want one until 30 s after %v", got, lost)
		}
	})
}

func TestDialsBackOffUntilTheGraceIsOver(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
		s.live()
		s.set(func() { s.noDial, s.dials = errNoNetwork, nil })
		lost := s.since()
		s.newest().drop(1006)
		end := <-done
		if s.since() != lost+30*time.Second || end.Failure != peer.Lost || end.Ended.Cause != wire.ConnectionLost {
			t.Errorf("ended %+v after %v of grace", end, s.since()-lost)
		}
		before, longest := lost, peer.FirstRetry
		for i, at := range s.dials {
			if d := at - before; d < longest/2 || d > longest {
				t.Errorf("dial %d after %v, want %v–%v", i, d, longest/2, longest)
			}
			before, longest = at, min(2*longest, peer.MaxRetry)
		}
		if len(s.dials) < 10 || len(s.dials) > 20 {
			t.Errorf("%d dials in 30 s", len(s.dials))
		}
	})
}

func TestHintDialsAndProbes(t *testing.T) {
	s := &script{}
	play(t, s, func(c *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.set(func() { s.noDial = errNoNetwork })
		s.newest().drop(1006)
		wait(10 * time.Second)
		s.set(func() { s.noDial, s.dials = nil, nil })
		c.Hint()
		synctest.Wait()
		if len(s.dials) != 1 || s.dials[0] != s.since() {
			t.Errorf("dials %v, want one at once (%v)", s.dials, s.since())
		}
		quiet := s.pulse()
		s.set(func() { s.frames = nil })
		wait(100 * time.Millisecond)
		c.Hint()
		wait(peer.ProbeTimeout)
		got := sent[wire.Offer](s)
		if len(got) != 1 || got[0].at != quiet+time.Nanosecond+100*time.Millisecond+peer.ProbeTimeout {
			t.Errorf("offers %v: a hint shortens the wait", got)
		}
	})
}

func TestHintOfAHealthyLineIsNoDrop(t *testing.T) {
	s := &script{}
	play(t, s, func(c *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		c.Hint()
		wait(10 * time.Second)
		if n := len(happened[peer.ConnectionDropped](s)) + len(sent[wire.Offer](s)); n != 1 {
			t.Errorf("%d drops and offers, want the first offer only", n)
		}
	})
}

func TestUnansweredRestartGivesTheSocketUp(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		quiet := s.pulse()
		first := s.newest()
		s.set(func() { s.noAnswer, s.dials = true, nil })
		wait(quiet + peer.RestartAfter + peer.RestartEvery - s.since())
		s.set(func() { s.noAnswer, s.heals = false, true })
		wait(4 * time.Second)
		if len(s.dials) != 1 || first.code != wire.CloseReplaced {
			t.Errorf("dials %v, first socket closed with %d", s.dials, first.code)
		}
		if n := len(happened[peer.ConnectionRecovered](s)); n != 1 {
			t.Errorf("recovered %d times", n)
		}
	})
}

func TestSilentSocketIsReplaced(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		wait(wire.SocketPing)
		if n := len(sent[wire.Ping](s)); n != 1 {
			t.Errorf("%d pings in %v", n, wire.SocketPing)
		}
		s.set(func() { s.mute, s.dials = true, nil })
		wait(wire.SocketTimeout + time.Second)
		if n := len(s.dials); n != 1 {
			t.Errorf("%d dials after silence", n)
		}
	})
}

// dialed is how often a socket was dialed, while more of that may come.
func (s *script) dialed() (n int) {
	s.set(func() { n = len(s.dials) })
	return n
}

// A socket that falls silent is given up SocketTimeout after its last sign, wherever
// between two pings that was.
func TestASilentSocketIsGivenUpInTime(t *testing.T) {
	for _, after := range []time.Duration{time.Millisecond, wire.SocketPing / 2, wire.SocketPing - time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			s := &script{}
			play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
				s.live()
				wait(wire.SocketPing + after)
				s.newest().say(wire.State{Session: wire.StateActive, Agent: wire.AgentListening})
				s.set(func() { s.mute, s.dials = true, nil })
				wait(wire.SocketTimeout - time.Millisecond)
				if n := s.dialed(); n != 0 {
					t.Errorf("%d dials before it is silent for %v", n, wire.SocketTimeout)
				}
				wait(peer.FirstRetry + time.Millisecond)
				if n := s.dialed(); n != 1 {
					t.Errorf("%d dials once it is", n)
				}
			})
		})
	}
}

func TestGoneSessionEndsAtOnce(t *testing.T) {
	s := &script{resumed: &wire.Error{Code: wire.ErrUnknownResume}}
	play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
		s.live()
		s.newest().drop(1006)
		if end := <-done; end.Failure != peer.Lost || end.Ended.Cause != wire.ConnectionLost || s.since() > 2*time.Second {
			t.Errorf("ended %+v after %v", end, s.since())
		}
	})
}

func TestFreezeIsNoFault(t *testing.T) {
	const frozen = 8 * time.Second
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.conn.mu.Lock()
		s.conn.freeze = frozen
		s.conn.mu.Unlock()
		wait(frozen + 5*time.Second)
		if n := len(happened[peer.ConnectionDropped](s)); n != 0 {
			t.Errorf("%d drops", n)
		}
		gaps := 0
		looks := happened[peer.SampleMeasured](s)
		for _, look := range looks {
			if look.what.Gap {
				gaps++
			}
			if rtt := look.what.Sample.Ping.CurrentRoundTripTime; rtt > latency.Seconds() {
				t.Errorf("a round trip of %v spans the freeze", rtt)
			}
		}
		if gaps != 1 {
			t.Errorf("%d gaps, want 1", gaps)
		}
		last := looks[len(looks)-1].what.Sample.Ping
		if last.RequestsSent != last.ResponsesReceived {
			t.Errorf("%d pings, %d answers: a frozen page lost none", last.RequestsSent, last.ResponsesReceived)
		}
	})
}

func TestSleepWithADeadLineRestartsSoon(t *testing.T) {
	const frozen = 20 * time.Second
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.conn.mu.Lock()
		s.conn.freeze = frozen
		s.conn.mu.Unlock()
		wait(time.Second) // the ping that freezes
		s.set(func() { s.deadPath, s.frames = true, nil })
		wait(frozen - 500*time.Millisecond)
		woke := s.since()
		wait(2 * time.Second)
		got := sent[wire.Offer](s)
		if len(got) != 1 || got[0].at-woke > peer.ProbeTimeout+500*time.Millisecond {
			t.Errorf("offers %v after waking before %v", got, woke)
		}
	})
}
