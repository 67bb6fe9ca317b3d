package quality

import "math"

// The scale of the fullband E-model, on which Opus is rated, and what maps its
// R to the 0–100 of the narrowband one (ITU-T G.107.2 as publicly implemented).
const (
	fullbandMax   = 132.0 // at which nothing is left
	fullbandScale = 1.48
	// delayKnee is mT, the one-way delay in ms below which nobody notices.
	delayKnee = 100.0
)

// DefaultBitrate is Opus at its usual setting in browsers, in kbit/s.
const DefaultBitrate = 31

// opus gives the impairment of Opus (fullband, VBR) at a bitrate in kbit/s, and
// its robustness to loss: Alahmadi, Pocta, Melvin, ACM TOMM 2021, doi
// 10.1145/3458751. The row at or below the bitrate counts.
func opus(kbps float64, bursty bool) (ie, bpl float64) {
	rows := [...]struct{ kbps, ie, random, bursty float64 }{
		{40, 10.67, 9.79, 8.04},
		{37, 12.08, 10.38, 8.30},
		{34, 14.76, 10.12, 8.54},
		{31, 16.83, 10.44, 8.82},
		{28, 18.48, 10.63, 8.91},
		{25, 20.21, 11.28, 9.18},
		{22, 20.22, 10.47, 8.57},
		{19, 23.81, 10.67, 8.92},
		{16, 30.16, 11.83, 10.06},
	}
	row := rows[len(rows)-1]
	for _, r := range rows {
		if kbps >= r.kbps {
			row = r
			break
		}
	}
	if bursty {
		return row.ie, row.bursty
	}
	return row.ie, row.random
}

// Rate is the E-model for Opus: mouth-to-ear delay in ms, effective loss in
// percent and bitrate in kbit/s to R (0–100) and the MOS estimated from it.
func Rate(delayMS, lossPercent, kbps float64, bursty bool) (r, mos float64) {
	r = baseR(kbps, bursty) - lossImpairment(lossPercent, kbps, bursty) - delayImpairment(delayMS)
	r = min(100, max(0, r))
	return r, MOS(r)
}

// baseR is R of a line without loss or delay: the codec's own best.
func baseR(kbps float64, bursty bool) float64 {
	ie, _ := opus(kbps, bursty)
	return 100 - ie/fullbandScale
}

// lossImpairment is what loss takes off R (G.107 eq. 7-29 on the fullband scale).
func lossImpairment(percent, kbps float64, bursty bool) float64 {
	percent = clamp(percent, 0, 100)
	ie, bpl := opus(kbps, bursty)
	return (fullbandMax - ie) * percent / (percent + bpl) / fullbandScale
}

// delayImpairment is Idd of G.107 eq. 7-27 and 7-28 with sT = 1: what absolute
// delay takes off R.
func delayImpairment(ms float64) float64 {
	if !(ms > delayKnee) {
		return 0
	}
	x := math.Log2(min(ms, 1e6) / delayKnee)
	return 25 * (root6(1+power6(x)) - 3*root6(1+power6(x/3)) + 2)
}

// math.Pow does both, at ten times the price, and this is done for every sample.
func power6(x float64) float64 { return x * x * x * x * x * x }
func root6(x float64) float64  { return math.Cbrt(math.Sqrt(x)) }

// MOS is the mean opinion score estimated from R (G.107 Annex B): 1–4.5. Between 0 and
// 6.5 the polynomial runs below its own lowest score.
func MOS(r float64) float64 {
	switch {
	case !(r > 0):
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+7e-6*r*(r-60)*(100-r))
}

// clamp also turns NaN into lo.
func clamp(v, lo, hi float64) float64 {
	if !(v > lo) {
		return lo
	}
	return min(v, hi)
}
