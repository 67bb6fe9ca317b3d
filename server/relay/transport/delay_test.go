package transport_test

import (
	"testing"
	"time"

	"parley/server/relay/transport"
)

// A packet came when the kernel says, unless that can't be.
func TestWhenAPacketCame(t *testing.T) {
	b := transport.NewBatch(socket(t, "127.0.0.1:0"))
	read := time.Now()
	for name, c := range map[string]struct{ stamp, want time.Time }{
		"a moment ago":          {read.Add(-time.Millisecond), read.Add(-time.Millisecond)},
		"as long ago as may be": {read.Add(-transport.MaxStampAge), read.Add(-transport.MaxStampAge)},
		"before that":           {read.Add(-transport.MaxStampAge - 1), read},
		"the clock was set":     {read.Add(time.Hour), read},
		"no stamp":              {time.Time{}, read},
	} {
		if got := b.Came(read, c.stamp.Round(0))[0]; got.Sub(c.want).Abs() > time.Microsecond {
			t.Errorf("%s: %v from it", name, got.Sub(c.want))
		}
	}
}

// A delay is told as what nineteen in twenty did not exceed, right to an eighth, and once.
func TestADelayIsThatOfTheWorstTwentieth(t *testing.T) {
	var d transport.Delays
	if _, ok := d.Take(); ok {
		t.Error("there is a delay before any packet")
	}
	now := time.Now()
	for name, c := range map[string]struct{ most, few, want time.Duration }{
		"some microseconds": {3 * time.Microsecond, time.Second, 3 * time.Microsecond},
		"a millisecond":     {time.Millisecond, time.Minute, time.Millisecond},
		"half a second":     {500 * time.Millisecond, time.Minute, 500 * time.Millisecond},
		"set back":          {-time.Hour, time.Second, 0},
		"longer than told":  {1000 * time.Hour, 1000 * time.Hour, 14 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			stamps := []time.Time{{}} // of which nothing is known
			for range 95 {
				stamps = append(stamps, now.Add(-c.most))
			}
			for range 5 {
				stamps = append(stamps, now.Add(-c.few))
			}
			d.Add(stamps, now)
			got, ok := d.Take()
			if !ok || got < c.want || got > c.want+c.want/8+time.Microsecond && c.most < time.Hour {
				t.Errorf("%v, %v; want %v, or an eighth more", got, ok, c.want)
			}
			if _, ok := d.Take(); ok {
				t.Error("it is told again")
			}
		})
	}
}
