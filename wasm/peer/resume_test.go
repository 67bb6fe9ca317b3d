package peer_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/shared/wire"
	"parley/wasm/peer"
)

// leftBehind is a script of a page that was reloaded: the place is kept for as
// long as kept.
func leftBehind(kept time.Duration) *script {
	s := &script{}
	// The bubble's clock starts here: https://pkg.go.dev/testing/synctest
	s.place = &peer.HeldPlace{SessionID: "session-one", ResumeToken: "token-0", Ends: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(kept)}
	return s
}

func TestAPageComesBackToItsCall(t *testing.T) {
	s := leftBehind(30 * time.Second)
	s.admit = []error{errors.New("the caller's own place counts")}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		if got, ok := s.frames[0].what.(wire.Resume); !ok || got.SessionID != "session-one" || got.ResumeToken != "token-0" {
			t.Errorf("the first frame is %+v", s.frames[0].what)
		}
		if got := sent[wire.Offer](s); len(got) != 1 || got[0].what.SDP != "offer 1 restart false" {
			t.Errorf("offers %v, want one of a new connection", got)
		}
		if got := happened[peer.CallAccepted](s); len(got) != 1 || got[0].what.Hello.ResumeToken != "token-1" {
			t.Errorf("accepted %v, want the newest token", got)
		}
		s.newest().drop(1006)
		wait(time.Minute)
		if got := happened[peer.SessionResumed](s); len(got) != 1 || got[0].what.Hello.ResumeToken != "token-2" {
			t.Errorf("resumed %v, want the token of the second socket", got)
		}
		if n := len(happened[peer.ConnectionDropped](s)); n != 0 {
			t.Errorf("%d drops: the grace of the page before is over", n)
		}
	})
}

// A server that doesn't yet know of the loss greets the new socket with a place
// of its own.
func TestAHelloOfAnotherSessionIsNoAnswerToAResume(t *testing.T) {
	s := leftBehind(30 * time.Second)
	s.greets = true
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.newest().drop(1006)
		wait(2 * time.Second)
		for _, resume := range sent[wire.Resume](s) {
			if resume.what.SessionID != "session-one" || resume.what.ResumeToken == "of another" {
				t.Errorf("resumed %+v", resume.what)
			}
		}
		if n := len(happened[peer.CallAccepted](s)); n != 1 || len(sent[wire.Resume](s)) != 2 {
			t.Errorf("accepted %d times, %d resumes", n, len(sent[wire.Resume](s)))
		}
	})
}

func TestAPlaceIsTriedForUntilItEnds(t *testing.T) {
	s := leftBehind(12 * time.Second)
	s.noDial = errNoNetwork
	play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
		wait(12*time.Second - time.Nanosecond)
		select {
		case end := <-done:
			t.Fatalf("given up early: %+v", end)
		default:
		}
		wait(time.Nanosecond)
		if end := <-done; end.Failure != peer.Lost || end.Ended.Cause != wire.ConnectionLost {
			t.Errorf("ended %+v", end)
		}
		if n := len(s.dials); n < 5 {
			t.Errorf("%d dials in 12 s", n)
		}
	})
}

func TestAPlaceThatIsGone(t *testing.T) {
	for name, s := range map[string]*script{
		"refused by the server": {resumed: &wire.Error{Code: wire.ErrUnknownResume}, place: leftBehind(time.Minute).place},
		"over before the dial":  leftBehind(-time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
				if end := <-done; end.Failure != peer.Lost || end.Ended.Cause != wire.ConnectionLost || s.since() > time.Second {
					t.Errorf("ended %+v after %v", end, s.since())
				}
				synctest.Wait()
				if n := len(happened[peer.CallAccepted](s)); n != 0 {
					t.Errorf("accepted %d times", n)
				}
			})
		})
	}
}

// Who hangs up right after coming back ends the session, not only the page.
func TestHangingUpAResumedCall(t *testing.T) {
	s := leftBehind(30 * time.Second)
	s.noAnswer = true
	play(t, s, func(c *peer.Call, done <-chan peer.CallEnded) {
		wait(time.Second)
		c.Hangup()
		if end := <-done; end.Ended.Cause != wire.CallerLeft || len(sent[wire.Bye](s)) != 1 {
			t.Errorf("ended %+v with %d byes", end, len(sent[wire.Bye](s)))
		}
	})
}

// Who leaves a call that no socket is ready to say good-bye to gives its place back
// all the same, and at once.
func TestLeavingWithoutASocketEndsTheSession(t *testing.T) {
	unreachable, mute := leftBehind(30*time.Second), leftBehind(30*time.Second)
	unreachable.noDial, mute.mute = errNoNetwork, true
	for name, c := range map[string]struct {
		script *script
		before func(*script) // hanging up
		ended  []string
	}{
		"a resume that can't dial":     {unreachable, func(*script) { wait(2 * time.Second) }, []string{"session-one"}},
		"a resume that gets no answer": {mute, func(*script) { wait(2 * time.Second) }, []string{"session-one"}},
		"a call whose socket is lost": {&script{}, func(s *script) {
			s.live()
			s.set(func() { s.noDial = errors.New("no network") })
			s.newest().drop(1006)
			wait(2 * time.Second)
		}, []string{"session-one"}},
		"a call that has its socket": {&script{}, func(s *script) { s.live() }, nil},
		"a new call that can't dial": {&script{noDial: errors.New("no network")}, func(*script) { wait(time.Second) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, c.script, func(call *peer.Call, done <-chan peer.CallEnded) {
				c.before(c.script)
				left := c.script.since()
				call.Hangup()
				if end := <-done; end.Ended.Cause != wire.CallerLeft && c.ended != nil {
					t.Errorf("it ended by %+v", end)
				}
				var ended []string
				for _, e := range c.script.endedBy {
					ended = append(ended, e.what)
					if e.at-left > peer.FarewellTimeout {
						t.Errorf("ended %v after the hang-up", e.at-left)
					}
				}
				if !slices.Equal(ended, c.ended) {
					t.Errorf("ended without a socket: %v, want %v", ended, c.ended)
				}
			})
		})
	}
}
