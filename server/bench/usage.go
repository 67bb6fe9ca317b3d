package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Usage is what a server process has used so far.
type Usage struct {
	CPU     time.Duration // user and system
	Packets int64         // taken in and sent back
	RSS     int64         // bytes, as they are: no garbage is collected for this
}

// cpu is this process's own time by its rusage.
func cpu() (time.Duration, error) {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), nil
}

// resident is the memory of a process by proc(5), in bytes.
func resident(process string) (int64, error) {
	text, err := os.ReadFile("/proc/" + process + "/statm")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("statm: %q", text)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// usedBy is the time and the memory of another process: by its CPU-time clock, whose number
// is made as clock_getcpuclockid(3) does, for proc(5) counts in hundredths of a second.
func usedBy(pid int) (cpu time.Duration, rss int64, err error) {
	const scheduled = 2 // CPUCLOCK_SCHED
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &t); err != nil {
		return 0, 0, fmt.Errorf("the CPU-time clock of process %d: %w", pid, err)
	}
	rss, err = resident(strconv.Itoa(pid))
	return time.Duration(t.Nano()), rss, err
}
