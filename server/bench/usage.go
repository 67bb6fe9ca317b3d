package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Usage is what a server process has used so far.
type Usage struct {
	CPU     time.Duration // user and system
	Packets int64         // taken in and sent back
	RSS     int64         // bytes, after collecting garbage; 0 if not asked for
	Live    int64         // bytes of heap and stacks, likewise
}

// cpu is the process's own time by its rusage.
func cpu() (time.Duration, error) {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), nil
}

// memory is what is left after garbage was collected and given back.
func memory() (rss, live int64, err error) {
	runtime.GC()
	debug.FreeOSMemory() // collects again
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, 0, fmt.Errorf("statm: %q", text)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), int64(m.HeapAlloc + m.StackInuse), err
}
