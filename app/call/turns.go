package call

import (
	"slices"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// maxAnswers is how many answers of a call the page keeps: as many as the server does.
const maxAnswers = rest.MaxTurns

// applyState takes up how long the agent's newest answer took, beside the state itself.
// It is told of and drawn; no rating has it.
func applyState(p Picture, st wire.State) Picture {
	known := p.Talk.State.Turn
	p.Talk.State = st
	if st.Turn == nil || known != nil && known.Number >= st.Turn.Number {
		return p
	}
	p.Talk.Answers = append(slices.Clone(p.Talk.Answers[max(0, len(p.Talk.Answers)-maxAnswers+1):]), *st.Turn)
	if n := len(p.Talk.Whole); n > 0 && n < maxWhole {
		p.Talk.held = 0
		p.Talk.Waits = append(slices.Clone(p.Talk.Waits), ui.RibbonWait{
			End: float64(beganToSpeak(p.Talk.Whole)), Length: st.Turn.WaitMS / 1000, Level: quality.FirstWordLevel(st.Turn.WaitMS),
		})
	}
	return p
}

// stateDelay is how many seconds a state may come after what it tells of.
const stateDelay = 3

// beganToSpeak is the second in which the agent was heard first, of the newest ones; the
// one to come where it wasn't yet.
func beganToSpeak(seconds []ui.RibbonSecond) int {
	for i := len(seconds) - 1; i > 0 && i >= len(seconds)-stateDelay; i-- {
		if seconds[i].Agent > 0 && seconds[i-1].Agent <= 0 {
			return i
		}
	}
	return len(seconds)
}

// holdWait has the newest wait end where the agent is heard, if that is not yet: the
// server tells of an answer as its first packet passes, which the ear hears after.
func (t Talk) holdWait(next ui.RibbonSecond) Talk {
	n := len(t.Waits) - 1
	if n < 0 || next.Agent > 0 || int(t.Waits[n].End) != len(t.Whole) || t.held >= stateDelay {
		return t
	}
	t.Waits = slices.Clone(t.Waits)
	t.Waits[n].End++
	t.held++
	return t
}

// waitsFrom are those of a ribbon that begins at a later second, and whose columns are so
// many seconds each.
func waitsFrom(all []ui.RibbonWait, second int, each float64) []ui.RibbonWait {
	var out []ui.RibbonWait
	for _, w := range all {
		w.End, w.Length = (w.End-float64(second))/each, w.Length/each
		if w.End > 0 {
			out = append(out, w)
		}
	}
	return out
}

// answerOf is a turn of the record as the socket tells it.
func answerOf(t rest.Turn) wire.AgentTurn {
	return wire.AgentTurn{
		Number: t.Number, WaitMS: t.WaitMS, SilenceWindowMS: t.SilenceWindowMS,
		NetworkMS: t.NetworkMS, ToolsMS: t.ToolsMS, ModelMS: t.ModelMS,
	}
}

// answerRows lists how long the agent took to begin, each in its parts.
func answerRows(answers []wire.AgentTurn) app.UI {
	longest := 1.0
	for _, a := range answers {
		longest = max(longest, a.WaitMS)
	}
	rows := make([]app.UI, len(answers))
	for i, a := range answers {
		level := quality.FirstWordLevel(a.WaitMS)
		parts := ui.Wait{SilenceMS: a.SilenceWindowMS, NetworkMS: a.NetworkMS, ToolsMS: a.ToolsMS, ModelMS: a.ModelMS}
		rows[i] = app.Li().Body(
			app.Span().Class("num muted").Text(strconv.Itoa(a.Number)),
			parts.Bar(longest),
			app.Span().Class("num wait-ms", "q"+strconv.Itoa(level.Bars())).Title(ui.LevelWord(level)).Text(ui.Millis(a.WaitMS)),
		)
	}
	return app.Ol().Class("answers").Body(rows...)
}

// latestAnswers is how many the details have.
const latestAnswers = 6

// answers is the part of the details about the agent's own time, the newest answer first.
func (c *Page) answers() app.UI {
	newest := slices.Clone(c.p.Talk.Answers[max(0, len(c.p.Talk.Answers)-latestAnswers):])
	slices.Reverse(newest)
	body := []app.UI{app.H3().Class("drawer-title").Text("Time to first word")}
	if len(newest) == 0 {
		return app.Div().Class("drawer-part").Body(append(body, app.P().Class("drawer-text").Text(ui.Copy("no_answers").Text))...)
	}
	return app.Div().Class("drawer-part").Body(append(body, answerRows(newest), ui.WaitLegend())...)
}

// columnsOf are the lanes of a call's ribbon by what was kept: the line by its worse
// direction, and who spoke by its turns, which know no loudness.
func columnsOf(c rest.Connection, begun, ended time.Time) ([]ui.RibbonSecond, []ui.RibbonWait) {
	points := worsePoints(c)
	step := stepOf(points)
	if begun.IsZero() || !ended.After(begun) || len(points)+len(c.Turns.Latest) == 0 {
		return nil, nil
	}
	columns := make([]ui.RibbonSecond, min(int((ended.Sub(begun)+step-1)/step), maxWhole))
	drawLine(columns, points, begun, step)
	var waits []ui.RibbonWait
	for i, t := range c.Turns.Latest {
		first := t.EndOfSpeech.Add(t.Wait())
		if t.Started != nil {
			drawSpeech(columns, t.Started.Sub(begun), t.EndOfSpeech.Sub(begun), step, func(s *ui.RibbonSecond) *float64 { return &s.You })
		}
		until := ended // the call ended while the agent spoke
		if t.AgentSpokeMS != nil {
			until = first.Add(time.Duration(*t.AgentSpokeMS * float64(time.Millisecond)))
		}
		if t.AgentSpokeMS != nil || i == len(c.Turns.Latest)-1 {
			drawSpeech(columns, first.Sub(begun), until.Sub(begun), step, func(s *ui.RibbonSecond) *float64 { return &s.Agent })
		}
		waits = append(waits, ui.RibbonWait{
			End: float64(first.Sub(begun)) / float64(step), Length: float64(t.Wait()) / float64(step), Level: quality.FirstWordLevel(t.WaitMS),
		})
	}
	return columns, waits
}

// drawLine draws the points into their columns. One that no point fell into, between two
// that have some, is only rounded.
func drawLine(columns []ui.RibbonSecond, points []pointLevel, begun time.Time, step time.Duration) {
	has := make([]bool, len(columns))
	for _, p := range points {
		at := int(p.at.Sub(begun) / step)
		if at < 0 || at >= len(columns) {
			continue
		}
		columns[at].Level, columns[at].Gap, has[at] = p.level, p.level == quality.None, true
	}
	for i := range columns {
		switch {
		case has[i]:
		case i > 0 && i+1 < len(columns) && has[i-1] && has[i+1]:
			columns[i].Level, columns[i].Gap = columns[i-1].Level, columns[i-1].Gap
		default:
			columns[i].Gap = true
		}
	}
}

// spokeLoud is how high a column is in which somebody spoke all the time.
const spokeLoud = 0.75

// drawSpeech draws who spoke, by how much of each column they did.
func drawSpeech(columns []ui.RibbonSecond, from, to, step time.Duration, lane func(*ui.RibbonSecond) *float64) {
	for i := max(0, int(from/step)); i < len(columns) && time.Duration(i)*step < to; i++ {
		begins, ends := max(from, time.Duration(i)*step), min(to, time.Duration(i+1)*step)
		loud := lane(&columns[i])
		*loud = min(*loud+spokeLoud*float64(ends-begins)/float64(step), spokeLoud)
	}
}
