package logexport

import (
	"errors"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// errUnread: the other side had closed before it got what was sent.
var errUnread = errors.New("the collector closed the connection before it had all lines")

// acknowledgeStep is how often the kernel is asked.
const acknowledgeStep = 2 * time.Millisecond

// waitForAcknowledgement returns nil once the other side's kernel has taken all that was
// sent, our end included. Its own end may have come before that, from one that closed
// first: what is on the way then is answered by a reset.
func waitForAcknowledgement(conn *net.TCPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(closePatience); time.Now().Before(deadline); time.Sleep(acknowledgeStep) {
		waiting, broken := 0, 0
		var errs [2]error
		err := raw.Control(func(fd uintptr) {
			waiting, errs[0] = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
			broken, errs[1] = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		})
		if err := errors.Join(err, errs[0], errs[1]); err != nil {
			return err
		}
		switch {
		case broken != 0:
			return errors.Join(errUnread, unix.Errno(broken))
		case waiting == 0:
			return nil
		}
	}
	return errUnread
}
