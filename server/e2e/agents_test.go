package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// doubleKey is the key of the operator's account at the double. Nothing that a page
// receives has it.
const doubleKey = "sk-key-of-the-double-and-nobody-elses"

// An upstreamAgent is an agent at a double of a realtime voice service.
type upstreamAgent struct {
	name  string
	flags []string // of the double
	url   string   // in place of a double's
	lines string   // more of the agents file
}

// startWithAgents starts a server whose agents are at doubles of their own.
func startWithAgents(t *testing.T, agents ...upstreamAgent) *server {
	t.Helper()
	binary := buildDouble(t)
	text := "agents:\n"
	for _, a := range agents {
		if a.url == "" {
			a.url = startDouble(t, binary, a.flags...)
		}
		text += fmt.Sprintf(`  - name: %s
    title: Agent %[1]s
    about: Answers for %[1]s.
    dialect: openai
    url: %s
    key_env: DOUBLE_KEY
    allow_private: true
    model: gpt-realtime-2.1
    transcription: gpt-transcribe
    instructions: %s
    captions: true
    timeouts: {exchange: 2s, connect: 10s}
    stuck:
      no_first_event: {warn: 500ms, end: 2s}
      no_media: {warn: 500ms, end: 2s}
      upstream_gone: {warn: 500ms, end: 2s}
%s`, a.name, a.url, secretInstructions, a.lines)
	}
	file := filepath.Join(t.TempDir(), "agents.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return startServer(t, nil, "--agents="+file)
}

// choose takes another agent than the default one.
func (s *screen) choose(agent string) {
	s.t.Helper()
	eventually(s.t, "choose "+agent, patience, func() (string, bool) {
		chosen := evaluate[string](s, fmt.Sprintf(`(() => {
			const select = document.getElementById('agent');
			if (!select) return 'there is nothing to choose';
			select.value = %q;
			select.dispatchEvent(new Event('change', { bubbles: true }));
			return select.value;
		})()`, agent))
		return chosen, chosen == agent
	})
	s.says("Answers for " + agent)
}

// What goes wrong at an agent's service ends on the caller's page in words that say
// whose fault it is and what to do, and leaves a way to go on.
func TestAgentsThatFail(t *testing.T) {
	t.Parallel()
	const (
		unavailable = "The agent isn't answering"
		misset      = "isn't set up right. Tell whoever runs this site."
		busy        = "too much to do just now. Try again in a minute."
		unreached   = "can't be reached just now. Try again in a minute."
	)
	failures := []struct {
		upstreamAgent
		says []string
	}{
		{upstreamAgent{name: "unauthorized", flags: []string{"-status=401"}}, []string{unavailable, misset, "Try again"}},
		{upstreamAgent{name: "limited", flags: []string{"-status=429"}}, []string{unavailable, busy, "Try again"}},
		{upstreamAgent{name: "broken", flags: []string{"-status=500"}}, []string{unavailable, busy, "Try again"}},
		{upstreamAgent{name: "redirected", flags: []string{"-status=307"}}, []string{unavailable, misset, "Try again"}},
		{upstreamAgent{name: "slow", flags: []string{"-delay=1m"}}, []string{unavailable, unreached, "Try again"}},
		{upstreamAgent{name: "huge", flags: []string{"-answer-size=1000000"}}, []string{unavailable, misset, "Try again"}},
		{upstreamAgent{name: "malformed", flags: []string{"-malformed"}}, []string{unavailable, misset, "Try again"}},
		{upstreamAgent{name: "deaf", flags: []string{"-without-opus"}}, []string{unavailable, misset, "Try again"}},
		{upstreamAgent{name: "absent", url: "http://127.0.0.1:1/v1/realtime/calls"}, []string{unavailable, unreached, "Try again"}},
		{upstreamAgent{name: "mute", flags: []string{"-mute"}}, []string{"The agent stopped responding", "Call again"}},
		{upstreamAgent{name: "silent", flags: []string{"-silent"}}, []string{"The agent went silent", "Call again"}},
		{upstreamAgent{name: "vanishing", flags: []string{"-vanish-after=1s"}}, []string{"We lost the agent", "Call again"}},
		{upstreamAgent{name: "leaving", flags: []string{"-leave-after=1s"}}, []string{"Call ended", "The agent ended the call.", "Start again"}},
		{upstreamAgent{name: "brief", lines: "    max_duration: 2s\n"}, []string{"Call ended: time is up", "Call again"}},
	}
	var agents []upstreamAgent
	for _, f := range failures {
		agents = append(agents, f.upstreamAgent)
	}
	srv := startWithAgents(t, agents...)
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).signIn(srv.callerLink)
	for _, f := range failures {
		caller.choose(f.name)
		caller.press("Start call")
		for _, words := range f.says {
			caller.says(words)
		}
		caller.pictures("failed-" + f.name)
		eventually(t, "nothing is left of the call to "+f.name, patience, func() (string, bool) {
			live := srv.active(t)
			return fmt.Sprint(live), len(live) == 0
		})
		caller.press("Check first")
		caller.says("Ready when you are")
	}
	caller.choose("limited")
	caller.press("Start call")
	caller.says(busy)
	caller.press("Try again")
	caller.says("Asking the server…")
	caller.says(busy)
	if received := srv.log.String(); strings.Contains(received, doubleKey) || strings.Contains(received, "kumquat") {
		t.Error("the log has the key or the instructions")
	}
}

// An agent with a limit of calls of its own says so, and is free again afterwards.
func TestAnAgentsLimitOfCalls(t *testing.T) {
	t.Parallel()
	srv := startWithAgents(t, upstreamAgent{name: "single", lines: "    max_calls: 1\n"})
	b := startBrowser(t, microphone{voice: voice(t)}, nil)
	first := b.open(srv.adminLink)
	first.press("Call")
	first.choose("single")
	first.press("Start call")
	first.says("Agent is")
	second := b.signIn(srv.callerLink)
	second.choose("single")
	second.press("Start call")
	second.says("The agent isn't answering")
	second.says("too much to do just now")
	second.pictures("busy")
	first.press("End")
	first.says("You ended the call.")
	eventually(t, "the agent is free", patience, func() (string, bool) { return "", len(srv.active(t)) == 0 })
	second.press("Try again")
	second.says("Agent is")
}

// A call that costs more than it may is ended, and its caller told before.
func TestABudgetIsSpent(t *testing.T) {
	t.Parallel()
	srv := startWithAgents(t, upstreamAgent{name: "dear",
		lines: "    prices: {currency: USD, output_audio: 64}\n    budgets: {call: 0.001}\n"})
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).signIn(srv.callerLink)
	caller.choose("dear")
	caller.press("Start call")
	caller.says("Agent is")
	caller.says("This call ends in")
	caller.says("What this account may spend on calls is nearly used up.")
	caller.pictures("budget-warning")
	eventually(t, "the call ends", 2*patience, func() (string, bool) {
		text := caller.text()
		return text, strings.Contains(text, "Call ended: the budget is used up")
	})
	caller.says("This account has used what it may spend on calls.")
	caller.pictures("budget-spent")
	caller.press("Check first")
	caller.says("Ready when you are")
}

// receivedRecorder keeps all that the page receives while it runs, and what is heard and shown
// each 50 ms. Files of the app are not among it: they are the same for everybody.
const receivedRecorder = `(() => {
  const kept = window.parleyReceived = { channel: [], socket: [], http: [], levels: [] };
  const create = RTCPeerConnection.prototype.createDataChannel;
  RTCPeerConnection.prototype.createDataChannel = function (...args) {
    const channel = create.apply(this, args);
    channel.addEventListener('message', e => kept.channel.push(args[0] + ' ' + e.data));
    return channel;
  };
  const Socket = window.WebSocket;
  window.WebSocket = new Proxy(Socket, { construct(target, args) {
    const socket = new target(...args);
    socket.addEventListener('message', e => kept.socket.push(String(e.data)));
    return socket;
  } });
  const real = window.fetch;
  window.fetch = async (...args) => {
    const response = await real(...args);
    if (String(args[0]?.url ?? args[0]).includes('/api/')) {
      const body = await response.clone().text();
      kept.http.push(JSON.stringify([...response.headers]) + body);
    }
    return response;
  };
  const look = async () => {
    const pc = window.parleyProbe?.peers.at(-1), now = { at: performance.now(), you: 0, agent: 0 };
    if (pc && pc.connectionState === 'connected') {
      for (const r of (await pc.getStats()).values()) {
        if (r.type === 'media-source') now.you = r.audioLevel ?? 0;
        if (r.type === 'inbound-rtp') now.agent = r.audioLevel ?? 0;
      }
      kept.levels.push(now);
    }
    setTimeout(look, 50);
  };
  look();
})()`

// levels are how loud both sides are, as a page's statistics say at a moment.
type levels struct {
	At         float64 `json:"at"` // ms
	You, Agent float64
}

const (
	loud = 0.02 // audioLevel of speech (W3C webrtc-stats: 0 to 1, linear)
	// fadeAfter is what an interrupted agent may go on: what is on its way and in the
	// browser's buffer, and the time to notice speech.
	fadeAfter = time.Second
)

// fade finds the first time that the caller begins to speak while the agent does, and
// returns how long the agent was heard from then on.
func fade(of []levels) (heard time.Duration, found bool) {
	const still = 400 // ms without a sound are no pause between two words
	for i := 1; i < len(of); i++ {
		if of[i].You < loud || of[i-1].You >= loud || of[i].Agent < loud && of[i-1].Agent < loud || !wasQuietBefore(of, i) {
			continue
		}
		last := of[i].At
		for _, l := range of[i:] {
			if l.Agent >= loud {
				last = l.At
			}
			if l.At-last > still {
				return time.Duration((last - of[i].At) * float64(time.Millisecond)), true
			}
		}
	}
	return 0, false
}

// wasQuietBefore reports whether the caller was silent for half a second before.
func wasQuietBefore(of []levels, i int) bool {
	for j := i - 1; j >= 0 && of[i].At-of[j].At < 500; j-- {
		if of[j].You >= loud {
			return false
		}
	}
	return true
}

// A caller chooses an agent, reads what both say, interrupts it by speaking, and gets
// nothing of what is the operator's.
func TestACallWithCaptions(t *testing.T) {
	t.Parallel()
	srv := startWithAgents(t, upstreamAgent{name: "support"})
	// The caller begins again a second into the answer.
	b := startBrowser(t, microphone{voice: voiceWithPause(t, 1700*time.Millisecond)}, nil)
	caller := b.open(srv.callerLink, receivedRecorder)
	caller.says("Ready when you are")
	caller.choose("support")
	caller.isAccessibleWideAndNarrow("chooser")
	caller.press("Start call")
	caller.says("Agent is listening")
	caller.says("Agent is thinking")
	caller.says("Agent is speaking")
	caller.says("Something that nobody understood.")
	caller.says("Hello, this is the recorded voice of a service that understands nothing.")
	caller.says("Captions live only on this screen.")

	eventually(t, "the caller interrupts, and the agent stops", 3*patience, func() (string, bool) {
		heard, found := fade(evaluate[[]levels](caller, "parleyReceived.levels"))
		return fmt.Sprint(heard), found
	})
	if heard, _ := fade(evaluate[[]levels](caller, "parleyReceived.levels")); heard > fadeAfter {
		t.Errorf("interrupted, the agent is heard for %v", heard)
	}
	caller.says("Agent is listening")
	caller.says("understands nothing. …")
	caller.isAccessibleWideAndNarrow("captions")
	caller.press("Captions")
	caller.saysNot("Something that nobody understood.")
	caller.types("c")
	caller.says("Something that nobody understood.")
	caller.press("End")
	caller.says("You ended the call.")
	caller.saysNot("Something that nobody understood.")
	hasNothingOfTheOperators(t, caller)

	caller.press("Check first")
	caller.says("Answers for support.") // as it was chosen
	caller.goTo(srv.origin() + "/call")
	caller.says("Answers for support.")
}

// hasNothingOfTheOperators checks what the page received, and that this was looked at.
func hasNothingOfTheOperators(t *testing.T, s *screen) {
	t.Helper()
	received := evaluate[map[string]json.RawMessage](s, "parleyReceived")
	for _, way := range []string{"channel", "socket", "http"} {
		text := string(received[way])
		if len(text) < len(`[""]`) {
			t.Errorf("nothing was received by %s", way)
		}
		for _, secret := range []string{"kumquat", doubleKey, "sk-"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: the page received %q", way, secret)
			}
		}
	}
	if text := string(received["channel"]); !strings.Contains(text, "session.created") {
		t.Error("the agent's events were not among what was received")
	}
	kept := evaluate[string](s, "JSON.stringify([{...localStorage}, {...sessionStorage}])")
	if strings.Contains(kept, "nobody understood") || strings.Contains(kept, "recorded voice") {
		t.Errorf("the browser keeps captions: %s", kept)
	}
}
