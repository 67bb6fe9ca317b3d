package main

import (
	"bytes"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"parley/shared/rest"
	"parley/shared/wire"
)

// rotate runs the command, as an operator does.
func rotate(t *testing.T, flags ...string) (said string, err error) {
	t.Helper()
	var out bytes.Buffer
	err = run(t.Context(), append([]string{"secret", "rotate"}, flags...), &out, io.Discard, nil)
	return out.String(), err
}

// cookieOf signs in, as the page does, and gives the cookie.
func (p *program) cookieOf(t *testing.T, token string) *http.Cookie {
	t.Helper()
	res := p.send(t, token, http.MethodPost, rest.PathAuthSession, nil)
	defer res.Body.Close()
	if len(res.Cookies()) != 1 {
		t.Fatalf("signing in: %s, %d cookies", res.Status, len(res.Cookies()))
	}
	return res.Cookies()[0]
}

// statusOf asks who one is, with a token or, where there is none, with a cookie.
func (p *program) statusOf(t *testing.T, token string, cookie *http.Cookie) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+rest.PathMe, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cookie != nil {
		req.AddCookie(cookie)
	} else {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// TestARotatedSecretThrowsNobodyOut: a running server takes both secrets, by the signal
// and by the clock, the one that it made and one of a file.
func TestARotatedSecretThrowsNobodyOut(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	replaceFile(t, file, []byte("q8Zr2LmT5vXb9NcK4wPs7HdYf3JgEa6U"))
	for name, test := range map[string]struct {
		serve, secret []string
		signal        bool
	}{
		"its own, by the signal": {[]string{"--reload-interval=1m"}, nil, true},
		"a file, by the clock":   {[]string{"--reload-interval=100ms", "--jwt-secret-file=" + file}, []string{"--jwt-secret-file=" + file}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := spawn(t, test.serve...)
			mint := func() string { return c.mint(t, append([]string{"--sub=ann"}, test.secret...)...) }
			next := func() (token string) {
				t.Helper()
				if _, err := rotate(t, append([]string{"--data-dir=" + c.dir}, test.secret...)...); err != nil {
					t.Fatal(err)
				}
				token = mint()
				if test.signal {
					c.signal(t, syscall.SIGHUP)
				}
				eventually(t, "a token of the new secret is taken", func() bool { return c.statusOf(t, token, nil) == http.StatusOK })
				return token
			}
			old := mint()
			cookie := c.cookieOf(t, old)
			call, _ := c.open(t, old)
			young := next()
			if token, session := c.statusOf(t, old, nil), c.statusOf(t, "", cookie); token != http.StatusOK || session != http.StatusOK {
				t.Errorf("after a rotation: the token before gets %d, its cookie %d", token, session)
			}
			call.say(wire.Ping{ID: 1})
			receive[wire.Pong](call)
			next()
			if token, session := c.statusOf(t, old, nil), c.statusOf(t, "", cookie); token != http.StatusUnauthorized || session != http.StatusUnauthorized {
				t.Errorf("after a second rotation: the first token gets %d, its cookie %d", token, session)
			}
			if got := c.statusOf(t, young, nil); got != http.StatusOK {
				t.Errorf("after a second rotation: the second token gets %d", got)
			}
			call.say(wire.Ping{ID: 2}) // who was let in is not asked again
			receive[wire.Pong](call)
		})
	}
}

// TestARotationSaysWhatItCanNotDo, and where the new secret is.
func TestARotationSaysWhatItCanNotDo(t *testing.T) {
	dir := t.TempDir()
	if _, err := rotate(t, "--data-dir="+dir); exitCode(err) != exitFailed || !strings.Contains(err.Error(), "first start") {
		t.Errorf("without a secret: %v", err)
	}
	p := &program{dir: dir}
	p.mint(t, "--sub=ann") // makes one
	if said, err := rotate(t, "--data-dir="+dir); err != nil || !strings.Contains(said, filepath.Join(dir, "jwt-secret")) || !strings.Contains(said, "SIGHUP") {
		t.Errorf("%v, %q", err, said)
	}
	t.Setenv(secretVariable, "q8Zr2LmT5vXb9NcK4wPs7HdYf3JgEa6U")
	if _, err := rotate(t, "--data-dir="+dir); exitCode(err) != exitUsage || !strings.Contains(err.Error(), secretVariable) || !strings.Contains(err.Error(), "--jwt-secret-file") {
		t.Errorf("a secret of the environment: %v", err)
	}
}
