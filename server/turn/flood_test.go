package turn_test

import (
	"net"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"parley/server/turn"
)

// Whoever has nothing granted is answered so often and no more, whatever is asked: who
// forges another's address can't have it flooded.
func TestAFloodOfStrangersIsAnsweredSparingly(t *testing.T) {
	r := newRig(t)
	conn, err := net.Dial("udp4", r.relay.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers, bytes, done := 0, 0, make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			answers++
			bytes += n
		}
	}()
	began := time.Now()
	eventually(t, "the flood is dropped", func() bool {
		for range 2 * turn.StrangerBurst { // the socket of a busy machine may lose some
			ask := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest))
			if _, err := conn.Write(ask.Raw); err != nil {
				t.Fatal(err)
			}
		}
		return r.server.Figures().Refused[turn.RefusedRate] > 0
	})
	took := time.Since(began)
	conn.Close()
	<-done
	if most := turn.StrangerBurst + int(took/turn.StrangerInterval) + 1; answers > most || answers == 0 {
		t.Errorf("%d answers in %v, want %d at most", answers, took, most)
	}
	if size := bytes / max(answers, 1); size > 160 {
		t.Errorf("an answer has %d bytes", size)
	}
	r.allocate(t, "tls", "s1") // others get in meanwhile
}
