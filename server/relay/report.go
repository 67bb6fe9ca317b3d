package relay

import (
	"fmt"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"parley/shared/rtcstats"
)

const (
	// sampleEach is the rhythm of samples and of RTCP reports to the caller. The
	// browser's outgoing loss and round-trip time come from these, so they come
	// more often than the 5 s of RFC 3550 §6.2: 80 bytes a second.
	sampleEach = time.Second
	// sentReports is how many of our sender reports a caller may answer: one
	// that answers another has made it up, and its round-trip time with it.
	sentReports = 16
	// maxTotalLost is the largest cumulative loss that a report can say (24 bits, signed).
	maxTotalLost = 1<<23 - 1
)

// reports is the RTCP side of a leg. Its fields are used under path.out's lock.
type reports struct {
	sent [sentReports]uint32 // middle 32 bits of their NTP times
	next int
}

// report sends the caller what RFC 3550 §6.4 asks for, and tells a sample.
func (l *Leg) report(now time.Time) {
	l.telling.Lock()
	connected := l.state == rtcstats.StateConnected
	l.telling.Unlock()
	if !connected {
		return
	}
	if pkts := l.compound(now); pkts != nil {
		_ = l.pc.WriteRTCP(pkts) // lost like any packet; the next one says all
	}
	sample := l.sample(now)
	l.telling.Lock()
	defer l.telling.Unlock()
	if !l.isClosed() {
		l.on.Sampled(sample)
	}
}

// compound is a sender report, or a receiver report while nothing was sent, and
// the name that RFC 3550 §6.1 wants in each.
func (l *Leg) compound(now time.Time) []rtcp.Packet {
	m := l.path.mouth.Load()
	if m == nil {
		return nil
	}
	blocks := l.reception(now)
	var first rtcp.Packet = &rtcp.ReceiverReport{SSRC: m.ssrc, Reports: blocks}
	if sr := l.senderReport(now); sr != nil {
		sr.Reports = blocks
		first = sr
	}
	return []rtcp.Packet{first, &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
		Source: m.ssrc,
		Items:  []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: l.path.StreamID()}},
	}}}}
}

func (l *Leg) senderReport(now time.Time) *rtcp.SenderReport {
	out := &l.path.out
	out.Lock()
	defer out.Unlock()
	if out.packets == 0 {
		return nil
	}
	ntp := ntpTime(now)
	l.reports.sent[l.reports.next] = middle(ntp)
	l.reports.next = (l.reports.next + 1) % sentReports
	since := now.Sub(l.path.born) - out.last
	return &rtcp.SenderReport{
		SSRC: out.ssrc, NTPTime: ntp,
		RTPTime:     out.stamp + uint32(int64(since.Seconds()*clockRate)),
		PacketCount: uint32(out.packets), OctetCount: uint32(out.bytes),
	}
}

// reception reports on the caller's stream (RFC 3550 §6.4.1, appendix A.3).
func (l *Leg) reception(now time.Time) []rtcp.ReceptionReport {
	in := &l.path.in
	in.Lock()
	defer in.Unlock()
	s := &in.sequence
	if !s.started {
		return nil
	}
	expected, received := s.expected()-in.wasExpected, s.received-in.wasReceived
	in.wasExpected, in.wasReceived = s.expected(), s.received
	r := rtcp.ReceptionReport{
		SSRC: in.ssrc, FractionLost: fraction(expected, received),
		TotalLost:          uint32(max(0, min(s.lost(), maxTotalLost))),
		LastSequenceNumber: uint32(s.highest), Jitter: uint32(in.jitter.value),
	}
	if in.sender != 0 {
		r.LastSenderReport = in.sender
		r.Delay = uint32((now.Sub(l.path.born) - in.senderAt).Seconds() * 65536)
	}
	return []rtcp.ReceptionReport{r}
}

// fraction is the loss of an interval in 1/256.
func fraction(expected, received int64) uint8 {
	lost := expected - received
	if expected <= 0 || lost <= 0 {
		return 0
	}
	return uint8(min(255, lost*256/expected))
}

// reported takes one RTCP packet from the caller. Pion hands it to the stream
// of each SSRC it is about, so each stream takes only what is about its own.
func (l *Leg) reported(raw []byte, about uint32) {
	now := time.Now()
	pkts, err := rtcp.Unmarshal(raw)
	if err != nil {
		return
	}
	for _, p := range pkts {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			if p.SSRC == about {
				l.senderReported(p, now)
			}
			l.receptionReported(p.Reports, about, now)
		case *rtcp.ReceiverReport:
			l.receptionReported(p.Reports, about, now)
		}
	}
}

func (l *Leg) senderReported(p *rtcp.SenderReport, now time.Time) {
	in := &l.path.in
	in.Lock()
	defer in.Unlock()
	if in.ssrc == p.SSRC {
		in.sender, in.senderAt = middle(p.NTPTime), now.Sub(l.path.born)
	}
}

func (l *Leg) receptionReported(blocks []rtcp.ReceptionReport, about uint32, now time.Time) {
	out := &l.path.out
	out.Lock()
	defer out.Unlock()
	for _, b := range blocks {
		if b.SSRC != about || b.SSRC != out.ssrc {
			continue
		}
		f := &out.far
		f.heard = true
		f.lost = int64(int32(b.TotalLost<<8) >> 8) // signed 24 bits
		f.fraction = float64(b.FractionLost) / 256
		f.jitter = float64(b.Jitter) / clockRate
		if rtt, ok := l.roundTrip(b, now); ok {
			f.roundTrip = rtt
			f.sum += rtt
			f.num++
		}
	}
}

// roundTrip is RFC 3550 §6.4.1's A − LSR − DLSR in seconds, for a report that
// answers one of ours.
func (l *Leg) roundTrip(b rtcp.ReceptionReport, now time.Time) (float64, bool) {
	for _, sent := range l.reports.sent {
		if sent != 0 && sent == b.LastSenderReport {
			rtt := int32(middle(ntpTime(now)) - b.LastSenderReport - b.Delay)
			return float64(max(0, rtt)) / 65536, rtt > -65536/100 // the two clocks' grain, not a lie of seconds
		}
	}
	return 0, false
}

// sample is the leg as W3C counters.
func (l *Leg) sample(now time.Time) rtcstats.Sample {
	s := rtcstats.Sample{Timestamp: millis(now), CandidatePair: l.pair.Load()}
	in, out := &l.path.in, &l.path.out
	in.Lock()
	if in.sequence.started {
		s.Inbound = in.sample(now.Add(-now.Sub(l.path.born)))
	}
	in.Unlock()
	out.Lock()
	defer out.Unlock()
	if out.packets > 0 {
		s.Outbound = &rtcstats.Outbound{
			ID: fmt.Sprintf("outbound-%d", out.ssrc), SSRC: out.ssrc,
			PacketsSent: out.packets, BytesSent: out.bytes,
		}
	}
	if out.far.heard {
		s.RemoteInbound = out.far.sample(out.ssrc)
	}
	return s
}

func (i *inbound) sample(born time.Time) *rtcstats.Inbound {
	last, runs, runPackets := millis(born.Add(i.last)), i.sequence.runs, i.sequence.runPackets
	return &rtcstats.Inbound{
		ID: fmt.Sprintf("inbound-%d", i.ssrc), SSRC: i.ssrc,
		PacketsReceived: i.sequence.received, PacketsLost: i.sequence.lost(), BytesReceived: i.bytes,
		Jitter: i.jitter.value / clockRate, LastPacketReceivedTimestamp: &last,
		LossRuns: &runs, LossRunPackets: &runPackets,
	}
}

func (f far) sample(ssrc uint32) *rtcstats.RemoteInbound {
	r := &rtcstats.RemoteInbound{
		ID: fmt.Sprintf("remote-inbound-%d", ssrc), SSRC: ssrc,
		PacketsLost: f.lost, FractionLost: &f.fraction, Jitter: &f.jitter,
	}
	if f.num > 0 {
		r.RoundTripTime, r.TotalRoundTripTime, r.RoundTripTimeMeasurements = &f.roundTrip, &f.sum, &f.num
	}
	return r
}

// paired notes by which kinds of candidate the caller comes, never from where.
func (l *Leg) paired(p *webrtc.ICECandidatePair) {
	l.pair.Store(&rtcstats.CandidatePair{
		ID: "pair", State: "succeeded", Protocol: p.Remote.Protocol.String(),
		LocalCandidateType: p.Local.Typ.String(), RemoteCandidateType: p.Remote.Typ.String(),
	})
}

// ntpTime is RFC 5905's 64-bit time: seconds since 1900, and their fraction.
func ntpTime(t time.Time) uint64 {
	const from1900 = 2208988800
	s := uint64(t.Unix()) + from1900
	return s<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// middle is the part of an NTP time that reports carry: seconds in 16.16.
func middle(ntp uint64) uint32 { return uint32(ntp >> 16) }

func millis(t time.Time) float64 { return float64(t.UnixMicro()) / 1000 }
