package transport_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"parley/server/relay/transport"
)

// What a packet has to wait for is in its delay, which counts from when the kernel had it.
func TestADelayCountsFromTheKernelsStamp(t *testing.T) {
	for name, address := range map[string]string{"IPv4": "127.0.0.1:0", "IPv6": "[::1]:0", "both": ":0"} {
		t.Run(name, func(t *testing.T) {
			udp := socket(t, address)
			_ = udp.SetReadDeadline(time.Time{})
			tcp, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			atWork, goOn := make(chan struct{}), make(chan struct{})
			p := transport.NewPort(transport.PortConfig{UDP: []*net.UDPConn{udp}, TCP: tcp, IsAllowed: anywhere, Divert: func([]byte, netip.AddrPort) bool {
				atWork <- struct{}{}
				<-goOn
				return true
			}})
			ended := make(chan struct{})
			go func() { defer close(ended); p.Run() }()
			t.Cleanup(func() { p.Close(); <-ended })
			from, err := net.Dial("udp", udp.LocalAddr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer from.Close()

			const held = 30 * time.Millisecond
			began := time.Now()
			if _, err := from.Write([]byte("packet")); err != nil {
				t.Fatal(err)
			}
			sent := time.Now() // the kernel had it before
			<-atWork
			for time.Since(sent) < held {
				time.Sleep(time.Until(sent.Add(held))) // the work, for so long
			}
			goOn <- struct{}{}
			var got time.Duration
			for isTold := false; !isTold; got, isTold = p.TakeDelay() {
				if time.Since(began) > patience {
					t.Fatal("no delay is told")
				}
				time.Sleep(time.Millisecond) // between two looks
			}
			if took := time.Since(began); got < held*9/10 || got > took*9/8+time.Millisecond {
				t.Errorf("a delay of %v is told, when it was %v to %v", got, held, took)
			}
		})
	}
}
