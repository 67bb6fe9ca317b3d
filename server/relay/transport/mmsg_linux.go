package transport

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"parley/server/stamp"
)

// The system calls here never wait, so they are made without telling Go's scheduler. Told of
// them, it takes the processor from one that lasts 20 µs, as any of many packets does, and
// wakes its monitor to do so: an eighth of the CPU of 200 calls. A packet costs no memory
// that the collector knows of, either, which with x/net's ReadBatch it does.

// batchReader reads packets by recvmmsg.
type batchReader struct {
	raw      syscall.RawConn
	attempt  func(fd uintptr) bool // r.receive
	headers  [batchSize]unix.Mmsghdr
	vectors  [batchSize]unix.Iovec
	froms    [batchSize]unix.RawSockaddrInet6 // which is as large as IPv4's and larger
	controls [batchSize][stamp.Space]byte
	packets  [batchSize][receiveMTU + 1]byte // one more than may be: it tells a longer one
	count    int
	errno    syscall.Errno
}

func newBatchReader(socket *net.UDPConn) *batchReader {
	r := &batchReader{count: batchSize}
	r.raw, _ = socket.SyscallConn() // fails for no connection that was opened
	r.attempt = r.receive
	for i := range r.headers {
		h := &r.headers[i].Hdr
		r.vectors[i].Base = &r.packets[i][0]
		r.vectors[i].SetLen(len(r.packets[i]))
		h.Iov, h.Name, h.Control = &r.vectors[i], (*byte)(unsafe.Pointer(&r.froms[i])), &r.controls[i][0]
		h.SetIovlen(1)
	}
	return r
}

// read takes packets, at least one.
func (r *batchReader) read() (int, error) {
	for i := range max(0, r.count) { // the kernel has written how long they were
		r.headers[i].Hdr.Namelen = unix.SizeofSockaddrInet6
		r.headers[i].Hdr.SetControllen(stamp.Space)
	}
	if err := r.raw.Read(r.attempt); err != nil {
		return 0, err
	}
	if r.errno != 0 {
		return 0, r.errno
	}
	return r.count, nil
}

// receive reports whether something came.
func (r *batchReader) receive(fd uintptr) bool {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.headers[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
		if r.count, r.errno = int(n), errno; errno != 0 {
			r.count = 0
		}
		if errno != unix.EINTR {
			return errno != unix.EAGAIN
		}
	}
}

// packet returns one that was read, good until the next read.
func (r *batchReader) packet(i int) ([]byte, netip.AddrPort) {
	packet, from := r.packets[i][:r.headers[i].Len], &r.froms[i]
	var addr netip.Addr
	switch from.Family {
	case unix.AF_INET:
		addr = netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(from)).Addr)
	case unix.AF_INET6:
		addr = netip.AddrFrom16(from.Addr).Unmap()
		if from.Scope_id != 0 {
			addr = addr.WithZone(strconv.FormatUint(uint64(from.Scope_id), 10))
		}
	default:
		return nil, netip.AddrPort{}
	}
	return packet, netip.AddrPortFrom(addr, networkOrder(from.Port))
}

// control returns what the kernel says of a packet that was read.
func (r *batchReader) control(i int) []byte {
	return r.controls[i][:r.headers[i].Hdr.Controllen]
}

// networkOrder turns a port from the kernel's order of bytes into ours, and back.
func networkOrder(port uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], port)
	return binary.BigEndian.Uint16(b[:])
}

// batchWriter writes packets by sendmmsg.
type batchWriter struct {
	raw     syscall.RawConn
	isIPv6  bool                  // the socket's family, for addresses of either
	attempt func(fd uintptr) bool // w.send
	headers [batchSize]unix.Mmsghdr
	vectors [batchSize]unix.Iovec
	tos     [batchSize]unix.RawSockaddrInet6
	count   int // of what is to be sent, then of what was
}

func newBatchWriter(socket *net.UDPConn) *batchWriter {
	w := &batchWriter{}
	w.raw, _ = socket.SyscallConn() // fails for no connection that was opened
	w.attempt = w.send
	_ = w.raw.Control(func(fd uintptr) { // fails if the socket is closed: then nothing is sent
		domain, _ := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
		w.isIPv6 = domain == unix.AF_INET6
	})
	for i := range w.headers {
		h := &w.headers[i].Hdr
		h.Iov, h.Name = &w.vectors[i], (*byte)(unsafe.Pointer(&w.tos[i]))
		h.SetIovlen(1)
	}
	return w
}

// write sends all messages but those that the kernel refuses.
func (w *batchWriter) write(all []message) {
	for len(all) > 0 {
		w.count = min(len(all), batchSize)
		for i, m := range all[:w.count] {
			w.vectors[i].Base = unsafe.SliceData(m.packet)
			w.vectors[i].SetLen(len(m.packet))
			w.headers[i].Hdr.Namelen = w.address(&w.tos[i], m.to)
		}
		if w.raw.Write(w.attempt) != nil || w.count <= 0 {
			w.count = 1 // the first one was refused
		}
		all = all[w.count:]
	}
}

// send reports whether there was room for something, or it was refused.
func (w *batchWriter) send(fd uintptr) bool {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&w.headers[0])), uintptr(w.count), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		case 0:
			w.count = int(n)
			return true
		default:
			w.count = 0
			return true
		}
	}
}

// address writes an address as the socket takes it, and returns its length.
func (w *batchWriter) address(into *unix.RawSockaddrInet6, of *net.UDPAddr) uint32 {
	ip4 := of.IP.To4()
	if !w.isIPv6 {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(into))
		*four = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: networkOrder(uint16(of.Port))}
		copy(four.Addr[:], ip4)
		return unix.SizeofSockaddrInet4
	}
	*into = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: networkOrder(uint16(of.Port))}
	if ip4 != nil {
		into.Addr[10], into.Addr[11] = 0xff, 0xff
		copy(into.Addr[12:], ip4)
	} else {
		copy(into.Addr[:], of.IP)
	}
	if of.Zone != "" { // the number of an interface, as it is read
		scope, _ := strconv.ParseUint(of.Zone, 10, 32)
		into.Scope_id = uint32(scope)
	}
	return unix.SizeofSockaddrInet6
}
