package transport

import (
	"fmt"
	"net"
	"runtime"
)

// ListenUDP opens an address's sockets, as many as this machine reads with at a time: one a
// core, where the system spreads callers over several, or else one.
func ListenUDP(network string, at *net.UDPAddr) ([]*net.UDPConn, error) {
	return listenUDP(network, at, min(runtime.GOMAXPROCS(0), maxReaders))
}

func listenUDP(network string, at *net.UDPAddr, readers int) (sockets []*net.UDPConn, err error) {
	if !canShareAddress || readers == 1 {
		socket, err := net.ListenUDP(network, at)
		if err != nil {
			return nil, fmt.Errorf("transport: %w", err)
		}
		return []*net.UDPConn{socket}, nil
	}
	for range readers {
		socket, err := listenShared(network, at)
		if err != nil {
			for _, s := range sockets {
				s.Close()
			}
			return nil, fmt.Errorf("transport: %w", err)
		}
		sockets = append(sockets, socket)
		at = socket.LocalAddr().(*net.UDPAddr) // where port 0 has led
	}
	return sockets, nil
}
