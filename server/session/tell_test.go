package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/session"
	"parley/shared/quality"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

func TestTheObserverHearsEachChangeInOrder(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s := h.admit(caller("a"))
		began := time.Now()
		synctest.Wait()
		if len(h.seen.all()) != 0 {
			t.Error("told before it was attached")
		}
		l := h.attach(s)
		synctest.Wait()
		l.Offer(wire.Offer{SDP: "x"})
		synctest.Wait()
		s.ConnectionState(rtcstats.StateConnected, time.Now())
		synctest.Wait()
		s.AgentState(wire.AgentListening)
		synctest.Wait()
		l.Activity(wire.Activity{Kind: wire.ActivityMute})
		synctest.Wait()
		l.Lost(time.Now())
		synctest.Wait()
		s.End(wire.AdminEnded, "enough")
		synctest.Wait()
		want := []session.Snapshot{
			{State: wire.StateConnecting, AgentState: wire.AgentConnecting},
			{State: wire.StateActive, AgentState: wire.AgentConnecting},
			{State: wire.StateActive, AgentState: wire.AgentListening},
			{State: wire.StateActive, AgentState: wire.AgentListening, Muted: true},
			{State: wire.StateReconnecting, AgentState: wire.AgentListening, Muted: true},
			{State: wire.StateEnded, AgentState: wire.AgentListening, Muted: true, Cause: wire.AdminEnded, Reason: "enough"},
		}
		got := h.seen.all()
		if len(got) != len(want) {
			t.Fatalf("told %d times: %v", len(got), got)
		}
		for i, w := range want {
			w.ID, w.Agent, w.Caller = s.ID(), "parrot", got[i].Caller
			w.StartedAt, w.LastActiveAt, w.EndsAt = began, began, began.Add(30*time.Minute)
			if w.State == wire.StateEnded {
				w.EndedAt = began
			}
			if got[i] != w {
				t.Errorf("%d: %+v\nwant %+v", i, got[i], w)
			}
		}
	})
}

func TestSignsOfLifeAreToldOnceASecond(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, _ := h.call("a")
		pass(time.Minute)
		before := len(h.seen.all())
		for range 100 { // ten seconds of speech, ten times a second
			s.Speech(rtcstats.LegCaller)
			pass(100 * time.Millisecond)
		}
		pass(2 * time.Second)
		told := h.seen.all()[before:]
		if len(told) < 10 || len(told) > 11 {
			t.Errorf("told %d times in ten seconds", len(told))
		}
		if last := told[len(told)-1]; !last.EndsAt.Equal(last.LastActiveAt.Add(30*time.Minute)) || last.LastActiveAt.Before(time.Now().Add(-3*time.Second)) {
			t.Errorf("last active %v, ends %v", last.LastActiveAt, last.EndsAt)
		}
	})
}

func TestStatesAreSentWhenTheyChangeAndOnceASecond(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, l := h.call("a")
		pass(time.Minute)
		if got := drain(l); len(got) != 0 {
			t.Fatalf("nothing changed: %v", got)
		}
		quality := quality.Verdict{Level: "good", R: 80, MOS: 4}
		s.AgentState(wire.AgentListening)
		synctest.Wait()
		s.AgentState(wire.AgentThinking)
		s.AgentState(wire.AgentSpeaking)
		h.SetQuality(s.ID(), quality)
		synctest.Wait()
		if got := of[wire.State](drain(l)); len(got) != 1 || got[0].Agent != wire.AgentListening || got[0].Quality != nil {
			t.Fatalf("the first: %v", got)
		}
		pass(time.Second - 1)
		if got := drain(l); len(got) != 0 {
			t.Fatalf("early: %v", got)
		}
		pass(1)
		got := of[wire.State](drain(l))
		if len(got) != 1 || got[0].Agent != wire.AgentSpeaking || got[0].Quality == nil || *got[0].Quality != quality {
			t.Fatalf("the second: %v", got)
		}
		h.SetQuality(s.ID(), quality)
		s.AgentState(wire.AgentSpeaking)
		pass(time.Minute)
		if got := drain(l); len(got) != 0 {
			t.Errorf("nothing changed: %v", got)
		}
		h.SetQuality("sess_nobody", quality) // and nothing happens
	})
}

// TestAnAnswerIsToldInTheNextState, and in those after it: the newest one.
func TestAnAnswerIsToldInTheNextState(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, l := h.call("a")
		pass(time.Minute)
		drain(l)
		for n := range 3 {
			s.TurnAnswered(wire.AgentTurn{Number: n + 1, WaitMS: 800, ModelMS: 800})
			synctest.Wait()
		}
		pass(time.Second)
		got := of[wire.State](drain(l))
		if len(got) != 2 || got[0].Turn.Number != 1 || *got[1].Turn != (wire.AgentTurn{Number: 3, WaitMS: 800, ModelMS: 800}) {
			t.Errorf("told: %v", got)
			return
		}
		if got[1].Quality != nil {
			t.Errorf("an answer is rated: %v", got[1].Quality)
		}
		s.AgentState(wire.AgentListening)
		pass(time.Second)
		if got := of[wire.State](drain(l)); len(got) != 1 || got[0].Turn == nil || got[0].Turn.Number != 3 {
			t.Errorf("after it: %v", got)
		}
	})
}

func TestDrain(t *testing.T) {
	type outcome struct {
		took  time.Duration
		cause wire.EndCause
	}
	cases := map[string]struct {
		ctx   func() (context.Context, context.CancelFunc)
		leave time.Duration // the caller leaves by itself
		want  outcome
	}{
		"waits until its deadline": {func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 10*time.Second)
		}, time.Hour, outcome{10 * time.Second, wire.ServerShutdown}},
		"has a deadline of its own": {func() (context.Context, context.CancelFunc) {
			return context.WithCancel(context.Background())
		}, time.Hour, outcome{session.DefaultDrain, wire.ServerShutdown}},
		"is done when all have left": {func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 10*time.Second)
		}, 3 * time.Second, outcome{3 * time.Second, wire.CallerLeft}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(h *fixture) {
				s, l := h.call("a")
				_, gone := h.call("b")
				gone.Lost(time.Now())
				ctx, cancel := c.ctx()
				defer cancel()
				began := time.Now()
				done := make(chan time.Duration, 1)
				go func() {
					if err := h.Drain(ctx); err != nil {
						t.Error(err)
					}
					done <- time.Since(began)
				}()
				synctest.Wait()
				if _, err := h.Admit(caller("c")); wireErrorOf(err) != session.Draining {
					t.Errorf("admitted: %v", err)
				}
				if h.Resumable(session.Caller{User: "b"}) {
					t.Error("resumable while draining")
				}
				ends := began.Add(10 * time.Second)
				if name == "has a deadline of its own" {
					ends = began.Add(session.DefaultDrain)
				}
				want := wire.Warning{Code: wire.WarnDraining, EndsAt: ends.UTC().Truncate(time.Millisecond)}
				if got := of[wire.Warning](drain(l)); len(got) != 1 || got[0] != want {
					t.Errorf("warned %v, want %v", got, want)
				}
				if got := h.seen.last(t).EndsAt; !got.Equal(ends) {
					t.Errorf("the observer was told %v", got)
				}
				if c.leave < time.Minute {
					pass(c.leave)
					l.End(wire.CallerLeft)
					gone.Session().End(wire.ConnectionLost, "")
				}
				if got := <-done; got != c.want.took || causeOf(s) != c.want.cause {
					t.Errorf("took %v, ended %q", got, causeOf(s))
				}
			})
		})
	}
}

// A caller whose budget is spent is told when the call ends, on a new socket, too.
func TestABudgetThatIsSpentIsWarnedOf(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, l := h.call("a")
		drain(l)
		s.BudgetSpent()
		synctest.Wait()
		want := wire.Warning{Code: wire.WarnBudget, EndsAt: time.Now().Add(session.BudgetNotice).UTC().Truncate(time.Millisecond)}
		if got := of[wire.Warning](drain(l)); len(got) != 1 || got[0] != want {
			t.Fatalf("told %v, want %v", got, want)
		}
		told := h.seen.all()
		if got := told[len(told)-1].EndsAt; !got.Equal(time.Now().Add(session.BudgetNotice)) {
			t.Errorf("planned to end at %v", got)
		}
		l.Lost(time.Now())
		pass(time.Second)
		if got := of[wire.Warning](drain(h.attach(s))); len(got) != 1 || got[0] != want {
			t.Errorf("on a new socket: %v", got)
		}
	})
}

func TestDrainOfAnEmptyHouse(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		began := time.Now()
		for range 2 {
			if err := h.Drain(context.Background()); err != nil || time.Since(began) != 0 {
				t.Errorf("took %v, %v", time.Since(began), err)
			}
		}
	})
}

func TestCloseEndsAllAtOnce(t *testing.T) {
	bubble(t, caps(10, 10), func(h *fixture) {
		s, _ := h.call("a")
		waiting := h.admit(caller("a"))
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		if causeOf(s) != wire.ServerShutdown || causeOf(waiting) != wire.ServerShutdown || h.media.closes() != 1 {
			t.Errorf("ended %q and %q, %d closes", causeOf(s), causeOf(waiting), h.media.closes())
		}
		if _, err := h.Admit(caller("a")); wireErrorOf(err) != session.Draining {
			t.Errorf("admitted after Close: %v", err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Who has hello, or has seen an end, finds the session as the observer knows it.
func TestTheObserverKnowsBeforeTheCaller(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s := h.admit(caller("a"))
		h.attach(s)
		if got := h.seen.all(); len(got) != 1 || got[0].State != wire.StateConnecting {
			t.Errorf("at hello the observer was told %v", got)
		}
		if snap, ok := h.Snapshot(s.ID()); !ok || snap.State != wire.StateConnecting {
			t.Errorf("the live session is %v, %v", snap.State, ok)
		}
		s.End(wire.CallerLeft, "")
		if err := h.WaitForObservedEnds(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := h.seen.all(); got[len(got)-1].Cause != wire.CallerLeft {
			t.Errorf("once it is waited for, the observer was told %v", got)
		}
		if _, ok := h.Snapshot(s.ID()); ok {
			t.Error("an ended session is live")
		}
	})
}

// An observer that is stuck doesn't keep the one who waits longer than he wants.
func TestWaitToldGivesUp(t *testing.T) {
	stuck := &stuckObserver{}
	bubble(t, func(c *session.Config) { stuck.release, c.Observer = make(chan struct{}), stuck }, func(h *fixture) {
		s := h.admit(caller("a"))
		h.attach(s)
		s.End(wire.CallerLeft, "")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := h.WaitForObservedEnds(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waited and got %v", err)
		}
		close(stuck.release)
	})
}

// stuckObserver doesn't return from an end until it is released.
type stuckObserver struct{ release chan struct{} }

func (o *stuckObserver) SessionChanged(s session.Snapshot) {
	if s.State == wire.StateEnded {
		<-o.release
	}
}

func (*stuckObserver) SessionSampled(string, session.Observation) {}
