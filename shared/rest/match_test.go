package rest_test

import (
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// TestWhichSessionsPass: each field of the query alone, at its edge.
func TestWhichSessionsPass(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	s := rest.Session{
		ID: "sess_1", User: "ada@example.test", Name: "Ada", Org: "acme", Agent: "echo", Node: "a", State: wire.StateActive, AgentState: wire.AgentSpeaking,
		StartedAt: now.Add(-5 * time.Minute), LastActiveAt: now.Add(-30 * time.Second), Path: &rest.MediaPath{Protocol: "udp", Relay: "tls"},
	}
	s.Quality.Level, s.Quality.Cause = quality.Fair, quality.CauseLoss
	for name, c := range map[string]struct {
		q    rest.ActiveQuery
		want bool
	}{
		"nothing asked":   {rest.ActiveQuery{}, true},
		"its level":       {rest.ActiveQuery{Quality: "poor,fair"}, true},
		"other levels":    {rest.ActiveQuery{Quality: "poor,good"}, false},
		"speaking":        {rest.ActiveQuery{Doing: rest.DoingSpeaking}, true},
		"listening":       {rest.ActiveQuery{Doing: rest.DoingListening}, false},
		"its agent":       {rest.ActiveQuery{Agent: "echo"}, true},
		"another agent":   {rest.ActiveQuery{Agent: "ech"}, false},
		"its node":        {rest.ActiveQuery{Node: "a"}, true},
		"another node":    {rest.ActiveQuery{Node: "b"}, false},
		"its cause":       {rest.ActiveQuery{Cause: quality.CauseLoss}, true},
		"another cause":   {rest.ActiveQuery{Cause: quality.CauseCPU}, false},
		"on for 5 min":    {rest.ActiveQuery{LongerS: 300}, true},
		"and a second":    {rest.ActiveQuery{LongerS: 301}, false},
		"by a relay":      {rest.ActiveQuery{Path: rest.PathRelay}, true},
		"or direct":       {rest.ActiveQuery{Path: rest.PathDirect}, false},
		"quiet for 30 s":  {rest.ActiveQuery{IdleS: 30}, true},
		"and one more":    {rest.ActiveQuery{IdleS: 31}, false},
		"part of an id":   {rest.ActiveQuery{Q: "SESS_1 "}, true},
		"part of a name":  {rest.ActiveQuery{Q: "aD"}, true},
		"the level":       {rest.ActiveQuery{Q: "fair"}, true},
		"no such text":    {rest.ActiveQuery{Q: "adae"}, false},
		"one of two":      {rest.ActiveQuery{Agent: "echo", Q: "nobody"}, false},
		"across of texts": {rest.ActiveQuery{Q: "adaacme"}, false},
	} {
		if got := c.q.Passes(&s, now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestWhatGoesOn: of several things, the one that matters most.
func TestWhatGoesOn(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for want, s := range map[rest.Doing]rest.Session{
		rest.DoingConnecting:   {State: wire.StateConnecting, Muted: true, LastActiveAt: now},
		rest.DoingReconnecting: {State: wire.StateReconnecting, Muted: true, LastActiveAt: now},
		rest.DoingMuted:        {State: wire.StateActive, Muted: true, LastActiveAt: now.Add(-time.Hour)},
		rest.DoingQuiet:        {State: wire.StateActive, AgentState: wire.AgentSpeaking, LastActiveAt: now.Add(-time.Minute)},
		rest.DoingThinking:     {State: wire.StateActive, AgentState: wire.AgentThinking, LastActiveAt: now.Add(1 - time.Minute)},
		rest.DoingSpeaking:     {State: wire.StateActive, AgentState: wire.AgentSpeaking, LastActiveAt: now},
		rest.DoingListening:    {State: wire.StateActive, AgentState: wire.AgentListening, LastActiveAt: now},
	} {
		if got := s.DoingAt(now); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

// TestWhichActivitiesAndLinesPass: by kind, and by what is shown of them.
func TestWhichActivitiesAndLinesPass(t *testing.T) {
	a := rest.Activity{Kind: rest.ActivityCall, What: rest.CallStarted, User: "ada", Session: "sess_1", Remote: "203.0.113.•", Phone: "+90"}
	for name, c := range map[string]struct {
		q    rest.ActivityQuery
		want bool
	}{
		"nothing asked": {rest.ActivityQuery{}, true},
		"two kinds":     {rest.ActivityQuery{Kind: "admin,call"}, true},
		"another":       {rest.ActivityQuery{Kind: "admin"}, false},
		"what happened": {rest.ActivityQuery{Q: "call started"}, true},
		"an address":    {rest.ActivityQuery{Q: "113.•"}, true},
		"no row has it": {rest.ActivityQuery{Q: "+90"}, false},
	} {
		if got := c.q.Passes(&a); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	e := rest.AuditEntry{Actor: "root", Action: rest.AuditEndSession, Target: "sess_1", Reason: "Maintenance", Remote: "10.0.0.•", RequestID: "req_A"}
	for part, want := range map[string]bool{"": true, "ROOT": true, "end_": true, "ess_1": true, "tenance": true, "10.0": true, "req_a": true, "done": false, "rootend": false} {
		if got := (&rest.AuditQuery{Q: part}).Passes(&e); got != want {
			t.Errorf("a line with %q: %v", part, got)
		}
	}
}
