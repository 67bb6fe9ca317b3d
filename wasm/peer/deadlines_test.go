package peer

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestDeadlinesComeInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadlines()
		d.set(deadlineGrace, 3*time.Second)
		d.set(deadlinePing, time.Second)
		d.set(deadlineSample, time.Second) // at once with the ping: listed after it
		var got []deadline
		for range 3 {
			d.arm()
			<-d.timer.C
			for {
				due, ok := d.takeDue(time.Now())
				if !ok {
					break
				}
				got = append(got, due)
			}
			if len(got) == 3 {
				break
			}
		}
		if len(got) != 3 || got[0] != deadlinePing || got[1] != deadlineSample || got[2] != deadlineGrace {
			t.Errorf("came as %v", got)
		}
		if _, ok := d.takeDue(time.Now().Add(time.Hour)); ok {
			t.Error("one comes twice")
		}
	})
}

func TestDeadlinesMove(t *testing.T) {
	const second = time.Second
	for name, c := range map[string]struct {
		move func(d *deadlines)
		want time.Duration // 0: none is set
	}{
		"set again":                 {func(d *deadlines) { d.set(deadlineDrop, 9*second) }, 9 * second},
		"cleared":                   {func(d *deadlines) { d.clear(deadlineDrop) }, 0},
		"pulled in":                 {func(d *deadlines) { d.pullIn(deadlineDrop, 2*second) }, 2 * second},
		"not pulled out":            {func(d *deadlines) { d.pullIn(deadlineDrop, 7*second) }, 5 * second},
		"postponed":                 {func(d *deadlines) { d.postpone(deadlineDrop, 7*second) }, 7 * second},
		"not brought forward":       {func(d *deadlines) { d.postpone(deadlineDrop, 2*second) }, 5 * second},
		"none is pulled in":         {func(d *deadlines) { d.clear(deadlineDrop); d.pullIn(deadlineDrop, second) }, 0},
		"none is put off":           {func(d *deadlines) { d.clear(deadlineDrop); d.postpone(deadlineDrop, second) }, 0},
		"another one is left alone": {func(d *deadlines) { d.clear(deadlineGrace) }, 5 * second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDeadlines()
				d.set(deadlineDrop, 5*second)
				c.move(d)
				if c.want == 0 {
					if d.isSet(deadlineDrop) {
						t.Error("it is set")
					}
					return
				}
				if _, early := d.takeDue(time.Now().Add(c.want - 1)); early {
					t.Error("it comes too soon")
				}
				if due, ok := d.takeDue(time.Now().Add(c.want)); !ok || due != deadlineDrop {
					t.Errorf("it does not come after %v", c.want)
				}
			})
		})
	}
}

func TestBackoffDoublesUpToItsMost(t *testing.T) {
	for n, most := range []time.Duration{FirstRetry, 2 * FirstRetry, 4 * FirstRetry, 8 * FirstRetry, 16 * FirstRetry, MaxRetry, MaxRetry} {
		for range 100 {
			if d := backoff(n); d < most/2 || d > most {
				t.Errorf("wait %d is %v, want %v–%v", n, d, most/2, most)
			}
		}
	}
	if d := backoff(1 << 20); d < MaxRetry/2 || d > MaxRetry {
		t.Errorf("after a very long time %v", d)
	}
}

// What is put after the end, or isn't read any more, is given back.
func TestCommandsAreRunOrGivenBack(t *testing.T) {
	in, ran, back := newInbox(), 0, 0
	command := command{run: func(*callState) { ran++ }, discard: func() { back++ }}
	in.post(command)
	in.put(func(*callState) { ran++ })
	for _, c := range in.take() {
		c.run(nil)
	}
	in.post(command)
	in.put(func(*callState) { ran++ }) // nothing to give back
	in.close()
	in.post(command)
	if ran != 2 || back != 2 || len(in.take()) != 0 {
		t.Errorf("%d were run, %d given back", ran, back)
	}
}

func TestUsableCandidates(t *testing.T) {
	for candidate, want := range map[string]bool{
		"candidate:1 1 udp 2122 192.0.2.1 5000 typ host":                           true,
		"candidate:1 1 tcp 1518 192.0.2.1 9 typ host tcptype active":               false,
		"candidate:1 1 tcp 1518 192.0.2.1 9 typ host tcptype passive":              true,
		"candidate:1 1 udp 2122 3f8a0b1c-77aa-4b6e.local 5000 typ host":            false,
		"candidate:1 1 udp 1686 198.51.100.7 5000 typ srflx raddr 0.0.0.0 rport 0": true,
		"": true, // the end of them
	} {
		if got := isUsable(candidate); got != want {
			t.Errorf("%q: %v", candidate, got)
		}
	}
}
