package rest

import (
	"parley/shared/quality"
	"parley/shared/rtcstats"
)

// NewMetrics are figures and their score as they are shown. R and MOS are left
// out where there was too little audio to rate.
func NewMetrics(f rtcstats.Figures, s quality.Score) Metrics {
	m := Metrics{
		LossRatio:      f.EffectiveLossRatio,
		JitterMS:       f.JitterMS,
		RTTMS:          f.RTTMS,
		BufferMS:       f.BufferMS,
		DelayMS:        s.DelayMS,
		ConcealedRatio: f.ConcealedRatio,
		BitrateBPS:     f.BitrateBPS,
	}
	if !f.Quiet || f.Unanswered {
		m.R, m.MOS = new(s.R), new(s.MOS)
	}
	return m
}
