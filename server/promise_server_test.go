package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/server/logtest"
	"parley/shared/rest"
)

// metricsTokenOfTests opens /metrics of the servers of these tests.
const metricsTokenOfTests = "metrics-token-of-the-promise-tests"

// executable is the program as it is shipped, made when it is needed first. The
// figures promised are its, not those of code with the race detector in it, of
// which an SQLite in Go is ten times slower.
type executable struct {
	once sync.Once
	dir  string
	err  error
}

var built executable

func (b *executable) path(t *testing.T) string {
	t.Helper()
	b.once.Do(func() {
		if b.dir, b.err = os.MkdirTemp("", "parley-program"); b.err != nil {
			return
		}
		build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(b.dir, "parley"), ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := build.CombinedOutput(); err != nil {
			b.err = fmt.Errorf("%w: %s", err, said)
		}
	})
	if b.err != nil {
		t.Fatalf("building the program: %v", b.err)
	}
	return filepath.Join(b.dir, "parley")
}

func (b *executable) remove() { _ = os.RemoveAll(b.dir) }

// child is the whole server in a process of its own, run as a user runs it: it
// gets signals, is confined, exits with a code, and can be killed and weighed
// from outside.
type child struct {
	*program
	cmd     *exec.Cmd
	printed *logtest.Buffer // standard output; logs is standard error
	exited  chan struct{}
	killed  bool
}

// spawn starts a demo server in a process and a data directory of its own.
func spawn(t *testing.T, flags ...string) *child {
	t.Helper()
	return spawnIn(t, t.TempDir(), flags...)
}

// spawnIn starts a demo server on a data directory and waits until it answers.
func spawnIn(t *testing.T, dir string, flags ...string) *child {
	t.Helper()
	return spawnProgram(t, built.path(t), dir, flags...)
}

// spawnProgram is spawnIn for another build.
func spawnProgram(t *testing.T, binary, dir string, flags ...string) *child {
	t.Helper()
	c := launchProgram(t, binary, dir, flags...)
	eventually(t, "the server prints its address", func() bool {
		select {
		case <-c.exited:
			t.Fatalf("the server ended at its start: %v\n%s", c.cmd.ProcessState, c.logs)
		default:
		}
		c.base = toldAddress(c.printed.String(), c.logs.String())
		return c.base != ""
	})
	return c
}

// launch starts a server and waits for nothing.
func launch(t *testing.T, dir string, flags ...string) *child {
	t.Helper()
	return launchProgram(t, built.path(t), dir, flags...)
}

// launchProgram is launch for another build.
func launchProgram(t *testing.T, binary, dir string, flags ...string) *child {
	t.Helper()
	c := &child{
		program: &program{dir: dir, logs: new(logtest.Buffer)},
		printed: new(logtest.Buffer), exited: make(chan struct{}),
	}
	c.cmd = exec.Command(binary, append([]string{
		"serve", "--mode=demo", "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--data-dir=" + dir,
		"--drain-timeout=1s", "--log-level=debug",
	}, flags...)...)
	c.cmd.Env = os.Environ()
	if !slices.ContainsFunc(flags, func(f string) bool { return strings.HasPrefix(f, "--metrics-token-file") }) {
		c.cmd.Env = append(c.cmd.Env, metricsTokenVariable+"="+metricsTokenOfTests)
	}
	c.cmd.Stdout, c.cmd.Stderr = c.printed, c.logs
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = c.cmd.Wait() // how it ended is in ProcessState
		close(c.exited)
	}()
	t.Cleanup(func() { c.cleanUp(t) })
	return c
}

func (c *child) cleanUp(t *testing.T) {
	if !c.killed {
		c.terminate(t)
		if code := c.exitWithin(t, patience); code != 0 {
			t.Errorf("the server exited with %d", code)
		}
	}
	if log := c.logs.String(); strings.Contains(log, "panic:") {
		t.Errorf("the server broke:\n%s", log)
	}
	if t.Failed() {
		t.Logf("the server's log:\n%s", endOfLog(c.logs.String()))
	}
}

// endOfLog is what a server logged last, without what pion has to say.
func endOfLog(log string) string {
	lines := slices.DeleteFunc(strings.Split(log, "\n"), func(line string) bool { return strings.Contains(line, "event=pion") })
	return tail(strings.Join(lines, "\n"), 60)
}

func tail(s string, lines int) string {
	all := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// terminate sends SIGTERM.
func (c *child) terminate(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
}

// exitWithin waits for the end of the process and gives its exit code.
func (c *child) exitWithin(t *testing.T, limit time.Duration) int {
	t.Helper()
	select {
	case <-c.exited:
	case <-time.After(limit):
		_ = c.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines go to the log
		<-c.exited
		t.Errorf("the server still ran %v after it was told to stop:\n%s", limit, tail(c.logs.String(), 200))
	}
	return c.cmd.ProcessState.ExitCode()
}

// kill is kill -9.
func (c *child) kill(t *testing.T) {
	t.Helper()
	c.killed = true
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.exited
}

// healthy tells whether the server answers, and how fast.
func (p *program) healthy(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+rest.PathHealth, nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("health: %s", res.Status)
	}
	_, err = io.Copy(io.Discard, res.Body)
	return time.Since(began), err
}

// pulse asks for the server's health every 10 ms, whether or not the answer
// before has come, until stop.
func (c *child) pulse(t *testing.T) (stop func() answerTimes) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var (
		asking sync.WaitGroup
		mu     sync.Mutex
		took   []time.Duration
	)
	ask := func() {
		d, err := c.healthy(context.Background())
		if err != nil {
			t.Errorf("meanwhile: %v", err)
		}
		mu.Lock()
		defer mu.Unlock()
		took = append(took, d)
	}
	before := readProcessorTime(c.cmd.Process.Pid)
	asking.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			asking.Go(ask)
			<-tick.C
		}
	})
	return func() answerTimes {
		cancel()
		asking.Wait()
		share := readProcessorTime(c.cmd.Process.Pid).shareLeftSince(before)
		slices.Sort(took)
		return answerTimes{p99: took[(len(took)*99-1)/100], longest: took[len(took)-1], share: share}
	}
}

// answerTimes are what a pulse measured beside the work of others, and the share
// of the machine that they left.
type answerTimes struct {
	p99, longest time.Duration
	share        float64
}

// alone returns what a time comes to on a machine with nothing else to do.
func (a answerTimes) alone(d time.Duration) time.Duration {
	return time.Duration(a.share * float64(d))
}

func (a answerTimes) String() string {
	return fmt.Sprintf("p99 %v, longest %v with %.0f %% of the machine", a.p99, a.longest, 100*a.share)
}

// metrics reads /metrics: the sum of each family over its labels.
func (c *child) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	res := c.send(t, metricsTokenOfTests, http.MethodGet, rest.PathMetrics, nil)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("metrics: %s", res.Status)
	}
	sums := make(map[string]float64)
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || at < 0 {
			continue
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatalf("metrics: %q", line)
		}
		family, _, _ := strings.Cut(line[:at], "{")
		sums[family] += value
	}
	return sums
}

// send asks with a token ("" is none) and gives the whole answer.
func (p *program) send(t *testing.T, token, method, path string, body []byte) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// weight is what a server holds; bytes are those resident.
type weight struct {
	goroutines, files int
	bytes             int64
}

func (w weight) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %.1f MiB", w.goroutines, w.files, float64(w.bytes)/(1<<20))
}

// weigh asks the server and the kernel what it holds.
func (c *child) weigh(t *testing.T) weight {
	t.Helper()
	goroutines := int(c.metrics(t)["go_goroutines"])
	if goroutines == 0 {
		t.Fatal("/metrics tells nothing of the Go runtime")
	}
	files, err := os.ReadDir("/proc/" + strconv.Itoa(c.cmd.Process.Pid) + "/fd")
	if err != nil {
		t.Skipf("no /proc here to weigh a process in: %v", err)
	}
	return weight{goroutines, len(files), c.resident(t)}
}

// resident is what the kernel keeps of the server in memory.
func (c *child) resident(t *testing.T) int64 {
	t.Helper()
	statm, err := os.ReadFile("/proc/" + strconv.Itoa(c.cmd.Process.Pid) + "/statm")
	if err != nil {
		t.Error(err)
		return 0
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	if err != nil {
		t.Error(err)
	}
	return pages * int64(os.Getpagesize())
}
