package transport_test

import (
	"testing"
	"time"

	"parley/server/relay/transport"
)

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
