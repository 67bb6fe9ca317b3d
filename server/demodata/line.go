package demodata

import (
	"math"
	"math/rand/v2"
	"time"

	"parley/shared/rtcstats"
)

// The three ends that measure a call.
const (
	endClient = iota // the caller's page
	endServer        // the server, of the caller's leg
	endAgent         // the server, of the agent's leg
	ends
)

// What a second of voice is.
const (
	packetsASecond = 50
	bytesAPacket   = 80
	samplesASecond = 48_000
	samplesAPacket = samplesASecond / packetsASecond
	pingsASecond   = 2
)

// figures are how a line is in one second.
type figures struct {
	upLoss, downLoss float64 // shares
	rttMS, jitterMS  float64
	bufferMS         float64
	agentRTTMS       float64
}

// line makes up the counters of a call, second by second.
type line struct {
	trouble trouble
	rng     *rand.Rand
	second  int
	phase   float64
	base    figures
	ends    [ends]rtcstats.Sample
}

func newLine(t trouble, rng *rand.Rand) *line {
	l := &line{trouble: t, rng: rng, phase: rng.Float64() * 40}
	l.base = figures{rttMS: 24 + 50*rng.Float64(), jitterMS: 2 + 4*rng.Float64(), bufferMS: 40, agentRTTMS: 12 + 10*rng.Float64()}
	switch t {
	case isFar:
		l.base.rttMS = 430 + 130*rng.Float64()
	case jitters:
		l.base.jitterMS, l.base.bufferMS, l.base.rttMS = 28+14*rng.Float64(), 190, 150
	}
	for end := range l.ends {
		l.ends[end] = newSample(uint32(rng.Uint32()))
	}
	return l
}

// newSample is a look at counters that begin. It has all parts that next counts.
func newSample(ssrc uint32) rtcstats.Sample {
	return rtcstats.Sample{
		Inbound: &rtcstats.Inbound{
			ID: "in", SSRC: ssrc, JitterBufferDelay: new(0.0), JitterBufferEmittedCount: new(int64(0)), TotalSamplesReceived: new(int64(0)),
			ConcealedSamples: new(int64(0)), ConcealmentEvents: new(int64(0)), LossRuns: new(int64(0)), LossRunPackets: new(int64(0)),
		},
		Outbound:      &rtcstats.Outbound{ID: "out", SSRC: ssrc + 1},
		RemoteInbound: &rtcstats.RemoteInbound{ID: "remote", SSRC: ssrc + 1, Jitter: new(0.0), RoundTripTime: new(0.0), TotalRoundTripTime: new(0.0), RoundTripTimeMeasurements: new(int64(0))},
		CandidatePair: &rtcstats.CandidatePair{
			ID: "pair", State: "succeeded", LocalCandidateType: "host", RemoteCandidateType: "prflx", Protocol: "udp",
			CurrentRoundTripTime: new(0.0), TotalRoundTripTime: new(0.0), ResponsesReceived: new(int64(0)),
		},
		Codec: &rtcstats.Codec{MimeType: "audio/opus", ClockRate: new(int64(samplesASecond)), Channels: new(int64(2))},
		Ping:  &rtcstats.Ping{},
	}
}

// next counts a second and gives what each end then reads, at the time at. The
// samples are the caller's own.
func (l *line) next(at time.Time) [ends]rtcstats.Sample {
	l.second++
	now := l.now()
	up, down := l.lost(now.upLoss), l.lost(now.downLoss)
	count(&l.ends[endClient], down, up, now, now.rttMS)
	count(&l.ends[endServer], up, down, now, now.rttMS)
	calm := figures{jitterMS: 2, bufferMS: 0}
	count(&l.ends[endAgent], 0, 0, calm, now.agentRTTMS)
	var all [ends]rtcstats.Sample
	for end := range all {
		all[end] = clone(l.ends[end])
		all[end].Timestamp = float64(at.UnixMicro()) / 1000
	}
	return all
}

// now is how the line is in this second: steps of a few seconds, so that what is kept
// packs well.
func (l *line) now() figures {
	f := l.base
	wave := math.Sin((float64(l.second) + l.phase) / 11)
	step := math.Round(wave*3) / 3
	f.rttMS += 6 * step
	f.jitterMS = max(0.5, f.jitterMS+step)
	burst := max(0, wave)
	switch l.trouble {
	case losesUp:
		f.upLoss, f.downLoss = 0.04+0.09*burst, 0.002
	case losesDown:
		f.downLoss = 0.03 + 0.08*burst
	case jitters:
		f.bufferMS += 40 * burst
		f.downLoss = 0.01 * burst
	case isFar:
		f.upLoss = 0.01 * burst
	}
	return f
}

// lost is how many packets of a second are lost at a share.
func (l *line) lost(share float64) int64 {
	lost := int64(0)
	for range packetsASecond {
		if l.rng.Float64() < share {
			lost++
		}
	}
	return lost
}

// count adds a second to what an end counted: lost of what it should have received, and
// missed of what it sent, by the far end's word.
func count(s *rtcstats.Sample, lost, missed int64, f figures, rttMS float64) {
	rtt := rttMS / 1000
	in := s.Inbound
	in.PacketsReceived += packetsASecond - lost
	in.BytesReceived += (packetsASecond - lost) * bytesAPacket
	in.PacketsLost += lost
	in.Jitter = f.jitterMS / 1000
	*in.JitterBufferEmittedCount += samplesASecond
	*in.JitterBufferDelay += f.bufferMS / 1000 * samplesASecond
	*in.TotalSamplesReceived += samplesASecond
	if lost > 0 {
		runs := (lost + 1) / 2
		*in.ConcealedSamples += lost * samplesAPacket
		*in.ConcealmentEvents += runs
		*in.LossRuns += runs
		*in.LossRunPackets += lost
	}
	s.Outbound.PacketsSent += packetsASecond
	s.Outbound.BytesSent += packetsASecond * bytesAPacket
	remote := s.RemoteInbound
	remote.PacketsLost += missed
	*remote.Jitter, *remote.RoundTripTime = f.jitterMS/1000, rtt
	*remote.TotalRoundTripTime += rtt
	*remote.RoundTripTimeMeasurements++
	*s.CandidatePair.CurrentRoundTripTime = rtt
	*s.CandidatePair.TotalRoundTripTime += rtt
	*s.CandidatePair.ResponsesReceived++
	s.Ping.RequestsSent += pingsASecond
	s.Ping.RequestsReceived += pingsASecond
	s.Ping.ResponsesReceived += pingsASecond
	s.Ping.CurrentRoundTripTime = rtt
	s.Ping.TotalRoundTripTime += pingsASecond * rtt
}

// clone copies what next goes on counting.
func clone(s rtcstats.Sample) rtcstats.Sample {
	s.Inbound = new(*s.Inbound)
	in := s.Inbound
	for _, n := range []**int64{
		&in.JitterBufferEmittedCount, &in.TotalSamplesReceived, &in.ConcealedSamples, &in.ConcealmentEvents, &in.LossRuns, &in.LossRunPackets,
	} {
		*n = new(**n)
	}
	in.JitterBufferDelay = new(*in.JitterBufferDelay)
	s.Outbound, s.Ping = new(*s.Outbound), new(*s.Ping)
	s.RemoteInbound = new(*s.RemoteInbound)
	r := s.RemoteInbound
	r.Jitter, r.RoundTripTime, r.TotalRoundTripTime = new(*r.Jitter), new(*r.RoundTripTime), new(*r.TotalRoundTripTime)
	r.RoundTripTimeMeasurements = new(*r.RoundTripTimeMeasurements)
	s.CandidatePair = new(*s.CandidatePair)
	p := s.CandidatePair
	p.CurrentRoundTripTime, p.TotalRoundTripTime, p.ResponsesReceived = new(*p.CurrentRoundTripTime), new(*p.TotalRoundTripTime), new(*p.ResponsesReceived)
	return s
}
