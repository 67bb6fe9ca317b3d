package rtcstats

import "math"

// MaxInterval is the longest time, in milliseconds, that two samples may lie
// apart to describe now: three times the rhythm of one a second. Beyond it the
// page was frozen or the socket gone, and what was counted belongs to then.
const MaxInterval = 3000

// SilenceInterval is the least time, in milliseconds, in which a leg that gives
// no sign of life is silent: pings go out twice a second, and packets, even of
// discontinuous transmission (RFC 7587 §3.1.3), come more often.
const SilenceInterval = 750

// Gap says why two samples tell no rate.
type Gap int

// The gaps. NoGap: the flow holds what happened between the two samples.
const (
	NoGap      Gap = iota
	GapAbsent      // one of the two samples has no such stream
	GapClock       // the timestamp did not advance
	GapRestart     // another id or ssrc: it counts anew
	GapFell        // a counter fell, or leapt beyond all that can be, within one id and ssrc
	GapLong        // over MaxInterval: the counts are true, but not of now
)

// Interval is what happened between two samples of one end.
type Interval struct {
	At  float64 // ms, the later timestamp
	In  Flow    // what this end received
	Out Flow    // what this end sent, by the word of the far end
	// IsUnsure: there was no sign of the leg, and none is known to have been due.
	IsUnsure bool
}

// Flow is what one stream did in one interval: sums only, so that intervals
// add up. None is ever negative or NaN. With a gap other than GapLong all are zero.
type Flow struct {
	Gap     Gap
	Seconds float64

	// Silence is the time, in seconds, without any sign of the leg: no packet
	// came, no ping, report or ICE check was answered, though pings had been.
	// All of it is lost, and nothing else is counted of it. A microphone that is
	// off and a stream that pauses are no silence: pings go on.
	Silence float64

	Packets   int64 // received, or sent
	Bytes     int64 // of their payload
	Expected  int64 // packets that should have arrived; 0 while the far end has not said
	Lost      int64 // newly missing
	Recovered int64 // counted lost before and arrived after all
	Discarded int64 // arrived too late or too early to be played

	Jitter     float64 // s·s: the estimate, times the time it stood
	JitterTime float64 // s

	BufferDelay float64 // s, over samples that left the jitter buffer
	BufferCount int64

	Samples      int64 // played, the concealed ones among them
	Concealed    int64 // synthesized in place of lost audio, without the silent ones
	Concealments int64 // runs of such samples

	PlayoutDelay float64 // s, over samples played
	PlayoutCount int64
	Synthesized  float64 // s, made up because the device wanted audio and got none

	LossRuns       int64 // runs of consecutive losses, seen by sequence number
	LossRunPackets int64

	TargetBitrate float64 // bit/s, the encoder's setting; 0 is unknown

	Energy   float64 // totalAudioEnergy
	Duration float64 // s of audio the energy is of

	// Round trips, by source. All are of the same path.
	Pings, Reports, Checks RoundTrips
	PingsSent              int64
}

// RoundTrips are round-trip times of one source: parley pings, RTCP reports or
// ICE checks.
type RoundTrips struct {
	Total float64 // s
	Count int64
}

// Rates gives what happened between prev and cur, two samples of the same end.
// It never guesses: what one of the two doesn't report isn't in the result.
func Rates(prev, cur Sample) Interval {
	i := Interval{At: cur.Timestamp}
	dt := cur.Timestamp - prev.Timestamp
	if !(dt > 0) || math.IsInf(dt, 0) {
		i.In.Gap, i.Out.Gap = GapClock, GapClock
		return i
	}
	path := roundTrips(prev, cur)
	i.In = finish(inFlow(prev, cur, dt/1000), path, dt)
	i.Out = finish(outFlow(prev, cur, dt/1000), path, dt)
	if !isSigned(prev, cur, dt) {
		if i.IsUnsure = !isSignDue(prev, cur); !i.IsUnsure {
			i.In, i.Out = i.In.silenced(), i.Out.silenced()
		}
	}
	return i
}

// Silent is the flow of a time, in seconds, of which there is no sign at all: for
// an end that got no sample while one was due.
func Silent(seconds float64) Flow { return Flow{Seconds: seconds, Silence: seconds} }

// IsSilent reports whether there was no sign of the leg between the two samples.
func (i Interval) IsSilent() bool { return i.In.Silence > 0 || i.Out.Silence > 0 }

// isSigned reports whether there was a sign of the leg between two samples, or they lie
// too near or too far apart to say so.
func isSigned(prev, cur Sample, dt float64) bool {
	return dt < SilenceInterval || dt > MaxInterval ||
		hasPing(prev.Ping, cur.Ping) || hasReceived(prev.Inbound, cur.Inbound) ||
		hasReport(prev.RemoteInbound, cur.RemoteInbound) || hasCheck(prev.CandidatePair, cur.CandidatePair) ||
		hasPacket(prev.Transport, cur.Transport)
}

// isSignDue reports whether a leg that lives had given a sign: pings go both ways,
// or ICE has missed its checks.
func isSignDue(prev, cur Sample) bool {
	if t := cur.Transport; t != nil {
		switch ConnectionState(t.ICEState) {
		case StateDisconnected, StateFailed, StateClosed:
			return true
		}
	}
	p, c := prev.Ping, cur.Ping
	return p != nil && c != nil && (p.ResponsesReceived > 0 || p.RequestsReceived > 0)
}

func hasPing(p, c *Ping) bool {
	return p != nil && c != nil && (p.ResponsesReceived != c.ResponsesReceived || p.RequestsReceived != c.RequestsReceived)
}

func hasPacket(p, c *Transport) bool {
	return p != nil && c != nil && hasRisen(p.PacketsReceived, c.PacketsReceived)
}

func hasReceived(p, c *Inbound) bool {
	return c != nil && (p == nil || p.SSRC != c.SSRC || p.PacketsReceived != c.PacketsReceived)
}

func hasReport(p, c *RemoteInbound) bool {
	return p != nil && c != nil && hasRisen(p.RoundTripTimeMeasurements, c.RoundTripTimeMeasurements)
}

func hasCheck(p, c *CandidatePair) bool {
	return p != nil && c != nil && p.ID == c.ID && hasRisen(p.ResponsesReceived, c.ResponsesReceived)
}

func hasRisen(prev, cur *int64) bool { return prev != nil && cur != nil && *cur > *prev }

// silenced leaves of a flow what says nothing about the way: what was sent then
// never arrived, and what was played was made up.
func (f Flow) silenced() Flow {
	if f.Gap != NoGap {
		return f
	}
	s := Silent(f.Seconds)
	s.Energy, s.Duration, s.TargetBitrate, s.PingsSent = f.Energy, f.Duration, f.TargetBitrate, f.PingsSent
	return s
}

// finish adds what both directions share.
func finish(f Flow, path Flow, dt float64) Flow {
	if f.Gap != NoGap {
		return Flow{Gap: f.Gap}
	}
	f.Seconds = dt / 1000
	f.Pings, f.PingsSent, f.Reports, f.Checks = path.Pings, path.PingsSent, path.Reports, path.Checks
	if dt > MaxInterval {
		f.Gap = GapLong
	}
	return f
}

func inFlow(prev, cur Sample, dt float64) Flow {
	p, c := prev.Inbound, cur.Inbound
	if p == nil || c == nil {
		return Flow{Gap: GapAbsent}
	}
	if p.ID != c.ID || p.SSRC != c.SSRC {
		return Flow{Gap: GapRestart}
	}
	var m flowMeter
	f := Flow{
		Packets:   m.count(p.PacketsReceived, c.PacketsReceived, MaxPackets),
		Bytes:     m.count(p.BytesReceived, c.BytesReceived, MaxCount),
		Discarded: m.counts(p.PacketsDiscarded, c.PacketsDiscarded),
		Energy:    m.sums(p.TotalAudioEnergy, c.TotalAudioEnergy),
		Duration:  m.sums(p.TotalSamplesDuration, c.TotalSamplesDuration),
	}
	f.Lost, f.Recovered = m.lost(p.PacketsLost, c.PacketsLost)
	f.Expected = max(0, f.Packets+f.Lost-f.Recovered)
	f.addJitter(c.Jitter, dt)
	f.BufferDelay, f.BufferCount = m.pair(p.JitterBufferDelay, c.JitterBufferDelay, p.JitterBufferEmittedCount, c.JitterBufferEmittedCount)
	m.concealed(&f, p, c)
	m.runs(&f, p, c)
	m.playout(&f, prev.MediaPlayout, cur.MediaPlayout)
	return m.flow(f)
}

func outFlow(prev, cur Sample, dt float64) Flow {
	p, c := prev.Outbound, cur.Outbound
	if p == nil || c == nil {
		return Flow{Gap: GapAbsent}
	}
	if p.ID != c.ID || p.SSRC != c.SSRC {
		return Flow{Gap: GapRestart}
	}
	var m flowMeter
	f := Flow{
		Packets: m.count(p.PacketsSent, c.PacketsSent, MaxPackets),
		Bytes:   m.count(p.BytesSent, c.BytesSent, MaxCount),
	}
	if b := c.TargetBitrate; b != nil && *b > 0 && *b <= MaxBitrate {
		f.TargetBitrate = *b
	}
	if ps, cs := prev.MediaSource, cur.MediaSource; ps != nil && cs != nil && ps.ID == cs.ID {
		f.Energy = m.sums(ps.TotalAudioEnergy, cs.TotalAudioEnergy)
		f.Duration = m.sums(ps.TotalSamplesDuration, cs.TotalSamplesDuration)
	}
	m.remote(&f, prev.RemoteInbound, cur.RemoteInbound, dt)
	return m.flow(f)
}

// remote adds what the far end says of this end's stream. Its reports come
// every few seconds: the losses of one arrive at once, and only a window of
// several seconds is fair.
func (m *flowMeter) remote(f *Flow, p, c *RemoteInbound, dt float64) {
	if p == nil || c == nil || p.ID != c.ID || p.SSRC != c.SSRC {
		return
	}
	f.Lost, f.Recovered = m.lost(p.PacketsLost, c.PacketsLost)
	f.Expected = f.Packets
	if c.Jitter != nil {
		f.addJitter(*c.Jitter, dt)
	}
}

func (f *Flow) addJitter(jitter, dt float64) {
	if jitter >= 0 && jitter <= MaxDelay && dt*1000 <= MaxInterval {
		f.Jitter, f.JitterTime = jitter*dt, dt
	}
}

// concealed leaves the silent samples out: what replaces silence isn't heard.
func (m *flowMeter) concealed(f *Flow, p, c *Inbound) {
	if p.TotalSamplesReceived == nil || c.TotalSamplesReceived == nil || p.ConcealedSamples == nil || c.ConcealedSamples == nil {
		return
	}
	f.Samples = m.counts(p.TotalSamplesReceived, c.TotalSamplesReceived)
	all := m.counts(p.ConcealedSamples, c.ConcealedSamples)
	f.Concealed = max(0, all-m.counts(p.SilentConcealedSamples, c.SilentConcealedSamples))
	f.Concealments = m.counts(p.ConcealmentEvents, c.ConcealmentEvents)
}

func (m *flowMeter) runs(f *Flow, p, c *Inbound) {
	f.LossRuns = m.counts(p.LossRuns, c.LossRuns)
	f.LossRunPackets = m.counts(p.LossRunPackets, c.LossRunPackets)
}

// playout belongs to the device, not to the stream: another device is no
// reason to drop what the stream did.
func (m *flowMeter) playout(f *Flow, p, c *MediaPlayout) {
	if p == nil || c == nil || p.ID != c.ID {
		return
	}
	var device flowMeter
	delay, count := device.pair(p.TotalPlayoutDelay, c.TotalPlayoutDelay, p.TotalSamplesCount, c.TotalSamplesCount)
	made := device.sums(p.SynthesizedSamplesDuration, c.SynthesizedSamplesDuration)
	if !device.fell {
		f.PlayoutDelay, f.PlayoutCount, f.Synthesized = delay, count, made
	}
}

// roundTrips reads every source both samples have. Each has its own meter: ICE
// restarts reset the checks while the pings go on.
func roundTrips(prev, cur Sample) Flow {
	var f Flow
	if p, c := prev.Ping, cur.Ping; p != nil && c != nil {
		var m flowMeter
		sent := m.count(p.RequestsSent, c.RequestsSent, MaxPackets)
		trips := m.trips(&p.TotalRoundTripTime, &c.TotalRoundTripTime, &p.ResponsesReceived, &c.ResponsesReceived)
		if !m.fell {
			f.PingsSent, f.Pings = sent, trips
		}
	}
	if p, c := prev.RemoteInbound, cur.RemoteInbound; p != nil && c != nil && p.ID == c.ID && p.SSRC == c.SSRC {
		f.Reports = source(c.RoundTripTime, p.TotalRoundTripTime, c.TotalRoundTripTime, p.RoundTripTimeMeasurements, c.RoundTripTimeMeasurements)
	}
	if p, c := prev.CandidatePair, cur.CandidatePair; p != nil && c != nil && p.ID == c.ID {
		f.Checks = source(c.CurrentRoundTripTime, p.TotalRoundTripTime, c.TotalRoundTripTime, p.ResponsesReceived, c.ResponsesReceived)
	}
	return f
}

// source takes the sums where both samples have them, else the newest value as
// one round trip.
func source(current, pTotal, cTotal *float64, pCount, cCount *int64) RoundTrips {
	if pTotal != nil && cTotal != nil && pCount != nil && cCount != nil {
		var m flowMeter
		if t := m.trips(pTotal, cTotal, pCount, cCount); !m.fell {
			return t
		}
		return RoundTrips{}
	}
	if current != nil && *current >= 0 && *current <= MaxDelay {
		return RoundTrips{Total: *current, Count: 1}
	}
	return RoundTrips{}
}

// flowMeter takes differences and remembers whether a counter fell or leapt beyond
// what can be: then nothing of the interval is to be believed.
type flowMeter struct{ fell bool }

func (m *flowMeter) flow(f Flow) Flow {
	if m.fell {
		return Flow{Gap: GapFell}
	}
	return f
}

func (m *flowMeter) count(prev, cur, limit int64) int64 {
	d := cur - prev
	if cur < prev || d < 0 || d > limit {
		m.fell = true
		return 0
	}
	return d
}

func (m *flowMeter) counts(prev, cur *int64) int64 {
	if prev == nil || cur == nil {
		return 0
	}
	return m.count(*prev, *cur, MaxCount)
}

func (m *flowMeter) sums(prev, cur *float64) float64 {
	if prev == nil || cur == nil {
		return 0
	}
	d := *cur - *prev
	if !(d >= 0) || d > MaxTotal {
		m.fell = true
		return 0
	}
	return d
}

// pair takes a sum and the count it is of: both or nothing.
func (m *flowMeter) pair(pSum, cSum *float64, pCount, cCount *int64) (float64, int64) {
	if pSum == nil || cSum == nil || pCount == nil || cCount == nil {
		return 0, 0
	}
	return m.sums(pSum, cSum), m.counts(pCount, cCount)
}

func (m *flowMeter) trips(pSum, cSum *float64, pCount, cCount *int64) RoundTrips {
	sum, n := m.pair(pSum, cSum, pCount, cCount)
	if n == 0 {
		return RoundTrips{}
	}
	return RoundTrips{Total: sum, Count: n}
}

// lost splits the signed change: late arrivals count back.
func (m *flowMeter) lost(prev, cur int64) (lost, recovered int64) {
	if max(prev, cur) > MaxPackets || min(prev, cur) < -MaxPackets {
		m.fell = true
		return 0, 0
	}
	return max(0, cur-prev), max(0, prev-cur)
}
