package api_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"parley/server/api"
)

// accepting counts what a listener lets in, and keeps it open.
func accepting(t *testing.T, exempt bool) (dial func() net.Conn, accepted chan net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limited := api.LimitConnections(l, func(ip netip.Addr) bool { return exempt && ip.IsLoopback() })
	accepted = make(chan net.Conn, 2*api.MaxConnections)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := limited.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	t.Cleanup(func() {
		_ = limited.Close()
		<-done
		for len(accepted) > 0 {
			_ = (<-accepted).Close()
		}
	})
	return func() net.Conn {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}, accepted
}

// isClosed waits for the far end to close.
func isClosed(t *testing.T, conn net.Conn) bool {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err := conn.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// The last place of an address is given, one more isn't, and a place that is
// given back, twice even, is one place.
func TestConnectionsOfOneAddress(t *testing.T) {
	dial, accepted := accepting(t, false)
	var inside []net.Conn
	for range api.MaxConnections {
		dial()
		inside = append(inside, <-accepted)
	}
	if !isClosed(t, dial()) {
		t.Error("one more than allowed stays open")
	}
	_ = inside[0].Close()
	_ = inside[0].Close()
	dial()
	inside[0] = <-accepted
	if !isClosed(t, dial()) {
		t.Error("closing twice makes two places")
	}
	for _, conn := range inside {
		_ = conn.Close()
	}
}

// A proxy stands for many.
func TestConnectionsOfAProxy(t *testing.T) {
	dial, accepted := accepting(t, true)
	for range api.MaxConnections + 10 {
		dial()
		conn := <-accepted
		defer conn.Close()
	}
}
