package transport_test

import (
	"encoding/binary"
	"errors"
	"net"
	"testing"
	"time"

	"parley/server/relay/transport"
)

const patience = 45 * time.Second

func socket(t *testing.T, at string) *net.UDPConn {
	t.Helper()
	addr, err := net.ResolveUDPAddr("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP("udp", addr)
	if err != nil {
		t.Skipf("no %s here: %v", at, err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	return conn
}

// What is sent together comes once, in order, to IPv4, to IPv6, and from one socket to
// both.
func TestABatchComesInOrder(t *testing.T) {
	for name, c := range map[string]struct{ from, to string }{
		"IPv4": {"127.0.0.1:0", "127.0.0.1:0"}, "IPv6": {"[::1]:0", "[::1]:0"},
		"IPv4 from a socket of both": {"[::]:0", "127.0.0.1:0"}, "IPv6 from a socket of both": {"[::]:0", "[::1]:0"},
	} {
		t.Run(name, func(t *testing.T) {
			there := socket(t, c.to)
			from, to := transport.NewBatch(socket(t, c.from)), transport.NewBatch(there)
			const n = 200 // more than are sent at once, no more than the kernel keeps
			addr := there.LocalAddr().(*net.UDPAddr)
			from.Send(binary.BigEndian.AppendUint32(nil, 0), addr)
			from.Hold()
			for i := range uint32(n - 2) {
				from.Send(binary.BigEndian.AppendUint32(nil, i+1), addr)
			}
			from.Release()
			from.Send(binary.BigEndian.AppendUint32(nil, n-1), addr)
			for next := uint32(0); next < n; {
				packets, err := to.Read()
				if err != nil {
					t.Fatalf("packet %d: %v", next, err)
				}
				for _, p := range packets {
					if got := binary.BigEndian.Uint32(p); got != next {
						t.Fatalf("packet %d came when %d was due", got, next)
					}
					next++
				}
			}
		})
	}
}

// What waits while nothing can be sent is bounded.
func TestABatchKeepsNoMoreThanItsBound(t *testing.T) {
	there := socket(t, "127.0.0.1:0")
	from := transport.NewBatch(socket(t, "127.0.0.1:0"))
	from.Hold()
	for n := range transport.MaxUnsent + 1 {
		from.Send([]byte{1}, there.LocalAddr().(*net.UDPAddr))
		if want := min(n+1, transport.MaxUnsent); from.Unsent() != want {
			t.Fatalf("%d packets wait, want %d", from.Unsent(), want)
		}
	}
	from.Release()
	if n := from.Unsent(); n != 0 {
		t.Errorf("%d packets wait after the release", n)
	}
}

// An address that the kernel refuses keeps nothing from the others.
func TestARefusedAddressLosesNoOthers(t *testing.T) {
	there := socket(t, "127.0.0.1:0")
	from, to := transport.NewBatch(socket(t, "127.0.0.1:0")), transport.NewBatch(there)
	nowhere := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)} // port 0
	from.Hold()
	for i := range byte(3) {
		from.Send([]byte{i}, nowhere)
		from.Send([]byte{i}, there.LocalAddr().(*net.UDPAddr))
	}
	from.Release()
	var came []byte
	for len(came) < 3 {
		packets, err := to.Read()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range packets {
			came = append(came, p...)
		}
	}
	if string(came) != "\x00\x01\x02" {
		t.Errorf("%v came", came)
	}
}

// A packet that is longer than any is nothing, and a socket that is closed says so.
func TestWhatABatchRefuses(t *testing.T) {
	there := socket(t, "127.0.0.1:0")
	from, to := transport.NewBatch(socket(t, "127.0.0.1:0")), transport.NewBatch(there)
	addr := there.LocalAddr().(*net.UDPAddr)
	for _, c := range []struct{ sent, want int }{{1500, 1500}, {1501, 0}} {
		from.Send(make([]byte, c.sent), addr)
		packets, err := to.Read()
		if err != nil || len(packets) != 1 || len(packets[0]) != c.want {
			t.Errorf("%d bytes: %d packets, %v", c.sent, len(packets), err)
		}
	}
	there.Close()
	if _, err := to.Read(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed socket: %v", err)
	}
}
