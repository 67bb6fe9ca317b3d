package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/server/logtest"
	"parley/shared/rest"
)

func TestWrongCommandLines(t *testing.T) {
	cases := map[string]struct {
		args []string
		says string
	}{
		"unknown flag":              {[]string{"--nope"}, "--nope"},
		"idle below its range":      {[]string{"--idle-timeout=59s"}, "1m to 240m"},
		"idle above its range":      {[]string{"--idle-timeout=241m"}, "1m to 240m"},
		"demo in earnest":           {[]string{"--mode=production", "--demo-data"}, "--mode=demo"},
		"warning below":             {[]string{"--idle-warning=19s"}, "20s to 10m"},
		"warning above":             {[]string{"--idle-warning=601s"}, "20s to 10m"},
		"longest below":             {[]string{"--max-duration=59s"}, "1m to 720m"},
		"longest above":             {[]string{"--max-duration=721m"}, "1m to 720m"},
		"no sessions":               {[]string{"--max-sessions=0"}, "1 to 10000"},
		"too many sessions":         {[]string{"--max-sessions=10001"}, "1 to 10000"},
		"too many an organization":  {[]string{"--max-sessions-per-org=10001"}, "1 to 10000, or 0 for none"},
		"no cap of an organization": {[]string{"--org-caps=acme"}, "acme=20"},
		"no sessions a user":        {[]string{"--max-sessions-per-user=0"}, "1 to 100"},
		"too many a user":           {[]string{"--max-sessions-per-user=101"}, "1 to 100"},
		"retention below":           {[]string{"--log-retention=0d"}, "1d to 365d"},
		"retention above":           {[]string{"--log-retention=366d"}, "1d to 365d"},
		"retention in hours":        {[]string{"--log-retention=36h"}, "days"},
		"privacy neither":           {[]string{"--privacy=maybe"}, "on nor off"},
		"two key sources":           {[]string{"--jwks-file=a", "--jwks-url=https://b"}, "not both"},
		"admin network":             {[]string{"--admin-allow=here"}, "here"},
		"warning as long":           {[]string{"--idle-timeout=5m", "--idle-warning=5m"}, "less than --idle-timeout"},
		"no metrics token":          {[]string{"--metrics-token-file=nothing"}, "--metrics-token-file"},
		"logs to a mistyped":        {[]string{"--log-export=syslog://c.example"}, "syslog+tls://"},
		"logs with a password":      {[]string{"--log-export=https://a:b@c.example"}, "token by file"},
		"no token for logs":         {[]string{"--log-export=https://c.example", "--log-export-token-file=nothing"}, "--log-export-token-file"},
		"no root for logs":          {[]string{"--log-export=https://c.example", "--log-export-ca=nothing"}, "--log-export-ca"},
		"a token for no logs":       {[]string{"--log-export-token-file=nothing"}, "go with --log-export"},
		"telemetry to a name":       {[]string{"--otlp-endpoint=collector"}, "https://host:4318"},
		"telemetry, too much":       {[]string{"--otlp-sample=1.5"}, "0 to 1"},
		"a token for nobody":        {[]string{"--otlp-token-file=nothing"}, "go with --otlp-endpoint"},
		"the token as a flag":       {[]string{"--metrics-token=0123456789abcdef"}, "unknown flag"},
		"half of TLS":               {[]string{"--tls-cert=x"}, "go together"},
		"public ip":                 {[]string{"--public-ip=here"}, "no IP address"},
		"mode":                      {[]string{"--mode=other"}, "mode"},
		"agent":                     {[]string{"--agent=other"}, "parrot, echo"},
		"a file of agents":          {[]string{"--agents=nothing.yaml"}, "--agents"},
		"token without subject":     {[]string{"token"}, "sub"},
		"token for too long":        {[]string{"token", "--sub=ann", "--ttl=25h"}, "24h"},
		"token role":                {[]string{"token", "--sub=ann", "--role=admin"}, "role"},
		"token subject":             {[]string{"token", "--sub=a b"}, "sub"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			err := run(t.Context(), c.args, io.Discard, io.Discard, nil)
			if exitCode(err) != exitUsage {
				t.Fatalf("run %v: %v (exit %d), want exit %d", c.args, err, exitCode(err), exitUsage)
			}
			if !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(c.says)) || strings.Contains(err.Error(), "\n") {
				t.Errorf("run %v says %q, want one sentence with %q", c.args, err, c.says)
			}
		})
	}
}

func TestLimitsAtTheirEdges(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{
		"--idle-timeout=1m", "--idle-timeout=240m", "--idle-warning=20s", "--idle-warning=600s",
		"--max-duration=0", "--max-duration=1m", "--max-duration=720m", "--max-sessions=1", "--max-sessions=10000",
		"--max-sessions-per-user=1", "--max-sessions-per-user=100", "--max-sessions-per-org=0", "--max-sessions-per-org=10000", "--org-caps=acme=1,big corp=0", "--log-retention=1d", "--log-retention=365",
		"--log-retention=720h", "--privacy=off", "--privacy=true", "--monitoring=0",
	} {
		if _, _, err := parse([]string{"serve", flag}, io.Discard); err != nil {
			t.Errorf("%s is refused: %v", flag, err)
		}
	}
}

func TestWeakSecretsStopTheStart(t *testing.T) {
	file := func(t *testing.T, secret string) string {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cases := map[string]string{
		"empty":      "",
		"short":      "0123456789012345678901234567890", // 31 bytes
		"one letter": strings.Repeat("a", 64),
		"well-known": "your-256-bit-secret-your-256-bit-secret",
	}
	for name, secret := range cases {
		t.Run(name, func(t *testing.T) {
			args := []string{"--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--data-dir=" + t.TempDir()}
			if err := run(t.Context(), append(args, "--jwt-secret-file="+file(t, secret)), io.Discard, io.Discard, nil); exitCode(err) == exitDone {
				t.Error("by file, the server started")
			}
			t.Setenv(secretVariable, secret)
			if err := run(t.Context(), args, io.Discard, io.Discard, nil); exitCode(err) == exitDone {
				t.Error("by the environment, the server started")
			} else if secret != "" && strings.Contains(err.Error(), secret) {
				t.Errorf("the refusal tells the secret: %v", err)
			}
		})
	}
}

func TestSecondServerOnADataDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	p := start(t)
	args := []string{"--mode=demo", "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--data-dir=" + p.dir}
	err := run(t.Context(), args, io.Discard, io.Discard, nil)
	if exitCode(err) != exitFailed || !strings.Contains(err.Error(), "already uses") {
		t.Errorf("the second server says %v, want a refusal", err)
	}
}

func TestDataDirectoryIsItsOwnersOnly(t *testing.T) {
	t.Parallel()
	p := start(t)
	err := filepath.Walk(p.dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		want := os.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPortInUseIsOneSentence(t *testing.T) {
	t.Parallel()
	p := start(t)
	taken := strings.TrimPrefix(p.base, "http://")
	err := run(t.Context(), []string{"--http=" + taken, "--media-addr=127.0.0.1:0", "--data-dir=" + t.TempDir()}, io.Discard, io.Discard, nil)
	if exitCode(err) != exitFailed || !strings.Contains(err.Error(), "--http") {
		t.Errorf("a taken port says %v", err)
	}
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	for arg, wants := range map[string][]string{
		"--help":  {"serve", "token", "version", "--http", "--media-addr", "$PARLEY_IDLE_TIMEOUT"},
		"version": {"parley ", "commit ", "go ", "pion "},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), []string{arg}, &out, io.Discard, nil); err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(out.String(), want) {
				t.Errorf("parley %s doesn't print %q:\n%s", arg, want, out.String())
			}
		}
	}
}

func TestLinksSignIn(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	out := new(logtest.Buffer)
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"--mode=demo", "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--data-dir=" + t.TempDir()}, out, io.Discard, nil)
	}()
	eventually(t, "two links are printed, and the passkey", func() bool {
		return strings.Count(out.String(), "#token=") == 2 && strings.Contains(out.String(), "/sign-in)\n")
	})
	var base, next string
	for i, line := range strings.Split(out.String(), "\n")[1:3] {
		_, link, _ := strings.Cut(line, "http://")
		page, token, _ := strings.Cut(link, "#token=")
		base, next, _ = strings.Cut(page, "/sign-in")
		if want := []string{"", "?next=/admin"}[i]; next != want {
			t.Errorf("link %d leads on to %q, want %q", i, next, want)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+base+rest.PathMe, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("link %d signs in with %d", i, res.StatusCode)
		}
	}
	_, passkey, _ := strings.Cut(out.String(), "passkey  ")
	passkey, _, _ = strings.Cut(passkey, " ")
	body := `{"as":"admin","passkey":"` + passkey + `"}`
	res, err := http.Post("http://"+base+rest.PathDemoSignIn, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNoContent || len(res.Cookies()) == 0 {
		t.Errorf("the passkey %q signs in with %d", passkey, res.StatusCode)
	}
	stop()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A secret that is short, or that others may read, starts no server: every file
// that holds one, and the environment.
func TestSecretsThatAreNone(t *testing.T) {
	file := func(dir, text string, mode os.FileMode) string {
		path := filepath.Join(dir, "secret")
		if err := errors.Join(os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const good = "k7Qw2mZ9xVtR4bNc8JpLs3HdYf6GaE1u"
	for name, c := range map[string]struct {
		flag, text string
		mode       os.FileMode
		says       string
	}{
		"token secret of others":  {"--jwt-secret-file", good, 0o644, "chmod 600"},
		"metrics token of others": {"--metrics-token-file", good, 0o644, "chmod 600"},
		"metrics token of a team": {"--metrics-token-file", good, 0o640, "chmod 600"},
		"short metrics token":     {"--metrics-token-file", " 123456789012345\n", 0o600, "15 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			path := file(dir, c.text, c.mode)
			args := []string{c.flag + "=" + path, "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--media-private"}
			err := run(t.Context(), args, io.Discard, io.Discard, nil)
			if exitCode(err) != exitUsage || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), good) {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("environment", func(t *testing.T) {
		t.Chdir(t.TempDir())
		t.Setenv(metricsTokenVariable, "123456789012345")
		if err := run(t.Context(), []string{"--http=127.0.0.1:0"}, io.Discard, io.Discard, nil); exitCode(err) != exitUsage || !strings.Contains(err.Error(), metricsTokenVariable) {
			t.Errorf("%v", err)
		}
		path := file(t.TempDir(), good, 0o600)
		if err := run(t.Context(), []string{"--http=127.0.0.1:0", "--metrics-token-file=" + path}, io.Discard, io.Discard, nil); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "not both") {
			t.Errorf("%v", err)
		}
	})
}

// The shortest token by a file opens /metrics, without what surrounds it.
func TestMetricsTokenByFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--metrics-token-file="+path)
	for token, want := range map[string]int{"0123456789abcdef": http.StatusOK, "0123456789abcdeg": http.StatusUnauthorized} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+rest.PathMetrics, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d", token, res.StatusCode)
		}
	}
}
