package main

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
	"parley/wasm/peer"
)

func TestEchoReturnsAudioAtOnce(t *testing.T) {
	t.Parallel()
	p := start(t)
	k := p.talking(t, "ann", "echo")
	k.say(t, 2*time.Second, true)
	eventually(t, "nearly all of 100 packets come back", func() bool { return len(k.back()) >= 95 })
	for i, n := range k.back() {
		if n >= 100 {
			t.Fatalf("packet %d of the echo has number %d, which was never sent", i, n)
		}
	}
}

func TestParrotWaitsForThePause(t *testing.T) {
	t.Parallel()
	p := start(t)
	k := p.talking(t, "ann", "parrot")
	k.say(t, time.Second, true)
	if n := len(k.back()); n > 0 {
		t.Errorf("%d packets came back before the pause", n)
	}
	k.say(t, 3*time.Second, false)
	eventually(t, "what was said comes back", func() bool {
		spoken := 0
		for _, n := range k.back() {
			if n < 50 {
				spoken++
			}
		}
		return spoken >= 45
	})
	states := events[peer.StateReceived](k)
	if !sawAgent(states, wire.AgentSpeaking) {
		t.Errorf("the caller was never told that the agent speaks: %+v", states)
	}
	eventually(t, "the agent listens again", func() bool {
		states := events[peer.StateReceived](k)
		return states[len(states)-1].State.Agent == wire.AgentListening
	})
}

func sawAgent(states []peer.StateReceived, want wire.AgentState) bool {
	for _, s := range states {
		if s.State.Agent == want {
			return true
		}
	}
	return false
}

func TestAdminSeesTheCallAndEndsIt(t *testing.T) {
	t.Parallel()
	p := start(t)
	k := p.talking(t, "ann", "echo")
	within(t, "the admin's list has the call", 2*time.Second, func() bool {
		live := p.active(t)
		return len(live) == 1 && live[0].ID == k.session() && live[0].User == "ann" && live[0].State == "active"
	})
	var seen rest.Connection
	eventually(t, "both ends' numbers are there while somebody speaks", func() bool {
		k.say(t, time.Second, true)
		p.ask(t, "demo-admin", http.MethodGet, "/api/v1/monitoring/connection/"+k.session(), nil, &seen)
		return measured(seen, "client", "to_caller") && measured(seen, "server", "to_agent")
	})
	if got := p.ask(t, "ann", http.MethodPost, "/api/v1/monitoring/sessions/"+k.session()+"/end", rest.EndRequest{Reason: "mine"}, nil); got != http.StatusForbidden {
		t.Errorf("a caller who would end a call as an admin gets %d, want 403", got)
	}
	if got := p.ask(t, "demo-admin", http.MethodPost, "/api/v1/monitoring/sessions/"+k.session()+"/end", rest.EndRequest{Reason: "maintenance"}, nil); got >= 300 {
		t.Fatalf("the admin's end: %d", got)
	}
	end := k.over(t)
	if end.Ended.Cause != wire.AdminEnded || end.Ended.Message != "maintenance" {
		t.Errorf("the caller reads %+v, want admin_ended and the reason", end.Ended)
	}
	eventually(t, "the list is empty", func() bool { return len(p.active(t)) == 0 })
}

func measured(c rest.Connection, by rtcstats.MeasuredBy, direction quality.Direction) bool {
	for _, s := range c.Streams {
		if s.MeasuredBy == by && s.Direction == direction && s.PacketsReceived > 0 && s.Latest.RTTMS != nil {
			return true
		}
	}
	return false
}

func TestQualityIsTheOwnersAndTheAdmins(t *testing.T) {
	t.Parallel()
	p := start(t)
	k := p.talking(t, "ann", "echo")
	path := "/api/v1/monitoring/connection/" + k.session()
	for sub, want := range map[string]int{"ann": 200, "demo-admin": 200, "bob": 404, "": 401} {
		if got := p.ask(t, sub, http.MethodGet, path, nil, nil); got != want {
			t.Errorf("%q asking for ann's quality gets %d, want %d", sub, got, want)
		}
	}
}

func TestCapHoldsAndAPlaceComesBack(t *testing.T) {
	t.Parallel()
	p := start(t, "--max-sessions=2")
	first := p.talking(t, "ann", "echo")
	p.talking(t, "bob", "echo")
	var refusal *rest.Problem
	if end := p.ring(t, "eve", "echo").over(t); !errors.As(end.Err, &refusal) || refusal.Code != rest.CodeCapReached || refusal.RetryAfterS == 0 || refusal.Limit != 2 {
		t.Errorf("the third caller gets %v, want cap_reached of 2 with a time to come back", end.Err)
	}
	var admission rest.Problem
	if got := p.ask(t, "eve", http.MethodGet, rest.PathAdmission, nil, &admission); got != http.StatusServiceUnavailable || admission.Code != rest.CodeCapReached || admission.Limit != 2 {
		t.Errorf("admission says %d %s, want what the socket said", got, admission.Code)
	}
	first.call.Hangup()
	if end := first.over(t); end.Ended.Cause != wire.CallerLeft {
		t.Errorf("the one who hung up ended by %s", end.Ended.Cause)
	}
	eventually(t, "the place is free", func() bool {
		return p.ask(t, "eve", http.MethodGet, rest.PathAdmission, nil, nil) == http.StatusOK
	})
	p.talking(t, "eve", "echo")
}

func TestOneCallAUser(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.talking(t, "ann", "echo")
	var refusal *rest.Problem
	if end := p.ring(t, "ann", "echo").over(t); !errors.As(end.Err, &refusal) || refusal.Code != rest.CodeUserCap {
		t.Errorf("a second call of the same user gets %v, want user_cap", end.Err)
	}
}

func TestACutSocketKeepsTheSession(t *testing.T) {
	t.Parallel()
	p := start(t)
	k := p.talking(t, "ann", "echo")
	id := k.session()
	k.Cut()
	before := len(k.back())
	k.say(t, time.Second, true)
	eventually(t, "audio flows on", func() bool { return len(k.back()) >= before+45 })
	eventually(t, "the admin sees the one session, active", func() bool {
		live := p.active(t)
		return len(live) == 1 && live[0].ID == id && live[0].State == "active"
	})
	// Words reach the caller only by a socket: there is a new one.
	p.ask(t, "demo-admin", http.MethodPost, "/api/v1/monitoring/sessions/"+id+"/end", rest.EndRequest{Reason: "enough"}, nil)
	if end := k.over(t); end.Ended.Cause != wire.AdminEnded || end.Ended.Message != "enough" {
		t.Errorf("the caller reads %+v", end.Ended)
	}
}

func TestAKilledPeerIsGoneAfterTheGrace(t *testing.T) {
	t.Parallel()
	p := start(t, "--reconnect-grace=1s")
	kill := p.callFromAnotherProcess(t, "ann")
	eventually(t, "the call is on", func() bool {
		live := p.active(t)
		return len(live) == 1 && live[0].State == wire.StateActive
	})
	kill()
	eventually(t, "its place is free", func() bool { return len(p.active(t)) == 0 })
	var stats rest.Stats
	p.ask(t, "demo-admin", http.MethodGet, rest.PathStats, nil, &stats)
	if stats.EndCauses[wire.ConnectionLost] != 1 {
		t.Errorf("it ended by %v, want one connection_lost", stats.EndCauses)
	}
}

func TestIdleCallIsWarnedAndEnded(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes the shortest idle timeout there is, a minute")
	}
	p := spawn(t, "--idle-timeout=1m", "--idle-warning=20s")
	idle := startStopwatch(p.cmd.Process.Pid)
	k := p.talking(t, "ann", "parrot")
	within(t, "the caller is warned", patience, func() bool { return k.warned(wire.WarnIdle) })
	if at := time.Since(idle.began); at < 39*time.Second {
		t.Errorf("warned after %v of a minute, want 20 s before its end", at)
	}
	select {
	case end := <-k.end:
		k.end <- end
		if end.Ended.Cause != wire.IdleTimeout {
			t.Errorf("ended by %s, want idle_timeout", end.Ended.Cause)
		}
		if at := time.Since(idle.began); at < 59*time.Second {
			t.Errorf("ended after %v, want a minute", at)
		}
		idle.over(t, "the idle call is over", 65*time.Second)
	case <-time.After(patience):
		t.Error("the idle call doesn't end")
	}
}

func TestShutdownDrains(t *testing.T) {
	t.Parallel()
	p := start(t, "--drain-timeout=3s")
	p.tokens = map[string]string{"bob": p.token(t, "bob")} // minted now: it has but 3 s
	k := p.talking(t, "ann", "echo")
	p.stop()
	eventually(t, "the caller is warned", func() bool { return k.warned(wire.WarnDraining) })
	if got := p.ask(t, "", http.MethodGet, rest.PathReady, nil, nil); got != http.StatusServiceUnavailable {
		t.Errorf("readyz of a draining server says %d", got)
	}
	var problem rest.Problem
	if got := p.ask(t, "bob", http.MethodGet, rest.PathAdmission, nil, &problem); got != http.StatusServiceUnavailable || problem.Code != rest.CodeDraining {
		t.Errorf("admission of a draining server says %d %s", got, problem.Code)
	}
	if end := k.over(t); end.Ended.Cause != wire.ServerShutdown {
		t.Errorf("the call ended by %s, want server_shutdown", end.Ended.Cause)
	}
	p.finished(t)
	if log := p.logs.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("the shutdown logged an error:\n%s", log)
	}
}
