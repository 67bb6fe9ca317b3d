package agent

import "time"

// Bounds of what is kept of a turn, in memory.
const (
	// longestTurn is what is promised to be kept at most; what follows is not heard.
	longestTurn = 30 * time.Second
	// largestTurn holds longestTurn at 128 kbit/s, three times what browsers send.
	largestTurn = 512 << 10
	// longestGap bounds a pause inside a turn, whatever its timestamps say.
	longestGap = time.Second
	// latest is how far back a packet is late; further back is a new stream,
	// whose timestamps have nothing to do with the old one's.
	latest = 2 * time.Second
)

// tape holds packets in order, one after the other in one piece of memory.
type tape struct {
	audio []byte
	cuts  []cut
	stamp uint32 // RTP timestamp of the newest
}

// cut is one packet: where it ends in audio, when it plays, for how long, both
// in clock units.
type cut struct {
	end     int
	at, len uint32
}

// add keeps a packet, unless it is late or the tape is full.
func (t *tape) add(stamp uint32, packet []byte, n uint32) {
	at := uint32(0)
	if len(t.cuts) > 0 {
		step := stamp - t.stamp
		if late(step) {
			return
		}
		at = t.cuts[len(t.cuts)-1].at + min(step, ticks(longestGap))
	}
	if n == 0 || at-t.first()+n > ticks(longestTurn) || len(t.audio)+len(packet) > largestTurn {
		return
	}
	t.stamp = stamp
	t.audio = append(t.audio, packet...)
	t.cuts = append(t.cuts, cut{end: len(t.audio), at: at, len: n})
}

func (t *tape) first() uint32 {
	if len(t.cuts) == 0 {
		return 0
	}
	return t.cuts[0].at
}

// packet is the i-th packet.
func (t *tape) packet(i int) []byte {
	from := 0
	if i > 0 {
		from = t.cuts[i-1].end
	}
	return t.audio[from:t.cuts[i].end]
}

// trim forgets what is older than d, but moves memory only when there is as
// much to forget as to keep.
func (t *tape) trim(d time.Duration) {
	if n := len(t.cuts); n > 0 && t.cuts[n-1].at-t.first() >= 2*ticks(d) {
		t.keepLast(d)
	}
}

// keepLast forgets what is older than d.
func (t *tape) keepLast(d time.Duration) {
	i, n := 0, len(t.cuts)
	for i < n && t.cuts[n-1].at-t.cuts[i].at > ticks(d) {
		i++
	}
	t.drop(i)
}

// drop forgets the first i packets.
func (t *tape) drop(i int) {
	if i == 0 {
		return
	}
	from := t.cuts[i-1].end
	t.audio = t.audio[:copy(t.audio, t.audio[from:])]
	t.cuts = t.cuts[:copy(t.cuts, t.cuts[i:])]
	for j := range t.cuts {
		t.cuts[j].end -= from
	}
}

// endAfter forgets what begins later than d after clock time at.
func (t *tape) endAfter(at uint32, d time.Duration) {
	n := len(t.cuts)
	for n > 0 && int32(t.cuts[n-1].at-at) > int32(ticks(d)) {
		n--
	}
	t.cuts = t.cuts[:n]
}

// late says whether a packet that is this far from the newest comes too late.
func late(step uint32) bool {
	back := int32(step)
	return back <= 0 && back > -int32(ticks(latest))
}
