package store

import "syscall"

// DiskOf is what may still be written on the disk of a folder, and what all of
// it holds.
func DiskOf(dir string) (free, all int64, known bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 0, 0, false
	}
	return int64(s.Bavail) * s.Bsize, int64(s.Blocks) * s.Bsize, true
}
