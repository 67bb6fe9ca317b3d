package quality

import (
	"slices"

	"parley/shared/rtcstats"
)

// The hysteresis: a level has to prove itself, worse faster than better.
const (
	// LookBack is how many seconds a level is decided on.
	LookBack = 5
	// DownVotes is how many of them must be lower for the level to fall.
	DownVotes = 3
	// LeastSamples is how many there must be for a level at all.
	LeastSamples = 3
	// RiseAfterMS is how long after a change the level may rise, one step at a time.
	RiseAfterMS = 5000
	// NoDataAfterMS is how long without figures there is no level any more.
	NoDataAfterMS = 5000

	// leastStepMS is how far apart two looks are that both count: who samples
	// faster than once a second gets no more votes.
	leastStepMS = 750

	// The shown number falls faster than it rises.
	fallWeight = 0.7
	riseWeight = 0.4
)

// Judge keeps the level of one direction; NewJudge makes one.
type Judge struct {
	direction Direction
	recent    []Level // newest last, at most LookBack
	shown     float64 // smoothed R
	last      Verdict
	lastAt    float64 // ms, of the newest figures
	changedAt float64 // ms, of the newest change of level
	silence   int     // looks at a silent leg, without one between
}

// NewJudge judges one direction.
func NewJudge(d Direction) *Judge {
	return &Judge{direction: d, last: Verdict{Level: None}}
}

// Next takes the figures of the last ten seconds, once a second, and gives the
// verdict and the unsmoothed score behind it. Time is that of the figures, so
// that a batch that came late is judged as if it had come in time.
func (j *Judge) Next(f rtcstats.Figures) (Verdict, Score) {
	s := ScoreOf(j.direction, f)
	if j.lastAt > 0 && (f.At-j.lastAt > NoDataAfterMS || f.At < j.lastAt) {
		j.Reset()
	}
	if j.lastAt > 0 && f.At-j.lastAt < leastStepMS {
		return j.last, s
	}
	j.lastAt = f.At
	j.watchSilence(f.Silent)
	if f.Quiet && !f.Unanswered {
		j.last.Quiet = true
		return j.last, s
	}
	if f.Silent {
		j.fallLevel(s.R, f.At)
	} else {
		j.smooth(s.R)
		j.noteLevel(LevelOf(s.R), f.At)
	}
	j.last.Quiet = false
	if j.last.Level == None {
		return j.last, s
	}
	j.last.R, j.last.MOS = j.shown, MOS(j.shown)
	j.blame(s)
	return j.last, s
}

// Verdict is the newest, or None when none was given yet.
func (j *Judge) Verdict() Verdict { return j.last }

// Reset forgets all: after a pause without figures the line has to prove itself
// anew.
func (j *Judge) Reset() { *j = *NewJudge(j.direction) }

// watchSilence lets the line prove itself anew when it comes back from an outage.
func (j *Judge) watchSilence(isSilent bool) {
	if isSilent {
		j.silence++
		return
	}
	if j.silence >= rtcstats.OutageLength {
		at := j.lastAt
		j.Reset()
		j.lastAt = at
	}
	j.silence = 0
}

// fallLevel takes a second without any sign of the leg: it needs no second look, and
// no smoothing.
func (j *Judge) fallLevel(r, at float64) {
	j.shown = r
	for range DownVotes {
		j.noteLevel(Poor, at)
	}
}

func (j *Judge) smooth(r float64) {
	switch {
	case len(j.recent) == 0:
		j.shown = r
	case r < j.shown:
		j.shown = fallWeight*r + (1-fallWeight)*j.shown
	default:
		j.shown = riseWeight*r + (1-riseWeight)*j.shown
	}
}

// noteLevel takes one second's level and moves the verdict's.
func (j *Judge) noteLevel(l Level, at float64) {
	if len(j.recent) == LookBack {
		j.recent = slices.Delete(j.recent, 0, 1)
	}
	j.recent = append(j.recent, l)
	if len(j.recent) < LeastSamples {
		return
	}
	now := j.last.Level
	switch down, up := j.agreed(DownVotes), j.agreedAbove(); {
	case now == None:
		j.moveLevel(down, at)
	case down.Bars() < now.Bars():
		j.moveLevel(down, at)
	case up && at-j.changedAt >= RiseAfterMS:
		j.moveLevel(levelOfBars(now.Bars()+1), at)
	}
}

func (j *Judge) moveLevel(to Level, at float64) { j.last.Level, j.changedAt = to, at }

// agreed is the best level that at least votes of the recent ones don't exceed.
func (j *Judge) agreed(votes int) Level {
	var bars [LookBack]int
	for i, l := range j.recent {
		bars[i] = l.Bars()
	}
	sorted := bars[:len(j.recent)]
	slices.Sort(sorted)
	return levelOfBars(sorted[votes-1])
}

// agreedAbove reports whether all of a full look back were above the level.
func (j *Judge) agreedAbove() bool {
	return len(j.recent) == LookBack && !slices.ContainsFunc(j.recent, func(l Level) bool {
		return l.Bars() <= j.last.Level.Bars()
	})
}

// blame keeps the cause beside a level that needs one. When this second has
// none, the one that brought the level down stands.
func (j *Judge) blame(s Score) {
	switch {
	case j.last.Level == Excellent:
		j.last.Cause, j.last.Direction, j.last.Value = CauseNone, "", 0
	case s.Cause != CauseNone:
		j.last.Cause, j.last.Direction, j.last.Value = s.Cause, j.direction, s.Value
	}
}

// Worst gives one verdict for several: that of the worst direction, with its
// cause. Directions without a level don't count unless none has one; the whole
// is quiet only when all that count are.
func Worst(verdicts ...Verdict) Verdict {
	worst, quiet := Verdict{Level: None}, true
	for _, v := range verdicts {
		if v.Level.Bars() == 0 {
			continue
		}
		quiet = quiet && v.Quiet
		if worst.Level.Bars() == 0 || v.Level.Bars() < worst.Level.Bars() ||
			v.Level == worst.Level && v.R < worst.R {
			worst = v
		}
	}
	worst.Quiet = quiet && worst.Level.Bars() > 0
	return worst
}
