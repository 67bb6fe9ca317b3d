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

// turnBuffer holds packets in order, one after the other in one piece of memory.
type turnBuffer struct {
	audio  []byte
	frames []frame
	stamp  uint32 // RTP timestamp of the newest
	isFull bool   // something found no place, and nothing was dropped since
}

// frame is one packet: where it ends in audio, when it plays, for how long, both
// in clock units.
type frame struct {
	end     int
	at, len uint32
}

// add keeps a packet, unless it is late or the buffer is full. It reports whether
// this is the first that finds no place.
func (t *turnBuffer) add(stamp uint32, packet []byte, n uint32) (filled bool) {
	at := uint32(0)
	if len(t.frames) > 0 {
		step := stamp - t.stamp
		if isLate(step) {
			return false
		}
		at = t.frames[len(t.frames)-1].at + min(step, ticks(longestGap))
	}
	if n == 0 {
		return false
	}
	if at-t.first()+n > ticks(longestTurn) || len(t.audio)+len(packet) > largestTurn {
		filled, t.isFull = !t.isFull, true
		return filled
	}
	t.stamp = stamp
	t.audio = append(t.audio, packet...)
	t.frames = append(t.frames, frame{end: len(t.audio), at: at, len: n})
	return false
}

func (t *turnBuffer) first() uint32 {
	if len(t.frames) == 0 {
		return 0
	}
	return t.frames[0].at
}

// packet is the i-th packet.
func (t *turnBuffer) packet(i int) []byte {
	from := 0
	if i > 0 {
		from = t.frames[i-1].end
	}
	return t.audio[from:t.frames[i].end]
}

// trim forgets what is older than d, but moves memory only when there is as
// much to forget as to keep.
func (t *turnBuffer) trim(d time.Duration) {
	if n := len(t.frames); n > 0 && t.frames[n-1].at-t.first() >= 2*ticks(d) {
		t.keepLast(d)
	}
}

// keepLast forgets what is older than d.
func (t *turnBuffer) keepLast(d time.Duration) {
	i, n := 0, len(t.frames)
	for i < n && t.frames[n-1].at-t.frames[i].at > ticks(d) {
		i++
	}
	t.drop(i)
}

// drop forgets the first i packets.
func (t *turnBuffer) drop(i int) {
	if i == 0 {
		return
	}
	t.isFull = false
	from := t.frames[i-1].end
	t.audio = t.audio[:copy(t.audio, t.audio[from:])]
	t.frames = t.frames[:copy(t.frames, t.frames[i:])]
	for j := range t.frames {
		t.frames[j].end -= from
	}
}

// endAfter forgets what begins later than d after clock time at.
func (t *turnBuffer) endAfter(at uint32, d time.Duration) {
	n := len(t.frames)
	for n > 0 && int32(t.frames[n-1].at-at) > int32(ticks(d)) {
		n--
	}
	t.frames = t.frames[:n]
}

// isLate says whether a packet that is this far from the newest comes too late.
func isLate(step uint32) bool {
	back := int32(step)
	return back <= 0 && back > -int32(ticks(latest))
}
