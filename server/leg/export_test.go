package leg

import "time"

// What the tests of this package's arithmetic see.
var (
	FractionLost = fractionLost
	NTPTime      = ntpTime
)

// Sequence counts sequence numbers.
type Sequence struct{ s sequence }

// Add counts one.
func (s *Sequence) Add(seq uint16) bool { return s.s.add(seq) }

// Counts are received, lost, runs and packets in runs.
func (s *Sequence) Counts() [4]int64 {
	return [4]int64{s.s.received, s.s.lost(), s.s.runs, s.s.runPackets}
}

// Extended is the highest sequence number with its cycles.
func (s *Sequence) Extended() uint32 { return uint32(s.s.highest) }

// Jitter is the estimate after packets that came and were stamped so.
func Jitter(at []time.Duration, stamps []uint32) float64 {
	var j jitter
	for i := range at {
		j.add(at[i], stamps[i])
	}
	return j.value
}
