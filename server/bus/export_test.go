package bus

import "net"

// Failure is why nothing more comes over a connection of a Bus.
func Failure(c net.Conn) error {
	of := c.(*conn)
	of.mu.Lock()
	defer of.mu.Unlock()
	return of.failed
}
