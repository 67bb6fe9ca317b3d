package relay

import (
	"time"

	"github.com/pion/webrtc/v4"

	"parley/shared/rtcstats"
)

// Why a caller's media path is gone, in a stable word for the log.
const (
	causeNoPath      = "no_path"        // no pair of candidates ever answered
	causeConsentLost = "consent_lost"   // the caller answered no more (RFC 7675)
	causeDTLSFailed  = "dtls_failed"    // the handshake: another certificate than offered, or no common cipher
	causePeerClosed  = "closed_by_peer" // the caller's DTLS said close_notify
)

// pathFailure tells why a path is gone by the states of its parts; wasConnected:
// media had flowed on it.
func pathFailure(ice webrtc.ICETransportState, dtls webrtc.DTLSTransportState, wasConnected bool) string {
	switch {
	case ice == webrtc.ICETransportStateFailed && wasConnected:
		return causeConsentLost
	case ice == webrtc.ICETransportStateFailed:
		return causeNoPath
	case dtls == webrtc.DTLSTransportStateFailed, !wasConnected: // pion closes what it couldn't start
		return causeDTLSFailed
	}
	return causePeerClosed
}

// tellGoneLocked tells that c is gone, closed where the caller said goodbye, and logs
// once why. telling must be held.
func (l *Leg) tellGoneLocked(c *connection) {
	ice, dtls := c.transport.State()
	cause, state := pathFailure(ice, dtls, c.wasConnected), rtcstats.StateFailed
	if cause == causePeerClosed && !c.hungUp.Load() {
		state = rtcstats.StateClosed
	}
	if l.state != state && !l.isClosed() {
		l.relay.log.Info("a caller's media path is gone", "session", l.id, "event", "media", "cause", cause)
	}
	l.tellLocked(state, heardAt(c))
}

// heardAt is when the last packet came. That none comes is noticed some seconds later;
// from when on a caller is gone is counted from here.
func heardAt(c *connection) time.Time {
	if _, newest := c.transport.Received(); !newest.IsZero() {
		return newest
	}
	return time.Now()
}
