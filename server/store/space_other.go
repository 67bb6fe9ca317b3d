//go:build !linux

package store

// Where it isn't Linux, nobody has asked yet.
func DiskOf(string) (free, all int64, known bool) { return 0, 0, false }
