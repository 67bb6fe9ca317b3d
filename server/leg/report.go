package leg

import (
	"fmt"
	"time"

	"github.com/pion/rtcp"

	"parley/shared/rtcstats"
)

const (
	// maxSentReports is how many of our sender reports the far end may answer: one
	// that answers another has made it up, and its round-trip time with it.
	maxSentReports = 16
	// maxTotalLost is the largest cumulative loss that a report can say (24 bits, signed).
	maxTotalLost = 1<<23 - 1
	// cname names both streams of a leg (RFC 3550 §6.5.1).
	cname = "parley"
)

// sentReports are the middle 32 bits of the NTP times in our newest sender
// reports.
type sentReports struct {
	times [maxSentReports]uint32
	next  int
}

func (r *sentReports) add(ntp uint64) {
	r.times[r.next] = middle(ntp)
	r.next = (r.next + 1) % maxSentReports
}

// Reports returns the compound packet that is due to the far end (RFC 3550
// §6.4): a sender report, or a receiver report while nothing was sent, and the
// name that §6.1 wants in each. It is nil while nothing is bound.
func (s *Streams) Reports(now time.Time) []rtcp.Packet {
	b := s.binding.Load()
	if b == nil {
		return nil
	}
	blocks := s.receptionReports(now)
	var first rtcp.Packet = &rtcp.ReceiverReport{SSRC: b.ssrc, Reports: blocks}
	if sr := s.senderReport(now); sr != nil {
		sr.Reports = blocks
		first = sr
	}
	return []rtcp.Packet{first, &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
		Source: b.ssrc,
		Items:  []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: cname}},
	}}}}
}

func (s *Streams) senderReport(now time.Time) *rtcp.SenderReport {
	out := &s.out
	out.Lock()
	defer out.Unlock()
	if out.packets == 0 {
		return nil
	}
	ntp := ntpTime(now)
	out.sentReports.add(ntp)
	since := now.Sub(s.born) - out.last
	return &rtcp.SenderReport{
		SSRC: out.ssrc, NTPTime: ntp,
		RTPTime:     out.stamp + uint32(int64(since.Seconds()*ClockRate)),
		PacketCount: uint32(out.packets), OctetCount: uint32(out.bytes),
	}
}

// receptionReports reports on the far end's stream (RFC 3550 §6.4.1, appendix A.3).
func (s *Streams) receptionReports(now time.Time) []rtcp.ReceptionReport {
	in := &s.in
	in.Lock()
	defer in.Unlock()
	seq := &in.sequence
	if !seq.started {
		return nil
	}
	expected, received := seq.expected()-in.wasExpected, seq.received-in.wasReceived
	in.wasExpected, in.wasReceived = seq.expected(), seq.received
	r := rtcp.ReceptionReport{
		SSRC: in.ssrc, FractionLost: fractionLost(expected, received),
		TotalLost:          uint32(max(0, min(seq.lost(), maxTotalLost))),
		LastSequenceNumber: uint32(seq.highest), Jitter: uint32(in.jitter.value),
	}
	if in.sender != 0 {
		r.LastSenderReport = in.sender
		// The report may have come after now was read: a delay below 0 would be
		// one of 18 hours in these 32 bits.
		r.Delay = uint32(max(0, now.Sub(s.born)-in.senderAt).Seconds() * 65536)
	}
	return []rtcp.ReceptionReport{r}
}

// fractionLost is the loss of an interval in 1/256.
func fractionLost(expected, received int64) uint8 {
	lost := expected - received
	if expected <= 0 || lost <= 0 {
		return 0
	}
	return uint8(min(255, lost*256/expected))
}

// ReceiveRTCP takes what one compound packet of the far end says about an SSRC.
// Connections hand such a packet over once for each SSRC that it is about.
func (s *Streams) ReceiveRTCP(raw []byte, came time.Time, about uint32) {
	pkts, err := rtcp.Unmarshal(raw)
	if err != nil {
		return
	}
	for _, p := range pkts {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			if p.SSRC == about {
				s.senderReported(p, came)
			}
			s.receptionReported(p.Reports, about, came)
		case *rtcp.ReceiverReport:
			s.receptionReported(p.Reports, about, came)
		}
	}
}

func (s *Streams) senderReported(p *rtcp.SenderReport, now time.Time) {
	in := &s.in
	in.Lock()
	defer in.Unlock()
	if in.ssrc == p.SSRC {
		in.sender, in.senderAt = middle(p.NTPTime), now.Sub(s.born)
	}
}

func (s *Streams) receptionReported(blocks []rtcp.ReceptionReport, about uint32, now time.Time) {
	out := &s.out
	out.Lock()
	defer out.Unlock()
	for _, b := range blocks {
		if b.SSRC != about || b.SSRC != out.ssrc {
			continue
		}
		f := &out.remote
		f.reported = true
		f.lost = int64(int32(b.TotalLost<<8) >> 8) // signed 24 bits
		f.fraction = float64(b.FractionLost) / 256
		f.jitter = float64(b.Jitter) / ClockRate
		if rtt, ok := out.roundTrip(b, now); ok {
			f.roundTrip = rtt
			f.sum += rtt
			f.num++
		}
	}
}

// roundTrip is RFC 3550 §6.4.1's A − LSR − DLSR in seconds, for a report that
// answers one of ours.
func (o *outbound) roundTrip(b rtcp.ReceptionReport, now time.Time) (float64, bool) {
	for _, sent := range o.sentReports.times {
		if sent != 0 && sent == b.LastSenderReport {
			rtt := int32(middle(ntpTime(now)) - b.LastSenderReport - b.Delay)
			return float64(max(0, rtt)) / 65536, rtt > -65536/100 // the two clocks' grain, not a lie of seconds
		}
	}
	return 0, false
}

// Sample returns the leg as W3C counters. Inbound is what the far end sent,
// RemoteInbound what it says of what it got.
func (s *Streams) Sample(now time.Time) rtcstats.Sample {
	sample := rtcstats.Sample{Timestamp: millis(now)}
	in, out := &s.in, &s.out
	in.Lock()
	if in.sequence.started {
		sample.Inbound = in.sample(now.Add(-now.Sub(s.born)))
	}
	in.Unlock()
	out.Lock()
	defer out.Unlock()
	if out.packets > 0 {
		sample.Outbound = &rtcstats.Outbound{
			ID: fmt.Sprintf("outbound-%d", out.ssrc), SSRC: out.ssrc,
			PacketsSent: out.packets, BytesSent: out.bytes,
		}
	}
	if out.remote.reported {
		sample.RemoteInbound = out.remote.sample(out.ssrc)
	}
	return sample
}

func (i *inbound) sample(born time.Time) *rtcstats.Inbound {
	last, runs, runPackets := millis(born.Add(i.last)), i.sequence.runs, i.sequence.runPackets
	return &rtcstats.Inbound{
		ID: fmt.Sprintf("inbound-%d", i.ssrc), SSRC: i.ssrc,
		PacketsReceived: i.sequence.received, PacketsLost: i.sequence.lost(), BytesReceived: i.bytes,
		Jitter: i.jitter.value / ClockRate, LastPacketReceivedTimestamp: &last,
		LossRuns: &runs, LossRunPackets: &runPackets,
	}
}

func (f remoteInbound) sample(ssrc uint32) *rtcstats.RemoteInbound {
	r := &rtcstats.RemoteInbound{
		ID: fmt.Sprintf("remote-inbound-%d", ssrc), SSRC: ssrc,
		PacketsLost: f.lost, FractionLost: &f.fraction, Jitter: &f.jitter,
	}
	if f.num > 0 {
		r.RoundTripTime, r.TotalRoundTripTime, r.RoundTripTimeMeasurements = &f.roundTrip, &f.sum, &f.num
	}
	return r
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
