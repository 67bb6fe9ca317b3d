package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parley/server/backup"
	"parley/shared/rest"
)

// command runs the program in a process of its own, beside a server: no process may
// open the files of another part of it.
func command(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), built.path(t), args...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func mustCommand(t *testing.T, args ...string) {
	t.Helper()
	if code, said := command(t, args...); code != exitDone {
		t.Fatalf("%q exits with %d: %s", args, code, said)
	}
}

// TestABackupOfABusyServerIsRestored: what was answered before it began is there, the
// chain of the audit log is whole, and nobody has to sign in anew.
func TestABackupOfABusyServerIsRestored(t *testing.T) {
	t.Parallel()
	p := spawn(t)
	call, hello := p.open(t, p.token(t, "cleo"))
	cookie := p.cookieOf(t, p.token(t, "bob"))
	revoked := p.token(t, "ann")
	if got := p.statusOf(t, revoked, nil); got != http.StatusOK { // who was never there can't be revoked
		t.Fatalf("before it is revoked: %d", got)
	}
	if got := p.ask(t, "demo-admin", http.MethodPost, pathOf(rest.PathRevokeUser, "ann"), rest.RevokeRequest{Reason: "lost phone"}, nil); got >= 300 {
		t.Fatalf("revoking: %d", got)
	}
	if got := p.ask(t, "demo-admin", http.MethodPatch, rest.PathSettings, map[string]any{rest.SettingMaxSessions: 7}, nil); got != http.StatusOK {
		t.Fatalf("settings: %d", got)
	}
	admin := p.token(t, "demo-admin")
	d, ended := new(doings), make(chan struct{})
	go func() { d.work(p, admin, 1); close(ended) }()
	answered := func() int { d.mu.Lock(); defer d.mu.Unlock(); return len(d.ids) }
	eventually(t, "acts are answered", func() bool { return answered() > 20 })
	d.mu.Lock()
	before := &doings{ids: append([]string(nil), d.ids...)}
	d.mu.Unlock()
	copyDir, dir := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")
	mustCommand(t, "backup", copyDir, "--data-dir="+p.dir)
	during := answered()
	eventually(t, "acts are answered after it", func() bool { return answered() > during })
	if code, said := command(t, "restore", copyDir, "--data-dir="+p.dir); code != exitFailed || !strings.Contains(said, "another server") {
		t.Errorf("over the running server: %d, %s", code, said)
	}
	call.Close()
	p.terminate(t)
	<-ended
	if code := p.exitWithin(t, patience); code != exitDone {
		t.Errorf("the server exited with %d", code)
	}
	p.killed = true // it has ended
	t.Logf("%d acts answered before the backup, %d until it was made", len(before.ids), during)

	mustCommand(t, "restore", copyDir, "--data-dir="+dir)
	mustCommand(t, "audit", "verify", "--data-dir="+dir)
	if code, said := command(t, "restore", copyDir, "--data-dir="+dir); code != exitFailed || !strings.Contains(said, "mv "+dir) {
		t.Errorf("over another record: %d, %s", code, said)
	}
	again := spawnIn(t, dir)
	again.hasAll(t, before)
	settingIs(rest.SettingMaxSessions, 7.0)(t, again, "")
	if token, session := again.statusOf(t, revoked, nil), again.statusOf(t, "", cookie); token != http.StatusUnauthorized || session != http.StatusOK {
		t.Errorf("a revoked token gets %d, a cookie from before %d", token, session)
	}
	var kept rest.Page[rest.SessionRecord]
	again.ask(t, "demo-admin", http.MethodGet, rest.PathSessions, nil, &kept)
	if len(kept.Items) != 1 || kept.Items[0].ID != hello.SessionID || kept.Items[0].EndedAt == nil {
		t.Errorf("of the call there is %+v", kept.Items)
	}
	mustCommand(t, "audit", "verify", "--data-dir="+dir)
}

// hasAll holds that what was answered is in the audit log.
func (c *child) hasAll(t *testing.T, d *doings) {
	t.Helper()
	kept := make(map[string]bool)
	for _, e := range c.audit(t) {
		kept[e.RequestID] = true
	}
	for _, id := range d.ids {
		if !kept[id] {
			t.Errorf("an answered act is not in the audit log: %s", id)
			return
		}
	}
}

// TestABackupThatIsKilledLooksLikeNone, at whatever moment.
func TestABackupThatIsKilledLooksLikeNone(t *testing.T) {
	t.Parallel()
	p := spawn(t)
	whole := 0
	for range 6 {
		dir := filepath.Join(t.TempDir(), "backup")
		cmd := exec.Command(built.path(t), "backup", dir, "--data-dir="+p.dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it has begun", func() bool { entries, _ := os.ReadDir(dir); return len(entries) > 0 })
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // its error is the kill
		if _, err := backup.Read(dir); err == nil {
			whole++
			continue
		}
		data := filepath.Join(t.TempDir(), "data")
		if code, said := command(t, "restore", dir, "--data-dir="+data); code != exitFailed || !strings.Contains(said, "broken off") {
			t.Errorf("restoring it: %d, %s", code, said)
		}
		if _, err := os.Lstat(data); err == nil {
			t.Error("a data directory was made of it")
		}
		if code, said := command(t, "backup", dir, "--data-dir="+p.dir); code != exitFailed || !strings.Contains(said, "broken off") && !strings.Contains(said, "isn't empty") {
			t.Errorf("another backup over it: %d, %s", code, said)
		}
	}
	t.Logf("%d of 6 were made before they were killed", whole)
}

// TestNoServerStartsOnHalfARestore.
func TestNoServerStartsOnHalfARestore(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, backup.UnfinishedName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, logs bytes.Buffer
	err := run(t.Context(), []string{"serve", "--mode=demo", "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--data-dir=" + dir}, &out, &logs, nil)
	if exitCode(err) != exitFailed || !strings.Contains(err.Error(), "restore again") {
		t.Errorf("%v", err)
	}
}
