package peer

import (
	"time"

	"parley/shared/quality"
	"parley/shared/rtcstats"
)

// Rating is how one direction does, over the last ten seconds.
type Rating struct {
	Figures rtcstats.Figures // of the last ten seconds
	Second  rtcstats.Figures // since the sample before
	Score   quality.Score    // of this moment
	Verdict quality.Verdict  // with memory, as it is shown
}

// meter rates both directions by this end's own samples. Ratings by the server
// are the truth; these are for when it can't be asked.
type meter struct {
	prev    *rtcstats.Sample
	pending rtcstats.Pending
	windows map[quality.Direction]*rtcstats.Window
	judges  map[quality.Direction]*quality.Judge
}

func newMeter() *meter {
	m := &meter{
		windows: make(map[quality.Direction]*rtcstats.Window),
		judges:  make(map[quality.Direction]*quality.Judge),
	}
	for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
		m.windows[d], m.judges[d] = new(rtcstats.Window), quality.NewJudge(d)
	}
	return m
}

// measure takes a sample. After a gap what was counted belongs to no interval.
func (m *meter) measure(s rtcstats.Sample, gap bool) SampleMeasured {
	e := SampleMeasured{
		At: time.Now(), Sample: s, Gap: gap,
		Ratings: make(map[quality.Direction]Rating),
		MicDBFS: rtcstats.SilenceDBFS, AgentDBFS: rtcstats.SilenceDBFS,
	}
	if gap {
		m.pending = rtcstats.Pending{}
	}
	if m.prev != nil && !gap {
		i := rtcstats.Rates(*m.prev, s)
		for _, decided := range m.pending.Add(i) {
			m.windows[quality.ToAgent].Add(decided.At, decided.Out)
			m.windows[quality.ToCaller].Add(decided.At, decided.In)
		}
		e.IsSilent, e.isUnsure = i.IsSilent(), i.IsUnsure
		e.MicDBFS, e.AgentDBFS = level(i.At, i.Out), level(i.At, i.In)
	}
	m.prev = &s
	var verdicts []quality.Verdict
	for d, w := range m.windows {
		f := w.Figures()
		verdict, score := m.judges[d].Next(f)
		e.Ratings[d] = Rating{Figures: f, Second: w.Newest(), Score: score, Verdict: verdict}
		verdicts = append(verdicts, verdict)
	}
	e.Quality = quality.Worst(verdicts...)
	return e
}

// level is the loudness of one interval alone.
func level(at float64, f rtcstats.Flow) float64 {
	var w rtcstats.Window
	w.Add(at, f)
	if l := w.Figures().LevelDBFS; l != nil {
		return *l
	}
	return rtcstats.SilenceDBFS
}
