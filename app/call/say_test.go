package call_test

import (
	"strings"
	"testing"
	"time"

	"parley/app/call"
	"parley/shared/quality"
	"parley/shared/wire"
	"parley/wasm/peer"
)

func TestWhatIsSaid(t *testing.T) {
	talk := func(change func(*call.Talk)) call.Picture {
		return with(talking(), func(p *call.Picture) { change(&p.Talk) })
	}
	warned := func(left time.Duration) call.Picture {
		return talk(func(t *call.Talk) { t.Warning = warning(wire.WarnIdle, left).Warning })
	}
	cases := map[string]struct {
		before, after call.Picture
		want          string
		urgent        bool
	}{
		"nothing happened":  {talking(), talking(), "", false},
		"the call is begun": {call.Picture{Phase: call.Connecting}, talking(), "Connected. The call has begun.", false},
		"a step": {call.Picture{Phase: call.Connecting}, call.Picture{Phase: call.Connecting, Setup: call.Setup{Step: peer.StepPath}},
			"Finding a path…", false},
		"the same step": {call.Picture{Phase: call.Connecting}, call.Picture{Phase: call.Connecting, Now: noon}, "", false},
		"microphone blocked": {call.Picture{}, call.Picture{Mic: call.MicCheck{State: call.MicFailed, Problem: "mic_busy"}},
			"Microphone is in use. Another app or tab is using it. Close that app, then try again.", true},
		"no UDP":   {call.Picture{}, call.Picture{Way: call.WayTCP}, "No UDP gets through from here.", false},
		"all open": {call.Picture{}, call.Picture{Way: call.WayUDP}, "", false},
		"heard":    {call.Picture{}, call.Picture{Mic: call.MicCheck{State: call.MicOpen, Heard: true}}, "We can hear you.", false},
		"offline":  {call.Picture{}, call.Picture{Admission: call.Admission{Offline: true}}, "You're offline.", false},
		"online":   {call.Picture{Admission: call.Admission{Offline: true}}, call.Picture{}, "You're back online.", false},
		"dropped": {talking(), talk(func(t *call.Talk) { t.Until = noon.Add(30 * time.Second) }),
			"Reconnecting… Your place is kept for 30 s.", true},
		"recovered":    {talk(func(t *call.Talk) { t.Until = noon }), talking(), "Connected again.", false},
		"mic lost":     {talking(), talk(func(t *call.Talk) { t.Notice.Code = "mic_lost" }), "Microphone disconnected.", true},
		"muted":        {talking(), talk(func(t *call.Talk) { t.Muted = true }), "Muted.", false},
		"unmuted":      {talk(func(t *call.Talk) { t.Muted = true }), talking(), "Unmuted.", false},
		"a warning":    {talking(), warned(2 * time.Minute), "Still there? This call ends in 2:00 because it's been quiet.", true},
		"at a minute":  {warned(61 * time.Second), warned(time.Minute), "This call ends in 1 minute.", true},
		"at 30 s":      {warned(31 * time.Second), warned(30 * time.Second), "This call ends in 30 seconds.", true},
		"at 10 s":      {warned(11 * time.Second), warned(9 * time.Second), "This call ends in 10 seconds.", true},
		"between":      {warned(50 * time.Second), warned(49 * time.Second), "", false},
		"still here":   {warned(time.Minute), talk(func(t *call.Talk) { t.Thanks = noon }), "Good, still here.", false},
		"you ended":    {talking(), with(talking(), func(p *call.Picture) { p.Phase = call.Over; p.End.Ended.Cause = wire.CallerLeft }), "Call ended. You ended the call.", false},
		"others ended": {talking(), with(talking(), func(p *call.Picture) { p.Phase = call.Over; p.End.Ended.Cause = wire.AgentLeft }), "Call ended. The agent ended the call.", true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var n call.Narrator
			got, urgent := n.Narrate(c.before, c.after)
			if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" || urgent != c.urgent {
				t.Errorf("got %q (urgent: %v), want %q", got, urgent, c.want)
			}
		})
	}
}

// The narrator never talks over the agent, and not more often than each 4 s.
func TestAgentIsAnnouncedSparingly(t *testing.T) {
	at := func(s time.Duration, state wire.AgentState) call.Picture {
		return with(talking(), func(p *call.Picture) { p.Now, p.Talk.State.Agent = noon.Add(s), state })
	}
	var n call.Narrator
	n.Narrate(call.Picture{Phase: call.Connecting}, at(0, wire.AgentListening))
	if got, _ := n.Narrate(at(0, wire.AgentListening), at(4*time.Second-1, wire.AgentThinking)); got != "" {
		t.Errorf("within 4 s: %q", got)
	}
	if got, _ := n.Narrate(at(0, wire.AgentListening), at(4*time.Second, wire.AgentThinking)); got != "Agent is thinking." {
		t.Errorf("at 4 s: %q", got)
	}
	if got, _ := n.Narrate(at(0, wire.AgentThinking), at(time.Minute, wire.AgentSpeaking)); got != "" {
		t.Errorf("over the agent's voice: %q", got)
	}
}

// Falls to fair and poor are told, and the way back, at most each 30 s.
func TestTheLineIsAnnouncedSparingly(t *testing.T) {
	at := func(s time.Duration, level string) call.Picture {
		return with(talking(), func(p *call.Picture) {
			p.Now, p.Talk.State.Quality = noon.Add(s), &quality.Verdict{Level: quality.Level(level), Cause: "jitter"}
		})
	}
	var n call.Narrator
	n.Narrate(call.Picture{Phase: call.Connecting}, at(0, "excellent"))
	tell := func(s time.Duration, level string) string {
		text, _ := n.Narrate(at(s-1, level), at(s, level))
		return text
	}
	if got := tell(29*time.Second, "poor"); got != "" {
		t.Errorf("within 30 s: %q", got)
	}
	if got := tell(30*time.Second, "poor"); !strings.HasPrefix(got, "The line is poor. The connection is uneven.") {
		t.Errorf("at 30 s: %q", got)
	}
	if got := tell(31*time.Second, "poor"); got != "" {
		t.Errorf("said twice: %q", got)
	}
	if got := tell(60*time.Second, "good"); got != "The line is good again." {
		t.Errorf("recovered: %q", got)
	}
	if got := tell(5*time.Minute, "excellent"); got != "" {
		t.Errorf("good to excellent is no news: %q", got)
	}
}
