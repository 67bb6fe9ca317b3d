package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/server/agent/double"
	"parley/shared/rest"
)

// checkAgents runs the command, and returns what it prints and its exit code.
func checkAgents(t *testing.T, args ...string) (said string, exit int, err error) {
	t.Helper()
	var out, logs bytes.Buffer
	err = run(t.Context(), append([]string{"agents", "check"}, args...), &out, &logs, nil)
	for _, secret := range []string{serviceKey, servicePrompt} {
		if strings.Contains(out.String()+logs.String(), secret) {
			t.Errorf("printed or logged %q", secret)
		}
	}
	return out.String(), exitCode(err), err
}

func TestAgentsAreChecked(t *testing.T) {
	t.Parallel()
	service := newService(t, double.Config{})
	for _, args := range [][]string{{"--agents=" + service.file}, {"polly", "--agents", service.file}} {
		said, exit, err := checkAgents(t, args...)
		if exit != exitDone || !strings.HasPrefix(said, "polly") {
			t.Errorf("%q: exit %d, %v:\n%s", args, exit, err, said)
		}
		for _, step := range []string{"exchange", "connection", "channel", "first_event", "audio_out", "audio_in", "hang_up"} {
			if !regexp.MustCompile(`(?m)^  ` + step + ` +ok +[0-9.]+m?s$`).MatchString(said) {
				t.Errorf("no line of %s:\n%s", step, said)
			}
		}
	}
	eventually(t, "no check's call is on", func() bool { return service.Live() == 0 })
}

func TestACheckThatFailsIsExitOne(t *testing.T) {
	t.Parallel()
	service := newService(t, double.Config{Faults: double.Faults{Status: http.StatusTooManyRequests}})
	said, exit, err := checkAgents(t, "--agents="+service.file)
	if exit != exitFailed || err == nil || !regexp.MustCompile(`(?m)^  exchange +failed +\S+ +rate_limited: HTTP 429`).MatchString(said) {
		t.Errorf("exit %d, %v:\n%s", exit, err, said)
	}
	if !regexp.MustCompile(`(?m)^  hang_up +untried$`).MatchString(said) {
		t.Errorf("what was not tried:\n%s", said)
	}
}

func TestMistakesOfAgentsCheck(t *testing.T) {
	t.Parallel()
	service := newService(t, double.Config{})
	wrong := filepath.Join(t.TempDir(), "agents.yaml")
	if err := os.WriteFile(wrong, []byte("agents:\n  - name: polly\n    dialect: morse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"no such file":        {[]string{"--agents=" + wrong + ".not"}, "--agents"},
		"a wrong file":        {[]string{"--agents=" + wrong}, "agents.yaml"},
		"no such agent":       {[]string{"parry", "--agents=" + service.file}, `no agent "parry"; write one of polly`},
		"part of the server":  {[]string{"parrot", "--agents=" + service.file}, "part of the server"},
		"one name at a time":  {[]string{"polly", "molly", "--agents=" + service.file}, "molly"},
		"a flag of another's": {[]string{"--agent=polly"}, "unknown flag"},
	} {
		if said, exit, err := checkAgents(t, test.args...); exit != exitUsage || said != "" || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: exit %d, %v, printed %q", name, exit, err, said)
		}
	}
	if n := len(service.Calls()); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

// Without a file there is the agent of whoever has a key; without a key there is none.
func TestAgentsCheckWithoutAnAgent(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "")
	if err := run(t.Context(), []string{"agents", "check"}, io.Discard, io.Discard, nil); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "--agents takes the file") {
		t.Errorf("exit %d, %v", exitCode(err), err)
	}
	service := newService(t, double.Config{})
	t.Setenv("PARLEY_AGENTS", service.file)
	if said, exit, err := checkAgents(t, "polly"); exit != exitDone {
		t.Errorf("by the environment: exit %d, %v:\n%s", exit, err, said)
	}
}

// An admin has an agent checked by the running server; who is none has not.
func TestAnAdminChecksAnAgent(t *testing.T) {
	t.Parallel()
	service := newService(t, double.Config{}, "prices: {currency: USD, input_text: 1, output_audio: 64}")
	p := start(t, "--agents="+service.file)
	var got rest.AgentCheck
	p.ask(t, "demo-admin", http.MethodPost, strings.Replace(rest.PathAgentCheck, "{name}", "polly", 1), nil, &got)
	if got.Result != rest.CheckOK || got.Agent != "polly" || len(got.Steps) != 7 {
		t.Errorf("polly: %+v", got)
	}
	p.ask(t, "demo-admin", http.MethodPost, strings.Replace(rest.PathAgentCheck, "{name}", "parrot", 1), nil, &got)
	if got.Result != rest.CheckUntried || got.Agent != "parrot" {
		t.Errorf("parrot: %+v", got)
	}
	if calls := service.Calls(); len(calls) != 1 || !calls[0].WasHungUp() {
		t.Errorf("%d calls, or not hung up", len(calls))
	}
	if !strings.Contains(p.logs.String(), "agent checked") {
		t.Error("the log doesn't tell of the check")
	}
	var used rest.Page[rest.UsageRow]
	p.ask(t, "demo-admin", http.MethodGet, rest.PathUsage, nil, &used)
	if len(used.Items) != 0 {
		t.Errorf("the check counts to somebody: %+v", used.Items)
	}
	p.stop()
	p.finished(t)
	p.holdsNone(t, serviceKey, servicePrompt)
}
