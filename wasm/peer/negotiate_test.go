package peer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/shared/wire"
	"parley/wasm/peer"
)

var errRefused = errors.New("refused")

// offerCandidate has the server send a candidate by the newest socket.
func (s *script) offerCandidate(format string, a ...any) {
	s.newest().say(wire.Candidate{Candidate: wire.CandidateInit{Candidate: fmt.Sprintf(format, a...)}})
	synctest.Wait()
}

func (c *connection) addedSoFar() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.added)
}

// A server's candidates may come before its answer. No connection takes one
// before the answer is set, and all are given to it in their order.
func TestCandidatesOfTheServerWaitForItsAnswer(t *testing.T) {
	s := &script{noAnswer: true}
	play(t, s, func(*peer.Call, <-chan peer.CallEnded) {
		wait(time.Second)
		s.offerCandidate("first")
		s.offerCandidate("second")
		if got := s.conn.addedSoFar(); len(got) != 0 {
			t.Errorf("%v are added to an offer without an answer", got)
		}
		s.newest().say(wire.Answer{SDP: "answer to offer 1"})
		synctest.Wait()
		s.offerCandidate("third")
		if got, want := s.conn.addedSoFar(), []string{"first", "second", "third"}; !slices.Equal(got, want) {
			t.Errorf("added %v, want %v", got, want)
		}
	})
}

func TestCandidatesThatWaitAreBounded(t *testing.T) {
	s := &script{noAnswer: true}
	play(t, s, func(*peer.Call, <-chan peer.CallEnded) {
		wait(time.Second)
		for i := range wire.MaxCandidates + 5 {
			s.offerCandidate("%d", i)
		}
		s.newest().say(wire.Answer{SDP: "answer to offer 1"})
		synctest.Wait()
		got := s.conn.addedSoFar()
		if len(got) != wire.MaxCandidates || got[len(got)-1] != fmt.Sprint(wire.MaxCandidates-1) {
			t.Errorf("%d are added, the last is %v; want the first %d", len(got), got[len(got)-1:], wire.MaxCandidates)
		}
	})
}

// Candidates of a negotiation that was given up with its socket take no room
// from the next one's.
func TestCandidatesOfALostNegotiationAreForgotten(t *testing.T) {
	s := &script{noAnswer: true}
	play(t, s, func(*peer.Call, <-chan peer.CallEnded) {
		wait(time.Second)
		for i := range wire.MaxCandidates {
			s.offerCandidate("old %d", i)
		}
		s.newest().drop(1006)
		wait(time.Second)
		s.offerCandidate("new")
		s.newest().say(wire.Answer{SDP: "answer to offer 2"})
		synctest.Wait()
		if got := s.conn.addedSoFar(); !slices.Equal(got, []string{"new"}) {
			t.Errorf("added %v, want the new negotiation's only", got)
		}
	})
}

// An answer that nobody waits for is none: it would undo what stands.
func TestAnAnswerToNoOfferIsLeftOut(t *testing.T) {
	s := &script{}
	play(t, s, func(*peer.Call, <-chan peer.CallEnded) {
		s.live()
		s.newest().say(wire.Answer{SDP: "answer to offer 1 once more"})
		synctest.Wait()
		if s.conn.answers != 1 {
			t.Errorf("%d answers are set to one offer", s.conn.answers)
		}
		s.offerCandidate("late")
		if got := s.conn.addedSoFar(); !slices.Equal(got, []string{"late"}) {
			t.Errorf("added %v: the connection waits for an answer that it has", got)
		}
	})
}

// What fails before a call stands ends it, and says whose fault it is.
func TestANegotiationThatFailsInSetup(t *testing.T) {
	for name, c := range map[string]struct {
		script  *script
		cause   wire.EndCause
		failure peer.Failure
	}{
		"no offer can be made":   {&script{spoilConnection: func(c *connection) { c.offerErr = errRefused }}, wire.MediaFailed, peer.LocalError},
		"the offer is too long":  {&script{spoilConnection: func(c *connection) { c.sdp = strings.Repeat("v", wire.MaxSDP+1) }}, wire.MediaFailed, peer.LocalError},
		"the answer is refused":  {&script{spoilConnection: func(c *connection) { c.answerErr = errRefused }}, wire.MediaFailed, peer.ServerError},
		"the server refuses it":  {&script{refusal: wire.ErrBadOffer}, wire.ProtocolError, peer.ServerError},
		"there is no connection": {&script{configure: noConnection}, wire.MediaFailed, peer.LocalError},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.script
			play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
				end := <-done
				if end.Ended.Cause != c.cause || end.Failure != c.failure || end.Err == nil {
					t.Errorf("ended %+v, want %s by %s, and why", end, c.cause, c.failure)
				}
				if s.since() != 0 {
					t.Errorf("ended after %v, want at once", s.since())
				}
			})
		})
	}
}

func noConnection(c *peer.Config) {
	c.Connect = func(context.Context, []wire.ICEServer, peer.Listener) (peer.Connection, error) {
		return nil, errRefused
	}
}

// What fails in a restart leaves the call its grace: the next restart may help.
func TestARestartThatFailsIsRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		spoil, mend func(s *script, c *connection)
	}{
		"no offer can be made": {
			func(_ *script, c *connection) { c.offerErr = errRefused },
			func(_ *script, c *connection) { c.offerErr = nil },
		},
		"the offer is too long": {
			func(_ *script, c *connection) { c.sdp = strings.Repeat("v", wire.MaxSDP+1) },
			func(*script, *connection) {},
		},
		"the answer is refused": {
			func(_ *script, c *connection) { c.answerErr = errRefused },
			func(_ *script, c *connection) { c.answerErr = nil },
		},
		"the server refuses it": {
			func(s *script, _ *connection) { s.refusal = wire.ErrBadOffer },
			func(s *script, _ *connection) { s.refusal = "" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{heals: true}
			play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
				s.live()
				quiet := s.pulse()
				change := func(f func(s *script, c *connection)) { s.set(func() { s.conn.set(func() { f(s, s.conn) }) }) }
				change(c.spoil)
				wait(quiet + peer.RestartAfter + peer.RestartEvery - time.Nanosecond - s.since())
				if n := len(happened[peer.ConnectionRecovered](s)); n != 0 {
					t.Fatal("the failed restart helped")
				}
				change(c.mend)
				wait(time.Second)
				if n := len(happened[peer.ConnectionRecovered](s)); n != 1 {
					t.Errorf("recovered %d times by the second restart", n)
				}
				if len(s.sockets) != 1 {
					t.Errorf("%d sockets: the first is whole", len(s.sockets))
				}
			})
		})
	}
}

// ICE that gives up is restarted at once, and a restart under way isn't doubled.
func TestIceThatFailsInTheCallIsRestartedAtOnce(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.set(func() { s.frames, s.deadPath, s.noAnswer = nil, true, true })
		failed := s.since()
		s.conn.on.State(peer.ConnectionFailed)
		s.conn.on.State(peer.ConnectionFailed)
		synctest.Wait()
		got := sent[wire.Offer](s)
		if len(got) != 1 || got[0].at != failed || !strings.HasSuffix(got[0].what.SDP, "restart true") {
			t.Errorf("offers %v, want one restart at %v", got, failed)
		}
		if drops := happened[peer.ConnectionDropped](s); len(drops) != 1 || drops[0].at != failed || drops[0].what.HasMedia {
			t.Errorf("drops %v, want one at %v", drops, failed)
		}
	})
}

// Disconnected is ICE's own guess; pings notice sooner, and say when it is wrong.
func TestADisconnectedPathThatLivesIsNoDrop(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.conn.on.State(peer.ConnectionDisconnected)
		wait(10 * time.Second)
		if n := len(happened[peer.ConnectionDropped](s)) + len(sent[wire.Offer](s)); n != 1 {
			t.Errorf("%d drops and offers, want the first offer only", n)
		}
	})
}

// A socket that breaks while the call is set up is dialed anew, and the call
// stands all the same.
func TestASocketLostInSetup(t *testing.T) {
	for name, c := range map[string]struct {
		script *script
		before func(s *script)
		offers int
	}{
		"before the connection is there": {&script{configure: slowConnect(time.Second)}, func(*script) {}, 1},
		"while the answer is awaited": {&script{noAnswer: true}, func(s *script) {
			wait(time.Second)
			s.set(func() { s.noAnswer = false })
		}, 2},
		"while the path is looked for": {&script{}, func(*script) { wait(latency / 2) }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, c.script, func(_ *peer.Call, _ <-chan peer.CallEnded) {
				s := c.script
				synctest.Wait()
				c.before(s)
				s.newest().drop(1006)
				wait(2 * time.Second)
				s.live()
				if n := len(s.sockets); n != 2 {
					t.Errorf("%d sockets, want 2", n)
				}
				if got := sent[wire.Offer](s); len(got) > c.offers {
					t.Errorf("offers %v, want at most %d", got, c.offers)
				}
				if n := len(happened[peer.CallAccepted](s)); n != 1 {
					t.Errorf("accepted %d times", n)
				}
			})
		})
	}
}

// slowConnect has a call wait for its connection.
func slowConnect(d time.Duration) func(*peer.Config) {
	return func(c *peer.Config) {
		connect := c.Connect
		c.Connect = func(ctx context.Context, servers []wire.ICEServer, l peer.Listener) (peer.Connection, error) {
			time.Sleep(d)
			return connect(ctx, servers, l)
		}
	}
}
