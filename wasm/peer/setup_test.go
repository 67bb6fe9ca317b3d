package peer_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/shared/wire"
	"parley/wasm/peer"
)

func TestCallStands(t *testing.T) {
	s := &script{}
	play(t, s, func(c *peer.Call, done <-chan peer.CallEnded) {
		s.live()
		var steps []peer.Step
		for _, n := range happened[peer.StepStarted](s) {
			steps = append(steps, n.what.Step)
		}
		want := []peer.Step{peer.StepServer, peer.StepPath, peer.StepSecure, peer.StepAgent}
		if !reflect.DeepEqual(steps, want) {
			t.Errorf("steps %v, want %v", steps, want)
		}
		if got := happened[peer.CallAccepted](s); len(got) != 1 || got[0].what.Hello.SessionID != "session-one" {
			t.Errorf("opened %v", got)
		}
		if got := happened[peer.CallConnected](s)[0]; got.at != time.Second || got.what.Setup != time.Second {
			t.Errorf("connected at %v after %v: the agent came at 1s", got.at, got.what.Setup)
		}
		c.Hangup()
		synctest.Wait()
		if end := <-done; end.Ended.Cause != wire.CallerLeft || end.Failure != "" || end.Err != nil {
			t.Errorf("ended %+v", end)
		}
		if last := s.events[len(s.events)-1].what; reflect.TypeOf(last) != reflect.TypeFor[peer.CallEnded]() {
			t.Errorf("the last event is %T", last)
		}
		if !s.conn.closed || s.newest().code != wire.CloseNormalClosure || len(sent[wire.Bye](s)) != 1 {
			t.Error("the call left without bye, or left something open")
		}
	})
}

func TestCandidatesFollowTheirOffer(t *testing.T) {
	const host = "candidate:1 1 udp 1 192.0.2.1 %d typ host"
	s := &script{}
	play(t, s, func(c *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.conn.candidates = []string{
			"candidate:1 1 udp 1 0e32-a.local 5 typ host",
			"candidate:2 1 tcp 1 192.0.2.1 9 typ host tcptype active",
			"candidate:3 1 udp 1 127.0.0.1 5 typ host",
			"candidate:3 1 udp 1 ::1 5 typ host",
			"candidate:3 1 udp 1 192.168.1.7 5 typ host",
			"candidate:3 1 udp 1 10.0.0.7 5 typ host",
			"candidate:3 1 udp 1 100.64.0.1 5 typ host",
			"candidate:3 1 udp 1 169.254.1.1 5 typ host",
			"candidate:3 1 udp 1 fe80::1 5 typ host",
			"candidate:3 1 udp 1 fe80::1%en0 5 typ host",
			"candidate:3 1 udp 1 fd00::7 5 typ host",
			"candidate:3 1 udp 1 ::ffff:192.0.2.1 5 typ host",
			"candidate:3 1 udp 1 0.0.0.0 5 typ host",
			"candidate:3 1 udp 1 host.example 5 typ host",
			"candidate",
		}
		for i := range wire.MaxCandidates + 5 {
			s.conn.candidates = append(s.conn.candidates, fmt.Sprintf(host, i))
		}
		s.set(func() { s.frames, s.deadPath = nil, true })
		wait(2 * peer.RestartAfter)
		got := sent[wire.Candidate](s)
		asked := slices.IndexFunc(s.frames, func(f note[wire.Message]) bool { return f.what.Type() == wire.Offer{}.Type() })
		if asked < 0 || s.frames[asked].at > got[0].at {
			t.Errorf("the offer is frame %d, the first candidate comes at %v", asked, got[0].at)
		}
		if len(got) != wire.MaxCandidates {
			t.Fatalf("%d candidates, want %d", len(got), wire.MaxCandidates)
		}
		if first := got[0].what.Candidate.Candidate; first != fmt.Sprintf(host, 0) {
			t.Errorf("first candidate %q", first)
		}
	})
}

func TestCallIsRefused(t *testing.T) {
	full := errors.New("cap reached")
	for name, c := range map[string]struct {
		admit  []error
		noDial error
		want   peer.CallEnded
		dials  int
	}{
		"at admission":          {[]error{full}, nil, peer.CallEnded{Err: full}, 0},
		"between ask and dial":  {[]error{nil, full}, errNoNetwork, peer.CallEnded{Err: full}, 1},
		"by an unexplained end": {nil, errNoNetwork, peer.CallEnded{Failure: peer.Unreachable, Err: errNoNetwork}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{admit: c.admit, noDial: c.noDial}
			play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
				if got := <-done; !reflect.DeepEqual(got, c.want) {
					t.Errorf("ended %+v, want %+v", got, c.want)
				}
				if len(s.dials) != c.dials {
					t.Errorf("%d dials, want %d", len(s.dials), c.dials)
				}
			})
		})
	}
}

func TestSetupIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		script  *script
		at      time.Duration
		failure peer.Failure
	}{
		"no answer":       {&script{noAnswer: true}, peer.SetupTimeout, peer.ServerError},
		"no path":         {&script{deadPath: true}, peer.SetupTimeout, peer.ICEFailed},
		"nothing is said": {&script{mute: true}, peer.SetupTimeout, peer.ServerError},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.script
			play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
				end := <-done
				if s.since() != c.at || end.Failure != c.failure || end.Ended.Cause != wire.MediaFailed {
					t.Errorf("ended %+v after %v, want %s after %v", end, s.since(), c.failure, c.at)
				}
			})
		})
	}
}

func TestConnectionFailsInSetup(t *testing.T) {
	for state, want := range map[peer.ConnectionState]peer.Failure{
		peer.ConnectionFailed:   peer.ICEFailed,
		peer.ConnectionInsecure: peer.DTLSFailed,
	} {
		s := &script{deadPath: true}
		play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
			wait(time.Second)
			s.conn.on.State(state)
			if end := <-done; end.Failure != want || s.since() != time.Second {
				t.Errorf("%d: ended %+v after %v, want %s", state, end, s.since(), want)
			}
		})
	}
}

func TestHangupAtAnyTime(t *testing.T) {
	for name, after := range map[string]time.Duration{
		"before anything": 0, "while checking": latency / 2, "in the call": 7 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{}
			play(t, s, func(c *peer.Call, done <-chan peer.CallEnded) {
				wait(after)
				c.Hangup()
				if end := <-done; end.Ended.Cause != wire.CallerLeft || s.since() != after {
					t.Errorf("ended %+v after %v", end, s.since())
				}
			})
		})
	}
}
