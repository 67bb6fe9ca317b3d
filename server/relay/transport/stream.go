package transport

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

var errFrame = errors.New("a frame that is longer than a packet")

// stream is a TCP connection of a caller's, with a length before each packet
// (RFC 4571, RFC 6544).
type stream struct {
	conn net.Conn
	path atomic.Pointer[path] // nil until a check is verified

	mu      sync.Mutex
	isEnded bool
	unsent  [][]byte
	bytes   int           // in unsent
	wake    chan struct{} // there is something to send, or the end
}

// serveStream takes packets from a connection until it ends.
func (p *Port) serveStream(conn net.Conn) {
	s := &stream{conn: conn, wake: make(chan struct{}, 1)}
	peer, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		conn.Close()
		return
	}
	at := peer.AddrPort()
	from := origin{peer: netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), stream: s}
	p.wg.Go(s.write)
	defer s.end()
	_ = conn.SetReadDeadline(time.Now().Add(tcpFirstCheck)) // fails on a closed connection alone
	isVerified := false
	frame := make([]byte, receiveMTU)
	for {
		packet, err := readFrame(conn, frame)
		if err != nil {
			break
		}
		p.receive(packet, from, nil, time.Now())
		if !isVerified && s.path.Load() != nil {
			isVerified = true
			_ = conn.SetReadDeadline(time.Time{})
		}
	}
	if way := s.path.Load(); way != nil {
		way.close()
	}
}

// readFrame reads one packet.
func readFrame(from io.Reader, into []byte) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(length[:]))
	if n > len(into) {
		return nil, errFrame
	}
	_, err := io.ReadFull(from, into[:n])
	return into[:n], err
}

// send queues a copy of a packet; one that finds no room is lost.
func (s *stream) send(packet []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isEnded || s.bytes+len(packet) > tcpUnsent {
		return
	}
	frame := append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(packet)), uint16(len(packet))), packet...)
	s.unsent = append(s.unsent, frame)
	s.bytes += len(packet)
	s.signal()
}

func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// end closes the connection once what waits is sent.
func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isEnded = true
	s.signal()
}

// write sends what is queued until the end.
func (s *stream) write() {
	defer s.conn.Close()
	for range s.wake {
		s.mu.Lock()
		frames, isEnded := net.Buffers(s.unsent), s.isEnded
		s.unsent, s.bytes = nil, 0
		s.mu.Unlock()
		_ = s.conn.SetWriteDeadline(time.Now().Add(tcpWriteTimeout))
		if _, err := frames.WriteTo(s.conn); err != nil || isEnded {
			return
		}
	}
}
