package privacy

import (
	"fmt"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// ConfineWrites takes the right to write anywhere but below dirs from this process
// for the rest of its life, where the kernel offers Landlock, and says what is
// in force. Reading, the network and files already open stay as they are. The
// process can't undo it, so only main calls it.
func ConfineWrites(dirs ...string) (string, error) {
	abi := landlockABI()
	if abi < 1 {
		return "not offered by this kernel", nil
	}
	rules := []landlock.Rule{landlock.RODirs("/"), landlock.RWFiles("/dev/null")}
	for _, dir := range dirs {
		rules = append(rules, landlock.RWDirs(dir))
	}
	if err := landlock.V3.BestEffort().RestrictPaths(rules...); err != nil {
		return "", fmt.Errorf("privacy: confine writes: %w", err)
	}
	return fmt.Sprintf("writes only below the data directory (Landlock %d)", abi), nil
}

// landlockABI asks the kernel which Landlock it offers; 0 or less is none.
func landlockABI() int {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(abi)
}
