package metrics_test

import (
	"net"
	"testing"
	"time"

	"parley/server/metrics"
)

// TestWhatTheProcessTakesOfItsMachine: of the processors while it computes, and what of UDP
// comes faster than it is read.
func TestWhatTheProcessTakesOfItsMachine(t *testing.T) {
	m := metrics.New(metrics.Config{})
	if first := m.MachineUsage(); first.CPU != 0 || first.UDPErrors != 0 || first.ResidentBytes < 1<<20 {
		t.Errorf("at first %+v", first)
	}
	to, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if err := to.SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	from, err := net.Dial("udp4", to.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	for until := time.Now().Add(metrics.CPUSpan + 100*time.Millisecond); time.Now().Before(until); {
		if _, err := from.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	if got := m.MachineUsage(); got.CPU <= 0.01 || got.CPU > 1 || got.UDPErrors < 100 {
		t.Errorf("after two seconds of sending to who reads nothing: %+v", got)
	}
}
