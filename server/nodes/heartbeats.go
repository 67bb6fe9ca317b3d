package nodes

// heartbeatSeconds is how far back heartbeats are told.
const heartbeatSeconds = 60

// heartbeats remember in which of the last seconds a node was heard.
type heartbeats struct {
	heard   int    // in the second that runs
	seconds uint64 // a bit each, the newest lowest
	known   int    // how many of them were looked at
}

// endSecond begins another second. Two nodes' seconds are not in step: what comes a little
// late is the second heartbeat of the next one, and counts for the one before.
func (h *heartbeats) endSecond() {
	if h.heard > 1 {
		h.seconds |= 1
	}
	h.seconds <<= 1
	if h.heard > 0 {
		h.seconds |= 1
	}
	h.heard, h.known = 0, min(h.known+1, heartbeatSeconds+1)
}

// String tells the seconds, the newest last, but for the one whose heartbeat may still come.
func (h *heartbeats) String() string {
	out := make([]byte, 0, heartbeatSeconds)
	for i := h.known - 1; i > 0; i-- {
		out = append(out, '0'+byte(h.seconds>>i&1))
	}
	return string(out)
}

// endSecondLocked begins another second of every node. mu must be held.
func (n *Nodes) endSecondLocked() {
	n.own.endSecond()
	for _, o := range n.others {
		o.beats.endSecond()
	}
}

// HeartbeatsOf tells in which of the last 60 seconds a node was heard, the newest last: 1 it
// was, 0 it was not. Of this node it is whether its own reached the bus.
func (n *Nodes) HeartbeatsOf(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if name == n.cfg.Bus.Node() {
		return n.own.String()
	}
	if o := n.others[name]; o != nil {
		return o.beats.String()
	}
	return ""
}
