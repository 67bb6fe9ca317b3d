package store

import (
	"strconv"
	"sync"
	"time"

	"parley/server/fault"
)

// An id is 63 bits: 43 of milliseconds since 1970 (until 2248), 10 of the node,
// 10 of a count within the millisecond. It orders by time, so that the primary
// key is the index by time and the cursor of a list, and nodes that share a
// database never make the same one.
const (
	nodeBits = 10
	seqBits  = 10
	msShift  = nodeBits + seqBits

	// MaxNodeID is the largest Options.NodeID.
	MaxNodeID = 1<<nodeBits - 1
)

// ids makes ids that only grow: while the clock stands or runs backwards, and
// when a millisecond is full, it runs ahead of the clock.
type ids struct {
	now func() time.Time

	mu   sync.Mutex
	node int64
	tick int64 // milliseconds and count of the newest id, without the node
}

func (g *ids) next() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tick = max(g.tick+1, g.now().UnixMilli()<<seqBits)
	return g.tick>>seqBits<<msShift | g.node<<seqBits | g.tick&(1<<seqBits-1)
}

// setNode has all further ids carry a node's.
func (g *ids) setNode(node uint16) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.node = int64(node)
}

// NewID makes an id for a row that is told of before it is kept.
func (s *Store) NewID() int64 { return s.ids.next() }

// after makes all further ids greater than one that was found.
func (g *ids) after(id int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tick = max(g.tick, (id>>msShift+1)<<seqBits)
}

// firstID is the least id of a moment.
func firstID(t time.Time) int64 { return max(0, t.UnixMilli()) << msShift }

// timeOf is when an id was made.
func timeOf(id int64) time.Time { return time.UnixMilli(id >> msShift).UTC() }

// cursorOf and idOf turn an id into the opaque cursor of a list, and back. The
// empty cursor is the newest end.
func cursorOf(id int64) string { return strconv.FormatInt(id, 36) }

const newestCursor = int64(^uint64(0) >> 1)

func idOf(cursor string) (int64, error) {
	if cursor == "" {
		return newestCursor, nil
	}
	id, err := strconv.ParseInt(cursor, 36, 64)
	if err != nil || id < 0 || cursor != cursorOf(id) {
		return 0, fault.BadCursor
	}
	return id, nil
}
