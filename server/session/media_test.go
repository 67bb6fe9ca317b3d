package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/session"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// A restart of either leg is counted in what is told of the session.
func TestICERestartsAreTold(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, _ := h.call("a")
		s.ICERestarted(rtcstats.LegCaller)
		s.ICERestarted(rtcstats.LegAgent)
		synctest.Wait()
		if got := h.seen.last(t); got.ICERestarts != 2 {
			t.Errorf("told %+v", got)
		}
		s.End(wire.CallerLeft, "")
		s.ICERestarted(rtcstats.LegCaller)
		synctest.Wait()
		if got := h.seen.last(t); got.ICERestarts != 2 || got.EndedAt.IsZero() {
			t.Errorf("at its end: %+v", got)
		}
	})
}

func TestHowMediaAnswers(t *testing.T) {
	refusal := wire.Error{Code: wire.ErrBadOffer, Field: "sdp"}
	explained := wire.Error{Code: wire.ErrBadOffer, Field: "sdp", Reason: "no m=audio section"}
	cases := map[string]struct {
		open, offer error
		connected   bool // the offer is a restart
		want        wire.Message
		ends        wire.EndCause
	}{
		"an answer":                     {want: wire.Answer{SDP: "answer to x"}},
		"a refused offer":               {offer: fmt.Errorf("sdp: %w", session.ErrBadOffer), want: refusal},
		"an offer refused for a reason": {offer: fmt.Errorf("sdp: %w: %w", session.ErrBadOffer, explained), want: explained},
		"a refused restart":             {offer: session.ErrBadOffer, connected: true, want: refusal},
		"a restart that broke":          {offer: errors.New("boom"), connected: true, want: refusal},
		"a set-up that broke":           {offer: errors.New("boom"), ends: wire.MediaFailed},
		"legs that can't be made":       {open: errors.New("boom"), ends: wire.MediaFailed},
		"an agent that is not there":    {open: fmt.Errorf("dial: %w", session.ErrAgentUnavailable), ends: wire.AgentUnavailable},
		"an agent that gave up":         {offer: session.ErrAgentUnavailable, ends: wire.AgentUnavailable},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(h *fixture) {
				h.media.open = func(context.Context) error { return c.open }
				s := h.admit(caller("a"))
				l := h.attach(s)
				if c.connected {
					l.Offer(wire.Offer{SDP: "first"})
					synctest.Wait()
					s.ConnectionState(rtcstats.StateConnected, time.Now())
				}
				synctest.Wait()
				drain(l)
				h.media.offer = func(_ context.Context, sdp string) (string, error) { return "answer to " + sdp, c.offer }
				if refused := l.Offer(wire.Offer{SDP: "x"}); refused != nil {
					t.Fatal(refused)
				}
				synctest.Wait()
				got := slices.DeleteFunc(drain(l), func(m wire.Message) bool { return m.Type() == wire.TypeState })
				if c.want != nil && (len(got) != 1 || got[0] != c.want) || c.want == nil && len(got) != 0 {
					t.Errorf("sent %v", got)
				}
				if cause := causeOf(s); cause != c.ends {
					t.Errorf("ended %q", cause)
				}
				if closes := h.media.closes(); c.ends != "" && c.open == nil && closes != 1 {
					t.Errorf("legs closed %d times", closes)
				}
			})
		})
	}
}

func TestCandidates(t *testing.T) {
	line := func(i int) wire.Candidate {
		return wire.Candidate{Candidate: wire.CandidateInit{Candidate: fmt.Sprint("candidate", i)}}
	}
	bubble(t, nil, func(h *fixture) {
		h.media.badWords = []string{"candidate3"}
		l := h.attach(h.admit(caller("a")))
		if refused := l.Candidate(line(0)); refused == nil || refused.Code != wire.ErrOutOfOrder {
			t.Fatalf("before the offer: %v", refused)
		}
		for restart := range 2 { // which of them count is for the legs to say
			l.Offer(wire.Offer{SDP: "x"})
			for i := range 2 * wire.MaxCandidates {
				if refused := l.Candidate(line(i)); refused != nil {
					t.Fatalf("candidate %d: %v", i+1, refused)
				}
			}
			if refused := l.Candidate(wire.Candidate{}); refused != nil {
				t.Errorf("the end of them: %v", refused)
			}
			synctest.Wait()
			if _, candidates := h.media.asked(); len(candidates) != (restart+1)*(2*wire.MaxCandidates+1) {
				t.Errorf("%d reached the legs", len(candidates))
			}
			if got := of[wire.Error](drain(l)); len(got) != 1 || got[0].Code != wire.ErrBadCandidate {
				t.Errorf("refused %v", got)
			}
		}
	})
}

// Candidates that come while the agent is still opening wait for it, and keep
// their order.
func TestCandidatesWaitForTheOffer(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		h.media.offer = func(_ context.Context, sdp string) (string, error) {
			time.Sleep(time.Second)
			return "answer", nil
		}
		l := h.attach(h.admit(caller("a")))
		l.Offer(wire.Offer{SDP: "x"})
		for _, word := range []string{"one", "two", "three"} {
			l.Candidate(wire.Candidate{Candidate: wire.CandidateInit{Candidate: word}})
		}
		pass(time.Second - 1)
		if _, early := h.media.asked(); len(early) != 0 {
			t.Error("came before the answer")
		}
		pass(1)
		if _, got := h.media.asked(); !slices.Equal(got, []string{"one", "two", "three"}) {
			t.Errorf("got %v", got)
		}
	})
}

// What waits for an agent that opens slowly is bounded; what is more is ignored,
// and ends no call.
func TestTheWaitingLineIsBounded(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		h.media.offer = func(context.Context, string) (string, error) {
			time.Sleep(time.Second)
			return "answer", nil
		}
		l := h.attach(h.admit(caller("a")))
		l.Offer(wire.Offer{SDP: "x"})
		synctest.Wait()
		for i := range session.MaxWork + 10 {
			c := wire.Candidate{Candidate: wire.CandidateInit{Candidate: fmt.Sprint(i)}}
			if refused := l.Candidate(c); refused != nil {
				t.Fatalf("candidate %d: %v", i+1, refused)
			}
		}
		pass(time.Second)
		if _, got := h.media.asked(); len(got) != session.MaxWork {
			t.Errorf("%d reached the legs, want %d", len(got), session.MaxWork)
		}
		if got := of[wire.Error](drain(l)); len(got) != 0 {
			t.Errorf("refused %v", got)
		}
	})
}

func TestANewerOfferOvertakes(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		h.media.offer = func(_ context.Context, sdp string) (string, error) {
			time.Sleep(time.Second)
			return "answer to " + sdp, nil
		}
		l := h.attach(h.admit(caller("a")))
		for _, sdp := range []string{"one", "two", "three"} {
			l.Offer(wire.Offer{SDP: sdp})
			synctest.Wait()
		}
		pass(time.Minute / 4)
		got := of[wire.Answer](drain(l))
		offers, _ := h.media.asked()
		if len(got) != 1 || got[0].SDP != "answer to three" || !slices.Equal(offers, []string{"one", "three"}) {
			t.Errorf("answers %v to %v", got, offers)
		}
	})
}

// Whatever media is doing when the session ends, the legs are closed once, and
// at once.
func TestLegsAreClosedWhateverTheyAreDoing(t *testing.T) {
	wait := func(ctx context.Context) error { <-ctx.Done(); return nil }
	deaf := func(context.Context) error { time.Sleep(time.Second); return nil }
	cases := map[string]struct{ open, offer func(context.Context) error }{
		"open":               {},
		"opening":            {open: wait},
		"opening, deaf":      {open: deaf},
		"negotiating":        {offer: wait},
		"negotiating, deaf":  {offer: deaf},
		"opening in the end": {open: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(h *fixture) {
				h.media.open = c.open
				if c.offer != nil {
					h.media.offer = func(ctx context.Context, _ string) (string, error) { return "", c.offer(ctx) }
				}
				s := h.admit(caller("a"))
				h.attach(s).Offer(wire.Offer{SDP: "x"})
				synctest.Wait()
				s.End(wire.AdminEnded, "")
				ended := time.Now()
				pass(2 * time.Second)
				want := 1
				if name == "opening in the end" { // there was nothing to close
					want = 0
				}
				if h.media.closes() != want || want == 1 && h.media.age(ended) > time.Second {
					t.Errorf("closed %d times, after %v", h.media.closes(), h.media.age(ended))
				}
			})
		})
	}
}

// badOffer is a refusal with its word, as the relay gives one.
type badOffer struct{ error }

func (badOffer) Reason() string { return "no_opus" }
func (badOffer) Unwrap() error  { return session.ErrBadOffer }

// TestARefusedOfferIsLogged with its word, once a second however often one comes.
func TestARefusedOfferIsLogged(t *testing.T) {
	var log bytes.Buffer
	bubble(t, func(c *session.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }, func(h *fixture) {
		h.media.offer = func(context.Context, string) (string, error) { return "", badOffer{errors.New("v=0 hunter2")} }
		l := h.attach(h.admit(caller("a")))
		offer := func(want int) {
			t.Helper()
			l.Offer(wire.Offer{SDP: "x"})
			synctest.Wait()
			if got := strings.Count(log.String(), "event=offer cause=no_opus"); got != want || strings.Contains(log.String(), "hunter2") {
				t.Errorf("want %d lines:\n%s", want, log.String())
			}
		}
		offer(1)
		time.Sleep(time.Second - time.Nanosecond)
		offer(1)
		time.Sleep(time.Nanosecond)
		offer(2)
	})
}

func TestTheAgentLeaves(t *testing.T) {
	for name, c := range map[string]struct {
		connected bool // the caller is
		there     bool // the agent was
		err       error
		want      wire.EndCause
		says      string
	}{
		"hangs up":            {true, true, nil, wire.AgentLeft, ""},
		"breaks":              {true, true, errors.New("reset"), wire.AgentLeft, ""},
		"breaks, and says so": {true, true, fmt.Errorf("call: %w", spokenError{}), wire.AgentLeft, "Call again."},
		"before media flows":  {false, true, nil, wire.AgentUnavailable, ""},
		"before it was there": {true, false, errors.New("refused"), wire.AgentUnavailable, ""},
		"refuses, and why":    {true, false, spokenError{}, wire.AgentUnavailable, "Call again."},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(h *fixture) {
				s := h.admit(caller("a"))
				h.attach(s).Offer(wire.Offer{SDP: "x"})
				synctest.Wait()
				if c.connected {
					s.ConnectionState(rtcstats.StateConnected, time.Now())
				}
				if c.there {
					s.AgentState(wire.AgentListening)
				}
				s.AgentLeft(c.err)
				s.AgentLeft(nil)
				if got := causeOf(s); got != c.want {
					t.Errorf("ended %q", got)
				}
				var end *session.End
				if errors.As(context.Cause(s.Context()), &end); end.Message() != c.says || (c.says != "") != (end.Reason == "HTTP 500") {
					t.Errorf("says %q to the caller, %q to admins", end.Message(), end.Reason)
				}
			})
		})
	}
}

// spokenError has something to say to the caller.
type spokenError struct{}

func (spokenError) Error() string     { return "HTTP 500" }
func (spokenError) ForCaller() string { return "Call again." }

// A session's log says what broke and for which cause it ended, and nothing of
// its caller or its descriptions.
func TestTheLogSaysWhyAndNotWho(t *testing.T) {
	var log bytes.Buffer
	const secret = "v=0 a=ice-pwd:hunter2"
	bubble(t, func(c *session.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }, func(h *fixture) {
		h.media.offer = func(_ context.Context, sdp string) (string, error) { return "", errors.New("no parser for " + sdp) }
		c := caller("anna@example.org")
		c.Name, c.Remote = "Anna", "192.0.2.1:5"
		l := h.attach(h.admit(c))
		hello := helloOf(t, l)
		l.Offer(wire.Offer{SDP: secret})
		synctest.Wait()
		got := log.String()
		if strings.Count(got, "\n") != 2 || !strings.Contains(got, "event=media cause=setup_failed") || !strings.Contains(got, "cause=media_failed") || !strings.Contains(got, hello.SessionID) {
			t.Errorf("log %q", got)
		}
		for _, word := range []string{"hunter2", "anna", "Anna", "192.0.2.1", hello.ResumeToken} {
			if strings.Contains(got, word) {
				t.Errorf("the log has %q", word)
			}
		}
	})
}
