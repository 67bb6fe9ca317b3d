package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// floodVariable says how long the flood lasts, by make flood; without it each
// stranger asks floodRequests times.
const floodVariable = "PARLEY_TEST_FLOOD"

const floodRequests = 1000

// floodUntil reports when a stranger who asked n times has done so often enough.
func floodUntil(t *testing.T) func(n int) bool {
	t.Helper()
	given := os.Getenv(floodVariable)
	if given == "" {
		return func(n int) bool { return n >= floodRequests }
	}
	lasts, err := time.ParseDuration(given)
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(lasts)
	return func(int) bool { return time.Now().After(end) }
}

// Strangers who ask as fast as they can take nothing of the admins' sight, nor of
// their hands, on a small disk.
func TestAFloodOfStrangersLeavesAdminsTheirDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("parley-test", dir, "tmpfs", 0, "size=32m,mode=0700"); err != nil {
		t.Skipf("no disk of its own: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	p := spawnIn(t, dir)
	var asked atomic.Int64
	var strangers sync.WaitGroup
	enough := floodUntil(t)
	for range 16 {
		strangers.Go(func() {
			for n := 0; !enough(n); n++ {
				res, err := http.Get(p.base + "/api/v1/me?" + strings.Repeat("x", 200))
				if err != nil {
					continue
				}
				_ = res.Body.Close()
				asked.Add(1)
			}
		})
	}
	strangers.Wait()
	if asked.Load() < 10_000 {
		t.Fatalf("only %d requests were answered", asked.Load())
	}
	if status := p.ask(t, "demo-admin", http.MethodGet, rest.PathActive, nil, nil); status != http.StatusOK {
		t.Errorf("the admin sees %d", status)
	}
	if status := p.ask(t, "demo-admin", http.MethodPost, rest.PathTimeout, map[string]int{"timeout_minutes": 7}, nil); status >= 300 {
		t.Errorf("the admin's change is answered %d", status)
	}
	within(t, "the flood is on record", 10*time.Second, func() bool {
		var page rest.Page[rest.LogEntry]
		p.ask(t, "demo-admin", http.MethodGet, rest.PathLogs+"?kind=counted&limit=500", nil, &page)
		counted := int64(0)
		for _, line := range page.Items {
			counted += line.Count
		}
		return counted > asked.Load()/2
	})
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil || int64(disk.Bavail)*disk.Bsize < 16<<20 {
		t.Errorf("%d of 32 MiB are left (%v)", int64(disk.Bavail)*disk.Bsize, err)
	}
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
