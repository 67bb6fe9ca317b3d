package leg_test

import (
	"math"
	"testing"
	"time"

	"parley/server/leg"
)

// span lists sequence numbers from one to another, over the wrap if need be.
func span(from, to uint16) []uint16 {
	all := []uint16{from}
	for n := from; n != to; all = append(all, n) {
		n++
	}
	return all
}

func join(parts ...[]uint16) []uint16 {
	var all []uint16
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func TestSequence(t *testing.T) {
	for name, test := range map[string]struct {
		in       []uint16
		counts   [4]int64 // received, lost, runs, packets in runs
		extended uint32
	}{
		"nothing":                       {nil, [4]int64{}, 0},
		"one packet":                    {[]uint16{7}, [4]int64{1, 0, 0, 0}, 7},
		"in order":                      {span(1, 200), [4]int64{200, 0, 0, 0}, 200},
		"over the wrap":                 {span(65500, 100), [4]int64{137, 0, 0, 0}, 65536 + 100},
		"two wraps":                     {join(span(0, 65535), span(0, 65535), span(0, 9)), [4]int64{2*65536 + 10, 0, 0, 0}, 2*65536 + 9},
		"one lost":                      {join(span(1, 9), span(11, 100)), [4]int64{99, 1, 1, 1}, 100},
		"three in a row lost":           {join(span(1, 9), span(13, 100)), [4]int64{97, 3, 1, 3}, 100},
		"two runs":                      {join(span(1, 9), span(12, 20), span(24, 120)), [4]int64{115, 5, 2, 5}, 120},
		"lost at the wrap":              {join(span(65500, 65533), span(2, 100)), [4]int64{133, 4, 1, 4}, 65536 + 100},
		"lost, not yet settled":         {join(span(1, 9), span(11, 40)), [4]int64{39, 1, 0, 0}, 40},
		"two in the wrong order":        {join(span(1, 9), []uint16{11, 10}, span(12, 100)), [4]int64{100, 0, 0, 0}, 100},
		"late within the window":        {join(span(1, 9), span(11, 70), []uint16{10}, span(71, 200)), [4]int64{200, 0, 0, 0}, 200},
		"late, but settled":             {join(span(1, 9), span(11, 90), []uint16{10}, span(91, 200)), [4]int64{199, 1, 1, 1}, 200},
		"a run that a late one splits":  {join(span(1, 9), span(13, 30), []uint16{11}, span(31, 200)), [4]int64{198, 2, 2, 2}, 200},
		"the same twice":                {join(span(1, 50), []uint16{50, 49, 20}, span(51, 60)), [4]int64{60, 0, 0, 0}, 60},
		"the first ones out of order":   {join([]uint16{3, 1, 2}, span(4, 100)), [4]int64{100, 0, 0, 0}, 100},
		"out of order over the wrap":    {[]uint16{65534, 0, 65535, 1}, [4]int64{4, 0, 0, 0}, 65536 + 1},
		"a second without any":          {join(span(1, 100), span(150, 300)), [4]int64{251, 49, 1, 49}, 300},
		"longer than the window":        {join(span(1, 100), span(301, 400)), [4]int64{200, 200, 1, 200}, 400},
		"a stray one, far off":          {join(span(1, 100), []uint16{30000}, span(101, 200)), [4]int64{200, 0, 0, 0}, 200},
		"a new beginning":               {join(span(1, 100), span(30000, 30099)), [4]int64{199, 0, 0, 0}, 30099},
		"a new beginning after losses":  {join(span(1, 9), span(11, 100), span(30000, 30099)), [4]int64{198, 1, 1, 1}, 30099},
		"a new beginning further back":  {join(span(30000, 30099), span(1, 100)), [4]int64{199, 0, 0, 0}, 65536 + 100},
		"the largest step that is loss": {join(span(1, 100), span(3099, 3200)), [4]int64{202, 2998, 1, 2998}, 3200},
	} {
		t.Run(name, func(t *testing.T) {
			var s leg.Sequence
			for _, seq := range test.in {
				s.Add(seq)
			}
			if got := s.Counts(); got != test.counts {
				t.Errorf("received, lost, runs, in runs: %v, want %v", got, test.counts)
			}
			if got := s.Extended(); got != test.extended {
				t.Errorf("extended %d, want %d", got, test.extended)
			}
		})
	}
}

// Known answers, computed by hand from RFC 3550 appendix A.8.
func TestJitter(t *testing.T) {
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		at     []time.Duration
		stamps []uint32
		want   float64 // in timestamp units of 1/48,000 s
	}{
		"one packet":            {[]time.Duration{0}, []uint32{0}, 0},
		"steady":                {[]time.Duration{0, 20 * ms, 40 * ms}, []uint32{0, 960, 1920}, 0},
		"5 ms late":             {[]time.Duration{0, 25 * ms}, []uint32{0, 960}, 240.0 / 16},
		"5 ms early":            {[]time.Duration{0, 15 * ms}, []uint32{0, 960}, 240.0 / 16},
		"late, then in time":    {[]time.Duration{0, 25 * ms, 40 * ms}, []uint32{0, 960, 1920}, 15 + (240.0-15)/16},
		"a pause that is meant": {[]time.Duration{0, 400 * ms}, []uint32{0, 19200}, 0},
		"out of order":          {[]time.Duration{0, 40 * ms, 41 * ms}, []uint32{0, 1920, 960}, (41 - 40 + 20) * 48.0 / 16},
		"over the wrap":         {[]time.Duration{0, 20 * ms, 45 * ms}, []uint32{1<<32 - 960, 0, 960}, 240.0 / 16},
	} {
		t.Run(name, func(t *testing.T) {
			if got := leg.Jitter(test.at, test.stamps); math.Abs(got-test.want) > 1e-6 {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestFractionLost(t *testing.T) {
	for name, test := range map[string]struct {
		expected, received int64
		want               uint8
	}{
		"none":             {50, 50, 0},
		"half":             {50, 25, 128},
		"all":              {50, 0, 255},
		"more than wanted": {50, 52, 0},
		"no interval":      {0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := leg.FractionLost(test.expected, test.received); got != test.want {
				t.Errorf("%d, want %d", got, test.want)
			}
		})
	}
}

func TestNTPTime(t *testing.T) {
	for name, test := range map[string]struct {
		at   time.Time
		want uint64
	}{
		"the Unix epoch":     {time.Unix(0, 0), 2208988800 << 32},
		"half a second on":   {time.Unix(0, 5e8), 2208988800<<32 | 1<<31},
		"the last of second": {time.Unix(1, 999_999_999), 2208988801<<32 | 4294967291},
	} {
		t.Run(name, func(t *testing.T) {
			if got := leg.NTPTime(test.at); got != test.want {
				t.Errorf("%x, want %x", got, test.want)
			}
		})
	}
}

// FuzzSequence: whatever comes, the counters make sense.
func FuzzSequence(f *testing.F) {
	f.Add([]byte{0, 1, 0, 2, 255, 255, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s leg.Sequence
		var was [4]int64
		for ; len(raw) >= 2; raw = raw[2:] {
			s.Add(uint16(raw[0])<<8 | uint16(raw[1]))
			now := s.Counts()
			if now[0] < was[0] || now[2] < was[2] || now[3] < was[3] || now[3] < now[2] || now[1] < 0 {
				t.Fatalf("%v after %v", now, was)
			}
			was = now
		}
	})
}
