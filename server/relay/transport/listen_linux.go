package transport

import (
	"context"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// canShareAddress: the kernel spreads what comes over all sockets of an address by where it
// came from, if they are all of one user.
const canShareAddress = true

func listenShared(network string, at *net.UDPAddr) (*net.UDPConn, error) {
	share := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var refused error
		err := raw.Control(func(fd uintptr) {
			refused = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		})
		if err == nil {
			err = refused
		}
		return err
	}}
	socket, err := share.ListenPacket(context.Background(), network, at.String())
	if err != nil {
		return nil, err
	}
	return socket.(*net.UDPConn), nil
}
