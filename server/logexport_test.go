package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/audit"
	"parley/server/store"
	"parley/shared/rest"
)

// logCollector takes lines as its operator's would, when it is up.
type logCollector struct {
	*httptest.Server

	mu    sync.Mutex
	isUp  bool
	lines []exportedLine
	text  strings.Builder
}

// exportedLine has what tells one line from another.
type exportedLine struct {
	Log       string
	ID        int64 `json:",string"`
	Seq       int64
	RequestID string `json:"request_id"`
}

const logTokenOfTests = "log-token-of-the-tests"

func newLogCollector(t *testing.T) *logCollector {
	t.Helper()
	c := &logCollector{isUp: true}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil || !c.isUp || r.Header.Get("Authorization") != "Bearer "+logTokenOfTests {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		c.text.Write(body)
		for line := range strings.Lines(string(body)) {
			var e exportedLine
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Errorf("%v: %s", err, line)
			}
			c.lines = append(c.lines, e)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *logCollector) set(isUp bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isUp = isUp
}

// has reports whether the request of an id arrived in a log.
func (c *logCollector) has(log, requestID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lines {
		if l.Log == log && l.RequestID == requestID {
			return true
		}
	}
	return false
}

// A server that is killed while its collector is away hands on what was answered once
// both are back: each line of both logs, in order, masked as the API tells it.
func TestLogsReachTheirCollectorThroughAKill(t *testing.T) {
	t.Parallel()
	collector, dir := newLogCollector(t), t.TempDir()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(logTokenOfTests), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := []string{"--log-export=" + collector.URL + "/in", "--log-export-token-file=" + token}
	p := spawnIn(t, dir, flags...)
	var asked []string
	look := func() {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+rest.PathSessions+"?user=ada.lovelace@example.org", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+p.token(t, "demo-admin"))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatalf("a look is answered %d", res.StatusCode)
		}
		asked = append(asked, res.Header.Get("X-Request-Id"))
	}
	look()
	eventually(t, "the first look arrives", func() bool { return collector.has("access", asked[0]) && collector.has("audit", asked[0]) })
	collector.set(false)
	look()
	eventually(t, "a line waits", func() bool {
		return !strings.Contains(p.text(t, rest.PathMetrics), `parley_log_export_lag_seconds{log="audit"} 0`+"\n")
	})
	p.kill(t)
	p = spawnIn(t, dir, flags...)
	look()
	collector.set(true)
	eventually(t, "every look arrives", func() bool {
		for _, id := range asked[1:] {
			if !collector.has("audit", id) {
				return false
			}
		}
		return collector.has("access", asked[2]) // what the killed server had not on the disk yet is not in its own log either
	})
	collector.check(t)
	if !strings.Contains(p.text(t, rest.PathMetrics), `parley_log_export_lost_total{log="audit"} 0`) {
		t.Error("lines count as lost")
	}
}

// check holds that lines came first in their order, those of the audit log without a gap,
// and that nobody can be read in them.
func (c *logCollector) check(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	highest, seen := map[string]int64{}, map[int64]bool{}
	for _, l := range c.lines {
		if seen[l.ID] {
			continue // once more, at a cut
		}
		seen[l.ID] = true
		number := l.ID
		if l.Log == "audit" {
			number = l.Seq
		}
		if before := highest[l.Log]; number <= before || l.Log == "audit" && number != before+1 {
			t.Errorf("line %d of the %s log comes after %d", number, l.Log, before)
		}
		highest[l.Log] = number
	}
	if text := c.text.String(); strings.Contains(text, "lovelace") || strings.Contains(text, "127.0.0.1") || strings.Contains(text, "user_key") {
		t.Errorf("somebody can be read:\n%s", text)
	}
}

// TestTheLeaderAloneHandsLogsOn: the nodes of a cluster have one record.
func TestTheLeaderAloneHandsLogsOn(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), t.TempDir(), store.Options{Node: "n"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.AppendLogs(t.Context(), []rest.LogEntry{{T: time.Now(), Path: "/"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AppendAudit(t.Context(), rest.AuditEntry{Actor: "ada"}, audit.Seal, nil); err != nil {
		t.Fatal(err)
	}
	for leads, want := range map[bool]int{true: 1, false: 0} {
		logs := leadersLogs{s, func() bool { return leads }}
		access, accessErr := logs.UnsentLogs(t.Context(), 9)
		lines, err := logs.UnsentAudit(t.Context(), 9)
		if err := errors.Join(accessErr, err); err != nil || len(access) != want || len(lines) != want {
			t.Errorf("leads %t: %d and %d lines, %v", leads, len(access), len(lines), err)
		}
	}
}
