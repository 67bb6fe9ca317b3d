package session

import (
	"time"

	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// maxReportAge bounds how far back a sample of a report may lie: a report holds
// five seconds, and after a lost socket no more than ten samples.
const maxReportAge = 30 * time.Second

// claimedCounters are what the client last claimed, to see numbers that fall.
type claimedCounters struct {
	in, out claimedStream
}

type claimedStream struct {
	ssrc           uint32
	packets, bytes int64
}

// fellBelow says that a counter of the same stream is lower than before.
func (s claimedStream) fellBelow(before claimedStream) bool {
	return s.ssrc == before.ssrc && (s.packets < before.packets || s.bytes < before.bytes)
}

// checkSample gives the counters once sample is taken, and whether it can be.
func (c claimedCounters) checkSample(sample rtcstats.Sample) (claimedCounters, bool) {
	if in := sample.Inbound; in != nil {
		next := claimedStream{in.SSRC, in.PacketsReceived, in.BytesReceived}
		if next.fellBelow(c.in) {
			return c, false
		}
		c.in = next
	}
	if out := sample.Outbound; out != nil {
		next := claimedStream{out.SSRC, out.PacketsSent, out.BytesSent}
		if next.fellBelow(c.out) {
			return c, false
		}
		c.out = next
	}
	return c, true
}

// Report takes the client's samples, oldest first, and hands them to the
// observer, labelled as the client's. A report with numbers that can't be is
// refused whole. Time is this server's: only the distance between samples is
// the client's claim.
func (l *Link) Report(m wire.Report) *wire.Error {
	now := time.Now()
	if refused, ok := l.takeCounters(m.Samples); !ok {
		return refused
	}
	newest := m.Samples[len(m.Samples)-1].Timestamp
	for _, sample := range m.Samples {
		ageMS := min(newest-sample.Timestamp, float64(maxReportAge.Milliseconds()))
		at := now.Add(-time.Duration(ageMS * float64(time.Millisecond)))
		l.s.sessions.cfg.Observer.SessionSampled(l.s.id, Observation{At: at, Leg: rtcstats.LegCaller, MeasuredBy: rtcstats.ByClient, Sample: sample})
	}
	return nil
}

// takeCounters notes the samples, or gives the refusal: none if the link is over.
// Counters that begin anew are refused once: the next report is held against them.
func (l *Link) takeCounters(samples []rtcstats.Sample) (*wire.Error, bool) {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if !l.acceptMessageLocked() || len(samples) == 0 {
		return nil, false
	}
	c, at := s.counters, 0.0
	for _, sample := range samples {
		var ok bool
		if c, ok = c.checkSample(sample); !ok || sample.Timestamp < at {
			s.counters, _ = claimedCounters{}.checkSample(samples[len(samples)-1])
			return &wire.Error{Code: wire.ErrBadReport, Field: "samples"}, false
		}
		at = sample.Timestamp
	}
	s.counters = c
	return nil, true
}
