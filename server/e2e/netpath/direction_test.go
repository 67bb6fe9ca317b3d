package netpath

import (
	"bytes"
	"io"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// A wire is a reader and writer of whole packets.
type wire struct{ packets chan []byte }

func newWire() *wire { return &wire{packets: make(chan []byte, 4*maxQueued)} }

func (w *wire) Read(buf []byte) (int, error) {
	p, open := <-w.packets
	if !open {
		return 0, io.EOF
	}
	return copy(buf, p), nil
}

func (w *wire) Write(p []byte) (int, error) {
	w.packets <- bytes.Clone(p)
	return len(p), nil
}

func started(t *testing.T, c Conditions) (in, out *wire, d *direction) {
	in, out = newWire(), newWire()
	d = newDirection(in, out, 1)
	d.set(c)
	done := make(chan struct{})
	go func() { d.run(); close(done) }()
	t.Cleanup(func() { close(in.packets); <-done })
	return in, out, d
}

func TestADelayIsKeptToTheNanosecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out, _ := started(t, Conditions{Delay: 40 * time.Millisecond})
		in.Write([]byte("packet"))
		time.Sleep(40*time.Millisecond - time.Nanosecond)
		synctest.Wait()
		if n := len(out.packets); n != 0 {
			t.Fatalf("%d packets arrived a nanosecond early", n)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := len(out.packets); n != 1 {
			t.Fatalf("%d packets after the delay, want 1", n)
		}
		if got := <-out.packets; string(got) != "packet" {
			t.Errorf("the packet became %q", got)
		}
	})
}

func TestARateSpreadsPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out, _ := started(t, Conditions{Rate: 8000, Delay: time.Second}) // 1000 bytes a second
		for range 3 {
			in.Write(make([]byte, 500))
		}
		for i, want := range []int{0, 1, 2, 3} {
			synctest.Wait()
			if got := len(out.packets); got != want {
				t.Errorf("after %v: %d packets, want %d", time.Second+time.Duration(i)*500*time.Millisecond, got, want)
			}
			time.Sleep(500 * time.Millisecond)
			if i == 0 {
				time.Sleep(time.Second)
			}
		}
	})
}

func TestLossIsWhatItSaysAndIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out, d := started(t, Conditions{Loss: 0.03})
		const n = 20_000
		for range n {
			in.Write([]byte{0})
		}
		synctest.Wait()
		truth := d.truth(time.Time{})
		if truth.All.Packets != n || truth.All.Packets-truth.All.Dropped != len(out.packets) {
			t.Errorf("counted %+v, %d arrived", truth.All, len(out.packets))
		}
		// Five standard deviations of a binomial distribution.
		if got, room := truth.All.LossRatio(), 5*math.Sqrt(0.03*0.97/n); math.Abs(got-0.03) > room {
			t.Errorf("lost %.4f, want 0.03 ± %.4f", got, room)
		}
	})
}

func TestJitterKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out, d := started(t, Conditions{Delay: 50 * time.Millisecond, Jitter: 10 * time.Millisecond})
		for i := range 200 {
			in.Write([]byte{byte(i)})
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for i := range 200 {
			if got := <-out.packets; got[0] != byte(i) {
				t.Fatalf("packet %d came in the place of %d", got[0], i)
			}
		}
		truth := d.truth(time.Time{})
		// Two of a normal distribution are 2/√π of it apart; order keeps those behind one
		// another at the same time, a millisecond apart, nearer.
		if truth.All.Jitter < time.Millisecond || truth.All.Jitter > 12*time.Millisecond {
			t.Errorf("the jitter is told as %v", truth.All.Jitter)
		}
		if truth.All.MeanDelay < 50*time.Millisecond || truth.All.P99Delay-truth.All.P50Delay < time.Millisecond {
			t.Errorf("no jitter: %+v", truth)
		}
	})
}

func TestACutDropsAllAndHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out, d := started(t, Conditions{Cut: true, Delay: time.Millisecond})
		in.Write([]byte("lost"))
		synctest.Wait()
		d.setCut(false)
		in.Write([]byte("kept"))
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if got := <-out.packets; string(got) != "kept" || len(out.packets) != 0 {
			t.Errorf("got %q and %d more", got, len(out.packets))
		}
		if truth := d.truth(time.Time{}); truth.All.Counts != (Counts{Packets: 2, Dropped: 1}) {
			t.Errorf("counted %+v", truth.All)
		}
	})
}

func TestBurstsComeWithTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out, d := started(t, Conditions{Bursts: Bursts{Length: 200 * time.Millisecond, Each: 2 * time.Second}})
		for i, step := range []struct {
			at    time.Duration
			drops bool
		}{
			{0, false}, {1800*time.Millisecond - 1, false}, {1800 * time.Millisecond, true}, {2*time.Second - 1, true},
			{2 * time.Second, false}, {3800*time.Millisecond - 1, false}, {3800 * time.Millisecond, true}, {4 * time.Second, false},
		} {
			time.Sleep(step.at - time.Since(d.since))
			before := len(out.packets)
			in.Write([]byte{byte(i)})
			synctest.Wait()
			if isDropped := len(out.packets) == before; isDropped != step.drops {
				t.Errorf("after %v: dropped is %v", step.at, isDropped)
			}
		}
		if truth := d.truth(time.Time{}); truth.All.Counts != (Counts{Packets: 8, Dropped: 3}) {
			t.Errorf("counted %+v", truth.All)
		}
	})
}

func TestTheTruthSinceATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, _, d := started(t, Conditions{Delay: 10 * time.Millisecond})
		in.Write([]byte("early"))
		time.Sleep(time.Second)
		d.set(Conditions{Delay: 30 * time.Millisecond})
		at := time.Now()
		in.Write([]byte("late"))
		time.Sleep(time.Second)
		synctest.Wait()
		if got := d.truth(at).All; got.Packets != 1 || got.MeanDelay != 30*time.Millisecond {
			t.Errorf("since then %+v", got)
		}
		if got := d.truth(at.Add(time.Nanosecond)); got != (Truth{}) {
			t.Errorf("since after it %+v", got)
		}
		if got := d.truth(time.Time{}).All; got.Packets != 2 || got.MeanDelay != 20*time.Millisecond || got.Jitter != 20*time.Millisecond {
			t.Errorf("in all %+v", got)
		}
	})
}

func TestAResetForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, _, d := started(t, Conditions{})
		in.Write([]byte("x"))
		synctest.Wait()
		d.reset()
		if truth := d.truth(time.Time{}); truth != (Truth{}) {
			t.Errorf("still knows %+v", truth)
		}
	})
}

func TestKindsOfPacketsAreToldApart(t *testing.T) {
	udp := func(payload ...byte) []byte {
		p := make([]byte, ipv4MinHeader+udpHeader)
		p[0], p[ipv4Protocol] = 0x45, protocolUDP
		return append(p, payload...)
	}
	tcp := udp(0x80, 111)
	tcp[ipv4Protocol] = 6
	for name, test := range map[string]struct {
		packet []byte
		want   kind
	}{
		"opus":             {udp(0x80, 111), audio},
		"opus with marker": {udp(0x90, 0x80|111), audio},
		"receiver report":  {udp(0x81, 201), report},
		"stun":             {udp(0x00, 0x01), other},
		"data channel":     {udp(23, 0xfe), data},
		"tcp":              {tcp, other},
		"ipv6":             {append([]byte{0x60}, make([]byte, 60)...), other},
		"cut short":        {udp(0x80), other},
		"empty":            {nil, other},
	} {
		t.Run(name, func(t *testing.T) {
			if got := kindOf(test.packet); got != test.want {
				t.Errorf("it is of kind %v, want %v", got, test.want)
			}
		})
	}
}
