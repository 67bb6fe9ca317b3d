package monitor

import (
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// farClock is how far a client's clock may run from where it ran before until
// it is taken to have been set.
const farClock = 15 * time.Second

// measurer is one end looking at one leg: it turns that end's counters into two
// streams.
type measurer struct {
	leg, by  string
	start    time.Time // of the session
	prev     *rtcstats.Sample
	refusals int
	offset   time.Duration // from the end's clock to ours; the least seen, for it holds the least waiting
	synced   bool
	stalled  bool
	in, out  *stream
}

func newMeasurer(leg, by string, start time.Time, keep bool) *measurer {
	m := &measurer{leg: leg, by: by, start: start}
	inbound, outbound := quality.ToAgent, quality.ToCaller
	if (leg == LegCaller) == (by == ByClient) {
		// What arrives at the caller's browser, or from the agent at the server,
		// goes to the caller.
		inbound, outbound = outbound, inbound
	}
	m.in, m.out = newStream(m, inbound), newStream(m, outbound)
	m.in.past.keep, m.out.past.keep = keep, keep
	return m
}

// stream gives the stream of a direction; nil where the end never looked.
func (m *measurer) stream(d quality.Direction) *stream {
	switch {
	case m == nil:
		return nil
	case m.in.direction == d:
		return m.in
	}
	return m.out
}

// stale is how old this end's newest numbers may be.
func (m *measurer) stale() time.Duration {
	if m.by == ByClient {
		return ClientStale
	}
	return ServerStale
}

// take looks at one sample and gives the faults that it shows.
func (m *measurer) take(at time.Time, s rtcstats.Sample) (faults []string) {
	if s.Check() != nil {
		return []string{"bad_report"}
	}
	if m.prev == nil {
		m.prev = &s
		m.serverTime(at, s)
		return nil
	}
	i := rtcstats.Rates(*m.prev, s)
	fell := i.In.Gap == rtcstats.GapFell || i.Out.Gap == rtcstats.GapFell
	if fell || i.In.Gap == rtcstats.GapClock {
		m.refuse()
		if fell {
			return []string{"bad_report"}
		}
		return nil // seen before: after a lost socket a client sends its newest looks again
	}
	m.refusals = 0
	heard := m.serverTime(at, s)
	m.in.take(at, heard, i.At, i.In)
	m.out.take(at, heard, i.At, i.Out)
	faults = m.faults(*m.prev, s)
	m.prev = &s
	return faults
}

// refuse leaves a sample out, and forgives an end that insists.
func (m *measurer) refuse() {
	m.refusals++
	if m.refusals >= MaxRefusals {
		m.refusals, m.prev, m.synced = 0, nil, false
	}
}

// serverTime gives our time of a sample. A batch comes in at once and tells of
// seconds: the end's own clock spreads it, moved onto ours.
func (m *measurer) serverTime(at time.Time, s rtcstats.Sample) time.Time {
	theirs := time.UnixMicro(int64(s.Timestamp * 1000))
	offset := at.Sub(theirs)
	if !m.synced || offset < m.offset || offset-m.offset > farClock {
		m.offset, m.synced = offset, true
	}
	return theirs.Add(m.offset)
}

// faults are what two looks show beside rates.
func (m *measurer) faults(prev, cur rtcstats.Sample) (kinds []string) {
	if p, c := prev.CandidatePair, cur.CandidatePair; p != nil && c != nil && p.ID != c.ID {
		kinds = append(kinds, "path_change")
	}
	stalled := m.in.unanswered
	if stalled && !m.stalled {
		kinds = append(kinds, "media_stall")
	}
	m.stalled = stalled
	return kinds
}

// stream is one direction of one leg by the word of one end.
type stream struct {
	of         *measurer
	direction  quality.Direction
	window     rtcstats.Window
	judge      *quality.Judge
	seen       time.Time // when the newest rated look came in
	latest     rest.Metrics
	unanswered bool
	total      totals
	past       history
}

func newStream(of *measurer, d quality.Direction) *stream {
	return &stream{of: of, direction: d, judge: quality.NewJudge(d)}
}

// take adds one interval: it came in at the time at, was looked at at the time
// looked by our clock, and ended at stamp (ms) by the end's own.
func (st *stream) take(at, looked time.Time, stamp float64, f rtcstats.Flow) {
	st.total.count(f)
	st.window.Add(stamp, f)
	if f.Gap != rtcstats.NoGap {
		return
	}
	figures := st.window.Figures()
	_, score := st.judge.Next(figures)
	metrics := roundMetrics(rest.NewMetrics(figures, score))
	st.seen, st.latest, st.unanswered = at, metrics, figures.Unanswered
	if figures.Samples >= quality.LeastSamples {
		st.total.addMetrics(metrics)
	}
	st.past.add(int(looked.Sub(st.of.start)/time.Second), pointOf(f, metrics))
}

func (st *stream) fresh(now time.Time) bool {
	return st != nil && !st.seen.IsZero() && now.Sub(st.seen) <= st.of.stale()
}

// rated reports whether the stream has a level to give.
func (st *stream) rated(now time.Time) bool {
	return st.fresh(now) && st.judge.Verdict().Level != quality.None
}

func (st *stream) verdict(now time.Time) quality.Verdict {
	if !st.fresh(now) {
		return quality.Verdict{Level: quality.None}
	}
	return st.judge.Verdict()
}
