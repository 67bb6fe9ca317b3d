package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/shared/rest"
	"parley/shared/wire"
)

// tokenFile keeps a token as documents say.
func tokenFile(t *testing.T, dir, token string) string {
	t.Helper()
	path := filepath.Join(dir, "admin-token")
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// command runs one of the commands that ask a running server, as the holder of a token.
func (p *program) command(t *testing.T, token string, args ...string) (said string, err error) {
	t.Helper()
	var out bytes.Buffer
	args = append(args, "--server="+p.base, "--token-file="+tokenFile(t, t.TempDir(), token))
	err = run(t.Context(), args, &out, io.Discard, nil)
	return out.String(), err
}

// An operator sees the calls of a running server, and ends one.
func TestOperatorsSeeAndEndCallsFromAShell(t *testing.T) {
	t.Parallel()
	p := start(t)
	k := p.talking(t, "ann", "echo")
	admin := p.token(t, "demo-admin")
	said, err := p.command(t, admin, "sessions")
	if err != nil || !regexp.MustCompile(`(?m)^SESSION +USER +AGENT .*\n`+k.session()+` +ann +echo +active `).MatchString(said) {
		t.Errorf("%v:\n%s", err, said)
	}
	said, err = p.command(t, admin, "sessions", "--json")
	var page rest.Page[rest.Session]
	if err != nil || json.Unmarshal([]byte(said), &page) != nil || len(page.Items) != 1 || page.Items[0].ID != k.session() {
		t.Errorf("%v:\n%s", err, said)
	}
	said, err = p.command(t, admin, "end", k.session(), "--reason=maintenance")
	if err != nil || said != "ended "+k.session()+"\n" {
		t.Errorf("%v:\n%s", err, said)
	}
	if end := k.over(t); end.Ended.Cause != wire.AdminEnded || end.Ended.Message != "maintenance" {
		t.Errorf("the caller reads %+v", end.Ended)
	}
	said, err = p.command(t, admin, "stats")
	for _, line := range []string{`^live +0 of 100, 1 a user`, `^new calls +let in$`, `^started +1 `, `^causes +1 admin_ended$`, `^refused +none$`, `^of all time +1 calls, `, `^\d{4}-\d\d-\d\d +1 calls, \d minutes, 1 users$`} {
		if err != nil || !regexp.MustCompile("(?m)"+line).MatchString(said) {
			t.Errorf("%v, no line %s:\n%s", err, line, said)
		}
	}
	said, err = p.command(t, admin, "stats", "--json")
	var stats struct {
		rest.Stats
		Totals rest.Totals
	}
	if err != nil || json.Unmarshal([]byte(said), &stats) != nil || stats.EndCauses[wire.AdminEnded] != 1 || stats.Totals.Calls != 1 {
		t.Errorf("%v:\n%s", err, said)
	}
}

// Each refusal says what it is and what to do.
func TestRefusalsOfARunningServer(t *testing.T) {
	t.Parallel()
	p := start(t)
	foreign := start(t, "--admin-allow=192.0.2.0/24")
	moved := httptest.NewServer(http.RedirectHandler("https://voice.example", http.StatusPermanentRedirect))
	t.Cleanup(moved.Close)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	admin := p.token(t, "demo-admin")
	for name, c := range map[string]struct {
		of    *program
		token string
		args  []string
		says  string
	}{
		"a token of nobody":     {p, "nothing", []string{"sessions"}, "parley token makes one (unauthorized)"},
		"another server's":      {p, foreign.token(t, "demo-admin"), []string{"stats"}, "(unauthorized)"},
		"a caller's":            {p, p.token(t, "ann"), []string{"sessions"}, "no admin who may do that (forbidden)"},
		"from a foreign place":  {foreign, foreign.token(t, "demo-admin"), []string{"stats"}, "--admin-allow (network_not_allowed)"},
		"no such session":       {p, admin, []string{"end", "none", "--reason=r"}, "session none: the server at " + p.base + " knows nothing of that"},
		"a reason that is none": {p, admin, []string{"end", "none", "--reason= "}, "answers: "},
		"nobody there":          {&program{base: "http://" + freeAddress(t)}, admin, []string{"sessions"}, "no server answers at http://"},
		"another address":       {&program{base: moved.URL}, admin, []string{"sessions"}, "sends on to another address: write that one with --server"},
		"no Parley":             {&program{base: other.URL}, admin, []string{"sessions"}, "(not_found)"},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := c.of.command(t, c.token, c.args...)
			if exitCode(err) != exitFailed || said != "" || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("printed %q, exit %d: %v, want one sentence with %q", said, exitCode(err), err, c.says)
			}
			if err != nil && strings.Contains(err.Error(), c.token) {
				t.Errorf("the token is in %v", err)
			}
		})
	}
}

// A token goes to the server that was named, and nowhere where others could read it.
func TestMistakesOfCommandsToARunningServer(t *testing.T) {
	open := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(open, []byte("token"), 0o644); err != nil {
		t.Fatal(err)
	}
	private := tokenFile(t, t.TempDir(), "token")
	for name, c := range map[string]struct {
		args     []string
		variable string
		says     string
	}{
		"no token":           {[]string{"sessions"}, "", "--token-file, or give it by PARLEY_TOKEN"},
		"two":                {[]string{"stats", "--token-file=" + private}, "token", "not both"},
		"others may read it": {[]string{"stats", "--token-file=" + open}, "", "--token-file"},
		"no file":            {[]string{"stats", "--token-file=" + open + "-not"}, "", "--token-file"},
		"more than a token":  {[]string{"stats"}, "two words", "the token of an admin is needed"},
		"in the clear":       {[]string{"stats", "--server=http://voice.example"}, "token", "takes https:// for another machine"},
		"no address":         {[]string{"end", "id", "--reason=r", "--server=voice.example"}, "token", "--server takes the address of a server"},
		"no reason":          {[]string{"end", "id"}, "token", "--reason"},
		"no session":         {[]string{"end", "--reason=r"}, "token", "<id>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(remoteTokenVariable, c.variable)
			err := run(t.Context(), c.args, io.Discard, io.Discard, nil)
			if exitCode(err) != exitUsage || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("exit %d: %v, want one sentence with %q", exitCode(err), err, c.says)
			}
		})
	}
}
