package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/agent/double"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
	"parley/wasm/peer/native"
)

// What must not be found anywhere but in requests to the service.
const (
	serviceKey    = "sk-test-0123456789abcdef"
	servicePrompt = "You are Polly and this sentence is a secret."
)

// service is a realtime voice service, and the file that names it.
type service struct {
	*double.Server
	file string
}

// newService starts a service and writes a file of one agent, polly, who is there.
func newService(t *testing.T, cfg double.Config, more ...string) *service {
	t.Helper()
	cfg.Key = serviceKey
	s, err := double.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		web.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	dir := t.TempDir()
	dialect := cfg.Dialect
	if dialect == "" {
		dialect = double.OpenAI
	}
	text := fmt.Sprintf(`agents:
  - name: polly
    title: Polly
    dialect: %s
    url: %s
    key_file: key
    allow_private: true
    model: gpt-realtime-2.1
    instructions: %q
`, dialect, web.URL+double.CallsPath, servicePrompt)
	for _, line := range more {
		text += "    " + line + "\n"
	}
	for name, text := range map[string]string{"key": serviceKey + "\n", "agents.yaml": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &service{s, filepath.Join(dir, "agents.yaml")}
}

// agentEvents keeps the agent's events that came to a caller.
type agentEvents struct {
	mu  sync.Mutex
	all []string
}

func (e *agentEvents) add(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, text)
}

func (e *agentEvents) has(text string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.all, func(s string) bool { return strings.Contains(s, text) })
}

// ringEvents calls the server as sub, with a channel for the agent's events.
func (p *program) ringEvents(t *testing.T, sub, agent string) (*talker, *agentEvents) {
	t.Helper()
	k, events := &talker{end: make(chan peer.CallEnded, 1)}, &agentEvents{}
	k.Caller = native.New(native.Config{Server: p.base, Token: p.token(t, sub), Agent: agent, Heard: k.heard, OnEvent: events.add})
	k.call = peer.New(k.Peer(k.saw))
	ctx, cancel := context.WithCancel(context.Background())
	go func() { k.end <- k.call.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-k.end
	})
	return k, events
}

// A caller talks to a service of each dialect through the whole server, is heard and
// answered, and an admin's end hangs up there too; neither key nor prompt is left
// anywhere.
func TestACallToAService(t *testing.T) {
	t.Parallel()
	for _, dialect := range []double.Dialect{double.OpenAI, double.RawSDP, double.JSONSDP} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			s := newService(t, double.Config{Dialect: dialect})
			p := start(t, "--agents="+s.file)
			k, events := p.ringEvents(t, "ann", "polly")
			eventually(t, "the caller knows that the agent listens", func() bool {
				return sawAgent(stateEvents(k), wire.AgentListening)
			})
			eventually(t, "the session is told", func() bool { return events.has("session.created") })
			k.say(t, 600*time.Millisecond, true)
			k.say(t, 1200*time.Millisecond, false)
			eventually(t, "the service's voice comes", func() bool { return len(k.back()) > 20 })
			eventually(t, "the caller is told that it speaks", func() bool { return sawAgent(stateEvents(k), wire.AgentSpeaking) })
			var seen rest.Connection
			eventually(t, "the agent's leg is measured both ways", func() bool {
				p.ask(t, "demo-admin", http.MethodGet, "/api/v1/monitoring/connection/"+k.session(), nil, &seen)
				return slices.ContainsFunc(seen.Streams, func(s rest.StreamQuality) bool {
					return s.Leg == "agent" && s.Direction == "to_caller" && s.PacketsReceived > 0
				}) &&
					slices.ContainsFunc(seen.Streams, func(s rest.StreamQuality) bool { return s.Leg == "agent" && s.Direction == "to_agent" })
			})
			closing := startStopwatch(0)
			p.ask(t, "demo-admin", http.MethodPost, "/api/v1/monitoring/sessions/"+k.session()+"/end", rest.EndRequest{Reason: "enough"}, nil)
			if end := k.over(t); end.Ended.Cause != wire.AdminEnded {
				t.Errorf("ended by %s", end.Ended.Cause)
			}
			eventually(t, "the service's call is over", func() bool { return s.Live() == 0 })
			closing.over(t, "both legs are closed", 2*time.Second)
			eventually(t, "it was hung up", func() bool { return s.Calls()[0].WasHungUp() == (dialect != double.JSONSDP) })
			p.stop()
			p.finished(t)
			p.holdsNone(t, serviceKey, servicePrompt)
			for _, secret := range []string{serviceKey, servicePrompt} {
				if events.has(secret) {
					t.Errorf("the caller was told %q", secret)
				}
			}
		})
	}
}

func stateEvents(k *talker) []peer.StateReceived { return events[peer.StateReceived](k) }

// holdsNone holds that secrets are neither in the log nor in any file of the server.
func (p *program) holdsNone(t *testing.T, secrets ...string) {
	t.Helper()
	texts := map[string]string{"the log": p.logs.String(), "the output": p.out.String()}
	err := filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		texts[path] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range texts {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s has %q", where, secret)
			}
		}
	}
}

// What a service fails with ends the call for its own cause, in words for the caller,
// with one line in the log that tells the operator what to do.
func TestAServiceThatFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		faults        double.Faults
		more          []string
		cause         wire.EndCause
		caller, admin string
	}{
		"takes no key":   {faults: double.Faults{Status: http.StatusUnauthorized}, cause: wire.AgentUnavailable, caller: "isn't set up right", admin: "key_refused: HTTP 401"},
		"is overloaded":  {faults: double.Faults{Status: http.StatusTooManyRequests}, cause: wire.AgentUnavailable, caller: "too much to do", admin: "rate_limited: HTTP 429"},
		"breaks":         {faults: double.Faults{Status: http.StatusInternalServerError}, cause: wire.AgentUnavailable, caller: "too much to do", admin: "failed: HTTP 500"},
		"answers badly":  {faults: double.Faults{IsMalformed: true}, cause: wire.AgentUnavailable, caller: "isn't set up right", admin: "bad_answer"},
		"doesn't answer": {faults: double.Faults{Delay: time.Minute}, more: []string{"timeouts: {exchange: 1s}"}, cause: wire.AgentUnavailable, caller: "can't be reached", admin: "timed_out"},
		"hangs up":       {faults: double.Faults{LeaveAfter: 2 * time.Second}, cause: wire.AgentLeft},
		"vanishes":       {faults: double.Faults{VanishAfter: time.Second}, more: []string{"stuck: {upstream_gone: {warn: 1s, end: 2s}}"}, cause: wire.AgentLost, caller: "broke off", admin: "stuck: upstream_gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, double.Config{Faults: test.faults}, test.more...)
			p := start(t, "--agents="+s.file)
			k, _ := p.ringEvents(t, "ann", "polly")
			end := k.over(t)
			if end.Ended.Cause != test.cause || !strings.Contains(end.Ended.Message, test.caller) || strings.Contains(end.Ended.Message, "HTTP") {
				t.Errorf("the caller reads %+v", end.Ended)
			}
			eventually(t, "nothing is left at the service", func() bool { return s.Live() == 0 })
			ends := 0
			for line := range strings.Lines(p.logs.String()) {
				if strings.Contains(line, `msg="session ended"`) {
					ends++
					if !strings.Contains(line, test.admin) {
						t.Errorf("the operator reads %s", line)
					}
				}
			}
			if ends != 1 {
				t.Errorf("%d lines tell the end", ends)
			}
			p.stop()
			p.finished(t)
			p.holdsNone(t, serviceKey, servicePrompt)
		})
	}
}

// A server that is killed in mid-call hangs up at the service when it starts again.
func TestAKilledServerHangsUpAtItsNextStart(t *testing.T) {
	t.Parallel()
	s, dir := newService(t, double.Config{}), t.TempDir()
	p := spawnIn(t, dir, "--agents="+s.file)
	k, _ := p.ringEvents(t, "ann", "polly")
	eventually(t, "the agent listens", func() bool { return sawAgent(stateEvents(k), wire.AgentListening) })
	call := s.Calls()[0]
	p.kill(t)
	if call.WasHungUp() {
		t.Fatal("a killed server hung up")
	}
	spawnIn(t, dir, "--agents="+s.file)
	eventually(t, "the next start hangs up", call.WasHungUp)
}

// A caller's new socket keeps the agent's conversation; the server's end hangs it up.
func TestAnotherConnectionKeepsTheConversation(t *testing.T) {
	t.Parallel()
	s := newService(t, double.Config{})
	p := start(t, "--agents="+s.file)
	k, _ := p.ringEvents(t, "ann", "polly")
	eventually(t, "the agent listens", func() bool { return sawAgent(stateEvents(k), wire.AgentListening) })
	k.Cut()
	before, _ := s.Calls()[0].Heard()
	k.say(t, time.Second, false)
	eventually(t, "the service hears the caller on", func() bool { n, _ := s.Calls()[0].Heard(); return n >= before+45 })
	if n := len(s.Calls()); n != 1 {
		t.Errorf("the service was asked for %d calls", n)
	}
	p.stop()
	p.finished(t)
	if !s.Calls()[0].WasHungUp() {
		t.Error("the end of the server left the call open")
	}
}

// An agent that is for others is unknown, to the list and to the call.
func TestAnAgentForOthers(t *testing.T) {
	t.Parallel()
	s := newService(t, double.Config{}, "users: [ann]")
	p := start(t, "--agents="+s.file)
	for sub, want := range map[string]int{"ann": 3, "bob": 2} {
		var a rest.Admission
		if p.ask(t, sub, http.MethodGet, rest.PathAdmission, nil, &a); len(a.Agents) != want {
			t.Errorf("%s chooses from %+v", sub, a.Agents)
		}
	}
	var refusal *rest.Problem
	if end := p.ring(t, "bob", "polly").over(t); !errors.As(end.Err, &refusal) || refusal.Field != "agent" {
		t.Errorf("bob's call ends with %v", end.Err)
	}
	if len(s.Calls()) != 0 {
		t.Error("the service was asked for his call")
	}
}
