package peer_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/shared/wire"
	"parley/wasm/peer"
)

// saysNothing is a script whose first socket opens, and greets nobody.
func saysNothing() *script {
	s := &script{}
	s.configure = func(c *peer.Config) {
		dial := c.Dial
		c.Dial = func(ctx context.Context) (peer.Socket, error) {
			sock, err := dial(ctx)
			if len(s.sockets) == 1 {
				k := s.sockets[0]
				for len(k.in) > 0 {
					<-k.in
				}
			}
			return sock, err
		}
	}
	return s
}

func TestAFirstSocketWithoutAHello(t *testing.T) {
	full := errors.New("cap reached")
	for name, c := range map[string]struct {
		admit []error
		want  error // nil: that of the missing hello
	}{
		"unexplained":            {nil, nil},
		"the last place is gone": {[]error{nil, full}, full},
	} {
		t.Run(name, func(t *testing.T) {
			s := saysNothing()
			s.admit = c.admit
			play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
				wait(peer.HelloTimeout - time.Nanosecond)
				if n := len(happened[peer.CallEnded](s)); n != 0 {
					t.Fatal("given up early")
				}
				wait(time.Nanosecond)
				end := <-done
				if c.want != nil && end.Err != c.want {
					t.Errorf("ended %+v, want %v", end, c.want)
				}
				if c.want == nil && (end.Failure != peer.Unreachable || end.Err == nil || !strings.Contains(end.Err.Error(), "hello")) {
					t.Errorf("ended %+v, want unreachable for want of a hello", end)
				}
				if n := len(s.dials); n != 1 {
					t.Errorf("%d dials: there is no place to come back to", n)
				}
			})
		})
	}
}

// A later socket that greets nobody is one of many tries.
func TestALaterSocketWithoutAHelloIsTriedAgain(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.set(func() { s.mute, s.dials = true, nil })
		s.newest().drop(1006)
		wait(peer.FirstRetry + peer.HelloTimeout/2)
		silent := s.newest()
		s.set(func() { s.mute = false })
		wait(peer.HelloTimeout)
		if len(s.dials) != 2 || silent.code != wire.CloseReplaced {
			t.Errorf("dials %v, the silent socket closed with %d", s.dials, silent.code)
		}
		if n := len(happened[peer.SessionResumed](s)); n != 1 {
			t.Errorf("resumed %d times", n)
		}
	})
}

// What a server may say before its hello is taken, or left out: nothing breaks.
func TestServersWordsBeforeTheHello(t *testing.T) {
	for name, c := range map[string]struct {
		say  wire.Message
		want peer.CallEnded // zero: the call goes on
	}{
		"answer":       {wire.Answer{SDP: "v=0"}, peer.CallEnded{}},
		"candidate":    {wire.Candidate{Candidate: wire.CandidateInit{Candidate: "early"}}, peer.CallEnded{}},
		"state":        {wire.State{Session: wire.StateActive, Agent: wire.AgentSpeaking}, peer.CallEnded{}},
		"pong":         {wire.Pong{}, peer.CallEnded{}},
		"warning":      {wire.Warning{Code: wire.WarnDraining, EndsAt: time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC)}, peer.CallEnded{}},
		"refusal":      {wire.Error{Code: wire.ErrRateLimited}, peer.CallEnded{}},
		"end":          {wire.Ended{Cause: wire.ServerShutdown}, peer.CallEnded{Ended: wire.Ended{Cause: wire.ServerShutdown}}},
		"media failed": {wire.Ended{Cause: wire.MediaFailed}, peer.CallEnded{Ended: wire.Ended{Cause: wire.MediaFailed}, Failure: peer.ICEFailed}},
	} {
		t.Run(name, func(t *testing.T) {
			s := saysNothing()
			play(t, s, func(call *peer.Call, done <-chan peer.CallEnded) {
				wait(time.Second)
				s.newest().say(c.say)
				synctest.Wait()
				if (c.want != peer.CallEnded{}) {
					if end := <-done; end != c.want {
						t.Errorf("ended %+v, want %+v", end, c.want)
					}
					return
				}
				s.newest().say(s.hello())
				s.live()
				if n := len(sent[wire.Offer](s)); n != 1 {
					t.Errorf("%d offers", n)
				}
			})
		})
	}
}

// Close codes that name a cause end a call before its hello, too; the others are
// a server that can't be reached.
func TestCloseCodesBeforeTheHello(t *testing.T) {
	for code, want := range map[wire.CloseCode]peer.CallEnded{
		wire.CloseServiceRestart:   {Ended: wire.Ended{Cause: wire.ServerShutdown}},
		wire.CloseAgentUnavailable: {Ended: wire.Ended{Cause: wire.AgentUnavailable}},
		wire.CloseMediaFailed:      {Ended: wire.Ended{Cause: wire.MediaFailed}, Failure: peer.ICEFailed},
		wire.CloseProtocolError:    {Ended: wire.Ended{Cause: wire.ProtocolError}, Failure: peer.ServerError},
		wire.CloseTryAgainLater:    {Failure: peer.Unreachable},
		1006:                       {Failure: peer.Unreachable},
	} {
		s := saysNothing()
		play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
			wait(time.Second)
			s.newest().drop(code)
			end := <-done
			var closed *peer.CloseError
			if want.Failure == peer.Unreachable && (!errors.As(end.Err, &closed) || closed.Code != code) {
				t.Errorf("%d: the error is %v", code, end.Err)
			}
			end.Err = nil
			if end != want {
				t.Errorf("%d: ended %+v, want %+v", code, end, want)
			}
		})
	}
}

// A socket that takes nothing is given up when its outbox is full, and another
// one brings what the caller did last.
func TestASocketThatTakesNothingIsReplaced(t *testing.T) {
	const outbox = 2 * (wire.MaxCandidates + 2) // frames may wait
	s := &script{}
	play(t, s, func(c *peer.Call, done <-chan peer.CallEnded) {
		s.live()
		s.set(func() { s.isStuck = true })
		for range outbox + 1 { // one more is in the writer's hand
			c.KeepAlive()
			synctest.Wait()
		}
		wait(peer.FirstRetry)
		if n := len(s.sockets); n != 1 {
			t.Fatalf("%d sockets at the limit", n)
		}
		c.Mute(true)
		synctest.Wait()
		s.set(func() { s.isStuck, s.frames = false, nil })
		wait(time.Second)
		if n := len(s.sockets); n != 2 {
			t.Fatalf("%d sockets after one frame more", n)
		}
		if got := sent[wire.Activity](s); len(got) != 1 || got[0].what.Kind != wire.ActivityMute {
			t.Errorf("activities %v, want the mute that was lost", got)
		}
		if n := len(happened[peer.ConnectionDropped](s)); n != 0 {
			t.Errorf("%d drops of a call that was heard throughout", n)
		}
		left := s.since()
		c.Hangup()
		<-done
		if over := s.since() - left; over > peer.FarewellTimeout {
			t.Errorf("the socket that is stuck holds the end up for %v", over)
		}
	})
}

// What is opened when the call is over already is closed again.
func TestWhatOpensTooLateIsClosed(t *testing.T) {
	const late = peer.CleanupTimeout / 2
	s := &script{configure: slowConnect(time.Second + late)}
	play(t, s, func(c *peer.Call, done <-chan peer.CallEnded) {
		wait(time.Second)
		c.Hangup()
		<-done
		if s.since() != time.Second+late || !s.conn.closed {
			t.Errorf("after %v the connection is closed: %t", s.since(), s.conn.closed)
		}
	})
	s = &script{configure: func(c *peer.Config) {
		dial := c.Dial
		c.Dial = func(ctx context.Context) (peer.Socket, error) {
			time.Sleep(time.Second + late)
			return dial(ctx)
		}
	}}
	play(t, s, func(c *peer.Call, done <-chan peer.CallEnded) {
		wait(time.Second)
		c.Hangup()
		<-done
		if s.since() != time.Second+late || s.newest().code != wire.CloseNormalClosure {
			t.Errorf("after %v the socket is closed with %d", s.since(), s.newest().code)
		}
	})
}

// Of what is told at once, the first end counts: nothing after it is heard.
func TestNothingIsToldAfterTheEnd(t *testing.T) {
	s := &script{}
	play(t, s, func(c *peer.Call, done <-chan peer.CallEnded) {
		s.live()
		s.newest().say(wire.Ended{Cause: wire.AdminEnded})
		s.newest().say(wire.State{Session: wire.StateActive, Agent: wire.AgentSpeaking})
		s.newest().say(wire.Ended{Cause: wire.Revoked})
		if end := <-done; end.Ended.Cause != wire.AdminEnded {
			t.Errorf("ended %+v", end)
		}
		s.conn.on.State(peer.ConnectionInsecure)
		c.Hangup()
		c.Mute(true)
		c.Hint()
		c.KeepAlive()
		synctest.Wait()
		if last := s.events[len(s.events)-1].what; reflect.TypeOf(last) != reflect.TypeFor[peer.CallEnded]() || len(happened[peer.CallEnded](s)) != 1 {
			t.Errorf("the last event is %+v", last)
		}
	})
}

func TestHangingUpTwiceIsOneGoodbye(t *testing.T) {
	s := &script{hang: newHang(false)}
	play(t, s, func(c *peer.Call, done <-chan peer.CallEnded) {
		s.live()
		s.hang.begin("sample") // the last look takes its time
		pressed := s.since()
		c.Hangup()
		wait(100 * time.Millisecond)
		c.Hangup()
		<-done
		if got := sent[wire.Bye](s); len(got) != 1 || got[0].at != pressed+100*time.Millisecond {
			t.Errorf("byes %v, want one at the second press", got)
		}
	})
}

// The last look at the counters is waited for, but not for long.
func TestTheLastLookIsBounded(t *testing.T) {
	s := &script{hang: newHang(true)}
	play(t, s, func(c *peer.Call, done <-chan peer.CallEnded) {
		s.hang.release = make(chan struct{})
		s.live()
		wait(10 * time.Millisecond)
		s.hang.begin("sample")
		pressed := s.since()
		c.Hangup()
		wait(peer.FarewellTimeout)
		if got := sent[wire.Bye](s); len(got) != 1 || got[0].at != pressed+peer.FarewellTimeout {
			t.Errorf("byes %v, want one %v after %v", got, peer.FarewellTimeout, pressed)
		}
		close(s.hang.release)
		<-done
	})
}

// A server that names no grace is given the default one.
func TestTheGraceOfAServerThatNamesNone(t *testing.T) {
	s := &script{isGraceless: true}
	play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
		s.live()
		s.set(func() { s.noDial = errNoNetwork })
		lost := s.since()
		s.newest().drop(1006)
		<-done
		if kept := s.since() - lost; kept != peer.DefaultGrace {
			t.Errorf("given up after %v, want %v", kept, peer.DefaultGrace)
		}
	})
}

func TestAClosedSocketsErrorSaysHow(t *testing.T) {
	err := &peer.CloseError{Code: wire.CloseAdminEnded, Reason: "maintenance"}
	if got := err.Error(); !strings.Contains(got, "4003") || !strings.Contains(got, "maintenance") {
		t.Errorf("it says %q", got)
	}
}

// TestARenewedSocketTakesUpTheCall at once, and nobody is told of a break: sound goes on.
func TestARenewedSocketTakesUpTheCall(t *testing.T) {
	s := &script{}
	play(t, s, func(c *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		older, at := s.newest(), s.since()
		c.Renew()
		wait(latency)
		if s.newest() == older || len(sent[wire.Resume](s)) != 1 || s.dials[len(s.dials)-1] != at {
			t.Fatalf("%d resumes, dialed at %v, asked at %v", len(sent[wire.Resume](s)), s.dials, at)
		}
		wait(time.Minute)
		if n := len(happened[peer.ConnectionDropped](s)); n != 0 {
			t.Errorf("the caller is told %d times of a break", n)
		}
	})
}
