//go:build !linux

package store

// Where it isn't Linux, nobody has asked yet.
func freeBytes(string) (free int64, known bool) { return 0, false }
