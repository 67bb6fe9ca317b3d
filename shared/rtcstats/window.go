package rtcstats

import "math"

const (
	// WindowLength is how far back Figures look, in milliseconds: long enough
	// that one lost packet in fifty a second is 0.2 %, short enough to be now.
	WindowLength = 10_000
	// BurstLength is how far back runs of losses are looked at, in milliseconds:
	// runs are rare, and ten seconds hold too few to tell their mean.
	BurstLength = 60_000
	// QuietRate is the packets a second below which a stream is silent
	// (discontinuous transmission): what such a second lost says nothing.
	QuietRate = 10

	// OutageLength is the silence, in seconds, from which on what was measured
	// before says nothing about the line after it.
	OutageLength = 2
	// SettleLength is how long, in milliseconds, after a silence its losses may
	// still be reported: RTCP reports come every 5 s at least (RFC 3550 §6.2).
	SettleLength = 6000
	// packetRate is the packets a second that a silence is taken to have lost
	// when nothing else says how many: one for each 20 ms.
	packetRate = 50

	// usualSpans is the room made at once: ten seconds, and some for an end whose
	// seconds are a little short.
	usualSpans = 12
	// mergeBelow is the least time, in seconds, that two neighbours in a window
	// cover: samples that come faster are added up, so that memory has a bound.
	mergeBelow = 0.75
	// bucketLength is the grain, in milliseconds, in which old runs are dropped.
	bucketLength = BurstLength / 6
)

// Window holds the last ten seconds of one flow and adds them up. The zero
// value is empty and ready. It keeps sums, so that a second with few packets
// counts for few.
type Window struct {
	spans  []span
	bursts [6]burst
	// settleBy is until when (ms) the losses of a silence may be reported.
	settleBy float64
}

type span struct {
	at float64 // ms, its end
	Flow
}

// burst holds the runs of one bucket of time.
type burst struct {
	bucket         int64
	runs, packets  int64
	lost, expected int64
}

// Add takes the flow of the interval that ended at the time at (ms). A gap adds
// nothing, but time goes on. It returns the flow without the losses that a silence
// before has told already, for a count of the whole stream.
func (w *Window) Add(at float64, f Flow) Flow {
	if f.Gap == GapClock {
		return f
	}
	if n := len(w.spans); n > 0 && at < w.spans[n-1].at {
		// The clock was set back: what lies ahead of it can't be told from what
		// lies behind.
		*w = Window{}
	}
	w.forget(at)
	if f.Gap != NoGap {
		return f
	}
	counted := f
	if f = w.settle(at, f); f.Lost != counted.Lost {
		counted = f
		counted.Expected = f.Packets
	}
	w.addBurst(at, f)
	if n := len(w.spans); n > 0 && w.spans[n-1].Seconds+f.Seconds < mergeBelow {
		w.spans[n-1].at = at
		w.spans[n-1].add(&f)
		return counted
	}
	if w.spans == nil {
		w.spans = make([]span, 0, usualSpans)
	}
	w.spans = append(w.spans, span{at: at, Flow: f})
	return counted
}

// settle makes the first interval after a silence start anew: what it and the
// next report tell as lost was lost in the silence, which has been counted.
func (w *Window) settle(at float64, f Flow) Flow {
	switch silence := w.silence(); {
	case f.Silence > 0:
		return f
	case silence > 0:
		if silence >= OutageLength {
			w.spans, w.bursts = w.spans[:0], [6]burst{}
		}
		w.settleBy = at + SettleLength
		return f.withoutLoss()
	case f.Lost > 0 && at <= w.settleBy:
		w.settleBy = 0
		return f.withoutLoss()
	}
	return f
}

// silence is how long, in seconds, the newest silence has lasted; 0 when there
// is a sign of the leg.
func (w *Window) silence() (seconds float64) {
	for i := len(w.spans) - 1; i >= 0 && w.spans[i].Silence > 0; i-- {
		seconds += w.spans[i].Silence
	}
	return seconds
}

// withoutLoss leaves the counts of what was received and played out of a flow.
func (f Flow) withoutLoss() Flow {
	f.Expected, f.Lost, f.Recovered, f.Discarded = 0, 0, 0, 0
	f.Jitter, f.JitterTime, f.BufferDelay, f.BufferCount = 0, 0, 0, 0
	f.Samples, f.Concealed, f.Concealments = 0, 0, 0
	f.LossRuns, f.LossRunPackets = 0, 0
	return f
}

func (w *Window) forget(at float64) {
	keep := 0
	for keep < len(w.spans) && w.spans[keep].at <= at-WindowLength {
		keep++
	}
	// Copied down, so that the backing array never grows beyond one window.
	w.spans = w.spans[:copy(w.spans, w.spans[keep:])]
}

func (w *Window) addBurst(at float64, f Flow) {
	bucket := int64(at / bucketLength)
	b := &w.bursts[bucket%int64(len(w.bursts))]
	if b.bucket != bucket {
		*b = burst{bucket: bucket}
	}
	b.runs += f.LossRuns
	b.packets += f.LossRunPackets
	b.lost += f.Lost
	b.expected += f.Expected
}

// add sums g into f. A gauge that is no sum takes the newer value.
func (f *Flow) add(g *Flow) {
	f.Seconds += g.Seconds
	f.Silence += g.Silence
	f.Packets += g.Packets
	f.Bytes += g.Bytes
	f.Expected += g.Expected
	f.Lost += g.Lost
	f.Recovered += g.Recovered
	f.Discarded += g.Discarded
	f.Jitter += g.Jitter
	f.JitterTime += g.JitterTime
	f.BufferDelay += g.BufferDelay
	f.BufferCount += g.BufferCount
	f.Samples += g.Samples
	f.Concealed += g.Concealed
	f.Concealments += g.Concealments
	f.PlayoutDelay += g.PlayoutDelay
	f.PlayoutCount += g.PlayoutCount
	f.Synthesized += g.Synthesized
	f.LossRuns += g.LossRuns
	f.LossRunPackets += g.LossRunPackets
	f.Energy += g.Energy
	f.Duration += g.Duration
	f.Pings.add(g.Pings)
	f.Reports.add(g.Reports)
	f.Checks.add(g.Checks)
	f.PingsSent += g.PingsSent
	if g.TargetBitrate > 0 {
		f.TargetBitrate = g.TargetBitrate
	}
}

func (r *RoundTrips) add(s RoundTrips) {
	r.Total += s.Total
	r.Count += s.Count
}

// Figures are what a window amounts to. A nil figure was not measured; ratios
// are 0–1.
type Figures struct {
	At      float64 // ms, of the newest interval; 0 with an empty window
	Seconds float64 // measured
	Samples int     // intervals

	// Silence is the part of Seconds without any sign of the leg. It counts as
	// lost, at the rate of the packets of the rest. Silent: the newest interval
	// was so.
	Silence float64
	Silent  bool

	Expected  int64 // packets, in all of the window
	Lost      int64 // of them, late arrivals taken off
	Discarded int64
	// Quiet: no second had QuietRate packets, so that the ratios of loss are nil.
	Quiet bool

	LossRatio          *float64
	EffectiveLossRatio *float64 // with what came too late to be played
	ConcealedRatio     *float64
	ConcealmentMS      *float64 // mean length of what was concealed at one go
	SynthesizedRatio   *float64 // of the time: the device got no audio
	JitterMS           *float64
	BufferMS           *float64
	PlayoutMS          *float64
	RTTMS              *float64
	BitrateBPS         *float64
	TargetBPS          *float64 // the encoder's setting
	LevelDBFS          *float64 // -100 is digital silence

	// BurstRatio is the mean run of losses over that of random loss (1), and
	// BurstLosses how many losses it is of, over BurstLength.
	BurstRatio  *float64
	BurstLosses int64
	// Unanswered: the newest pings, for three seconds at least, all stay without
	// an answer: the path is down.
	Unanswered bool
}

// SilenceDBFS is the level of digital silence.
const SilenceDBFS = -100

// unansweredPings is how many pings without one answer mean that the path is
// down, and not that one was lost: two a second go out, so three seconds.
const unansweredPings = 6

// Figures adds the window up.
func (w *Window) Figures() Figures { return w.figures(w.spans) }

// Newest are the figures of the newest interval alone, as the window counts it.
func (w *Window) Newest() Figures { return w.figures(w.spans[max(0, len(w.spans)-1):]) }

func (w *Window) figures(spans []span) Figures {
	var all, heard Flow // heard: the packets of the seconds that count for loss
	var f Figures
	for i := range spans {
		s := &spans[i]
		all.add(&s.Flow)
		if float64(s.Expected) >= QuietRate*s.Seconds && s.Expected > 0 {
			heard.Seconds += s.Seconds
			heard.Expected += s.Expected
			heard.Lost += s.Lost
			heard.Recovered += s.Recovered
			heard.Discarded += s.Discarded
		}
		f.At = s.at
	}
	f.Seconds, f.Samples = all.Seconds, len(spans)
	f.Silence, f.Silent = all.Silence, w.silence() > 0
	missed := missedIn(all.Silence, heard)
	f.Expected, f.Discarded = all.Expected+missed, all.Discarded
	f.Lost = max(0, all.Lost-all.Recovered) + missed
	f.loss(heard, missed)
	f.delays(all)
	f.rates(all)
	f.concealment(all)
	f.burst(w.bursts[:])
	f.Unanswered = w.unanswered() >= unansweredPings
	return f
}

// unanswered is how many pings went out since the last answer.
func (w *Window) unanswered() (n int64) {
	for i := len(w.spans) - 1; i >= 0 && w.spans[i].Pings.Count == 0; i-- {
		n += w.spans[i].PingsSent
	}
	return n
}

// WithMissed returns a flow with the packets that its silence swallowed among the
// lost, at the rate of one for each 20 ms.
func (f Flow) WithMissed() Flow {
	missed := missedIn(f.Silence, Flow{})
	f.Expected, f.Lost = f.Expected+missed, f.Lost+missed
	return f
}

// missedIn is how many packets a silence swallowed.
func missedIn(silence float64, heard Flow) int64 {
	rate := float64(packetRate)
	if heard.Seconds > 0 {
		rate = float64(heard.Expected) / heard.Seconds
	}
	return int64(math.Round(rate * silence))
}

func (f *Figures) loss(heard Flow, missed int64) {
	expected := heard.Expected + missed
	f.Quiet = expected == 0
	lost := max(0, heard.Lost-heard.Recovered) + missed
	f.LossRatio = ratio(float64(lost), float64(expected))
	f.EffectiveLossRatio = ratio(float64(lost+heard.Discarded), float64(expected))
}

func (f *Figures) delays(all Flow) {
	f.JitterMS = meanOf(1000*all.Jitter, all.JitterTime)
	f.BufferMS = meanOf(1000*all.BufferDelay, float64(all.BufferCount))
	f.PlayoutMS = meanOf(1000*all.PlayoutDelay, float64(all.PlayoutCount))
	for _, r := range all.roundTripsByTrust() {
		if r.Count > 0 {
			f.RTTMS = meanOf(1000*r.Total, float64(r.Count))
			return
		}
	}
}

// reportInterval is how often RTCP reports must have come, in seconds, for them to tell of
// now: a third as often as this server sends them, for some get lost.
const reportInterval = 3

// roundTripsByTrust are the sources of round trips, the best first. Those of RTCP reports
// are measured where packets come and go, and what the far end took for its answer is
// taken off (RFC 3550 §6.4.1); a ping waits for a page's turn, too, a millisecond or two.
// ICE checks come only every few seconds.
func (f Flow) roundTripsByTrust() [3]RoundTrips {
	if float64(f.Reports.Count)*reportInterval >= f.Seconds {
		return [...]RoundTrips{f.Reports, f.Pings, f.Checks}
	}
	return [...]RoundTrips{f.Pings, f.Reports, f.Checks}
}

func (f *Figures) rates(all Flow) {
	f.BitrateBPS = meanOf(8*float64(all.Bytes), all.Seconds)
	if all.TargetBitrate > 0 {
		f.TargetBPS = new(all.TargetBitrate)
	}
	if all.Duration > 0 {
		f.LevelDBFS = new(max(SilenceDBFS, 10*math.Log10(all.Energy/all.Duration)))
	}
}

func (f *Figures) concealment(all Flow) {
	f.ConcealedRatio = ratio(float64(all.Concealed), float64(all.Samples))
	if all.Samples > 0 && all.Seconds > 0 {
		rate := float64(all.Samples) / all.Seconds
		f.ConcealmentMS = meanOf(1000*float64(all.Concealed)/rate, float64(all.Concealments))
	}
	if all.PlayoutCount > 0 {
		f.SynthesizedRatio = ratio(all.Synthesized, all.Seconds)
	}
}

func (f *Figures) burst(buckets []burst) {
	newest := int64(f.At / bucketLength)
	var sum burst
	for _, b := range buckets {
		if b.bucket > newest-int64(len(buckets)) && b.bucket <= newest {
			sum.runs += b.runs
			sum.packets += b.packets
			sum.lost += b.lost
			sum.expected += b.expected
		}
	}
	f.BurstLosses = sum.packets
	if sum.runs > 0 && sum.expected > 0 {
		random := 1 - min(1, float64(sum.lost)/float64(sum.expected))
		f.BurstRatio = new(float64(sum.packets) / float64(sum.runs) * random)
	}
}

// ratio is part of whole, nil of nothing, and never above 1: losses may be
// reported seconds after the packets that they are of.
func ratio(part, whole float64) *float64 {
	if whole <= 0 {
		return nil
	}
	return new(min(1, part/whole))
}

func meanOf(sum, n float64) *float64 {
	if n <= 0 {
		return nil
	}
	return new(sum / n)
}
