package transport

import (
	"net/netip"
	"slices"
	"time"

	"github.com/pion/webrtc/v4"
)

// receiveCheck takes a STUN message from anywhere: what verifies as a call's is
// answered, and all else is dropped without a word.
func (p *Port) receiveCheck(packet []byte, from origin, by *batch) {
	c, err := readCheck(packet)
	if err != nil {
		return
	}
	t := p.table.transportOf(c.ufrag)
	if t == nil || !p.cfg.IsAllowed(from.peer.Addr()) {
		return
	}
	pwd, ok := t.passwordOf(c.ufrag)
	if !ok || !c.verify(pwd) {
		return
	}
	way := t.noteCheck(&c, from)
	if way == nil {
		return
	}
	way.socket.Store(by)
	if answer := c.answer(from.peer, pwd); answer != nil {
		way.send(answer)
	}
	if c.isConflict {
		return
	}
	t.startHandshake(way)
	if c.isNominated {
		t.selectPath(way, func(was *path) bool { return way.isBetter(was) })
	}
}

func (t *Transport) passwordOf(ufrag string) (pwd string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.credentials, func(c Credentials) bool { return c.Ufrag == ufrag })
	if i < 0 || t.isClosed {
		return "", false
	}
	return t.credentials[i].Pwd, true
}

// noteCheck notes a check that verified, and returns the path it came by; nil if there
// is none to be had.
func (t *Transport) noteCheck(c *check, from origin) *path {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isClosed {
		return nil
	}
	way := t.pathOfLocked(from)
	if way == nil {
		return nil
	}
	way.ufrag, way.priority = c.ufrag, c.priority
	now := int64(t.now())
	way.checked.Store(now)
	t.checked.Store(now)
	t.noteReceived(time.Now())
	return way
}

// pathOfLocked returns the path of an origin, a new one if need be: the oldest that
// isn't in use makes room for it. mu must be held.
func (t *Transport) pathOfLocked(from origin) *path {
	i := slices.IndexFunc(t.paths, func(p *path) bool { return p.origin == from && !p.isClosed.Load() })
	if i >= 0 {
		way := t.paths[i]
		t.paths = append(slices.Delete(t.paths, i, i+1), way)
		return way
	}
	way := t.newPath(from)
	if from.stream != nil {
		if !from.stream.path.CompareAndSwap(nil, way) {
			return nil // it is another call's
		}
	} else if !t.port.table.addPath(way) {
		return nil
	}
	t.paths = append(t.paths, way)
	if len(t.paths) > maxPaths {
		oldest := slices.IndexFunc(t.paths, func(p *path) bool { return p != t.selected.Load() })
		t.paths[oldest].close()
		t.paths = slices.Delete(t.paths, oldest, oldest+1)
	}
	return way
}

// noteUse notes a packet that is no check, and when it came. Where the caller sends by another path than
// that in use, and that one rests, it has changed its mind, or a NAT has: a check that
// nominates the path may come late, or never.
func (t *Transport) noteUse(way *path, came time.Time) {
	way.used.Store(int64(came.Sub(t.born)))
	if was := t.selected.Load(); was != nil && was != way && was.isIdle() {
		t.selectPath(way, (*path).isIdle)
	}
}

// selectPath has media go by a path, if there is none in use, if that was found before an
// ICE restart, or if it is to be left. Credentials older than
// the path's hold no more.
func (t *Transport) selectPath(way *path, isLeft func(*path) bool) {
	t.mu.Lock()
	was := t.selected.Load()
	isWanted := was == nil || was == way || was.isClosed.Load() || was.ufrag != way.ufrag || isLeft(was)
	if t.isClosed || way.isClosed.Load() || !isWanted {
		t.mu.Unlock()
		return
	}
	isNewPath := t.selected.Swap(way) != way
	isNewState := t.ice != webrtc.ICETransportStateConnected
	t.ice = webrtc.ICETransportStateConnected
	if i := slices.IndexFunc(t.credentials, func(c Credentials) bool { return c.Ufrag == way.ufrag }); i > 0 {
		t.port.table.remove(t.credentials[:i])
		t.credentials = slices.Clone(t.credentials[i:])
	}
	pair := t.pairLocked(way)
	t.mu.Unlock()
	if isNewPath {
		t.log.Debugf("media goes by %v from %v", pair, way.peer)
		t.handler.HandlePair(pair)
	}
	if isNewState {
		t.handler.HandleState()
	}
}

func (t *Transport) pairLocked(way *path) Pair {
	pair := Pair{Protocol: way.protocol(), RemoteType: t.remotes[way.peer]}
	if pair.RemoteType == "" || way.stream != nil {
		pair.RemoteType = "prflx"
	}
	return pair
}

// AddRemote notes the kind of a candidate that the caller has signaled. Nothing is sent
// to it: the caller's checks come from there, or they don't.
func (t *Transport) AddRemote(at netip.AddrPort, kind string) {
	t.mu.Lock()
	if len(t.remotes) < maxRemotes {
		t.remotes[at] = kind
	}
	way := t.selected.Load()
	isSelected := way != nil && way.peer == at && way.stream == nil
	t.mu.Unlock()
	if isSelected {
		t.handler.HandlePair(Pair{Protocol: way.protocol(), RemoteType: kind})
	}
}

// Restart restarts ICE: the caller's next checks are made with new credentials. Media
// goes on by the old path until there is a new one.
func (t *Transport) Restart() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isClosed {
		return
	}
	fresh := newCredentials()
	if len(t.credentials) > 1 { // a restart before the last one had a path
		last := len(t.credentials) - 1
		t.port.table.remove(t.credentials[last:])
		t.credentials = t.credentials[:last]
	}
	t.credentials = append(t.credentials, fresh)
	t.port.table.add(t, fresh.Ufrag)
	clear(t.remotes)
	t.since = t.now()
	if t.ice == webrtc.ICETransportStateFailed {
		t.ice = webrtc.ICETransportStateChecking
	}
}

// tick looks whether the caller is still there.
func (t *Transport) tick() {
	t.mu.Lock()
	was := t.ice
	isOver := t.dtls == webrtc.DTLSTransportStateFailed || t.dtls == webrtc.DTLSTransportStateClosed
	if !isOver {
		t.ageLocked(t.now())
	}
	isNew := t.ice != was
	t.mu.Unlock()
	if isNew {
		t.handler.HandleState()
	}
}

// ageLocked sets the state of ICE by what has not come. mu must be held.
func (t *Transport) ageLocked(now time.Duration) {
	way := t.selected.Load()
	switch {
	case t.ice == webrtc.ICETransportStateFailed:
	case way == nil:
		if now-t.since >= pathTimeout {
			t.failLocked()
		}
	case now-time.Duration(t.checked.Load()) >= consentExpires:
		t.failLocked()
	case now-time.Duration(t.heard.Load()) >= disconnectedAfter:
		t.ice = webrtc.ICETransportStateDisconnected
	default:
		t.ice = webrtc.ICETransportStateConnected
	}
}

func (t *Transport) failLocked() {
	t.ice = webrtc.ICETransportStateFailed
	t.dropPathsLocked()
}

// dropPathsLocked has nothing sent anywhere. mu must be held.
func (t *Transport) dropPathsLocked() {
	t.selected.Store(nil)
	for _, p := range t.paths {
		p.close()
	}
	t.paths = nil
}

// sendingPath returns where to send: the path that was nominated, or the one that was
// checked last.
func (t *Transport) sendingPath() *path {
	if way := t.selected.Load(); way != nil && !way.isClosed.Load() {
		return way
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, way := range slices.Backward(t.paths) {
		if !way.isClosed.Load() {
			return way
		}
	}
	return nil
}
