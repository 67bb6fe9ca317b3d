package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/shared/rest"
	"parley/shared/wire"
)

const monitoring = "/api/v1/monitoring"

// call makes a call of a second and gives its id.
func (p *program) callOf(t *testing.T, sub string) string {
	t.Helper()
	k := p.talking(t, sub, "echo")
	k.say(t, 2*time.Second, true)
	id := k.session()
	k.call.Hangup()
	k.over(t)
	return id
}

func TestACallIsOnRecordForItsOwnerAndForAdmins(t *testing.T) {
	t.Parallel()
	p := start(t)
	id := p.callOf(t, "ann")
	var own rest.Page[rest.SessionRecord]
	eventually(t, "the owner finds the call", func() bool {
		return p.ask(t, "ann", http.MethodGet, rest.PathOwnSessions, nil, &own) == http.StatusOK && len(own.Items) == 1 && own.Items[0].EndedAt != nil
	})
	if got := own.Items[0]; got.ID != id || got.EndCause != wire.CallerLeft || got.DurationS < 2 || got.Agent != "echo" {
		t.Errorf("it reads %+v", got)
	}
	for sub, want := range map[string]int{"ann": 200, "bob": 404, "": 401} {
		if got := p.ask(t, sub, http.MethodGet, rest.PathOwnSessions+"/"+id, nil, nil); got != want {
			t.Errorf("%q asking for the call gets %d, want %d", sub, got, want)
		}
	}
	var all rest.Page[rest.SessionRecord]
	if got := p.ask(t, "demo-admin", http.MethodGet, rest.PathSessions, nil, &all); got != http.StatusOK || len(all.Items) != 1 {
		t.Errorf("an admin's list: %d, %+v", got, all.Items)
	}
}

func TestWhatIsKeptOutlivesTheServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, "--data-dir="+dir)
	p.dir = dir
	id := p.callOf(t, "ann")
	p.ask(t, "demo-admin", http.MethodPost, rest.PathTimeout, rest.TimeoutRequest{TimeoutMinutes: 45}, nil)
	p.stop()
	p.finished(t)

	p = start(t, "--data-dir="+dir)
	p.dir = dir
	var found rest.SessionRecord
	if got := p.ask(t, "ann", http.MethodGet, rest.PathOwnSessions+"/"+id, nil, &found); got != http.StatusOK || found.EndCause != wire.CallerLeft {
		t.Errorf("the call after a restart: %d %+v", got, found)
	}
	if got := p.idleTimeout(t); got != 45 {
		t.Errorf("the idle timeout after a restart is %v minutes, want what an admin set", got)
	}
	p.stop()
	p.finished(t)

	p = start(t, "--data-dir="+dir, "--reset-settings")
	p.dir = dir
	if got := p.idleTimeout(t); got != 30 {
		t.Errorf("the idle timeout after --reset-settings is %v minutes, want the flag's", got)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"audit", "verify", "--data-dir=" + dir}, &out, io.Discard, nil); err != nil || !strings.Contains(out.String(), "intact") {
		t.Errorf("audit verify beside a running server: %v, %s", err, out.String())
	}
}

func (p *program) idleTimeout(t *testing.T) any {
	t.Helper()
	var s rest.Settings
	p.ask(t, "demo-admin", http.MethodGet, rest.PathSettings, nil, &s)
	return number(s.Settings[rest.SettingIdleTimeout].Value)
}

func number(v any) int {
	f, _ := v.(float64)
	return int(f)
}

func TestAuditVerifyWithoutALog(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), []string{"audit", "verify", "--data-dir=" + t.TempDir()}, io.Discard, io.Discard, nil)
	if exitCode(err) != exitFailed {
		t.Errorf("an empty directory verifies: %v", err)
	}
}

func TestARevokedUserIsOutAtOnce(t *testing.T) {
	t.Parallel()
	p := start(t)
	token := p.token(t, "ann")
	k := p.talking(t, "ann", "echo")
	var done rest.Revoked
	if got := p.ask(t, "demo-admin", http.MethodPost, monitoring+"/users/ann/revoke", nil, &done); got != http.StatusOK || done.Ended != 1 {
		t.Fatalf("revoke: %d %+v", got, done)
	}
	if end := k.over(t); end.Ended.Cause != wire.Revoked {
		t.Errorf("her call ended by %s", end.Ended.Cause)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+rest.PathMe, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token from before gets %d", res.StatusCode)
	}
}

func TestAudioInTheDataDirectoryStopsNewCalls(t *testing.T) {
	t.Parallel()
	p := start(t)
	file := filepath.Join(p.dir, "call.ogg")
	if err := os.WriteFile(file, []byte("OggS and what follows"), 0o600); err != nil {
		t.Fatal(err)
	}
	var problem rest.Problem
	eventually(t, "admission refuses", func() bool {
		return p.ask(t, "ann", http.MethodGet, rest.PathAdmission, nil, &problem) == http.StatusServiceUnavailable
	})
	if problem.Code != rest.CodePrivacyBlock {
		t.Errorf("it says %s", problem.Code)
	}
	var refusal *rest.Problem
	if end := p.ring(t, "ann", "echo").over(t); !errors.As(end.Err, &refusal) || refusal.Code != rest.CodePrivacyBlock {
		t.Errorf("the socket says %v", end.Err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	eventually(t, "calls are taken again", func() bool {
		return p.ask(t, "ann", http.MethodGet, rest.PathAdmission, nil, nil) == http.StatusOK
	})
}

// New calls that are paused stay so over a restart, by whichever way they come; the one
// that is on goes on, and the server is ready.
func TestAPauseKeepsNewCallsOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, "--data-dir="+dir)
	p.dir = dir
	k := p.talking(t, "ann", "echo")
	if got := p.ask(t, "demo-admin", http.MethodPost, rest.PathPause, rest.PauseRequest{Reason: "move"}, nil); got != http.StatusOK {
		t.Fatalf("pause: %d", got)
	}
	p.checkPaused(t)
	k.say(t, 2*time.Second, true)
	if live := p.active(t); len(live) != 1 {
		t.Errorf("%d live sessions, want the one that was on", len(live))
	}
	p.stop()
	p.finished(t)

	p = start(t, "--data-dir="+dir)
	p.dir = dir
	p.checkPaused(t)
	p.ask(t, "demo-admin", http.MethodPost, rest.PathResume, nil, nil)
	p.callOf(t, "bob")
}

// checkPaused: whoever comes is told so, and operators see it.
func (p *program) checkPaused(t *testing.T) {
	t.Helper()
	var refused *rest.Problem
	if end := p.ring(t, "bob", "echo").over(t); !errors.As(end.Err, &refused) || refused.Code != rest.CodePaused {
		t.Errorf("a call gets %v, want paused", end.Err)
	}
	if got := p.ask(t, "bob", http.MethodPost, rest.PathClientSecrets, map[string]any{}, nil); got != http.StatusServiceUnavailable {
		t.Errorf("a client secret: %d", got)
	}
	if got := p.ask(t, "bob", http.MethodGet, "/readyz", nil, nil); got != http.StatusOK {
		t.Errorf("readiness: %d", got)
	}
	var stats rest.Stats
	var health rest.Health
	p.ask(t, "demo-admin", http.MethodGet, rest.PathStats, nil, &stats)
	if p.ask(t, "demo-admin", http.MethodGet, rest.PathMonitorHealth, nil, &health); !stats.Paused || !health.Paused {
		t.Errorf("paused: stats %v, health %v", stats.Paused, health.Paused)
	}
}

func TestMonitoringOffKeepsTheLeash(t *testing.T) {
	t.Parallel()
	p := start(t)
	if got := p.ask(t, "demo-admin", http.MethodPost, rest.PathDisable, nil, nil); got != http.StatusOK {
		t.Fatalf("disable: %d", got)
	}
	k := p.talking(t, "ann", "echo")
	k.say(t, 2*time.Second, true)
	if live := p.active(t); len(live) != 1 {
		t.Errorf("%d live sessions with monitoring off, want the one there is", len(live))
	}
	var logs rest.Page[rest.LogEntry]
	p.ask(t, "demo-admin", http.MethodGet, rest.PathLogs+"?path="+rest.PathActive, nil, &logs)
	if len(logs.Items) != 0 {
		t.Errorf("the access log goes on: %+v", logs.Items)
	}
	var lines rest.AuditPage
	if p.ask(t, "demo-admin", http.MethodGet, rest.PathAudit, nil, &lines); len(lines.Items) == 0 || !lines.Chain.Intact {
		t.Errorf("the audit log stopped: %+v", lines)
	}
	p.ask(t, "demo-admin", http.MethodPost, rest.PathEnable, nil, nil)
	eventually(t, "the access log is on again", func() bool {
		p.ask(t, "demo-admin", http.MethodGet, rest.PathLogs+"?path="+rest.PathLogs, nil, &logs)
		return len(logs.Items) > 0
	})
}

func TestAnOrganizationsAdminSeesOnlyItsOwn(t *testing.T) {
	t.Parallel()
	p := start(t, "--mode=organization", "--admins=root", "--media-private")
	member := func(sub, org, role string) string {
		var out bytes.Buffer
		args := []string{"token", "--mode=organization", "--sub=" + sub, "--org=" + org, "--role=" + role, "--data-dir=" + p.dir}
		if err := run(t.Context(), args, &out, io.Discard, nil); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out.String())
	}
	p.tokens = map[string]string{
		"ann": member("ann", "acme", ""), "boss": member("boss", "acme", "org_admin"),
		"other": member("other", "umbrella", "org_admin"), "root": member("root", "acme", ""),
	}
	k := p.talking(t, "ann", "echo")
	for sub, want := range map[string]int{"boss": 1, "other": 0, "root": 1} {
		var page rest.Page[rest.Session]
		if got := p.ask(t, sub, http.MethodGet, rest.PathActive, nil, &page); got != http.StatusOK || len(page.Items) != want {
			t.Errorf("%s sees %d calls (%d), want %d", sub, len(page.Items), got, want)
		}
	}
	end := monitoring + "/sessions/" + k.session() + "/end"
	for _, c := range []struct {
		sub  string
		want int
	}{{"ann", http.StatusForbidden}, {"other", http.StatusNotFound}} {
		if got := p.ask(t, c.sub, http.MethodPost, end, rest.EndRequest{Reason: "x"}, nil); got != c.want {
			t.Errorf("%s ending it gets %d, want %d", c.sub, got, c.want)
		}
	}
	if got := p.ask(t, "boss", http.MethodPost, end, rest.EndRequest{Reason: "done"}, nil); got >= 300 {
		t.Errorf("its own admin ending it gets %d", got)
	}
	if got := k.over(t); got.Ended.Cause != wire.AdminEnded {
		t.Errorf("it ended by %s", got.Ended.Cause)
	}
}

// TestStandardOutputIsTheAccessLog: with --log-format=json there is nothing on it
// but the lines, each with the id by which the API tells it, too.
func TestStandardOutputIsTheAccessLog(t *testing.T) {
	t.Parallel()
	p := start(t, "--log-format=json")
	p.ask(t, "ann", http.MethodGet, rest.PathMe, nil, nil)
	eventually(t, "the line is printed", func() bool { return strings.Contains(p.out.String(), rest.PathMe) })
	for line := range strings.Lines(p.out.String()) {
		var e rest.LogEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.ID == 0 || e.T.IsZero() {
			t.Errorf("no line of the access log: %v: %s", err, line)
		}
		if !regexp.MustCompile(`"t":"[^"]*\.\d{3}Z"`).MatchString(line) {
			t.Errorf("no milliseconds: %s", line)
		}
		eventually(t, "the API has the line by its id", func() bool {
			return strings.Contains(p.text(t, rest.PathLogs), fmt.Sprintf(`"id":"%d"`, e.ID))
		})
	}
	for line := range strings.Lines(p.logs.String()) {
		if !json.Valid([]byte(line)) || strings.Contains(line, "#token=") {
			t.Errorf("no log line, or one with a token: %s", line)
		}
	}
	if !strings.Contains(p.logs.String(), "parley token --mode=demo --sub=demo-admin --link="+p.base) {
		t.Errorf("how to sign in is not told: %s", p.logs)
	}
}
