package main

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// processorTime is what the kernel counted so far, in its ticks.
type processorTime struct {
	total uint64 // of all processors, idle ones too
	busy  uint64
	own   uint64 // of the busy time, what these tests and a server took
}

// readProcessorTime reads the kernel's counters (proc(5)); all are 0 where there
// are none.
func readProcessorTime(server int) (p processorTime) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return processorTime{}
	}
	first, _, _ := strings.Cut(string(stat), "\n")
	for i, field := range strings.Fields(first) {
		n, err := strconv.ParseUint(field, 10, 64)
		switch {
		case err != nil || i > 8: // "cpu"; guests are in user and nice already
		case i == 4 || i == 5: // idle, iowait
			p.total += n
		default:
			p.total, p.busy = p.total+n, p.busy+n
		}
	}
	p.own = processTicks("self") + processTicks(strconv.Itoa(server))
	return p
}

// processTicks are the user and system time of a process.
func processTicks(pid string) uint64 {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseUint(fields[11], 10, 64)
	system, _ := strconv.ParseUint(fields[12], 10, 64)
	return user + system
}

// shareLeftSince returns how much of the machine others left to these tests and
// the server since before: 1 on a machine with nothing else to do.
//
// What is promised is promised of such a machine. A time that is measured beside
// the work of others counts by what they left: so a busy machine breaks no
// promise, and an idle one forgives nothing.
func (p processorTime) shareLeftSince(before processorTime) float64 {
	total, busy, own := p.total-before.total, p.busy-before.busy, p.own-before.own
	if total == 0 || busy <= own {
		return 1
	}
	return 1 - float64(busy-own)/float64(total)
}

// stopwatch measures a time beside the work of others.
type stopwatch struct {
	began  time.Time
	before processorTime
	server int
}

// startStopwatch begins now. The server is a process of its own, or 0 where it runs in
// the test's.
func startStopwatch(server int) stopwatch {
	return stopwatch{time.Now(), readProcessorTime(server), server}
}

// over checks that no more than limit has passed, counted by what others left.
func (w stopwatch) over(t *testing.T, what string, limit time.Duration) {
	t.Helper()
	w.holds(t, what, time.Since(w.began), limit)
}

// holds checks a time that was measured since against its limit.
func (w stopwatch) holds(t *testing.T, what string, took, limit time.Duration) {
	t.Helper()
	share := readProcessorTime(w.server).shareLeftSince(w.before)
	t.Logf("%s: %v with %.0f %% of the machine", what, took.Round(time.Millisecond), 100*share)
	if alone := time.Duration(share * float64(took)); alone > limit {
		t.Errorf("%s: %v with %.0f %% of the machine, want %v at most", what, took, 100*share, limit)
	}
}

func TestShareLeftByOthers(t *testing.T) {
	for name, test := range map[string]struct {
		before, after processorTime
		want          float64
	}{
		"nothing tells":              {processorTime{}, processorTime{}, 1},
		"nobody else":                {processorTime{100, 50, 10}, processorTime{300, 250, 210}, 1},
		"idle time is left":          {processorTime{0, 0, 0}, processorTime{200, 50, 50}, 1},
		"others took half":           {processorTime{100, 100, 0}, processorTime{300, 300, 100}, 0.5},
		"others had three in four":   {processorTime{0, 0, 0}, processorTime{200, 200, 50}, 0.25},
		"counters read out of order": {processorTime{0, 0, 0}, processorTime{200, 100, 101}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.after.shareLeftSince(test.before); got != test.want {
				t.Errorf("%v of the machine was left, want %v", got, test.want)
			}
		})
	}
}
