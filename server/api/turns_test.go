package api_test

import (
	"context"
	"testing"
	"time"

	"parley/shared/rest"
	"parley/shared/wire"
)

// The turns of a call are told one by one, to its owner too: those of the record and
// then the newest, each once and as it is known by now, while the call lasts and after.
func TestTheTurnsOfACall(t *testing.T) {
	r := newRig(t, nil)
	id := r.call("alice", "")
	turn := func(n int, spoke *float64) *rest.Turn {
		return &rest.Turn{Number: n, EndOfSpeech: r.moment(n), WaitMS: 800, AgentSpokeMS: spoke}
	}
	cuts := []rest.Interruption{{At: r.moment(5), SilentMS: new(80.0)}, {At: r.moment(9), SilentMS: new(90.0)}}
	kept := []rest.TurnRecord{{Session: id, Turn: turn(1, new(1000.0))}, {Session: id, Turn: turn(2, new(2000.0))}, {Session: id, Interruption: &cuts[0]}}
	if err := r.store.AppendTurns(context.Background(), kept); err != nil {
		t.Fatal(err)
	}
	r.monitor.TurnsMeasured(id, []rest.Turn{*turn(2, nil), *turn(3, nil)}, cuts)
	r.monitor.TurnsEnded(id, []rest.Turn{*turn(2, new(2000.0))})
	path := "/api/v1/monitoring/connection/" + id
	check := func(when string, of rest.SessionTurns, turns int) {
		t.Helper()
		if len(of.Latest) != turns {
			t.Fatalf("%s: %+v", when, of.Latest)
		}
		for i, turn := range of.Latest {
			if isOver := turn.AgentSpokeMS != nil; turn.Number != i+1 || isOver != (i < 2) {
				t.Errorf("%s: turn %d is %+v", when, i, turn)
			}
		}
		if len(of.LatestInterruptions) != 2 || *of.LatestInterruptions[0].SilentMS != 80 || *of.LatestInterruptions[1].SilentMS != 90 {
			t.Errorf("%s: interruptions %+v", when, of.LatestInterruptions)
		}
	}
	check("live", read[rest.Connection](t, r.do("GET", path, "", r.as("alice"))).Turns, 3)
	r.end(id, wire.CallerLeft, "")
	r.waitTold()
	check("just ended", read[rest.Connection](t, r.do("GET", path, "", r.as("alice"))).Turns, 3)

	past := rest.SessionRecord{ID: "past", User: "alice", UserKey: r.privacy.UserKey("alice"), State: "ended", StartedAt: r.began.Add(-time.Hour), EndedAt: &r.began}
	if err := r.store.SessionEnded(context.Background(), past); err != nil {
		t.Fatal(err)
	}
	for i := range kept {
		kept[i].Session = "past"
	}
	if err := r.store.AppendTurns(context.Background(), append(kept, rest.TurnRecord{Session: "past", Interruption: &cuts[1]})); err != nil {
		t.Fatal(err)
	}
	check("long ago", read[rest.Connection](t, r.do("GET", "/api/v1/monitoring/connection/past", "", r.as("alice"))).Turns, 2)
	if got := r.do("GET", path, "", r.as("bob")); got.status != 404 {
		t.Errorf("another caller: %d", got.status)
	}
}

// The uses of an agent's tools are told to admins, and to nobody else.
func TestTheToolUsesOfACall(t *testing.T) {
	r := newRig(t, nil)
	id := r.call("alice", "")
	use := rest.ToolUse{At: r.moment(1).UTC(), Session: id, Tool: "find_order", Result: "ok", TookMS: 12.5}
	if err := r.store.AppendTurns(context.Background(), []rest.TurnRecord{{Session: id, ToolUse: &use}}); err != nil {
		t.Fatal(err)
	}
	if got := read[rest.OwnSession](t, r.get("/api/v1/monitoring/sessions/"+id)); len(got.ToolUses) != 1 || got.ToolUses[0].Tool != "find_order" {
		t.Errorf("admins are told %+v", got.ToolUses)
	}
	if e := r.newest(rest.AuditView); e.Target != id {
		t.Errorf("on record is %+v", e)
	}
	if got := read[rest.OwnSession](t, r.do("GET", "/api/v1/sessions/"+id, "", r.as("alice"))); len(got.ToolUses) != 0 {
		t.Errorf("the caller is told %+v", got.ToolUses)
	}
}
