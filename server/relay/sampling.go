package relay

import (
	"sync/atomic"
	"time"

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

	packets int64     // at the sample before
	newest  time.Time // sample that saw a sign
}

func (s *signs) addPing(now time.Time) {
	s.pings.Add(1)
	s.lastPing.Store(now.UnixNano())
}

// put adds to a sample what the path and the pings tell: packets are all that came,
// checks among them. A caller whose pings stop while other signs come has paused them:
// then none is due.
func (s *signs) put(sample *rtcstats.Sample, packets int64, now time.Time) {
	if packets != s.packets {
		s.packets, s.newest = packets, now
	}
	sample.Transport.PacketsReceived = &packets
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
	if c := l.conn.Load(); c != nil {
		if reports := l.streams.Reports(now); reports != nil && state == rtcstats.StateConnected {
			_ = c.transport.WriteRTCP(reports) // lost like any packet; the next one says all
		}
		packets, _ := c.transport.Received()
		l.signs.put(&sample, packets, now)
	}
	l.telling.Lock()
	defer l.telling.Unlock()
	if !l.isClosed() {
		l.on.Sampled(sample)
	}
}

// notePaired notes when ICE first found a path.
func (l *Leg) notePaired() { l.pairedAt.CompareAndSwap(nil, new(time.Now())) }
