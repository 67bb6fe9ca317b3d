package relay_test

import (
	"encoding/binary"
	"errors"
	"net"
	"testing"
	"time"

	"parley/server/relay"
)

// At 4,000 packets a second they gather, and each still comes once, in order.
func TestPacketsGather(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	const n = 4000
	came := make(chan uint32, n)
	ended := make(chan error, 1)
	go func() {
		s, b := relay.Socket(conn), make([]byte, 1500)
		for {
			size, _, err := s.ReadFromAddrPort(b)
			if err != nil {
				ended <- err
				return
			}
			came <- binary.BigEndian.Uint32(b[:size])
		}
	}()
	out, err := net.DialUDP("udp4", nil, conn.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	each := time.NewTicker(time.Millisecond)
	defer each.Stop()
	for i := range uint32(n) {
		if _, err := out.Write(binary.BigEndian.AppendUint32(nil, i)); err != nil {
			t.Fatal(err)
		}
		if i%4 == 3 {
			<-each.C
		}
	}
	for want := range uint32(n) {
		select {
		case got := <-came:
			if got != want {
				t.Fatalf("packet %d came when %d was due", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("packet %d never came", want)
		}
	}
	conn.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("it ended with %v", err)
	}
}

// What one leg does to the socket when it closes is not the others' loss.
func TestNoLegSetsTheSocketADeadline(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := relay.Socket(conn)
	for what, set := range map[string]func(time.Time) error{"SetWriteDeadline": s.SetWriteDeadline, "SetDeadline": s.SetDeadline} {
		if err := set(time.Now().Add(-time.Second)); err != nil {
			t.Error(err)
		}
		if _, err := s.WriteToAddrPort([]byte("packet"), conn.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
			t.Errorf("after %s: %v", what, err)
		}
	}
}
