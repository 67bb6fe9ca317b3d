package main

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"
)

func TestWhatIsMissedAtStartIsSaid(t *testing.T) {
	const admins, https = "There are no admins", "browsers give microphones to https pages only"
	for name, test := range map[string]struct {
		flags []string
		want  []string
	}{
		"production, nothing set":   {nil, []string{admins, https}},
		"production with TLS":       {[]string{"--tls-cert=a", "--tls-key=b"}, []string{admins}},
		"production, a proxy":       {[]string{"--trusted-proxies=127.0.0.1", "--admins=ann"}, nil},
		"production, an admin":      {[]string{"--admins=ann"}, []string{https}},
		"organization":              {[]string{"--mode=organization"}, []string{https}}, // its admins are the token's word
		"organization with a proxy": {[]string{"--mode=organization", "--trusted-proxies=10.0.0.0/8"}, nil},
		"demo":                      {[]string{"--mode=demo"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			parsed, _, err := parse(append([]string{"serve"}, test.flags...), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			c := parsed.Model.Target.Addr().Interface().(*commandLine)
			c.Serve.warn(slog.New(slog.NewTextHandler(&out, nil)))
			if got := strings.Count(out.String(), "\n"); got != len(test.want) {
				t.Errorf("%d lines, want %d:\n%s", got, len(test.want), out.String())
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
			}
		})
	}
}

func TestATokenAsALink(t *testing.T) {
	dir := t.TempDir()
	mint := func(link string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), []string{"token", "--sub=ann", "--data-dir=" + dir, "--link=" + link}, &out, io.Discard, nil)
		return out.String(), err
	}
	for link, base := range map[string]string{
		"https://parley.example":     "https://parley.example",
		"https://parley.example/":    "https://parley.example",
		"http://localhost:8080":      "http://localhost:8080",
		"https://[2001:db8::1]:8443": "https://[2001:db8::1]:8443",
	} {
		got, err := mint(link)
		if head, token, _ := strings.Cut(got, "#token="); err != nil || head != base+"/sign-in" || strings.Count(token, ".") != 2 || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: %q, %v", link, got, err)
		}
	}
	for _, link := range []string{"parley.example", "ftp://parley.example", "https://", "https://parley.example/call", "https://parley.example/?a", "https://a:b@parley.example", "https://parley.example/#x", "://"} {
		if got, err := mint(link); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "--link takes") {
			t.Errorf("%s: %q, %v", link, got, err)
		}
	}
}

// TestAMistypedVariableIsSaid, in any mode, in one line that names it; what is a
// flag's of any command, or somebody else's, is not.
func TestAMistypedVariableIsSaid(t *testing.T) {
	for name, value := range map[string]string{
		"PARLEY_IDLE_TIMOUT": "5m", "PARLEY_": "x", "PARLEY_ADMINS": "ann", "PARLEY_SUB": "for the token command", "PARLEY_METRICS_TOKEN": "0123456789abcdef",
		"PARLEY_JWT_SECRET": "q8Zr2LmT5vXb9NcK4wPs7HdYf3JgEa6U", "PARLEYS": "x", "parley_http": "x", "MY_PARLEY_HTTP": "x",
	} {
		t.Setenv(name, value)
	}
	p := start(t)
	lines := 0
	for line := range strings.Lines(p.logs.String()) {
		if strings.Contains(line, "No setting has the name of") {
			lines++
			if !strings.Contains(line, "PARLEY_, PARLEY_IDLE_TIMOUT. ") || !strings.Contains(line, "parley --help") {
				t.Errorf("it says %s", line)
			}
		}
	}
	if lines != 1 {
		t.Errorf("%d lines:\n%s", lines, p.logs)
	}
}

// TestWhoATokenIsFor at the edges of what the help says.
func TestWhoATokenIsFor(t *testing.T) {
	dir := t.TempDir()
	for sub, want := range map[string]int{
		strings.Repeat("~", 255): exitDone, strings.Repeat("~", 256): exitUsage, "!": exitDone, "acct:ann/b?c#d%e": exitDone, "": exitUsage, "a b": exitUsage, "é": exitUsage, "a\x7f": exitUsage,
	} {
		err := run(t.Context(), []string{"token", "--sub=" + sub, "--data-dir=" + dir}, io.Discard, io.Discard, nil)
		if exitCode(err) != want {
			t.Errorf("%q: %v", sub, err)
		}
	}
}
