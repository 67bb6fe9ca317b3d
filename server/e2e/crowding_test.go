package e2e_test

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"
)

// crowding is how many tasks wanted each processor of the machine while a test ran.
//
// What is promised is promised of a machine with little else to do. A time that is
// measured beside the work of others counts by what they left: so a busy machine
// breaks no promise, and an idle one forgives nothing.
type crowding struct {
	mu          sync.Mutex
	sum, looked float64
}

// mostCrowded is from how many tasks a processor on no time can be measured: what is
// waited for is then mostly one's turn.
const mostCrowded = 4.0

// watchCrowding looks from now to the end of the test.
func watchCrowding(t *testing.T) *crowding {
	t.Helper()
	c, done := new(crowding), make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		ticker := time.NewTicker(glance)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				c.add(runningTasks())
			case <-done:
				return
			}
		}
	})
	t.Cleanup(func() { close(done); looking.Wait() })
	return c
}

func (c *crowding) add(tasks float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum, c.looked = c.sum+tasks/float64(runtime.NumCPU()), c.looked+1
}

// factor is 1 on a machine whose processors had no more than a task each.
func (c *crowding) factor() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.looked == 0 {
		return 1
	}
	return max(1, c.sum/c.looked)
}

// holds checks a time against its limit, which a crowded machine stretches.
func (c *crowding) holds(t *testing.T, what string, took, limit time.Duration) {
	t.Helper()
	factor := c.factor()
	t.Logf("%s: %v, with %.1f tasks a processor", what, took.Round(time.Millisecond), factor)
	if stretched := time.Duration(factor * float64(limit)); took > stretched {
		t.Errorf("%s: %v, at most %v are allowed, and %v with %.1f tasks a processor", what, took, limit, stretched, factor)
	}
}

// runningTasks are those that run or wait for a processor (proc(5)); 0 where nothing
// tells.
func runningTasks() float64 {
	stat, _ := os.ReadFile("/proc/stat") // without it, 0
	_, rest, _ := bytes.Cut(stat, []byte("\nprocs_running "))
	digits, _, _ := bytes.Cut(rest, []byte("\n"))
	n, _ := strconv.ParseFloat(string(digits), 64) // without it, 0
	return n
}

func TestCrowdingStretchesALimit(t *testing.T) {
	t.Parallel()
	c := new(crowding)
	if got := c.factor(); got != 1 {
		t.Errorf("before a look: %v", got)
	}
	c.add(0)
	if got := c.factor(); got != 1 {
		t.Errorf("an idle machine: %v", got)
	}
	c.add(float64(6 * runtime.NumCPU()))
	if got := c.factor(); got != 3 {
		t.Errorf("three tasks a processor: %v", got)
	}
	if runtime.GOOS == "linux" && runningTasks() < 1 {
		t.Error("the kernel tells of no task, not even of this one")
	}
}
