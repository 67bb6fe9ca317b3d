package relay

import (
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"parley/shared/rtcstats"
)

// sampleInterval is the rhythm of samples and of RTCP reports to the caller. The
// browser's outgoing loss and round-trip time come from these, so they come
// more often than the 5 s of RFC 3550 §6.2: 80 bytes a second.
const sampleInterval = time.Second

// pingRhythm is how long before the leg's newest sign of life the newest ping may
// lie for another to be due: four times the rhythm of two a second.
const pingRhythm = 2 * time.Second

// signs is what tells a leg that lives from one that is cut off, beside packets of
// audio and reports. All but the pings is only known to the one who samples.
type signs struct {
	pings    atomic.Int64
	lastPing atomic.Int64 // Unix time in ns

	packets, checks int64     // at the sample before
	newest          time.Time // sample that saw a sign
}

func (s *signs) addPing(now time.Time) {
	s.pings.Add(1)
	s.lastPing.Store(now.UnixNano())
}

// put adds to a sample what ICE and the pings tell. A caller whose pings stop while
// other signs come has paused them: then none is due.
func (s *signs) put(sample *rtcstats.Sample, pair webrtc.ICECandidatePairStats, now time.Time) {
	packets, checks := int64(pair.PacketsReceived), int64(pair.ResponsesReceived)
	if packets != s.packets || checks != s.checks {
		s.packets, s.checks, s.newest = packets, checks, now
	}
	sample.Transport.PacketsReceived = &packets
	if sample.CandidatePair != nil {
		p := *sample.CandidatePair
		p.ResponsesReceived = &checks
		sample.CandidatePair = &p
	}
	if n := s.pings.Load(); n > 0 && s.newest.Sub(time.Unix(0, s.lastPing.Load())) <= pingRhythm {
		sample.Ping = &rtcstats.Ping{RequestsReceived: n}
	}
}

// report sends the caller what RFC 3550 §6.4 asks for, and tells a sample: also
// while the caller is cut off, for then the sample says so.
func (l *Leg) report(now time.Time) {
	l.telling.Lock()
	state := l.state
	l.telling.Unlock()
	if state == "" {
		return
	}
	sample := l.streams.Sample(now)
	sample.CandidatePair = l.pair.Load()
	sample.Transport = &rtcstats.Transport{ICEState: string(state)}
	if pc := l.pc.Load(); pc != nil {
		if reports := l.streams.Reports(now); reports != nil && state == rtcstats.StateConnected {
			_ = pc.WriteRTCP(reports) // lost like any packet; the next one says all
		}
		pair, _ := pc.SCTP().Transport().ICETransport().GetSelectedCandidatePairStats() // all zero without a pair
		l.signs.put(&sample, pair, now)
	}
	l.telling.Lock()
	defer l.telling.Unlock()
	if !l.isClosed() {
		l.on.Sampled(sample)
	}
}

// paired notes by which kinds of candidate the caller comes, never from where.
func (l *Leg) paired(p *webrtc.ICECandidatePair) {
	l.pairedAt.CompareAndSwap(nil, new(time.Now()))
	l.pair.Store(&rtcstats.CandidatePair{
		ID: "pair", State: "succeeded", Protocol: p.Remote.Protocol.String(),
		LocalCandidateType: p.Local.Typ.String(), RemoteCandidateType: p.Remote.Typ.String(),
	})
}
