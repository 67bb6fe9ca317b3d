package metrics

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// residentBytes is what the process holds of the machine's memory (proc(5),
// statm, second field, in pages); 0 where /proc can't be read.
func residentBytes() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}

// diskFree is what may still be written on the disk of a folder; 0 if it can't
// be asked.
func diskFree(dir string) uint64 {
	var s syscall.Statfs_t
	if dir == "" || syscall.Statfs(dir, &s) != nil {
		return 0
	}
	return s.Bavail * uint64(s.Bsize)
}

// processTime is for how long the process has had processors.
func processTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// udpErrors counts the datagrams that came to this machine, or container, and were not
// received since it started: for want of room, mostly (proc_net_snmp, InErrors).
func udpErrors() int64 {
	four, _ := os.ReadFile("/proc/net/snmp") // what can't be read counts nothing
	six, _ := os.ReadFile("/proc/net/snmp6")
	return udpErrorsIn(string(four)) + udp6ErrorsIn(string(six))
}

// udpErrorsIn reads the line of names and that of values.
func udpErrorsIn(snmp string) int64 {
	var names []string
	for line := range strings.Lines(snmp) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "Udp:" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		for i, name := range names[:min(len(names), len(fields))] {
			if name == "InErrors" {
				n, _ := strconv.ParseInt(fields[i], 10, 64)
				return n
			}
		}
	}
	return 0
}

func udp6ErrorsIn(snmp6 string) int64 {
	for line := range strings.Lines(snmp6) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "Udp6InErrors" {
			n, _ := strconv.ParseInt(fields[1], 10, 64)
			return n
		}
	}
	return 0
}
