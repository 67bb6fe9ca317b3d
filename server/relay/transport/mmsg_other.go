//go:build !linux

package transport

import (
	"net"
	"net/netip"
)

// batchReader reads one packet at a time.
type batchReader struct {
	socket *net.UDPConn
	buffer [receiveMTU + 1]byte // one more than may be: it tells a longer one
	length int
	from   netip.AddrPort
}

func newBatchReader(socket *net.UDPConn) *batchReader { return &batchReader{socket: socket} }

// read takes a packet.
func (r *batchReader) read() (n int, err error) {
	r.length, r.from, err = r.socket.ReadFromUDPAddrPort(r.buffer[:])
	if err != nil {
		return 0, err
	}
	return 1, nil
}

// packet returns the one that was read, good until the next read.
func (r *batchReader) packet(int) ([]byte, netip.AddrPort) {
	return r.buffer[:r.length], netip.AddrPortFrom(r.from.Addr().Unmap(), r.from.Port())
}

// control returns nothing: nobody stamps packets here.
func (*batchReader) control(int) []byte { return nil }

// batchWriter writes one packet at a time.
type batchWriter struct{ socket *net.UDPConn }

func newBatchWriter(socket *net.UDPConn) *batchWriter { return &batchWriter{socket} }

// write sends all messages but those that are refused.
func (w *batchWriter) write(all []message) {
	for _, m := range all {
		_, _ = w.socket.WriteTo(m.packet, m.to)
	}
}
