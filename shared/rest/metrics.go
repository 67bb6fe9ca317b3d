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

// Clone copies the figures, so that a change of one is none of the other's.
func (m Metrics) Clone() Metrics {
	for _, f := range []**float64{
		&m.LossRatio, &m.JitterMS, &m.RTTMS, &m.BufferMS, &m.DelayMS, &m.ConcealedRatio, &m.BitrateBPS, &m.R, &m.MOS,
	} {
		if *f != nil {
			*f = new(**f)
		}
	}
	return m
}
