package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parley/shared/rest"
)

// A disk that is full, where this machine lets us have one of our own.
func TestCallsOutliveAFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("parley-test", dir, "tmpfs", 0, "size=6m,mode=0700"); err != nil {
		t.Skipf("no disk of its own: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	p := spawnIn(t, dir)
	ballast := filepath.Join(dir, "ballast")
	p.outlives(t, func() error { return fillDisk(ballast) }, func() error { return os.Remove(ballast) })
}

// fillDisk writes until there is no byte left.
func fillDisk(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	return nil
}

// A store that takes no byte, which every machine can have: the kernel lets the
// process write to no file.
func TestCallsOutliveAStoreThatIsGone(t *testing.T) {
	p := spawn(t)
	limit := func(most uint64) error {
		return unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: most, Max: unix.RLIM_INFINITY}, nil)
	}
	p.outlives(t, func() error { return limit(0) }, func() error { return limit(unix.RLIM_INFINITY) })
}

// outlives holds what is promised while nothing can be kept: calls go on, looks
// at people and changes are refused in time, and all is well soon after.
func (c *child) outlives(t *testing.T, broken, mended func() error) {
	t.Helper()
	k := c.talking(t, "ann", "echo")
	if err := broken(); err != nil {
		t.Fatal(err)
	}
	reads := []string{rest.PathActive, rest.PathSessions, rest.PathLogs, rest.PathActivities, rest.PathAudit, "/api/v1/monitoring/export/logs"}
	began := time.Now()
	within(t, "a look at people is refused", 10*time.Second, func() bool {
		return c.refusedInTime(t, http.MethodGet, rest.PathActive, nil)
	})
	t.Logf("the first refusal came after %v", time.Since(began).Round(time.Millisecond))
	for _, path := range reads {
		if !c.refusedInTime(t, http.MethodGet, path, nil) {
			t.Errorf("%s is answered though the look can't be recorded", path)
		}
	}
	if !c.refusedInTime(t, http.MethodPost, rest.PathTimeout, []byte(`{"timeout_minutes":7}`)) {
		t.Error("a change is made though it can't be recorded")
	}
	within(t, "readyz says degraded", 10*time.Second, func() bool { return slices.Contains(c.degraded(t), "store") })

	n := len(k.back())
	k.say(t, time.Second, true)
	eventually(t, "the call goes on", func() bool { return len(k.back()) >= n+45 })
	another := c.talking(t, "bob", "echo")
	another.call.Hangup()
	another.over(t)

	if err := mended(); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	within(t, "all is well again", 10*time.Second, func() bool {
		return c.ask(t, "demo-admin", http.MethodGet, rest.PathActive, nil, nil) == http.StatusOK && len(c.degraded(t)) == 0
	})
	t.Logf("well again after %v", time.Since(began).Round(10*time.Millisecond))
	for _, e := range c.audit(t) {
		if e.Action == rest.AuditSettings {
			t.Error("the change that was refused is on record as done")
		}
	}
	verify(t, c.dir)
}

// refusedInTime asks as the admin: within 2 s there is an answer; it tells
// whether that is 503 with a time to come back.
func (c *child) refusedInTime(t *testing.T, method, path string, body []byte) bool {
	t.Helper()
	token := c.token(t, "demo-admin")
	began := time.Now()
	res := c.send(t, token, method, path, body)
	defer res.Body.Close()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("%s was answered after %v", path, took)
	}
	if res.StatusCode != http.StatusServiceUnavailable {
		return false
	}
	if res.Header.Get("Retry-After") == "" || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		t.Errorf("%s is refused without a time to come back: %v", path, res.Header)
	}
	return true
}

// degraded are the parts that /readyz names; calls work all the while.
func (c *child) degraded(t *testing.T) []string {
	t.Helper()
	var ready struct {
		Degraded []string `json:"degraded"`
	}
	if status := c.ask(t, "", http.MethodGet, rest.PathReady, nil, &ready); status != http.StatusOK {
		t.Errorf("readyz: %d", status)
	}
	return ready.Degraded
}
