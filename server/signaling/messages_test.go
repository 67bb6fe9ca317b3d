package signaling_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/server/logtest"
	"parley/server/session"
	"parley/shared/quality"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

func callerOf(user string) session.Caller {
	return session.Caller{User: user, TokenExpires: time.Now().Add(time.Hour)}
}

func TestEachMessageOfTheCallerDoesItsWork(t *testing.T) {
	host := "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host"
	cases := map[string]struct {
		say  []wire.Message
		want wire.Message // the answer; nil: none
	}{
		"offer":               {[]wire.Message{wire.Offer{SDP: "x"}}, wire.Answer{SDP: "v=0"}},
		"bad offer":           {[]wire.Message{wire.Offer{SDP: "bad"}}, wire.Error{Code: wire.ErrBadOffer, Field: "sdp"}},
		"candidate too early": {[]wire.Message{candidate(host)}, wire.Error{Code: wire.ErrOutOfOrder, Field: "candidate"}},
		"candidate by name": {[]wire.Message{candidate("candidate:1 1 udp 2130706431 db.internal 5000 typ host")},
			wire.Error{Code: wire.ErrBadCandidate, Field: "candidate"}},
		"candidate in octal": {[]wire.Message{candidate("candidate:1 1 udp 2130706431 0177.0.0.1 5000 typ host")},
			wire.Error{Code: wire.ErrBadCandidate, Field: "candidate"}},
		"candidate of words": {[]wire.Message{candidate("candidate")}, wire.Error{Code: wire.ErrBadCandidate, Field: "candidate"}},
		"ping":               {[]wire.Message{wire.Ping{ID: 42}}, wire.Pong{ID: 42}},
		"resume, too late": {[]wire.Message{wire.Activity{Kind: wire.ActivityTyping}, wire.Resume{SessionID: "x", ResumeToken: "y"}},
			wire.Error{Code: wire.ErrOutOfOrder, Field: "type"}},
		"resume of nothing": {[]wire.Message{wire.Resume{SessionID: "x", ResumeToken: "y"}}, wire.Error{Code: wire.ErrUnknownResume}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			cl, hello := h.start("a")
			for _, m := range c.say {
				cl.say(m)
			}
			if got, err := cl.next(); err != nil || got != c.want {
				t.Errorf("got %v, %v; want %v", got, err, c.want)
			}
			cl.say(wire.Ping{ID: 1}) // whatever it was, the socket stays open
			if got := read[wire.Pong](cl); got.ID != 1 {
				t.Errorf("pong %d", got.ID)
			}
			cl.say(wire.Bye{})
			cl.endsWith(wire.CallerLeft, wire.CloseNormalClosure)
			if got := h.ended(hello.SessionID); got != wire.CallerLeft {
				t.Errorf("ended %s", got)
			}
		})
	}
}

func candidate(line string) wire.Candidate {
	return wire.Candidate{Candidate: wire.CandidateInit{Candidate: line}}
}

func TestCandidatesReachTheLegsInOrder(t *testing.T) {
	h := open(t)
	c, _ := h.call("a")
	var want []string
	for _, addr := range []string{"192.0.2.1", "2001:db8::1", "198.51.100.9"} {
		line := "candidate:1 1 udp 1 " + addr + " 5000 typ host"
		want = append(want, line)
		c.say(candidate(line))
	}
	c.say(wire.Candidate{})
	want = append(want, "")
	until(t, "candidates", func() bool {
		h.media.mu.Lock()
		defer h.media.mu.Unlock()
		return slices.Equal(h.media.candidates, want)
	})
}

func TestReportsAndActivitiesReachTheSession(t *testing.T) {
	h := open(t)
	c, hello := h.call("a")
	c.say(wire.Activity{Kind: wire.ActivityMute})
	until(t, "muted", func() bool { return h.seen.of(hello.SessionID).Muted })
	c.say(wire.Activity{Kind: wire.ActivityUnmute})
	until(t, "unmuted", func() bool { return !h.seen.of(hello.SessionID).Muted })
	sample := rtcstats.Sample{Timestamp: 1e12, Inbound: &rtcstats.Inbound{SSRC: 1, PacketsReceived: 50}}
	c.say(wire.Report{Samples: []rtcstats.Sample{sample}})
	until(t, "sample", func() bool { return len(h.seen.sampled()) == 1 })
	if got := h.seen.sampled()[0]; got.MeasuredBy != rtcstats.ByClient || got.Sample.Inbound.PacketsReceived != 50 {
		t.Errorf("%+v", got)
	}
	sample.Inbound.PacketsReceived = 49
	c.say(wire.Report{Samples: []rtcstats.Sample{sample}})
	if got := read[wire.Error](c); got.Code != wire.ErrBadReport {
		t.Errorf("%+v", got)
	}
}

func TestWhatTheSessionSaysReachesTheCaller(t *testing.T) {
	h := open(t)
	c, hello := h.call("a")
	events := h.media.events(hello.SessionID)
	events.AgentState(wire.AgentSpeaking)
	h.sessions.SetQuality(hello.SessionID, quality.Verdict{Level: "fair", R: 70, MOS: 3.6})
	for { // the first states may not have it all
		m, err := c.next()
		if err != nil {
			t.Fatal(err)
		}
		if st := m.(wire.State); st.Quality != nil && st.Quality.Level == "fair" && st.Agent == wire.AgentSpeaking && st.Session == wire.StateActive {
			break
		}
	}
	set := h.sessions.Settings()
	set.IdleTimeout, set.IdleWarning = time.Hour, 2*time.Hour // cut to half an hour
	set.MaxDuration = time.Minute
	h.sessions.UpdateSettings(set)
	set.MaxDuration = 90 * time.Second
	if err := h.sessions.End(hello.SessionID, wire.AdminEnded, "line needed"); err != nil {
		t.Fatal(err)
	}
	code, before := c.closes()
	if code != wire.CloseAdminEnded || before[len(before)-1] != (wire.Ended{Cause: wire.AdminEnded, Message: "line needed"}) {
		t.Errorf("%d after %v", code, before)
	}
}

func TestEachCauseHasItsCloseCode(t *testing.T) {
	for _, cause := range wire.EndCauses() {
		t.Run(string(cause), func(t *testing.T) {
			h := open(t)
			c, hello := h.start("a")
			if err := h.sessions.End(hello.SessionID, cause, ""); err != nil {
				t.Fatal(err)
			}
			c.endsWith(cause, cause.CloseCode())
		})
	}
}

func TestTheCallerChoosesAnAgent(t *testing.T) {
	h := open(t)
	c, p := h.tryDial("a", "?agent=echo")
	if p != nil {
		t.Fatal(p)
	}
	if got := read[wire.Hello](c); got.Agent != "echo" {
		t.Errorf("agent %q", got.Agent)
	}
}

func TestNothingPrivateIsLogged(t *testing.T) {
	var log logtest.Buffer
	h := open(t, roomy, func(s *setup) {
		s.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		s.signaling.Logger = s.Logger
	})
	h.media.answer = strings.Repeat("hunter2", wire.MaxSDP) // too large to be sent
	c, hello := h.start("anna@example.org")
	c.say(wire.Offer{SDP: "a=ice-pwd:hunter2"})
	until(t, "a log line", func() bool { return strings.Contains(log.String(), "event=answer") })
	c.write(2, []byte("hunter2"))
	c.closes()
	h.ended(hello.SessionID)
	until(t, "a log line", func() bool { return strings.Contains(log.String(), "cause=protocol_error") })
	for _, word := range []string{"hunter2", "anna", hello.ResumeToken, "127.0.0.1"} {
		if strings.Contains(log.String(), word) {
			t.Errorf("the log has %q: %s", word, log.String())
		}
	}
}
