package relay

import (
	"time"

	"github.com/pion/webrtc/v4"

	"parley/shared/rtcstats"
)

// sampleInterval is the rhythm of samples and of RTCP reports to the caller. The
// browser's outgoing loss and round-trip time come from these, so they come
// more often than the 5 s of RFC 3550 §6.2: 80 bytes a second.
const sampleInterval = time.Second

// report sends the caller what RFC 3550 §6.4 asks for, and tells a sample.
func (l *Leg) report(now time.Time) {
	l.telling.Lock()
	connected := l.state == rtcstats.StateConnected
	l.telling.Unlock()
	if !connected {
		return
	}
	pc := l.pc.Load()
	if pc == nil {
		return
	}
	if reports := l.streams.Reports(now); reports != nil {
		_ = pc.WriteRTCP(reports) // lost like any packet; the next one says all
	}
	sample := l.streams.Sample(now)
	sample.CandidatePair = l.pair.Load()
	l.telling.Lock()
	defer l.telling.Unlock()
	if !l.isClosed() {
		l.on.Sampled(sample)
	}
}

// paired notes by which kinds of candidate the caller comes, never from where.
func (l *Leg) paired(p *webrtc.ICECandidatePair) {
	l.pair.Store(&rtcstats.CandidatePair{
		ID: "pair", State: "succeeded", Protocol: p.Remote.Protocol.String(),
		LocalCandidateType: p.Local.Typ.String(), RemoteCandidateType: p.Remote.Typ.String(),
	})
}
