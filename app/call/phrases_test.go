package call_test

import (
	"strings"
	"testing"
	"time"

	"parley/app/call"
	"parley/shared/rest"
	"parley/shared/wire"
)

func TestTitle(t *testing.T) {
	cases := map[string]struct {
		p    call.Picture
		want string
	}{
		"ready":      {call.Picture{}, "Ready to call · Parley"},
		"connecting": {call.Picture{Phase: call.Connecting}, "Connecting… · Parley"},
		"live":       {talking(), "● 01:00 Call · Parley"},
		"an hour":    {with(talking(), func(p *call.Picture) { p.Now = noon.Add(time.Hour) }), "● 1:01:00 Call · Parley"},
		"muted":      {with(talking(), func(p *call.Picture) { p.Talk.Muted = true }), "🔇 01:00 Call · Parley"},
		"over":       {call.Picture{Phase: call.Over}, "Call ended · Parley"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := call.Title(c.p); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestOrbShapesDiffer(t *testing.T) {
	shapes := map[string]call.Picture{
		"ready":        {},
		"connecting":   {Phase: call.Connecting},
		"over":         {Phase: call.Over},
		"listening":    talking(),
		"thinking":     with(talking(), func(p *call.Picture) { p.Talk.State.Agent = wire.AgentThinking }),
		"speaking":     with(talking(), func(p *call.Picture) { p.Talk.State.Agent = wire.AgentSpeaking }),
		"muted":        with(talking(), func(p *call.Picture) { p.Talk.Muted = true }),
		"reconnecting": with(talking(), func(p *call.Picture) { p.Talk.Muted, p.Talk.Until = true, noon }),
	}
	for want, p := range shapes {
		if got := call.OrbShape(p); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEveryEndIsTold(t *testing.T) {
	for _, cause := range wire.EndCauses() {
		p := with(talking(), func(p *call.Picture) {
			p.Phase, p.End = call.Over, call.End{Ended: wire.Ended{Cause: cause, Message: "maintenance."}}
		})
		w := call.EndWords(p)
		if w.Title == "" || w.Text == "" || strings.ContainsAny(w.Title+w.Text, "{}") {
			t.Errorf("%s: %+v", cause, w)
		}
	}
}

func TestEndWords(t *testing.T) {
	end := func(e call.End) call.Picture {
		return with(talking(), func(p *call.Picture) { p.Phase, p.End = call.Over, e })
	}
	cases := map[string]struct {
		p           call.Picture
		title, text string
	}{
		"an admin's reason":   {end(call.End{Ended: wire.Ended{Cause: wire.AdminEnded, Message: "maintenance"}}), "An admin ended this call", "Reason: maintenance."},
		"a reason with a dot": {end(call.End{Ended: wire.Ended{Cause: wire.AdminEnded, Message: " Maintenance. "}}), "An admin ended this call", "Reason: Maintenance."},
		"no reason":           {end(call.End{Ended: wire.Ended{Cause: wire.AdminEnded}}), "An admin ended this call", "No reason was given."},
		"quiet":               {end(call.End{Ended: wire.Ended{Cause: wire.IdleTimeout}}), "Call ended: quiet for 30 minutes", "Nothing was said, so we closed the line."},
		"longest":             {end(call.End{Ended: wire.Ended{Cause: wire.MaxDuration}}), "Call ended: time is up", "Calls on this server last 60 minutes at most."},
		"lost":                {end(call.End{Failure: "lost", Ended: wire.Ended{Cause: wire.ConnectionLost}, Tried: 29_700 * time.Millisecond}), "Connection lost", "We tried for 30 s."},
		"lost for good":       {end(call.End{Failure: "lost", Ended: wire.Ended{Cause: wire.ConnectionLost}, Tried: 3 * time.Second}), "Connection lost", "We tried for 3 s."},
		"no path":             {end(call.End{Failure: "ice_failed"}), "Couldn't connect the call", "Your network blocks call traffic (UDP and the relay). Try mobile data, or turn off the VPN."},
		"refused at once":     {call.Picture{Phase: call.Over, End: call.End{Failure: "lost"}}, "Connection lost", "We tried for a moment."},
		"limits never told":   {call.Picture{Phase: call.Over, End: call.End{Ended: wire.Ended{Cause: wire.MaxDuration}}}, "Call ended: time is up", "It lasted as long as a call may on this server."},
		"lost, by the record": {call.Picture{End: call.End{Ended: wire.Ended{Cause: wire.ConnectionLost}}}, "Connection lost", "It couldn't be put together again."},
		"a newer cause":       {end(call.End{Ended: wire.Ended{Cause: "agent_bored"}}), "Call ended", "The server gave no reason that this page knows."},
		"no cause":            {end(call.End{}), "Call ended", "The server gave no reason that this page knows."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if w := call.EndWords(c.p); w.Title != c.title || w.Text != c.text {
				t.Errorf("got %q %q", w.Title, w.Text)
			}
		})
	}
}

func TestRefusalWords(t *testing.T) {
	cases := map[string]struct {
		p    call.Picture
		want string
	}{
		"busy": {call.Picture{Now: noon,
			Refusal: &call.Refusal{Problem: rest.Problem{Code: rest.CodeCapReached, Limit: 100}, RetryAt: noon.Add(11*time.Second + 1)}},
			"All 100 lines are in use. We'll try again in 12 s and keep your place on this screen."},
		"busy, the cap is unknown": {call.Picture{Now: noon,
			Refusal: &call.Refusal{Problem: rest.Problem{Code: rest.CodeCapReached}, RetryAt: noon.Add(time.Second)}},
			"All lines are in use. We'll try again in 1 s and keep your place on this screen."},
		"busy, no longer trying": {call.Picture{Now: noon, Refusal: &call.Refusal{Problem: rest.Problem{Code: rest.CodeCapReached}}},
			"All lines are in use."},
		"too fast": {call.Picture{Now: noon, Refusal: &call.Refusal{Problem: rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: 12}}},
			"You can try again in 12 s."},
		"our fault": {call.Picture{Now: noon, Refusal: &call.Refusal{Problem: rest.Problem{Code: rest.CodeServerError, RequestID: "req_8F3K"}}},
			"It's been logged. Request req_8F3K."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := call.RefusalWords(c.p).Text; got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestAgentTitle(t *testing.T) {
	lobby := call.Admission{Answer: &rest.Admission{Agents: []rest.Agent{{Name: "parrot", Title: "Polly"}, {Name: "echo"}}}}
	cases := map[string]struct {
		p    call.Picture
		name string
		want string
	}{
		"the server's title":   {call.Picture{Admission: lobby}, "parrot", "Polly"},
		"no title":             {call.Picture{Admission: lobby}, "echo", "echo"},
		"the default":          {call.Picture{Admission: lobby}, "", "Polly"},
		"the chosen one":       {call.Picture{Admission: lobby, Choice: call.Choice{Agent: "echo"}}, "", "echo"},
		"not asked yet":        {call.Picture{}, "parrot", "Parrot"},
		"nothing is known yet": {call.Picture{}, "", "Agent"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := call.AgentTitle(c.p, c.name); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestDiagnosticsNameNobody(t *testing.T) {
	p := call.Apply(talking(), measured(-20, -20), noon)
	text := call.Diagnose(p)
	for _, want := range []string{`"session_id": "sess_1"`, `"loss_ratio": 0.04`, `"seconds": 60`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	for _, never := range []string{"candidate", "address", "user", "name"} {
		if strings.Contains(text, never) {
			t.Errorf("%s in %s", never, text)
		}
	}
}

func TestPathWord(t *testing.T) {
	for want, c := range map[string][2]string{
		"Direct, UDP": {"direct", "udp"}, "Through a relay, TCP": {"relay", "tcp"}, "Through a relay, TLS": {"relay", "tls"}, "Direct": {"direct", ""}, "–": {"", "udp"},
	} {
		if got := call.PathWord(c[0], c[1]); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
