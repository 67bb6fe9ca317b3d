package metrics

import (
	"os"
	"strconv"
	"strings"
	"syscall"
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
