package detail

import (
	"time"

	"parley/app/client"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// picture is what the page knows of its session. Nothing but its methods makes a
// new one of it.
type picture struct {
	record     rest.SessionRecord
	usage      *rest.Usage // what the agent used; nil: nothing that is counted
	quality    rest.Connection
	row        *rest.Session // as the stream tells it, while it lives
	status     client.Status
	ahead      time.Duration // how far the server's clock is ahead of this page's
	heard      time.Time     // when the stream last told anything
	asked      time.Time     // when record and quality were answered
	answers    int           // how often
	activities []rest.Activity
	logs       []rest.LogEntry
	speaking   []speech // of the agent, as the stream told it
}

// speech is a stretch in which somebody spoke; To is zero while they do.
type speech struct{ From, To time.Time }

// opened is the picture after the server answered.
func (p picture) opened(record rest.OwnSession, quality rest.Connection) picture {
	p.usage = record.Usage
	p.record, p.quality, p.asked = record.SessionRecord, quality, time.Now()
	p.answers++
	return p
}

// apply brings the picture up to date with one frame that came at now.
func (p picture) apply(f client.Frame, id string, now time.Time) picture {
	switch f := f.(type) {
	case client.Status:
		p.status = f
	case client.Snapshot:
		p = p.stamp(f.T, now)
		p.row = nil
		for i := range f.Sessions {
			p = p.tell(&f.Sessions[i], id)
		}
		if p.row == nil {
			p = p.ended(now)
		}
		for _, a := range f.Activities {
			p = p.note(a, id)
		}
	case client.Sessions:
		p = p.stamp(f.T, now)
		for i := range f.Upsert {
			p = p.tell(&f.Upsert[i], id)
		}
		for _, gone := range f.Remove {
			if gone == id {
				p = p.ended(now)
			}
		}
	case client.Activities:
		p = p.stamp(f.T, now)
		for _, a := range f.Items {
			p = p.note(a, id)
		}
	}
	return p
}

func (p picture) stamp(at, now time.Time) picture {
	p.heard = now
	if !at.IsZero() {
		p.ahead = at.Sub(now)
	}
	return p
}

// tell takes a row of the stream, if it is this session's.
func (p picture) tell(row *rest.Session, id string) picture {
	if row.ID != id {
		return p
	}
	at := time.Now().Add(p.ahead)
	was := p.row != nil && p.row.AgentState == wire.AgentSpeaking
	switch is := row.AgentState == wire.AgentSpeaking; {
	case is && !was:
		p.speaking = append(p.speaking, speech{From: at})
	case was && !is && len(p.speaking) > 0:
		p.speaking[len(p.speaking)-1].To = at
	}
	p.row = row
	if row.EndedAt != nil {
		p.record.EndedAt, p.record.EndCause, p.record.EndReason = row.EndedAt, row.EndCause, row.EndReason
	}
	return p
}

// ended is the picture of a session that the stream doesn't have any more.
func (p picture) ended(now time.Time) picture {
	if p.record.EndedAt == nil && !p.record.StartedAt.IsZero() {
		at := p.clock(now)
		p.record.EndedAt = &at
	}
	p.row = nil
	return p
}

// note keeps an activity of this session, the newest first, as the server lists
// them.
func (p picture) note(a rest.Activity, id string) picture {
	if a.Session != id {
		return p
	}
	for _, known := range p.activities {
		if known.At.Equal(a.At) && known.What == a.What {
			return p
		}
	}
	p.activities = append([]rest.Activity{a}, p.activities...)
	return p
}

// tellsFor is how long what the stream told may stand for the seconds after it: it
// tells changes only, and a page that is hidden isn't told any.
const tellsFor = 20 * time.Second

// addSecond adds to the series what the stream says of this second.
func (p picture) addSecond(now time.Time) picture {
	if p.row == nil || p.status.State != client.Live || now.Sub(p.heard) > tellsFor {
		return p
	}
	at := p.clock(now).Truncate(time.Second)
	p.addPoints(rtcstats.LegCaller, p.row.Metrics, at, p.row.State != wire.StateActive)
	if leg := p.row.AgentLeg; leg != nil {
		p.addPoints(rtcstats.LegAgent, leg.Metrics, at, leg.State != rtcstats.StateConnected)
	}
	return p
}

// addPoints adds a second to the series of one leg.
func (p picture) addPoints(leg rtcstats.Leg, told map[quality.Direction]rest.Metrics, at time.Time, gap bool) {
	for d, m := range told {
		i := p.believed(leg, d)
		if i < 0 {
			continue
		}
		if gap {
			m = rest.Metrics{}
		}
		s := &p.quality.Streams[i]
		if n := len(s.Series); n > 0 && !at.After(s.Series[n-1].At) {
			continue // of this second the server has told already
		}
		s.Latest = m
		s.Series = append(s.Series, rest.Point{At: at, Metrics: m, Gap: gap})
	}
}

// believed is the stream to believe about a direction of a leg: that of the end
// where the audio arrives, else the other's; -1: there is none.
func (p picture) believed(leg rtcstats.Leg, d quality.Direction) int {
	best := -1
	for i, s := range p.quality.Streams {
		if s.Leg != leg || s.Direction != d {
			continue
		}
		arrives := rtcstats.ByServer
		if leg == rtcstats.LegCaller && d == quality.ToCaller {
			arrives = rtcstats.ByClient
		}
		if best < 0 || s.MeasuredBy == arrives {
			best = i
		}
	}
	return best
}

// clock is the server's time at now.
func (p picture) clock(now time.Time) time.Time { return now.Add(p.ahead) }

func (p picture) isLive() bool { return p.record.EndedAt == nil && !p.record.StartedAt.IsZero() }

// verdict is the rating as it is now, or as a whole.
func (p picture) verdict() quality.Verdict {
	if p.row != nil {
		return p.row.Quality
	}
	return p.quality.Rating
}

// hasNewTurns reports whether the stream counts more turns than are shown.
func (p picture) hasNewTurns() bool {
	return p.row != nil && p.row.FirstWord != nil && p.row.FirstWord.Turns > p.quality.Turns.FirstWord.Turns
}

// line is one direction of one leg.
type line struct {
	name   string
	leg    rtcstats.Leg
	at     []int64
	points []rest.Point
}

// lines are those that were measured: the caller's leg, then the agent's, each
// towards the agent (↑) and back (↓).
func (p picture) lines() []line {
	var out []line
	for _, l := range []struct {
		name string
		leg  rtcstats.Leg
		d    quality.Direction
	}{
		{"Caller ↑", rtcstats.LegCaller, quality.ToAgent}, {"Caller ↓", rtcstats.LegCaller, quality.ToCaller},
		{"Agent ↑", rtcstats.LegAgent, quality.ToAgent}, {"Agent ↓", rtcstats.LegAgent, quality.ToCaller},
	} {
		if i := p.believed(l.leg, l.d); i >= 0 && len(p.quality.Streams[i].Series) > 0 {
			points := p.quality.Streams[i].Series
			at := make([]int64, len(points))
			for k := range points {
				at[k] = points[k].At.UnixMilli()
			}
			out = append(out, line{l.name, l.leg, at, points})
		}
	}
	return out
}
