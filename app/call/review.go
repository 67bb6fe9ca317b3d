package call

import (
	"strings"
	"time"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// review is a call that is over, as far as it is known: by the page that made it, by
// the record, or both.
type review struct {
	ID, Agent        string
	StartedAt, Ended time.Time
	Words            ui.Words      // why it ended
	Outage           time.Duration // before its end, as the page saw it

	Rated          int // seconds
	Level          quality.Level
	Share          float64
	MOS, MOSLowest float64
	Loss, DelayMS  map[quality.Direction]*float64 // means

	Turns     *rest.TurnSummary // nil: not told
	Incidents []incident
	Seconds   []ui.RibbonSecond
	Waits     []ui.RibbonWait  // by the columns of Seconds
	Answers   []wire.AgentTurn // how long each took to begin
	NoVoices  bool             // who spoke when isn't known

	Receipt *rest.Receipt
	Usage   *rest.Usage
	Rating  *rest.Rating
}

// reviewOfPicture is what the page that made the call knows of it.
func reviewOfPicture(p Picture) review {
	t := p.Talk.Tally
	level, share := t.Level()
	r := review{
		ID: p.Talk.SessionID, Agent: p.Talk.Agent, StartedAt: p.Talk.StartedAt, Ended: p.End.At, Words: endWords(p), Outage: p.End.Tried,
		Rated: t.Rated, Level: level, Share: share, MOS: t.MOS(), MOSLowest: t.MOSLowest,
		Loss: map[quality.Direction]*float64{}, DelayMS: map[quality.Direction]*float64{},
		Seconds: p.Talk.Whole, Waits: p.Talk.Waits, Answers: p.Talk.Answers,
	}
	for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
		r.Loss[d], r.DelayMS[d] = t.Loss(d), t.Delay(d)
	}
	return r
}

// reviewOfRecord is what the server kept of a call.
func reviewOfRecord(s rest.OwnSession, c rest.Connection, limits wire.Limits) review {
	r := review{
		ID: s.ID, Agent: s.Agent, StartedAt: s.StartedAt, Words: recordWords(s, limits),
		Level: s.Quality.Level, Turns: &s.Quality.Turns, Receipt: &s.Receipt, Usage: s.Usage, Rating: s.Rating,
		Loss: map[quality.Direction]*float64{}, DelayMS: map[quality.Direction]*float64{}, NoVoices: true,
	}
	if s.EndedAt != nil {
		r.Ended = *s.EndedAt
	}
	for _, n := range s.Quality.Seconds {
		r.Rated += n
	}
	if r.Rated > 0 {
		r.Share = float64(s.Quality.Seconds[r.Level]) / float64(r.Rated)
	}
	if r.Rated < tooShort {
		r.Level = quality.None
	}
	if m := s.Quality.Summary.MOS; m != nil {
		r.MOS, r.MOSLowest = m.Avg, m.Min
	}
	for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
		if stream := callersStream(c, d); stream != nil {
			r.Loss[d], r.DelayMS[d] = meanOf(stream.Summary.LossRatio), meanOf(stream.Summary.DelayMS)
		}
	}
	r.Incidents = incidentsOf(c)
	r.Seconds, r.Waits = columnsOf(c, r.StartedAt, endOf(r.Ended, c))
	for _, t := range c.Turns.Latest {
		r.Answers = append(r.Answers, answerOf(t))
	}
	r.NoVoices = len(r.Answers) == 0
	return r
}

// endOf is when a call ended or, of one that is on, when it was measured last.
func endOf(ended time.Time, c rest.Connection) time.Time {
	if points := worsePoints(c); ended.IsZero() && len(points) > 0 {
		return points[len(points)-1].at
	}
	return ended
}

func recordWords(s rest.OwnSession, limits wire.Limits) ui.Words {
	if s.EndedAt == nil {
		return ui.Copy("call_live")
	}
	return endWords(Picture{Talk: Talk{Limits: limits}, End: End{Ended: wire.Ended{Cause: s.EndCause, Message: s.EndReason}}})
}

// with completes what the page saw by what the server kept. The page knows best who
// spoke when, and why it ended.
func (r review) with(kept review) review {
	out := kept
	if r.ID != kept.ID {
		return out
	}
	out.Words, out.StartedAt, out.Ended, out.Outage = r.Words, r.StartedAt, r.Ended, r.Outage
	if len(r.Seconds) > 0 {
		out.Seconds, out.Waits, out.NoVoices = r.Seconds, r.Waits, false
	}
	if len(out.Answers) == 0 {
		out.Answers = r.Answers
	}
	if kept.Rated < r.Rated {
		out.Rated, out.Level, out.Share, out.MOS, out.MOSLowest = r.Rated, r.Level, r.Share, r.MOS, r.MOSLowest
	}
	for d, v := range r.Loss {
		if out.Loss[d] == nil {
			out.Loss[d] = v
		}
	}
	for d, v := range r.DelayMS {
		if out.DelayMS[d] == nil {
			out.DelayMS[d] = v
		}
	}
	return out
}

func (r review) length() time.Duration {
	if r.StartedAt.IsZero() || r.Ended.IsZero() {
		return 0
	}
	return max(r.Ended.Sub(r.StartedAt), 0)
}

// callersStream is one direction of the caller's leg, as the end measured it where it
// arrives; nil where nobody did.
func callersStream(c rest.Connection, d quality.Direction) *rest.StreamQuality {
	best := map[quality.Direction]rtcstats.MeasuredBy{quality.ToAgent: rtcstats.ByServer, quality.ToCaller: rtcstats.ByClient}[d]
	var found *rest.StreamQuality
	for i := range c.Streams {
		s := &c.Streams[i]
		if s.Leg == rtcstats.LegCaller && s.Direction == d && (found == nil || s.MeasuredBy == best) {
			found = s
		}
	}
	return found
}

func meanOf(r *rest.Range) *float64 {
	if r == nil {
		return nil
	}
	return &r.Avg
}

// pointLevel is a step of the caller's leg: its level, and the direction that it is by.
type pointLevel struct {
	at        time.Time
	level     quality.Level
	direction quality.Direction
	metrics   rest.Metrics
}

// worsePoints are the steps of the caller's leg, each by its worse direction.
func worsePoints(c rest.Connection) []pointLevel {
	byTime := map[int64]int{}
	var out []pointLevel
	for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
		s := callersStream(c, d)
		if s == nil {
			continue
		}
		for _, p := range s.Series {
			step := pointLevel{p.At, quality.None, d, p.Metrics}
			if p.Metrics.R != nil && !p.Gap {
				step.level = quality.LevelOf(*p.Metrics.R)
			}
			i, known := byTime[p.At.Unix()]
			switch {
			case !known:
				byTime[p.At.Unix()] = len(out)
				out = append(out, step)
			case step.level != quality.None && (out[i].level == quality.None || step.level.Bars() < out[i].level.Bars()):
				out[i] = step
			}
		}
	}
	return out
}

// incident is a time in which the line was fair or poor.
type incident struct {
	From, To time.Time
	Level    quality.Level // the worst of it
	Cause    quality.Cause
	Where    quality.Direction
	Value    float64
	lowest   float64 // rating, where it was worst
}

const (
	// leastIncident is how long the line has to be weak to be told of.
	leastIncident = 5 * time.Second
	// mostIncidents are told of, the first ones.
	mostIncidents = 5
)

// stepOf is how far steps are apart.
func stepOf(points []pointLevel) time.Duration {
	if len(points) < 2 {
		return time.Second
	}
	return max(points[1].at.Sub(points[0].at), time.Second)
}

// incidentsOf are the times in which the line was fair or poor, oldest first.
func incidentsOf(c rest.Connection) []incident {
	points := worsePoints(c)
	step := stepOf(points)
	var out []incident
	var now *incident
	for _, p := range points {
		if p.level != quality.Fair && p.level != quality.Poor {
			now = nil
			continue
		}
		if now == nil {
			out = append(out, incident{From: p.at, Level: quality.Fair})
			now = &out[len(out)-1]
		}
		now.To = p.at.Add(step)
		now.blame(p)
	}
	kept := out[:0]
	for _, i := range out {
		if i.To.Sub(i.From) >= leastIncident && len(kept) < mostIncidents {
			kept = append(kept, i)
		}
	}
	return kept
}

// blame names the incident by its worst step, as a live call would: by what takes the
// most off the rating there.
func (i *incident) blame(p pointLevel) {
	m := p.metrics // with a rating, or it is no step of an incident
	if !i.isWorse(m) {
		return
	}
	i.lowest = *m.R
	score := quality.ScoreOf(p.direction, rtcstats.Figures{
		EffectiveLossRatio: m.LossRatio, JitterMS: m.JitterMS, RTTMS: m.RTTMS, BufferMS: m.BufferMS, ConcealedRatio: m.ConcealedRatio,
	})
	i.Level, i.Where, i.Cause, i.Value = p.level, p.direction, score.Cause, score.Value
	if i.Cause == quality.CauseDelay && m.DelayMS != nil {
		i.Value = *m.DelayMS // as it was measured, with the device's part
	}
}

// isWorse reports whether a step is worse than what the incident is named by. A cut is
// rated lowest from its first second on: there the loss decides.
func (i *incident) isWorse(m rest.Metrics) bool {
	if i.Cause == quality.CauseNone || *m.R != i.lowest {
		return i.Cause == quality.CauseNone || *m.R < i.lowest
	}
	return i.Cause == quality.CauseLoss && m.LossRatio != nil && 100**m.LossRatio > i.Value
}

// sentence says what happened: "14:09 fair for 22 s: loss 4.2 % from you to the agent."
func (i incident) sentence() string {
	out := i.From.Local().Format("15:04") + " " + strings.ToLower(ui.LevelWord(i.Level)) + " for " + ui.Age(i.To.Sub(i.From))
	what := ""
	switch i.Cause {
	case quality.CauseLoss:
		if what = "loss " + ui.Percent(i.Value); i.Value > 99 {
			what = "nothing came through"
		}
	case quality.CauseDelay:
		what = "delay " + ui.Millis(i.Value)
	case quality.CauseJitter:
		what = "jitter " + ui.Millis(i.Value)
	default:
		return out + "."
	}
	if i.Where == quality.ToCaller {
		return out + ": " + what + " from the agent to you."
	}
	return out + ": " + what + " from you to the agent."
}

// mostColumns is how many columns the ribbon of a whole call has at most.
const mostColumns = 240

// columnSeconds is how many seconds each of so many columns has.
func columnSeconds(seconds, most int) int { return max((seconds+most-1)/most, 1) }

// squeeze draws many seconds in few columns, so that nothing bad vanishes: each is as
// loud as its loudest second and as weak as its weakest.
func squeeze(seconds []ui.RibbonSecond, most int) []ui.RibbonSecond {
	each := columnSeconds(len(seconds), most)
	if each <= 1 {
		return seconds
	}
	out := make([]ui.RibbonSecond, 0, most)
	for at := 0; at < len(seconds); at += each {
		column := seconds[at]
		for _, s := range seconds[at+1 : min(at+each, len(seconds))] {
			column.You, column.Agent = max(column.You, s.You), max(column.Agent, s.Agent)
			column.Waiting, column.Gap = column.Waiting || s.Waiting, column.Gap || s.Gap
			column.Paused, column.Muted = column.Paused || s.Paused, column.Muted || s.Muted
			if s.Level.Bars() > 0 && (column.Level.Bars() == 0 || s.Level.Bars() < column.Level.Bars()) {
				column.Level = s.Level
			}
		}
		out = append(out, column)
	}
	return out
}
