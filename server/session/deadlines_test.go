package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/session"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// mediaGrace is what a call is given from the last packet of its path on.
const mediaGrace = session.NoticeAfter + session.DefaultReconnectGrace

// Each case brings a session to where only one deadline can end it, and says
// how far off that is.
func TestDeadlinesToTheNanosecond(t *testing.T) {
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	cases := map[string]struct {
		config func(*session.Config)
		bring  func(h *fixture) (*session.Session, time.Duration)
		want   wire.EndCause
	}{
		"no offer": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s := h.admit(caller("a"))
			h.attach(s)
			return s, wire.OfferTimeout
		}, wire.ProtocolError},
		"no offer, counted from hello": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s := h.admit(caller("a"))
			pass(wire.OfferTimeout - 1)
			h.attach(s)
			return s, wire.OfferTimeout
		}, wire.ProtocolError},
		"no offer after a resume": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s := h.admit(caller("a"))
			h.attach(s).Lost(time.Now())
			pass(20 * time.Second)
			h.attach(s)
			return s, wire.OfferTimeout
		}, wire.ProtocolError},
		"agent that never opens": {nil, func(h *fixture) (*session.Session, time.Duration) {
			h.media.open = hang
			s := h.admit(caller("a"))
			h.attach(s).Offer(wire.Offer{SDP: "x"})
			return s, session.DefaultSetupTimeout
		}, wire.AgentUnavailable},
		"media that never flows": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s := h.admit(caller("a"))
			l := h.attach(s)
			l.Offer(wire.Offer{SDP: "x"})
			pass(5 * time.Second)
			l.Offer(wire.Offer{SDP: "y"}) // a second offer gives no more time
			return s, session.DefaultSetupTimeout - 5*time.Second
		}, wire.MediaFailed},
		"idle": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s, _ := h.call("a")
			return s, 30 * time.Minute
		}, wire.IdleTimeout},
		"idle after the caller spoke": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s, _ := h.call("a")
			pass(30*time.Minute - 1)
			s.Speech(rtcstats.LegCaller)
			return s, 30 * time.Minute
		}, wire.IdleTimeout},
		"longest": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s, _ := h.call("a")
			for range 59 {
				pass(time.Minute)
				s.Speech(rtcstats.LegAgent)
			}
			return s, time.Minute
		}, wire.MaxDuration},
		"token and its leeway": {func(c *session.Config) { c.OfferTimeout = time.Hour }, func(h *fixture) (*session.Session, time.Duration) {
			c := caller("a")
			c.TokenExpires = time.Now().Add(10 * time.Second)
			s := h.admit(c)
			h.attach(s)
			return s, 70 * time.Second
		}, wire.TokenExpired},
		"budget spent": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s, _ := h.call("a")
			s.BudgetSpent()
			pass(5 * time.Second)
			s.BudgetSpent() // once is enough
			return s, session.BudgetNotice - 5*time.Second
		}, wire.BudgetSpent},
		"socket gone": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s, l := h.call("a")
			l.Lost(time.Now())
			return s, session.DefaultReconnectGrace
		}, wire.ConnectionLost},
		"socket gone before an offer": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s := h.admit(caller("a"))
			h.attach(s).Lost(time.Now())
			return s, session.DefaultReconnectGrace
		}, wire.ConnectionLost},
		"peer silent for long before": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s, l := h.call("a")
			l.Lost(time.Now().Add(-wire.SocketTimeout))
			return s, session.DefaultSilence - wire.SocketTimeout
		}, wire.ConnectionLost},
		"media disconnected": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s, l := h.call("a")
			s.ConnectionState(rtcstats.StateDisconnected, time.Now())
			pass(20 * time.Second)
			l.Heard(time.Now())
			s.ConnectionState(rtcstats.StateFailed, time.Now()) // the same break, further on
			return s, mediaGrace - 20*time.Second
		}, wire.MediaFailed},
		"media failed later": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s, l := h.call("a")
			s.ConnectionState(rtcstats.StateFailed, time.Now())
			pass(1)
			l.Heard(time.Now())
			return s, mediaGrace - 1
		}, wire.MediaFailed},
		"the path cut, the socket not heard since": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s, l := h.call("a")
			l.Heard(time.Now())
			pass(5 * time.Second)
			s.ConnectionState(rtcstats.StateDisconnected, time.Now())
			return s, mediaGrace
		}, wire.ConnectionLost},
		"the path cut, the socket gone later": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s, l := h.call("a")
			heard := time.Now()
			pass(5 * time.Second)
			s.ConnectionState(rtcstats.StateDisconnected, time.Now())
			pass(15 * time.Second)
			l.Lost(heard)
			return s, mediaGrace - 15*time.Second
		}, wire.ConnectionLost},
		"the path cut, a grace of its own": {func(c *session.Config) { c.ReconnectGrace = 10 * time.Second }, func(h *fixture) (*session.Session, time.Duration) {
			s, _ := h.call("a")
			s.ConnectionState(rtcstats.StateDisconnected, time.Now())
			return s, session.NoticeAfter + 10*time.Second
		}, wire.ConnectionLost},
		"the path cut, a very short grace": {func(c *session.Config) { c.ReconnectGrace = 4 * time.Second }, func(h *fixture) (*session.Session, time.Duration) {
			s, _ := h.call("a")
			s.ConnectionState(rtcstats.StateDisconnected, time.Now().Add(-4*time.Second))
			return s, session.NoticeAfter
		}, wire.ConnectionLost},
		"the path cut, noticed late": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s, _ := h.call("a")
			heard := time.Now()
			pass(7 * time.Second)
			s.ConnectionState(rtcstats.StateDisconnected, heard)
			return s, mediaGrace - 7*time.Second
		}, wire.ConnectionLost},
		"media broken again after it came back": {nil, func(h *fixture) (*session.Session, time.Duration) {
			s, l := h.call("a")
			s.ConnectionState(rtcstats.StateFailed, time.Now())
			pass(mediaGrace - 1)
			s.ConnectionState(rtcstats.StateConnected, time.Now())
			pass(time.Minute)
			s.ConnectionState(rtcstats.StateDisconnected, time.Now())
			pass(1)
			l.Heard(time.Now())
			return s, mediaGrace - 1
		}, wire.MediaFailed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, c.config, func(h *fixture) {
				s, after := c.bring(h)
				h.endsAfter(s, after, c.want)
				if live, _, _ := h.Capacity(); live != 0 {
					t.Error("the place is not free")
				}
				if opened := h.media.opened() && h.media.open == nil; opened && h.media.closes() != 1 {
					t.Errorf("legs closed %d times", h.media.closes())
				}
			})
		})
	}
}

func TestMediaThatFailsAtSetUpEndsAtOnce(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s := h.admit(caller("a"))
		h.attach(s).Offer(wire.Offer{SDP: "x"})
		synctest.Wait()
		s.ConnectionState(rtcstats.StateDisconnected, time.Now()) // means nothing yet
		synctest.Wait()
		if got := causeOf(s); got != "" {
			t.Fatal(got)
		}
		h.endsAfter(s, 1, "")
		s.ConnectionState(rtcstats.StateFailed, time.Now())
		if got := causeOf(s); got != wire.MediaFailed {
			t.Error(got)
		}
	})
}

func TestATokenThatIsOverEndsAtOnce(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s := h.admit(session.Caller{User: "a"})
		synctest.Wait()
		if got := causeOf(s); got != wire.TokenExpired {
			t.Error(got)
		}
	})
}

func TestSignsOfLife(t *testing.T) {
	cases := map[string]struct {
		give func(*session.Session, *session.Link)
		life bool
	}{
		"caller speaks": {func(s *session.Session, _ *session.Link) { s.Speech(rtcstats.LegCaller) }, true},
		"agent speaks":  {func(s *session.Session, _ *session.Link) { s.Speech(rtcstats.LegAgent) }, true},
		"an admin":      {func(s *session.Session, _ *session.Link) { s.Extend(time.Now()) }, true},
		"mute":          {activity(wire.ActivityMute), true},
		"unmute":        {activity(wire.ActivityUnmute), true},
		"keep alive":    {activity(wire.ActivityKeepAlive), true},
		"typing":        {activity(wire.ActivityTyping), true},
		"agent state":   {func(s *session.Session, _ *session.Link) { s.AgentState(wire.AgentThinking) }, false},
		"media back":    {func(s *session.Session, _ *session.Link) { s.ConnectionState(rtcstats.StateConnected, time.Now()) }, false},
		"an offer":      {func(_ *session.Session, l *session.Link) { l.Offer(wire.Offer{SDP: "again"}) }, false},
		"a report": {func(_ *session.Session, l *session.Link) {
			l.Report(wire.Report{Samples: samples(1000)})
		}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(h *fixture) {
				s, l := h.call("a")
				began := time.Now()
				idle, lead := 30*time.Minute, 2*time.Minute
				pass(idle - lead - 1)
				if got := of[wire.Warning](drain(l)); len(got) != 0 {
					t.Fatalf("warned a nanosecond early: %v", got)
				}
				pass(1)
				want := wire.Warning{Code: wire.WarnIdle, EndsAt: began.Add(idle).UTC().Truncate(time.Millisecond)}
				if got := of[wire.Warning](drain(l)); len(got) != 1 || got[0] != want {
					t.Fatalf("warned %v, want %v", got, want)
				}
				pass(time.Minute)
				c.give(s, l)
				synctest.Wait()
				back := of[wire.Warning](drain(l))
				if !c.life {
					if len(back) != 0 {
						t.Errorf("took back: %v", back)
					}
					h.endsAfter(s, time.Minute, wire.IdleTimeout)
					return
				}
				if len(back) != 1 || back[0] != (wire.Warning{Code: wire.WarnIdle}) {
					t.Errorf("not taken back: %v", back)
				}
				pass(idle - lead - 1)
				if got := of[wire.Warning](drain(l)); len(got) != 0 {
					t.Errorf("warned early the second time: %v", got)
				}
				h.endsAfter(s, lead+1, wire.IdleTimeout)
			})
		})
	}
}

func activity(kind wire.ActivityKind) func(*session.Session, *session.Link) {
	return func(_ *session.Session, l *session.Link) { l.Activity(wire.Activity{Kind: kind}) }
}

func TestWarningBeforeTheLongestDuration(t *testing.T) {
	bubble(t, func(c *session.Config) {
		c.Settings = session.DefaultSettings()
		c.Settings.MaxDuration, c.Settings.IdleWarning = time.Minute, 2*time.Minute // cut to half of a minute
	}, func(h *fixture) {
		s, l := h.call("a")
		pass(30*time.Second - 1)
		if got := of[wire.Warning](drain(l)); len(got) != 0 {
			t.Fatalf("early: %v", got)
		}
		pass(1)
		s.Speech(rtcstats.LegCaller) // nothing takes this one back
		synctest.Wait()
		if got := of[wire.Warning](drain(l)); len(got) != 1 || got[0].Code != wire.WarnMaxDuration {
			t.Fatalf("warned %v", got)
		}
		h.endsAfter(s, 30*time.Second, wire.MaxDuration)
	})
}

func TestNoLongestDuration(t *testing.T) {
	bubble(t, func(c *session.Config) {
		c.Settings = session.DefaultSettings()
		c.Settings.MaxDuration = 0
	}, func(h *fixture) {
		s, _ := h.call("a")
		for range 23 * 60 { // the token's day is longer
			pass(time.Minute)
			s.Speech(rtcstats.LegCaller)
		}
		if got := causeOf(s); got != "" {
			t.Error(got)
		}
	})
}

func TestSettingsHoldForLiveSessionsAtOnce(t *testing.T) {
	set := func(change func(*session.Settings)) session.Settings {
		s := session.DefaultSettings()
		change(&s)
		return s
	}
	cases := map[string]struct {
		to    session.Settings
		ends  wire.EndCause
		warns []wire.WarningCode // with an end
	}{
		"idle, shorter than it was idle": {set(func(s *session.Settings) { s.IdleTimeout = 10 * time.Minute }), "", []wire.WarningCode{wire.WarnIdle}},
		"idle, near":                     {set(func(s *session.Settings) { s.IdleTimeout = 11 * time.Minute }), "", []wire.WarningCode{wire.WarnIdle}},
		"longest, passed":                {set(func(s *session.Settings) { s.MaxDuration = 10 * time.Minute }), "", []wire.WarningCode{wire.WarnMaxDuration}},
		"longest, near":                  {set(func(s *session.Settings) { s.MaxDuration = 11 * time.Minute }), "", []wire.WarningCode{wire.WarnMaxDuration}},
		"warning, earlier":               {set(func(s *session.Settings) { s.IdleWarning = 20 * time.Minute }), "", nil}, // cut to 15
		"lower caps end nobody":          {set(func(s *session.Settings) { s.MaxSessions, s.MaxPerUser = 1, 1 }), "", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, caps(5, 2), func(h *fixture) {
				s, l := h.call("a")
				h.attach(h.admit(caller("a"))).Offer(wire.Offer{SDP: "x"})
				pass(10 * time.Minute)
				drain(l)
				h.UpdateSettings(c.to)
				synctest.Wait()
				if got := causeOf(s); got != c.ends {
					t.Errorf("ended %q, want %q", got, c.ends)
				}
				var warned []wire.WarningCode
				for _, w := range of[wire.Warning](drain(l)) {
					warned = append(warned, w.Code)
				}
				if len(warned) != len(c.warns) || len(warned) > 0 && warned[0] != c.warns[0] {
					t.Errorf("warned %v, want %v", warned, c.warns)
				}
			})
		})
	}
}

// Who is over a limit that was lowered is warned and has the notice, no shorter and no
// longer, unless the call had ended sooner anyway, or the limit is to hold now.
func TestALoweredLimitGivesNotice(t *testing.T) {
	lowered := func(change func(*session.Settings)) func(*fixture) {
		return func(h *fixture) {
			set := h.Settings()
			change(&set)
			h.UpdateSettings(set)
		}
	}
	idle := func(minutes time.Duration) func(*fixture) {
		return lowered(func(s *session.Settings) { s.IdleTimeout = minutes * time.Minute })
	}
	longest := func(minutes time.Duration) func(*fixture) {
		return lowered(func(s *session.Settings) { s.MaxDuration = minutes * time.Minute })
	}
	endNow := func(lower func(*fixture)) func(*fixture) {
		return func(h *fixture) { lower(h); h.EndOverdue() }
	}
	for name, c := range map[string]struct {
		idles  time.Duration // before the change; the timeout is 30 min
		change func(*fixture)
		ends   time.Duration // after it
		cause  wire.EndCause
	}{
		"idle, long over":              {20 * time.Minute, idle(10), session.LoweredNotice, wire.IdleTimeout},
		"idle, over by nothing":        {10 * time.Minute, idle(10), session.LoweredNotice, wire.IdleTimeout},
		"idle, over within the notice": {10*time.Minute - session.LoweredNotice + 1, idle(10), session.LoweredNotice, wire.IdleTimeout},
		"idle, over after the notice":  {10*time.Minute - session.LoweredNotice - 1, idle(10), session.LoweredNotice + 1, wire.IdleTimeout},
		"idle, the old end is sooner":  {30*time.Minute - 5*time.Second, idle(10), 5 * time.Second, wire.IdleTimeout},
		"idle, now":                    {20 * time.Minute, endNow(idle(10)), 0, wire.IdleTimeout},
		"idle, now, not over":          {9 * time.Minute, endNow(idle(10)), time.Minute, wire.IdleTimeout},
		"idle, lowered twice":          {20 * time.Minute, func(h *fixture) { idle(10)(h); pass(15 * time.Second); idle(9)(h) }, session.LoweredNotice, wire.IdleTimeout},
		"longest, long over":           {20 * time.Minute, longest(10), session.LoweredNotice, wire.MaxDuration},
		"longest, within the notice":   {10*time.Minute - session.LoweredNotice + 1, longest(10), session.LoweredNotice, wire.MaxDuration},
		"longest, after the notice":    {10*time.Minute - session.LoweredNotice - 1, longest(10), session.LoweredNotice + 1, wire.MaxDuration},
		"longest, there was none": {20 * time.Minute, func(h *fixture) { longest(0)(h); longest(10)(h) },
			session.LoweredNotice, wire.MaxDuration},
		"longest, now": {20 * time.Minute, endNow(longest(10)), 0, wire.MaxDuration},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(h *fixture) {
				s, l := h.call("a")
				pass(c.idles)
				drain(l)
				changedAt := time.Now()
				c.change(h)
				synctest.Wait()
				if left := c.ends - time.Since(changedAt); left > 0 {
					if left <= session.LoweredNotice {
						warned := of[wire.Warning](drain(l))
						if n := len(warned); c.idles < 28*time.Minute && (n == 0 || !warned[n-1].EndsAt.Equal(changedAt.Add(c.ends).UTC().Truncate(time.Millisecond))) {
							t.Errorf("warned %v, it ends in %v", warned, left)
						}
					}
					h.endsAfter(s, left, c.cause)
				} else if got := causeOf(s); got != c.cause {
					t.Errorf("ended %q, want %q", got, c.cause)
				}
			})
		})
	}
}

func TestALongerLimitTakesTheWarningBack(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, l := h.call("a")
		pass(29 * time.Minute)
		drain(l)
		set := h.Settings()
		set.IdleTimeout = 40 * time.Minute
		h.UpdateSettings(set)
		synctest.Wait()
		if got := of[wire.Warning](drain(l)); len(got) != 1 || !got[0].EndsAt.IsZero() {
			t.Errorf("got %v", got)
		}
		h.endsAfter(s, 11*time.Minute, wire.IdleTimeout)
	})
}

func TestCheckTimeouts(t *testing.T) {
	bubble(t, caps(5, 5), func(h *fixture) {
		a, _ := h.call("a")
		pass(time.Minute)
		b, _ := h.call("b")
		if checked, ended := h.CheckTimeouts(time.Now()); checked != 2 || ended != 0 {
			t.Errorf("checked %d, ended %d", checked, ended)
		}
		if checked, ended := h.CheckTimeouts(time.Now().Add(29 * time.Minute)); checked != 2 || ended != 1 {
			t.Errorf("checked %d, ended %d", checked, ended)
		}
		if causeOf(a) != wire.IdleTimeout || causeOf(b) != "" {
			t.Errorf("ended %q and %q", causeOf(a), causeOf(b))
		}
	})
}
