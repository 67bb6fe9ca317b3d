package netpath_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"parley/server/e2e/netpath"
)

func open(t *testing.T) *netpath.Path {
	t.Helper()
	p, err := netpath.Open(fmt.Sprintf("parley-%d", os.Getpid()))
	if errors.Is(err, netpath.ErrNotAllowed) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.Start()
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// echo answers every datagram at a port of the namespace.
func echo(t *testing.T, ns *netpath.Namespace) string {
	t.Helper()
	conn, err := ns.ListenPacket(t.Context(), "udp4", ns.Addr.String()+":0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if _, err := conn.WriteTo(buf[:n], from); err != nil {
				return
			}
		}
	}()
	return conn.LocalAddr().String()
}

func roundTrip(conn net.Conn, patience time.Duration) (time.Duration, error) {
	start := time.Now()
	if err := conn.SetDeadline(start.Add(patience)); err != nil {
		return 0, err
	}
	if _, err := conn.Write([]byte("ping")); err != nil {
		return 0, err
	}
	_, err := conn.Read(make([]byte, 16))
	return time.Since(start), err
}

func TestThePathDelaysCutsAndHeals(t *testing.T) {
	p := open(t)
	conn, err := p.A.Dial(t.Context(), "udp4", echo(t, p.B))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	p.Set(netpath.Conditions{Delay: 30 * time.Millisecond})
	p.Reset()
	took, err := roundTrip(conn, 5*time.Second)
	if err != nil || took < 60*time.Millisecond {
		t.Fatalf("round trip %v, %v; want 60 ms or a little more", took, err)
	}
	p.Cut()
	if took, err := roundTrip(conn, 200*time.Millisecond); err == nil {
		t.Fatalf("answered in %v while cut", took)
	}
	p.Heal()
	if _, err := roundTrip(conn, 5*time.Second); err != nil {
		t.Fatalf("after healing: %v", err)
	}
	ab, ba := p.Truth()
	if ab.All.Dropped < 1 || ba.All.MeanDelay < 30*time.Millisecond {
		t.Errorf("truth: %+v %+v", ab, ba)
	}
	p.Reset()
	if ab, _ := p.Truth(); ab.All.MeanDelay != 0 {
		t.Errorf("after reset: %+v", ab)
	}
}

func TestAProgramRunsInTheNamespace(t *testing.T) {
	p := open(t)
	cmd := exec.Command("ip", "-4", "-o", "addr", "show", "dev", "path0")
	if err := p.B.Wrap(cmd); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), p.B.Addr.String()+"/24") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestNothingStaysBehind(t *testing.T) {
	p, err := netpath.Open(fmt.Sprintf("parley-%d-gone", os.Getpid()))
	if errors.Is(err, netpath.ErrNotAllowed) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/run/netns/" + p.A.Name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", p.A.Name, err)
	}
}
