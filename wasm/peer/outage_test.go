package peer_test

import (
	"slices"
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// cut breaks path and socket at once, as a cable does: the path's end is
// noticed by silence, the socket's (after) by the operating system.
func (s *script) cut(after time.Duration) (last time.Duration) {
	s.t.Helper()
	last = s.pulse()
	s.set(func() { s.noDial, s.mute = errNoNetwork, true })
	wait(after)
	s.newest().drop(1006)
	return last
}

// The time that is left is one clock, whatever breaks and in which order: it
// begins once, never grows, and the call is given up when it has run out.
func TestOneClockCountsTheGraceDown(t *testing.T) {
	for name, after := range map[string]time.Duration{
		"both at once": 0, "the socket 9 s later": 9 * time.Second, "the socket at the end": 28 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{}
			play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
				s.live()
				last := s.cut(after)
				end := <-done
				began := last + peer.DropAfter
				if after == 0 {
					began = last + time.Nanosecond // the socket told first
				}
				if got, want := s.since(), began+30*time.Second; got != want || end.Failure != peer.Lost {
					t.Errorf("gave up at %v with %+v, want %v", got, end, want)
				}
				for _, d := range happened[peer.ConnectionDropped](s) {
					if got := d.what.Until.Sub(s.start); got != began+30*time.Second || d.what.HasMedia {
						t.Errorf("at %v: kept until %v (media: %v), want %v", d.at, got, d.what.HasMedia, began+30*time.Second)
					}
				}
			})
		})
	}
}

// Only the socket is gone, then the path too, then the path is back alone: each
// is told, and the clock goes on.
func TestWhatIsGoneIsTold(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.set(func() { s.noDial = errNoNetwork })
		s.newest().drop(1006)
		until := time.Now().Add(30 * time.Second)
		wait(3 * time.Second)
		s.set(func() { s.deadPath = true })
		wait(5 * time.Second)
		s.set(func() { s.deadPath = false })
		wait(2 * time.Second)
		var media []bool
		for _, d := range happened[peer.ConnectionDropped](s) {
			media = append(media, d.what.HasMedia)
			if !d.what.Until.Equal(until) {
				t.Errorf("at %v: kept until %v, want %v", d.at, d.what.Until, until)
			}
		}
		if len(media) != 3 || !media[0] || media[1] || !media[2] {
			t.Errorf("told of media: %v, want with, without, with", media)
		}
	})
}

// A level falls within two seconds of the last sign of the far end, and is not
// the line's fault when it is back.
func TestTheLevelOfAnOutage(t *testing.T) {
	s := &script{heals: true}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		wait(5 * time.Second)
		last := s.pulse()
		s.set(func() { s.heals = false })
		wait(12 * time.Second)
		s.set(func() { s.heals = true })
		wait(15 * time.Second)
		back := happened[peer.ConnectionRecovered](s)
		if len(back) != 1 {
			t.Fatalf("recovered %d times", len(back))
		}
		for _, look := range happened[peer.SampleMeasured](s) {
			q := look.what.Quality
			switch {
			case look.at > last+2*time.Second && look.at < back[0].at:
				if q.Level != quality.Poor || !look.what.IsSilent {
					t.Errorf("%v after the last sign: %+v", look.at-last, q)
				}
			case look.at > back[0].at+wire.SampleInterval:
				if q.Cause != quality.CauseNone || look.what.IsSilent {
					t.Errorf("%v after it is back: %+v", look.at-back[0].at, q)
				}
			}
		}
	})
}

// Seconds are lost in both directions, each by itself.
func TestSilentSecondsOfACall(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.pulse()
		wait(5 * time.Second)
		looks := happened[peer.SampleMeasured](s)
		in := looks[len(looks)-1].what.Ratings[quality.ToCaller]
		if loss := in.Second.EffectiveLossRatio; loss == nil || *loss != 1 {
			t.Errorf("a silent second lost %v", loss)
		}
		if in.Verdict.Cause != quality.CauseLoss || in.Verdict.Value != 100 {
			t.Errorf("verdict %+v", in.Verdict)
		}
	})
}

// cutFor takes path and network away for d, as a tunnel does. TCP delivers afterwards
// what was sent on a socket that is still open.
func (s *script) cutFor(d time.Duration) {
	s.set(func() { s.isCut, s.deadPath = true, true })
	wait(d)
	s.set(func() {
		s.isCut, s.deadPath = false, false
		k := s.sockets[len(s.sockets)-1]
		for _, m := range k.held {
			if !isClosed(k) {
				k.serveLocked(m)
			}
		}
		k.held = nil
	})
}

// One outage is one drop and one recovery, soon after the network is back and without
// another ICE restart: what was asked into the cut would break the path once more.
func TestOneOutageIsToldOnce(t *testing.T) {
	for _, lasts := range []time.Duration{2 * time.Second, 4 * time.Second, 7 * time.Second, 10 * time.Second, 25 * time.Second} {
		t.Run(lasts.String(), func(t *testing.T) {
			s := &script{}
			play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
				s.live()
				s.pulse()
				s.set(func() { s.frames = nil })
				s.cutFor(lasts)
				healed := s.since()
				wait(10 * time.Second)
				drops, back := happened[peer.ConnectionDropped](s), happened[peer.ConnectionRecovered](s)
				if len(back) != 1 || drops[len(drops)-1].at > back[0].at {
					t.Fatalf("dropped %v, recovered %v", drops, back)
				}
				for _, d := range drops {
					if isBack := d.at > healed; d.what.HasMedia != isBack {
						t.Errorf("dropped at %v, the network is back at %v: %+v", d.at, healed, d.what)
					}
				}
				// A ping's turn and its way, and then the dial that takes the place of one
				// that got no answer; a dial that is younger sends its SYN again.
				if took, most := back[0].at-healed, max(wire.PingInterval+latency+peer.FirstRetry, time.Second); took > most {
					t.Errorf("recovered %v after the network, want %v at most", took, most)
				}
				if n := len(sent[wire.Offer](s)); n != 0 {
					t.Errorf("%d ICE restarts", n)
				}
			})
		})
	}
}

// A socket that gives no sign while the path is silent is given up RestartEvery after
// it was asked, and not before.
func TestASocketThatIsSilentWithThePathIsReplaced(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		quiet := s.pulse()
		first := s.newest()
		s.set(func() { s.mute = true })
		wait(quiet + peer.DropAfter + peer.RestartEvery - time.Nanosecond - s.since())
		if isClosed(first) {
			t.Fatal("closed before its time")
		}
		wait(time.Nanosecond)
		if !isClosed(first) {
			t.Fatal("the socket is kept")
		}
		s.set(func() { s.mute = false })
		wait(peer.FirstRetry + wire.PingInterval)
		if got := sent[wire.Offer](s); len(got) != 2 {
			t.Errorf("offers %v: the path still wants its restart", got)
		}
	})
}

// A restart that is due waits for the socket's sign, and for a last ping of the path.
func TestARestartWaitsForTheSocketsSign(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		quiet := s.pulse()
		s.set(func() { s.mute, s.frames = true, nil })
		wait(quiet + peer.RestartAfter + time.Second - s.since())
		if n := len(sent[wire.Offer](s)); n != 0 {
			t.Fatalf("%d offers into a silent socket", n)
		}
		s.set(func() { s.mute = false })
		s.newest().say(wire.Pong{})
		wait(wire.PingInterval)
		if got := sent[wire.Offer](s); len(got) != 1 || got[0].at != s.since() {
			t.Errorf("offers %v, want one at %v", got, s.since())
		}
	})
}

// Whether the server took an offer that a cut left unanswered isn't known: it may have
// left the path for it. So another follows with the next socket.
func TestAnOfferThatACutLeftOpenIsMadeAgain(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		quiet := s.pulse()
		s.set(func() { s.noAnswer, s.frames = true, nil })
		wait(quiet + peer.RestartAfter + time.Millisecond - s.since())
		s.set(func() { s.deadPath = false })
		wait(time.Second)
		s.newest().drop(1006)
		s.set(func() { s.noAnswer = false })
		wait(time.Second)
		if got := sent[wire.Offer](s); len(got) != 2 || s.conn.answers != 2 {
			t.Errorf("offers %v, %d answers set", got, s.conn.answers)
		}
		s.newest().drop(1006)
		wait(time.Second)
		if n := len(sent[wire.Offer](s)); n != 2 {
			t.Errorf("%d offers, though the last was answered", n)
		}
	})
}

// takesPing notes a ping, if the channel is open.
func (c *connection) takesPing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.script.since()
	if at < 2*latency+c.opensAfter {
		return false
	}
	c.pings = append(c.pings, at)
	return true
}

func isClosed(k *socket) bool {
	select {
	case <-k.gone:
		return true
	default:
		return false
	}
}

// Of a cut without a socket the samples are kept that tell of the time before it and
// after it: as many as a report may have, and all of them in order.
func TestTheSamplesAroundACutAreKept(t *testing.T) {
	for _, talked := range []int{1, 2, 3, 4} {
		s := &script{}
		play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
			s.live()
			wait(time.Duration(talked-1)*time.Second + 500*time.Millisecond)
			s.set(func() { s.frames = nil })
			s.cutFor(20 * time.Second)
			wait(3 * time.Second)
			var packets []int64
			for _, r := range sent[wire.Report](s) {
				if n := len(r.what.Samples); n > wire.MaxSamples {
					t.Errorf("a report of %d samples", n)
				}
				for _, sample := range r.what.Samples {
					packets = append(packets, sample.Inbound.PacketsReceived)
				}
			}
			for n := range int64(talked) {
				if want := 50 * (n + 2); !slices.Contains(packets, want) { // the first report had the first 50
					t.Errorf("cut after %d s: reported packets %v lack %d", talked, packets, want)
				}
			}
			if !slices.IsSorted(packets) || len(packets) < wire.MaxSamples {
				t.Errorf("cut after %d s: reported packets %v", talked, packets)
			}
		})
	}
}

// While the ping channel isn't open yet, it is tried often: a cut in a call's first
// seconds is noticed by what is missing.
func TestTheFirstPingGoesOutAsSoonAsItCan(t *testing.T) {
	const opens = 330 * time.Millisecond
	s := &script{}
	s.spoilConnection = func(c *connection) { c.opensAfter = opens }
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		// It stands after two latencies, and a pong takes one.
		want := 2*latency + opens.Truncate(100*time.Millisecond) + 100*time.Millisecond
		if pings := s.conn.pings; len(pings) < 2 || pings[0] != want || pings[1] != want+wire.PingInterval {
			t.Errorf("pings at %v, want %v and then each %v", pings, want, wire.PingInterval)
		}
	})
}
