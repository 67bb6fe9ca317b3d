package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/fault"
	"parley/server/session"
	"parley/shared/quality"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

func helloOf(t *testing.T, l *session.Link) wire.Hello {
	t.Helper()
	got := of[wire.Hello](drain(l))
	if len(got) != 1 {
		t.Fatalf("%d hellos", len(got))
	}
	return got[0]
}

func TestHelloSaysWhatTheCallerNeeds(t *testing.T) {
	servers := []wire.ICEServer{{URLs: []string{"stun:127.0.0.1:1"}}}
	bubble(t, func(c *session.Config) {
		c.ICEServers = func(session string, c session.Caller) []wire.ICEServer {
			return []wire.ICEServer{{URLs: servers[0].URLs, Username: session, Credential: c.User}}
		}
		c.ReconnectGrace = 7 * time.Second
		c.Settings = session.Settings{IdleTimeout: time.Minute, IdleWarning: time.Hour, MaxSessions: 3, MaxPerUser: 3}
	}, func(h *fixture) {
		for agent, want := range map[string]string{"": "parrot", "echo": "echo"} {
			c := caller("a")
			c.Agent = agent
			s := h.admit(c)
			hello := helloOf(t, h.attach(s))
			if hello.SessionID != s.ID() || hello.Agent != want || len(hello.ICEServers) != 1 || hello.ICEServers[0].Username != s.ID() || hello.ICEServers[0].Credential != "a" || hello.StatsIntervalMS != 1000 {
				t.Errorf("%+v", hello)
			}
			if hello.Limits != (wire.Limits{IdleTimeoutS: 60, IdleWarningS: 30, ReconnectGraceS: 7}) || hello.Limits != h.Limits() {
				t.Errorf("%+v", hello.Limits)
			}
			if _, err := wire.Encode(hello); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestResumeOpensOnlyWithTheNewestTokenOfOnesOwn(t *testing.T) {
	type try func(h *fixture, id, token string) (session.Caller, string, string)
	cases := map[string]struct {
		try try
		ok  bool
	}{
		"the token": {func(_ *fixture, id, token string) (session.Caller, string, string) { return caller("a"), id, token }, true},
		"another user": {func(_ *fixture, id, token string) (session.Caller, string, string) {
			return caller("b"), id, token
		}, false},
		"another token": {func(_ *fixture, id, token string) (session.Caller, string, string) {
			return caller("a"), id, token[:len(token)-1] + "!"
		}, false},
		"no token": {func(_ *fixture, id, _ string) (session.Caller, string, string) { return caller("a"), id, "" }, false},
		"another session": {func(_ *fixture, _, token string) (session.Caller, string, string) {
			return caller("a"), "sess_x", token
		}, false},
		"a spent token": {func(h *fixture, id, token string) (session.Caller, string, string) {
			s, err := h.Resume(caller("a"), id, token)
			if err != nil {
				h.t.Fatal(err)
			}
			h.attach(s).Activity(wire.Activity{Kind: wire.ActivityKeepAlive})
			return caller("a"), id, token
		}, false},
		"a spent token, the hello lost with its socket": {func(h *fixture, id, token string) (session.Caller, string, string) {
			s, err := h.Resume(caller("a"), id, token)
			if err != nil {
				h.t.Fatal(err)
			}
			h.attach(s).Lost(time.Now())
			return caller("a"), id, token
		}, true},
		"a spent token, before the next hello": {func(h *fixture, id, token string) (session.Caller, string, string) {
			if _, err := h.Resume(caller("a"), id, token); err != nil {
				h.t.Fatal(err)
			}
			return caller("a"), id, token
		}, true},
		"a session that ended": {func(h *fixture, id, token string) (session.Caller, string, string) {
			if err := h.End(id, wire.AdminEnded, ""); err != nil {
				h.t.Fatal(err)
			}
			return caller("a"), id, token
		}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(h *fixture) {
				s := h.admit(caller("a"))
				l := h.attach(s)
				hello := helloOf(t, l)
				l.Lost(time.Now())
				got, err := h.Resume(c.try(h, hello.SessionID, hello.ResumeToken))
				if c.ok && (err != nil || got != s) || !c.ok && !errors.Is(err, fault.NotFound) {
					t.Errorf("%v, %v", got, err)
				}
			})
		})
	}
}

func TestResumeKeepsTheCall(t *testing.T) {
	bubble(t, caps(1, 1), func(h *fixture) {
		s := h.admit(caller("a"))
		l := h.attach(s)
		hello := helloOf(t, l)
		l.Offer(wire.Offer{SDP: "x"})
		synctest.Wait()
		s.ConnectionState(rtcstats.StateConnected, time.Now())
		synctest.Wait()
		if h.Resumable(session.Caller{User: "a"}) {
			t.Error("resumable while the socket is there")
		}
		l.Lost(time.Now())
		synctest.Wait()
		if !h.Resumable(session.Caller{User: "a"}) || h.Resumable(session.Caller{User: "b"}) {
			t.Error("not resumable, or by others")
		}
		if got := h.seen.last(t); got.State != wire.StateReconnecting {
			t.Errorf("state %s", got.State)
		}
		pass(session.DefaultReconnectGrace - 1)
		again, err := h.Resume(caller("a"), hello.SessionID, hello.ResumeToken)
		if err != nil {
			t.Fatal(err)
		}
		l = h.attach(again)
		got := drain(l)
		next := of[wire.Hello](got)
		if len(next) != 1 || next[0].SessionID != hello.SessionID || next[0].ResumeToken == hello.ResumeToken {
			t.Errorf("hello %+v", next)
		}
		if states := of[wire.State](got); len(states) != 1 || states[0].Session != wire.StateActive {
			t.Errorf("states %v", states)
		}
		pass(time.Minute)
		if live, _, _ := h.Capacity(); causeOf(s) != "" || live != 1 || h.media.closes() != 0 {
			t.Errorf("ended %q, %d live, %d closes", causeOf(s), live, h.media.closes())
		}
	})
}

func TestANewSocketTakesTheSessionOver(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s := h.admit(caller("a"))
		old := h.attach(s)
		hello := helloOf(t, old)
		if _, err := h.Resume(caller("a"), hello.SessionID, hello.ResumeToken); err != nil {
			t.Fatal(err)
		}
		next := h.attach(s)
		var end *session.End
		if !errors.As(context.Cause(old.Context()), &end) || end.Cause != wire.Replaced {
			t.Errorf("the old socket: %v", context.Cause(old.Context()))
		}
		if next.Context().Err() != nil || causeOf(s) != "" {
			t.Error("the session did not survive")
		}
		// What the old one still says does not count.
		old.End(wire.CallerLeft)
		old.Lost(time.Now())
		old.Send(wire.Pong{ID: 7})
		for name, refused := range map[string]*wire.Error{
			"offer":     old.Offer(wire.Offer{SDP: "x"}),
			"candidate": old.Candidate(wire.Candidate{}),
			"activity":  old.Activity(wire.Activity{Kind: wire.ActivityMute}),
			"report":    old.Report(wire.Report{Samples: samples(1)}),
		} {
			if refused != nil {
				t.Errorf("%s: %v", name, refused)
			}
		}
		synctest.Wait()
		if h.media.opened() || len(h.seen.sampled()) != 0 || h.seen.last(t).Muted || len(of[wire.Pong](drain(next))) != 0 {
			t.Error("the old socket was heard")
		}
		h.endsAfter(s, wire.OfferTimeout, wire.ProtocolError)
	})
}

func TestResumeBringsTheNewTokensExpiry(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		c := caller("a")
		c.TokenExpires = time.Now().Add(time.Minute)
		s := h.admit(c)
		l := h.attach(s)
		hello := helloOf(t, l)
		l.Offer(wire.Offer{SDP: "x"})
		synctest.Wait()
		s.ConnectionState(rtcstats.StateConnected, time.Now())
		l.Lost(time.Now())
		pass(10 * time.Second)
		c.TokenExpires = time.Now().Add(5 * time.Minute)
		c.Remote = "192.0.2.7:1"
		if _, err := h.Resume(c, hello.SessionID, hello.ResumeToken); err != nil {
			t.Fatal(err)
		}
		h.attach(s)
		synctest.Wait()
		c.Agent = "parrot" // the default
		if got := h.seen.last(t).Caller; got != c {
			t.Errorf("caller %+v", got)
		}
		h.endsAfter(s, 5*time.Minute+session.DefaultTokenLeeway, wire.TokenExpired)
	})
}

// The token that a call was resumed with carries it, and no other.
func TestResumeBringsTheNewTokensStanding(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		c := caller("a")
		c.TokenID, c.ServerAdmin = "old", true
		s := h.admit(c)
		l := h.attach(s)
		hello := helloOf(t, l)
		l.Lost(time.Now())
		c.TokenID, c.ServerAdmin = "new", false
		if _, err := h.Resume(c, hello.SessionID, hello.ResumeToken); err != nil {
			t.Fatal(err)
		}
		h.attach(s)
		byToken := func(id string) int {
			return h.EndWhere(func(c session.Caller) bool { return c.TokenID == id }, wire.CallerLeft, "")
		}
		if owner, ok := h.Owner(s.ID()); !ok || owner.ServerAdmin {
			t.Errorf("its holder is %+v", owner)
		}
		if n := byToken("old"); n != 0 {
			t.Errorf("signing out of the old token ends %d calls", n)
		}
		if n := byToken("new"); n != 1 {
			t.Errorf("signing out of the new token ends %d calls, want 1", n)
		}
	})
}

// What the line was rated before its socket was lost is not told of the line after it.
func TestTheRatingOfBeforeIsNotToldAfterAResume(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, l := h.call("a")
		poor := quality.Verdict{Level: quality.Poor, Cause: quality.CauseLoss, Value: 100}
		h.SetQuality(s.ID(), poor)
		pass(2 * time.Second)
		l.Lost(time.Now())
		again := h.attach(s)
		synctest.Wait()
		for _, st := range of[wire.State](drain(again)) {
			if st.Quality != nil {
				t.Errorf("told %+v", *st.Quality)
			}
		}
		h.SetQuality(s.ID(), poor) // it is poor after all
		pass(2 * time.Second)
		if got := of[wire.State](drain(again)); len(got) != 1 || got[0].Quality == nil || *got[0].Quality != poor {
			t.Errorf("told %+v", got)
		}
	})
}

func TestStandingWarningsAreRepeatedAfterAResume(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, l := h.call("a")
		began := time.Now()
		pass(28*time.Minute - 10*time.Second)
		l.Lost(time.Now())
		pass(20 * time.Second) // the warning came meanwhile
		l = h.attach(s)
		got := of[wire.Warning](drain(l))
		if len(got) != 1 || !got[0].EndsAt.Equal(began.Add(30*time.Minute).Truncate(time.Millisecond)) {
			t.Errorf("warned %v", got)
		}
	})
}

func TestNothingCanBeAttachedToWhatEnded(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s := h.admit(caller("a"))
		s.End(wire.AdminEnded, "enough")
		_, err := s.Attach()
		var end *session.End
		if !errors.As(err, &end) || end.Cause != wire.AdminEnded || end.Reason != "enough" {
			t.Error(err)
		}
	})
}

func TestWhoCannotKeepUpIsEnded(t *testing.T) {
	const size = 5
	bubble(t, func(c *session.Config) { c.Outbox = size }, func(h *fixture) {
		s, l := h.call("a")
		for i := range size {
			l.Send(wire.Pong{ID: int64(i)})
		}
		synctest.Wait()
		if got := causeOf(s); got != "" {
			t.Fatalf("a full outbox: %s", got)
		}
		if l.Send(wire.Pong{ID: size}) || causeOf(s) != "" {
			t.Errorf("an answer that has to wait: %q", causeOf(s))
		}
		_ = l.Offer(wire.Offer{SDP: "again"}) // its answer is the session's own word
		synctest.Wait()
		if got := causeOf(s); got != wire.SlowClient {
			t.Errorf("one more: %q", got)
		}
		if got := len(drain(l)); got != size {
			t.Errorf("%d messages", got)
		}
		synctest.Wait()
		if h.media.closes() != 1 {
			t.Error("legs not closed")
		}
	})
}
