package quality

import "parley/shared/rtcstats"

// What a voice meets between mouth and ear beside the network, in ms.
const (
	CaptureMS   = 10  // the microphone's buffer
	PacketMS    = 20  // one Opus frame is gathered before it is sent
	LookaheadMS = 6.5 // of the Opus encoder
	PlayoutMS   = 20  // decoding and device, where the browser doesn't say
	// BufferMS is a jitter buffer on a calm line: assumed for an ear whose
	// browser doesn't tell, and what no jitter is to blame for.
	BufferMS = 40
)

// Bursty loss hurts more than the same loss spread out.
const (
	// BurstyRatio is the mean run, against that of random loss, from which loss
	// is bursty.
	BurstyRatio = 1.5
	// BurstyLosses is how many losses a mean run has to be of.
	BurstyLosses = 10
	// BurstyConcealmentMS is how long one concealment is, on average, from which
	// loss is bursty: a browser sees no runs.
	BurstyConcealmentMS = 40
)

const (
	// leastBlame is what a cause must take off R to be named.
	leastBlame = 1
	// leastStarved is the share of time for which a device got no audio from
	// which on it is named as the cause when the network is not.
	leastStarved = 0.03
)

// MouthToEar estimates the one-way delay in ms. The round trip is of the leg
// that was measured, halved as if both ways were alike. Toward the agent it
// ends at the agent's input: there is no ear, and the relay holds no buffer.
func MouthToEar(d Direction, f rtcstats.Figures) (ms float64, ok bool) {
	if f.RTTMS == nil {
		return 0, false
	}
	return fixedDelay(f) + *f.RTTMS/2 + bufferDelay(d, f), true
}

func fixedDelay(f rtcstats.Figures) float64 {
	return CaptureMS + PacketMS + LookaheadMS + valueOr(f.PlayoutMS, PlayoutMS)
}

func bufferDelay(d Direction, f rtcstats.Figures) float64 {
	if d == ToCaller {
		return valueOr(f.BufferMS, BufferMS)
	}
	return valueOr(f.BufferMS, 0)
}

func valueOr(v *float64, otherwise float64) float64 {
	if v == nil {
		return otherwise
	}
	return *v
}

// Score is how one direction does by its last ten seconds: unsmoothed, and
// without memory.
type Score struct {
	R       float64
	MOS     float64
	DelayMS *float64 // mouth to ear; nil while no round trip was measured
	Cause   Cause
	Value   float64 // of the cause, in its unit
}

// ScoreOf rates the figures of one direction. What was not measured is taken to
// be fine.
func ScoreOf(d Direction, f rtcstats.Figures) Score {
	var (
		s      Score
		loss   = earLoss(d, f)
		kbps   = bitrate(f)
		bursty = Bursty(d, f)
		delay  = fixedDelay(f) + valueOr(f.RTTMS, 0)/2 + bufferDelay(d, f)
	)
	if ms, ok := MouthToEar(d, f); ok {
		s.DelayMS = new(ms)
	}
	s.R, s.MOS = Rate(delay, loss, kbps, bursty)
	s.Cause, s.Value = blame(f, loss, lossImpairment(loss, kbps, bursty), delay, bufferDelay(d, f))
	return s
}

// earLoss is what the ear misses, in percent. A browser conceals part of what
// is lost: then the concealed share counts, but never less than half.
func earLoss(d Direction, f rtcstats.Figures) float64 {
	if f.Unanswered || f.Silent {
		// Losses show only when the next packet comes; while nothing comes at
		// all, the silent pings are the only witness.
		return 100
	}
	lost := 100 * valueOr(f.EffectiveLossRatio, 0)
	if d != ToCaller || f.ConcealedRatio == nil {
		return lost
	}
	return min(lost, max(100**f.ConcealedRatio, lost/2))
}

// bitrate is the encoder's setting in kbit/s. What flows is no measure of it:
// a variable rate falls in each pause, and a pause is not a poor line.
func bitrate(f rtcstats.Figures) float64 {
	return valueOr(f.TargetBPS, DefaultBitrate*1000) / 1000
}

// Bursty reports whether losses come in runs.
func Bursty(d Direction, f rtcstats.Figures) bool {
	if f.BurstRatio != nil {
		return *f.BurstRatio >= BurstyRatio && f.BurstLosses >= BurstyLosses
	}
	return d == ToCaller && f.Lost > 0 && valueOr(f.ConcealmentMS, 0) > BurstyConcealmentMS
}

// blame names what takes the most off R. Packets that come too late, and the
// buffer that grows to wait for them, are jitter's doing; but only while packets do come
// unevenly: a buffer that stays large after it is a long way, and no more.
func blame(f rtcstats.Figures, loss, lossTakes, delay, buffer float64) (Cause, float64) {
	calm, late := delay, 0.0
	if isUneven(f) {
		calm -= max(0, buffer-BufferMS)
		if f.Lost+f.Discarded > 0 {
			late = float64(f.Discarded) / float64(f.Lost+f.Discarded)
		}
	}
	var (
		delayTakes  = delayImpairment(calm)
		jitterTakes = delayImpairment(delay) - delayTakes + late*lossTakes
		cause       = CauseLoss
		takes       = (1 - late) * lossTakes
		value       = loss
	)
	if delayTakes > takes {
		cause, takes, value = CauseDelay, delayTakes, delay
	}
	if jitterTakes > takes {
		cause, takes, value = CauseJitter, jitterTakes, valueOr(f.JitterMS, 0)
	}
	if takes >= leastBlame {
		return cause, value
	}
	if starved := valueOr(f.SynthesizedRatio, 0); starved >= leastStarved {
		return CauseCPU, 100 * starved
	}
	return CauseNone, 0
}

// isUneven reports whether packets come less evenly than on an excellent line.
func isUneven(f rtcstats.Figures) bool {
	return f.JitterMS != nil && Band(MetricJitter, *f.JitterMS) != Excellent
}
