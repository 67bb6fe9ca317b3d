package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"parley/server/agent"
	"parley/server/bridge"
	"parley/server/fault"
	"parley/server/leg"
	"parley/server/privacy"
	"parley/server/session"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// A call from hello to its end: both legs stand, monitor and record know of it,
// and nobody is named who isn't masked.
func TestACall(t *testing.T) {
	r := newRig(t, nil)
	l := r.ring("ada", "")
	id := next[wire.Hello](t, l).SessionID
	voice := r.connect(l)
	until(t, "the session is active, the agent listens", func() bool {
		s, ok := r.Sessions().Snapshot(id)
		return ok && s.State == wire.StateActive && s.AgentState == wire.AgentListening
	})
	until(t, "the monitor shows it", func() bool {
		live := r.monitor.Active("acme")
		return len(live) == 1 && live[0].State == wire.StateActive
	})
	if row := r.monitor.Active("")[0]; row.User != "masked ada" || row.Agent != "echo" ||
		row.Phone != "masked +15550100" || row.Email != "masked a@b.example" || row.Remote != "masked 192.0.2.7" {
		t.Errorf("the monitor shows %+v", row)
	}
	until(t, "the feed tells of the start", func() bool { return len(r.monitor.Snapshot("").Activities) > 0 })
	if started := r.monitor.Snapshot("").Activities; started[0].Phone != "masked +15550100" ||
		started[0].Email != "masked a@b.example" || started[0].Remote != "masked 192.0.2.7" {
		t.Errorf("the feed says %+v", started)
	}
	if user, org, ok := r.Owner(id); user != "ada" || org != "acme" || !ok {
		t.Errorf("the owner is %q of %q, %v", user, org, ok)
	}
	sent := rtp.Packet{Header: rtp.Header{Version: 2}}
	until(t, "the server measures the caller's leg", func() bool {
		sent.Payload = []byte{0x78, 1}
		sent.SequenceNumber++
		sent.Timestamp += 960
		if err := voice.WriteRTP(&sent); err != nil {
			t.Error(err)
		}
		c, ok := r.monitor.Connection(id, time.Time{}, time.Time{}, time.Second)
		return ok && len(c.Streams) > 0
	})
	if err := r.Sessions().End(id, wire.AdminEnded, "enough"); err != nil {
		t.Fatal(err)
	}
	got, err := r.history.Session(context.Background(), id)
	if err != nil || got.EndCause != wire.AdminEnded || got.EndReason != "masked enough" || got.EndedAt == nil ||
		got.User != "masked ada" || got.UserKey != "key of ada" || got.Remote != "masked 192.0.2.7" ||
		got.Phone != "masked +15550100" || got.Email != "masked a@b.example" || got.Node != "n1" {
		t.Errorf("right after the end the record was %+v, %v", got, err)
	}
	var end *session.End
	if !errors.As(context.Cause(l.Context()), &end) || end.Cause != wire.AdminEnded {
		t.Errorf("the caller's link ended for %v", context.Cause(l.Context()))
	}
}

// What callers were told is in the record by the time that they can ask for it,
// however slow the store is.
func TestTheRecordIsTrueWhenCallersAsk(t *testing.T) {
	for range 20 {
		r := newRig(t, nil)
		slow := make(chan struct{})
		r.disk.set(func(d *disk) { d.slow = slow })
		l := r.ring("ada", "")
		id := next[wire.Hello](t, l).SessionID
		got := make(chan rest.SessionRecord, 1)
		go func() {
			s, err := r.history.Session(context.Background(), id)
			if err != nil {
				t.Errorf("right after hello: %v", err)
			}
			got <- s
		}()
		close(slow)
		if s := <-got; s.ID != id || s.State != wire.StateConnecting {
			t.Errorf("right after hello: %+v", s)
		}
		l.End(wire.CallerLeft)
		<-l.Context().Done()
		items, _, err := r.history.Sessions(context.Background(), rest.SessionQuery{})
		if err != nil || len(items) != 1 || items[0].State != wire.StateEnded || items[0].EndCause != wire.CallerLeft {
			t.Errorf("right after the close: %+v, %v", items, err)
		}
	}
}

// A live session has the state that it has now, not the one that it began with.
func TestHistoryShowsLiveStates(t *testing.T) {
	r := newRig(t, nil)
	l := r.ring("ada", "")
	id := next[wire.Hello](t, l).SessionID
	l.Lost(time.Now())
	if s, err := r.history.Session(context.Background(), id); err != nil || s.State != wire.StateReconnecting {
		t.Errorf("%+v, %v", s, err)
	}
}

// A store that is away delays nobody for long, and gets what it missed.
func TestTheStoreIsAway(t *testing.T) {
	r := newRig(t, nil)
	r.disk.set(func(d *disk) { d.broken = errors.New("disk full") })
	l := r.ring("ada", "")
	id := next[wire.Hello](t, l).SessionID
	until(t, "the failure shows", r.Failing)
	if err := r.Sessions().End(id, wire.AdminEnded, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.history.Session(context.Background(), id); !errors.Is(err, fault.NotFound) {
		t.Errorf("asked of a store without it: %v", err)
	}
	r.disk.set(func(d *disk) { d.broken = nil })
	until(t, "the store has the end", func() bool {
		s, err := r.disk.Session(context.Background(), id)
		return err == nil && s.EndCause == wire.AdminEnded
	})
	until(t, "the failure is over", func() bool { return !r.Failing() })
}

// Where many calls begin and end while the store is busy, what waits is kept at once.
func TestTheRecordIsKeptInBatches(t *testing.T) {
	r := newRig(t, nil)
	slow := make(chan struct{})
	r.disk.set(func(d *disk) { d.slow = slow })
	var ids []string
	for i := range 10 {
		l := r.ring(fmt.Sprint("caller", i), "")
		ids = append(ids, next[wire.Hello](t, l).SessionID)
		l.End(wire.CallerLeft)
		<-l.Context().Done()
	}
	close(slow)
	for _, id := range ids {
		if s, err := r.history.Session(t.Context(), id); err != nil || s.EndCause != wire.CallerLeft {
			t.Errorf("%+v, %v", s, err)
		}
	}
	r.disk.set(func(d *disk) {
		if d.writes > len(ids) {
			t.Errorf("%d writes of %d starts and ends", d.writes, 2*len(ids))
		}
	})
}

func TestAdmission(t *testing.T) {
	r := newRig(t, func(c *bridge.Config) {
		c.Sessions.Settings.MaxSessions, c.Sessions.Settings.MaxPerUser = 2, 1
		c.Sessions.ICEServers = func(_ string, c session.Caller) []wire.ICEServer {
			return []wire.ICEServer{{URLs: []string{"turns:" + c.Host}}}
		}
	})
	a, err := r.Admission("ada", "acme", "parley.example:443")
	if err != nil || a.Cap != 2 || a.LinesFree != 2 || len(a.Agents) != 2 || a.Agents[0].Name != "parrot" ||
		a.Limits.IdleTimeoutS != 1800 || len(a.ICEServers) != 1 || a.ICEServers[0].URLs[0] != "turns:parley.example:443" {
		t.Errorf("%+v, %v", a, err)
	}
	for _, on := range []bool{true, false} {
		r.mask.Set(on)
		if a, err := r.Admission("ada", "acme", ""); err != nil || a.PrivacyOff == on {
			t.Errorf("with privacy mode %v callers are told: off is %v, %v", on, a.PrivacyOff, err)
		}
	}
	set := r.Sessions().Settings()
	set.OrgCaps = "acme=1"
	r.UpdateSettings(set)
	if a, err := r.Admission("ada", "acme", ""); err != nil || a.Cap != 2 || a.OrgCap != 1 || a.LinesFree != 1 {
		t.Errorf("of an organization with one line: %+v, %v", a, err)
	}
	if a, err := r.Admission("ada", "globex", ""); err != nil || a.OrgCap != 0 || a.LinesFree != 2 {
		t.Errorf("of an organization without a cap: %+v, %v", a, err)
	}
	set.OrgCaps = ""
	r.UpdateSettings(set)
	if st := r.monitor.Stats(""); st.Cap != 2 || st.PerUserCap != 1 {
		t.Errorf("the monitor knows caps of %d and %d", st.Cap, st.PerUserCap)
	}
	refused := func(user string, code rest.ProblemCode) {
		t.Helper()
		var p *rest.Problem
		if _, err := r.Admission(user, "acme", ""); !errors.As(err, &p) || p.Code != code {
			t.Errorf("%s is told %v, want %s", user, err, code)
		}
	}
	r.ring("ada", "")
	refused("ada", rest.CodeUserCap)
	r.ring("bob", "")
	refused("eve", rest.CodeCapReached)
	r.mask.broken = errors.New("no guard")
	refused("eve", rest.CodePrivacyBlock)
}

// A token that is revoked takes the calls that it carries along, and no others.
// TestEndSession ends a session as its caller wants it: it is on record at once.
func TestEndSession(t *testing.T) {
	r := newRig(t, nil)
	l := r.ring("ada", "")
	id := next[wire.Hello](t, l).SessionID
	if err := r.EndSession(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if got, err := r.disk.Session(t.Context(), id); err != nil || got.EndCause != wire.CallerLeft {
		t.Errorf("the record is %+v, %v", got, err)
	}
	if err := r.EndSession(t.Context(), id); !errors.Is(err, fault.NotFound) {
		t.Errorf("once more: %v", err)
	}
}

func TestEndToken(t *testing.T) {
	r := newRig(t, nil)
	l, other := r.ring("ada", ""), r.ring("bob", "")
	r.EndToken("token of nobody")
	r.EndToken("token of ada")
	var end *session.End
	if <-l.Context().Done(); !errors.As(context.Cause(l.Context()), &end) || end.Cause != wire.Revoked {
		t.Errorf("ended for %v", context.Cause(l.Context()))
	}
	if said := end.Message(); said != "You signed out in another tab or window." {
		t.Errorf("the caller is told %q", said)
	}
	if other.Context().Err() != nil {
		t.Error("another token's call ended")
	}
	r.EndTokens("token of b")
	if <-other.Context().Done(); !errors.As(context.Cause(other.Context()), &end) || end.Cause != wire.Revoked {
		t.Errorf("ended for %v", context.Cause(other.Context()))
	}
	if said := end.Message(); said != "Your sign-in ended at the service that you sign in with." {
		t.Errorf("the caller is told %q", said)
	}
}

// broken is an agent that doesn't answer.
type broken struct{ agent.Agent }

func (broken) Open(context.Context, agent.Call, agent.Events) (agent.Leg, error) {
	return nil, errors.New("no route")
}

// An agent that can't be reached is blamed, and so is one that isn't there; an
// offer that can't be read costs the offer alone.
func TestMediaThatDoesNotOpen(t *testing.T) {
	r := newRig(t, func(c *bridge.Config) {
		c.Agents = agent.NewRegistry(
			agent.Entry{Agent: rest.Agent{Name: "broken"}, Answerer: broken{}},
			agent.Entry{Agent: rest.Agent{Name: "echo"}, Answerer: agent.Echo{}},
		)
	})
	for _, name := range []string{"broken", "nobody"} {
		l := r.ring(name, name)
		peer, _ := r.newPeer()
		l.Offer(wire.Offer{SDP: r.offer(peer)})
		var end *session.End
		if <-l.Context().Done(); !errors.As(context.Cause(l.Context()), &end) || end.Cause != wire.AgentUnavailable {
			t.Errorf("%s: ended for %v", name, context.Cause(l.Context()))
		}
	}
	l := r.ring("ada", "broken")
	l.Offer(wire.Offer{SDP: "v=0"})
	if refused := next[wire.Error](t, l); refused.Code != wire.ErrBadOffer {
		t.Errorf("a bad offer, which no agent is opened for, is refused with %+v", refused)
	}
	l = r.ring("bob", "echo")
	l.Offer(wire.Offer{SDP: "v=0"})
	if refused := next[wire.Error](t, l); refused.Code != wire.ErrBadOffer {
		t.Errorf("a bad offer is refused with %+v", refused)
	}
	r.connect(l) // the session stands
}

// The newest verdict on a session reaches its caller, once there is a bridge.
func TestVerdictsReachTheCaller(t *testing.T) {
	verdicts := bridge.NewVerdicts()
	r := newRig(t, func(c *bridge.Config) { c.Verdicts = verdicts })
	l := r.ring("ada", "")
	id := next[wire.Hello](t, l).SessionID
	verdicts.Put(id, quality.Verdict{Level: quality.Good, R: 75})
	verdicts.Put(id, quality.Verdict{Level: quality.Fair, R: 65})
	for {
		if q := next[wire.State](t, l).Quality; q != nil && q.Level == quality.Fair {
			return
		}
	}
}

// hoarder is an agent that would record a call, and keeps a turn beyond it.
type hoarder struct{ guard *privacy.Privacy }

func (h hoarder) Open(_ context.Context, call agent.Call, _ agent.Events) (agent.Leg, error) {
	if err := h.guard.Ask(privacy.Record, "hoarder", call.Session); err == nil {
		return nil, errors.New("it may record")
	}
	return hoarderLeg{leg.Discard}, h.guard.Hold("hoarder", call.Session, time.Second)
}

type hoarderLeg struct{ leg.Handler }

func (hoarderLeg) Close() error { return nil }

// What an agent asks for stands on the receipt of the call, live and over; what
// it keeps ends protection.
func TestTheReceiptCountsWhatWasRefused(t *testing.T) {
	guard, err := privacy.New(privacy.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *bridge.Config) {
		c.Privacy = &mask{Privacy: guard}
		c.Agents = agent.NewRegistry(
			agent.Entry{Agent: rest.Agent{Name: "hoarder"}, Answerer: hoarder{guard}},
			agent.Entry{Agent: rest.Agent{Name: "echo"}, Answerer: agent.Echo{}},
		)
	})
	for name, want := range map[string]int64{"hoarder": 1, "echo": 0} {
		l := r.ring(name, name)
		id := next[wire.Hello](t, l).SessionID
		r.connect(l)
		if live, err := r.history.Session(t.Context(), id); err != nil || live.Receipt.StorageAttempts != want {
			t.Errorf("%s, live: %+v, %v", name, live.Receipt, err)
		}
		if err := r.Sessions().End(id, wire.AdminEnded, ""); err != nil {
			t.Fatal(err)
		}
		<-l.Context().Done()
		if over, err := r.history.Session(t.Context(), id); err != nil || over.EndedAt == nil || over.Receipt.StorageAttempts != want {
			t.Errorf("%s, over: %+v, %v", name, over, err)
		}
	}
	until(t, "audio that is kept is told", func() bool { return guard.Protected() != nil })
	if a := guard.Status().Audio; a.Blocked != 2 || a.ByKind["persist"] != 1 || a.ByKind["record"] != 1 {
		t.Errorf("%+v", a)
	}
}

// forbidden is an agent that does what the guard refuses.
type forbidden struct{ agent.Echo }

func (forbidden) Open(_ context.Context, c agent.Call, _ agent.Events) (agent.Leg, error) {
	return nil, fmt.Errorf("%w: %w", agent.ErrForbidden, c.Words.Transcribe("forbidden", c.Session, false))
}

func TestWhatTheGuardRefusesAnAgentEndsTheCall(t *testing.T) {
	r := newRig(t, func(c *bridge.Config) {
		c.Agents = agent.NewRegistry(agent.Entry{Agent: rest.Agent{Name: "echo"}, Answerer: forbidden{}})
	})
	l := r.ring("ada", "")
	id := next[wire.Hello](t, l).SessionID
	pc, _ := r.newPeer()
	if refused := l.Offer(wire.Offer{SDP: r.offer(pc)}); refused != nil {
		t.Fatal(refused)
	}
	<-l.Context().Done()
	var end *session.End
	if !errors.As(context.Cause(l.Context()), &end) || end.Cause != wire.PrivacyBlocked {
		t.Errorf("ended by %v", context.Cause(l.Context()))
	}
	until(t, "the receipt says that something was refused", func() bool {
		over, err := r.history.Session(t.Context(), id)
		return err == nil && over.Receipt.StorageAttempts == 1
	})
}

// captioner is an agent that shows what is said.
type captioner struct{ agent.Echo }

func (c captioner) Open(ctx context.Context, call agent.Call, on agent.Events) (agent.Leg, error) {
	if err := errors.Join(call.Words.Caption("captioner", call.Session), call.Words.Transcribe("captioner", call.Session, true)); err != nil {
		return nil, err
	}
	return c.Echo.Open(ctx, call, on)
}

func TestTheReceiptSaysWhatAudioWasUsedFor(t *testing.T) {
	r := newRig(t, func(c *bridge.Config) {
		c.Agents = agent.NewRegistry(agent.Entry{Agent: rest.Agent{Name: "echo"}, Answerer: captioner{}})
	})
	l := r.ring("ada", "")
	id := next[wire.Hello](t, l).SessionID
	r.connect(l)
	want := []string{"caption", "transcribe_in_call"}
	if live, err := r.history.Session(t.Context(), id); err != nil || !slices.Equal(live.Receipt.Uses, want) {
		t.Errorf("live: %+v, %v", live.Receipt, err)
	}
	if err := r.Sessions().End(id, wire.AdminEnded, ""); err != nil {
		t.Fatal(err)
	}
	<-l.Context().Done()
	if over, err := r.history.Session(t.Context(), id); err != nil || over.EndedAt == nil || !slices.Equal(over.Receipt.Uses, want) {
		t.Errorf("over: %+v, %v", over.Receipt, err)
	}
}
