//go:build !linux

package stamp

import (
	"net"
	"time"
)

// Enable does nothing: nobody stamps packets here.
func Enable(*net.UDPConn) {}

// Of returns the zero time.
func Of([]byte) time.Time { return time.Time{} }
