package main

import (
	"cmp"
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

// usedBy is the time and the memory of another process by proc(5).
func usedBy(pid int) (cpu time.Duration, rss int64, err error) {
	process := strconv.Itoa(pid)
	stat, err := os.ReadFile("/proc/" + process + "/stat")
	if err != nil {
		return 0, 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // behind the name
	times := strings.Fields(rest)
	if len(times) < 13 {
		return 0, 0, fmt.Errorf("stat: %q", stat)
	}
	user, err := strconv.ParseInt(times[11], 10, 64)
	system, err2 := strconv.ParseInt(times[12], 10, 64)
	rss, err3 := resident(process)
	const tick = 10 * time.Millisecond // USER_HZ
	return time.Duration(user+system) * tick, rss, cmp.Or(err, err2, err3)
}
