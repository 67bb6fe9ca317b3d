//go:build !linux

package transport

import "net"

// canShareAddress: what comes isn't spread here, the newest socket would have it all.
const canShareAddress = false

func listenShared(network string, at *net.UDPAddr) (*net.UDPConn, error) {
	return net.ListenUDP(network, at)
}
