package demodata

import (
	"math"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// measured is one direction of one leg by the word of one end.
type measured struct {
	leg       rtcstats.Leg
	by        rtcstats.MeasuredBy
	direction quality.Direction
	window    rtcstats.Window
	judge     *quality.Judge
	figures   rtcstats.Figures
	latest    rest.Metrics
	chunk     rest.QualityChunk // the minute that is open
}

// call measures a call of the past as the monitor measures a live one: the same
// counters, by the same rates, windows and judges.
type call struct {
	id      string
	at      time.Time // of the second that is being measured
	line    *line
	talk    *talk
	prev    [ends]rtcstats.Sample
	streams [ends][2]*measured // what the end received, what it sent
	chunks  []rest.QualityChunk

	blamer              quality.Blamer
	thinking            time.Duration
	seconds             map[quality.Level]int
	poor                map[quality.Owner]int
	firstWord, silenced quality.Durations
	summary             rest.Summary
	sums                map[**rest.Range]int // figures in each average of summary
	used                rest.Usage
	turns               []rest.TurnRecord
	level               quality.Level
	changes             []levelChange
}

// levelChange is when the line came to stand at another level.
type levelChange struct {
	at    time.Time
	level quality.Level
	fell  bool
}

func newCall(id string, startedAt time.Time, l *line, t *talk) *call {
	c := &call{
		id: id, at: startedAt, line: l, talk: t, seconds: make(map[quality.Level]int), poor: make(map[quality.Owner]int), sums: make(map[**rest.Range]int),
	}
	for end, of := range [ends]struct {
		leg     rtcstats.Leg
		by      rtcstats.MeasuredBy
		in, out quality.Direction
	}{
		{rtcstats.LegCaller, rtcstats.ByClient, quality.ToCaller, quality.ToAgent},
		{rtcstats.LegCaller, rtcstats.ByServer, quality.ToAgent, quality.ToCaller},
		{rtcstats.LegAgent, rtcstats.ByServer, quality.ToCaller, quality.ToAgent},
	} {
		for i, d := range [2]quality.Direction{of.in, of.out} {
			c.streams[end][i] = &measured{leg: of.leg, by: of.by, direction: d, judge: quality.NewJudge(d)}
		}
	}
	return c
}

// measureSecond measures one more second of the call.
func (c *call) measureSecond() {
	c.at = c.at.Add(time.Second)
	c.count(c.talk.next(c.at))
	for end, sample := range c.line.next(c.at) {
		if c.prev[end].Timestamp > 0 {
			i := rtcstats.Rates(c.prev[end], sample)
			c.addFlow(c.streams[end][0], i.At, i.In)
			c.addFlow(c.streams[end][1], i.At, i.Out)
		}
		c.prev[end] = sample
	}
	c.rate()
}

// count takes what was said in the second.
func (c *call) count(s talkStep) {
	c.thinking += time.Second
	if s.state != wire.AgentThinking {
		c.thinking = 0
	}
	for _, turn := range s.turns {
		c.firstWord.Add(turn.Wait())
	}
	for _, turn := range s.ended {
		c.turns = append(c.turns, rest.TurnRecord{Session: c.id, Turn: &turn})
	}
	for _, i := range s.spoken {
		c.silenced.Add(i.Lasted())
		c.turns = append(c.turns, rest.TurnRecord{Session: c.id, Interruption: &i})
	}
	c.used.Add(s.used)
}

func (c *call) addFlow(m *measured, at float64, f rtcstats.Flow) {
	f = m.window.Add(at, f).WithMissed()
	m.figures = m.window.Figures()
	_, score := m.judge.Next(m.figures)
	m.latest = round(rest.NewMetrics(m.figures, score))
	if len(m.chunk.Points) == 0 {
		m.chunk = rest.QualityChunk{Session: c.id, Leg: m.leg, Direction: m.direction, MeasuredBy: m.by, Start: c.at}
	}
	m.chunk.Points = append(m.chunk.Points, rest.Point{At: c.at, Metrics: m.latest})
	m.chunk.Received += f.Packets
	m.chunk.Lost += f.Lost
	m.chunk.Bytes += f.Bytes
	if len(m.chunk.Points) == chunkSeconds {
		c.closeChunk(m)
	}
}

// round leaves what figures are told with.
func round(m rest.Metrics) rest.Metrics {
	for _, v := range []*float64{m.JitterMS, m.RTTMS, m.BufferMS, m.DelayMS, m.R} {
		if v != nil {
			*v = math.Round(*v*10) / 10
		}
	}
	for _, v := range []*float64{m.LossRatio, m.ConcealedRatio} {
		if v != nil {
			*v = math.Round(*v*10_000) / 10_000
		}
	}
	if m.MOS != nil {
		*m.MOS = math.Round(*m.MOS*100) / 100
	}
	return m
}

// chunkSeconds is how long a chunk is: as the monitor makes them.
const chunkSeconds = 60

func (c *call) closeChunk(m *measured) {
	if len(m.chunk.Points) > 0 {
		c.chunks = append(c.chunks, m.chunk)
	}
	m.chunk = rest.QualityChunk{}
}

// rate says of the second how good it was, and whose it was if it was poor. Each
// direction of the caller's leg is believed where the audio arrives.
func (c *call) rate() {
	caller := [2]*measured{c.streams[endServer][0], c.streams[endClient][0]}
	verdict := quality.Worst(caller[0].judge.Verdict(), caller[1].judge.Verdict())
	if verdict.Level == quality.None {
		return
	}
	c.seconds[verdict.Level]++
	c.noteLevel(verdict.Level)
	second := quality.Second{
		Caller:     map[quality.Direction]rtcstats.Figures{},
		Agent:      map[quality.Direction]rtcstats.Figures{},
		ThinkingMS: float64(c.thinking.Milliseconds()),
	}
	for i, m := range caller {
		second.Caller[m.direction] = m.figures
		agent := c.streams[endAgent][i]
		second.Agent[agent.direction] = agent.figures
		c.summarize(m.latest)
	}
	if owner := c.blamer.Next(second); owner != quality.OwnerNone {
		c.poor[owner]++
	}
}

// noteLevel notes a change of level, as the monitor tells one.
func (c *call) noteLevel(l quality.Level) {
	if was := c.level; was != "" && l != was {
		c.changes = append(c.changes, levelChange{c.at, l, l.Bars() < was.Bars()})
	}
	c.level = l
}

// summarize takes a second's figures into the smallest, largest and average ones.
func (c *call) summarize(m rest.Metrics) {
	s := &c.summary
	for _, f := range []struct {
		of    **rest.Range
		value *float64
	}{
		{&s.LossRatio, m.LossRatio}, {&s.JitterMS, m.JitterMS}, {&s.RTTMS, m.RTTMS}, {&s.BufferMS, m.BufferMS},
		{&s.DelayMS, m.DelayMS}, {&s.R, m.R}, {&s.MOS, m.MOS},
	} {
		if f.value == nil {
			continue
		}
		v := *f.value
		if *f.of == nil {
			*f.of = &rest.Range{Min: v, Max: v}
		}
		c.sums[f.of]++
		r, n := *f.of, float64(c.sums[f.of])
		r.Min, r.Max, r.Avg = min(r.Min, v), max(r.Max, v), r.Avg+(v-r.Avg)/n
	}
}

// finish closes what is open and gives what the call was like.
func (c *call) finish() rest.RecordQuality {
	q := rest.RecordQuality{
		Level: quality.None, Summary: c.summary, Seconds: c.seconds, PoorSeconds: c.poor,
		Turns: rest.TurnSummary{FirstWord: rest.NewFirstWord(&c.firstWord), Silenced: rest.NewSilenced(&c.silenced)},
	}
	longest := 0
	for _, l := range []quality.Level{quality.Poor, quality.Fair, quality.Good, quality.Excellent} {
		if c.seconds[l] > longest {
			q.Level, longest = l, c.seconds[l]
		}
	}
	for end := range c.streams {
		for _, m := range c.streams[end] {
			c.closeChunk(m)
		}
	}
	if c.talk.state == wire.AgentSpeaking { // the answer that the end cut off
		c.turns = append(c.turns, rest.TurnRecord{Session: c.id, Turn: &c.talk.turn})
	}
	q.BytesReceived = c.prev[endServer].Inbound.BytesReceived
	q.BytesSent = c.prev[endServer].Outbound.BytesSent
	return q
}
