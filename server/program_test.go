package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/server/logtest"
	"parley/shared/rest"
)

// patience bounds every wait of these tests; a machine under load needs it.
const patience = 2 * time.Minute

// program is the whole server, run as main runs it, on ports of its own.
type program struct {
	base string // http://127.0.0.1:port
	dir  string // data directory
	stop context.CancelFunc
	done chan error
	logs *logtest.Buffer
	out  *logtest.Buffer // what it printed

	tokens map[string]string // of those whose token isn't a plain demo one
}

// start runs a demo server until the test ends. TestMain holds that none of them
// leaves anything behind.
func start(t *testing.T, flags ...string) *program {
	t.Helper()
	return startIn(t, t.TempDir(), flags...)
}

// startIn runs one in a data directory.
func startIn(t *testing.T, dir string, flags ...string) *program {
	t.Helper()
	p := &program{dir: dir, done: make(chan error, 1), logs: new(logtest.Buffer), out: new(logtest.Buffer)}
	args := append([]string{
		"serve", "--mode=demo", "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--data-dir=" + p.dir,
		"--drain-timeout=1s", "--log-level=debug",
	}, flags...)
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	go func() { p.done <- run(ctx, args, p.out, p.logs, nil) }()
	eventually(t, "the server tells its address", func() bool {
		select {
		case err := <-p.done:
			t.Fatalf("the server ended at its start: %v\n%s", err, p.logs)
		default:
		}
		p.base = toldAddress(p.out.String(), p.logs.String())
		return p.base != ""
	})
	t.Cleanup(func() {
		cancel()
		if err := <-p.done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", endOfLog(p.logs.String()))
		}
	})
	return p
}

// told is how a server says where it is: as a line for people, or in its log.
var told = regexp.MustCompile(`(?m)^Parley .* on (\S+) \(\w+\)$|"msg":"serving".*"url":"([^"]+)"`)

// toldAddress is where a server says it is; "" until it does.
func toldAddress(printed, logs string) string {
	for _, text := range []string{printed, logs} {
		if m := told.FindStringSubmatch(text); m != nil {
			return m[1] + m[2]
		}
	}
	return ""
}

// finished waits for the server's end.
func (p *program) finished(t *testing.T) {
	t.Helper()
	select {
	case err := <-p.done:
		if err != nil {
			t.Errorf("the server ended with %v", err)
		}
		p.done <- nil // for the cleanup
	case <-time.After(patience):
		t.Fatal("the server doesn't end")
	}
}

// token mints one for sub with the command a developer uses.
func (p *program) token(t *testing.T, sub string) string {
	t.Helper()
	if token, ok := p.tokens[sub]; ok {
		return token
	}
	var out bytes.Buffer
	err := run(t.Context(), []string{"token", "--mode=demo", "--sub=" + sub, "--data-dir=" + p.dir}, &out, io.Discard, nil)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out.String())
}

// ask sends a request as sub ("" is nobody) and decodes the answer into out.
func (p *program) ask(t *testing.T, sub, method, path string, body, out any) int {
	t.Helper()
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sent = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, p.base+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	if sub != "" {
		req.Header.Set("Authorization", "Bearer "+p.token(t, sub))
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if out != nil {
		if err := json.NewDecoder(res.Body).Decode(out); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return res.StatusCode
}

// active lists the live sessions as the admin sees them.
func (p *program) active(t *testing.T) []rest.Session {
	t.Helper()
	var page rest.Page[rest.Session]
	if status := p.ask(t, "demo-admin", http.MethodGet, rest.PathActive, nil, &page); status != http.StatusOK {
		t.Fatalf("active: %d", status)
	}
	return page.Items
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	within(t, what, patience, holds)
}

func within(t *testing.T, what string, limit time.Duration, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}
