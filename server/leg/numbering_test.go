package leg_test

import (
	"testing"
	"time"

	"github.com/pion/rtp"

	"parley/server/leg"
)

// Whatever becomes of the stream that comes in, the one that goes out has neither
// gaps in its numbers nor jumps in its clock. Echo's tests hold the rest.
func TestNumbering(t *testing.T) {
	const ms = leg.ClockRate / 1000
	type in struct {
		after  time.Duration
		ssrc   uint32
		seq    uint16
		stamp  uint32
		marker bool
	}
	for name, test := range map[string]struct {
		second in // after one packet of SSRC 1, number 1, timestamp 0
		step   uint32
		marker bool
	}{
		"the next":                           {in{20 * time.Millisecond, 1, 2, 960, false}, 960, false},
		"another SSRC, its clock far ahead":  {in{40 * time.Millisecond, 2, 7, 1 << 31, false}, 40 * ms, true},
		"another SSRC, its clock behind":     {in{40 * time.Millisecond, 2, 7, 1<<32 - 960, false}, 40 * ms, true},
		"another SSRC at the same moment":    {in{0, 2, 7, 500, false}, 20 * ms, true},
		"a restart of the same SSRC":         {in{time.Second, 1, 900, 1 << 30, false}, 1000 * ms, false},
		"a clock that stood in a long pause": {in{10 * time.Second, 1, 2, 960, false}, 10000 * ms, false},
		"a clock that stood in a short one":  {in{time.Second, 1, 2, 960, true}, 1000 * ms, true},
		"a talkspurt that comes early":       {in{30 * time.Millisecond, 1, 2, 40 * ms, true}, 40 * ms, true},
		"a packet that was long on its way":  {in{time.Second, 1, 2, 960, false}, 960, false},
	} {
		t.Run(name, func(t *testing.T) {
			var n leg.Numbering
			at := time.Now()
			first, ok := n.Next(&rtp.Header{SSRC: 1, SequenceNumber: 1}, at)
			if !ok {
				t.Fatal("the first is left out")
			}
			was := *first
			s := test.second
			next, ok := n.Next(&rtp.Header{SSRC: s.ssrc, SequenceNumber: s.seq, Timestamp: s.stamp, Marker: s.marker}, at.Add(s.after))
			switch {
			case !ok:
				t.Fatal("it is left out")
			case next.SequenceNumber != was.SequenceNumber+1 || next.Timestamp-was.Timestamp != test.step || next.Marker != test.marker:
				t.Errorf("number +%d, clock +%d, marker %v; want +1, +%d, %v",
					next.SequenceNumber-was.SequenceNumber, next.Timestamp-was.Timestamp, next.Marker, test.step, test.marker)
			}
			if late, ok := n.Next(&rtp.Header{SSRC: s.ssrc, SequenceNumber: s.seq, Timestamp: s.stamp - 960}, at.Add(s.after)); ok {
				t.Errorf("a late packet became %+v", late)
			}
		})
	}
}
