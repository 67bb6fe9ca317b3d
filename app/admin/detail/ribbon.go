package detail

import (
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/app/ui/chart"
	"parley/shared/quality"
)

// ribbon is the whole call in lanes.
func (p *Page) ribbon(now time.Time) app.UI {
	s := p.shown
	r := &chart.Ribbon{Label: s.ribbonSentence(now), Time: &p.line, Events: s.marks(), Agent: s.agentBlocks(now)}
	for _, t := range s.quality.Turns.Latest {
		end, first := t.EndOfSpeech.UnixMilli(), firstWordAt(t).UnixMilli()
		r.Waits = append(r.Waits, chart.Block{From: end, To: first, Level: quality.FirstWordLevel(t.WaitMS), Text: "first word after " + ui.Millis(t.WaitMS)})
		if t.Started != nil {
			r.You = append(r.You, chart.Block{From: t.Started.UnixMilli(), To: end, Text: "caller speaks"})
		}
	}
	for _, run := range s.levels() {
		b := chart.Block{From: run.from.UnixMilli(), To: run.to.UnixMilli(), Level: run.level, Text: "line " + lineWord(run.level)}
		r.Line = append(r.Line, b)
		if run.owner != quality.OwnerNone {
			b.Text = ownerWord(run.owner)
			r.Owners = append(r.Owners, b)
		}
	}
	r.Beside = ui.Button(ui.Quiet, ui.IconList, "List turns").Class("chart-switch").OnClick(p.toTab(tabTurns))
	return app.Div().Class("panel detail-ribbon").Body(r)
}

func lineWord(l quality.Level) string {
	if l.Bars() == 0 {
		return "not measured"
	}
	return string(l)
}

// agentBlocks are when the agent spoke: by its turns, and since the last of them
// that is known as the stream told it.
func (p picture) agentBlocks(now time.Time) []chart.Block {
	var out []chart.Block
	known := time.Time{}
	for _, t := range p.quality.Turns.Latest {
		first := firstWordAt(t)
		if t.AgentSpokeMS == nil {
			continue
		}
		known = first.Add(time.Duration(*t.AgentSpokeMS * float64(time.Millisecond)))
		out = append(out, chart.Block{From: first.UnixMilli(), To: known.UnixMilli(), Text: "agent speaks"})
	}
	for _, s := range p.speaking {
		to := s.To
		if to.IsZero() {
			to = p.clock(now)
		}
		if to.After(known.Add(time.Second)) { // what the stream tells is as late as its second
			out = append(out, chart.Block{From: s.From.UnixMilli(), To: to.UnixMilli(), Text: "agent speaks"})
		}
	}
	return out
}

// ribbonSentence says what the ribbon shows.
func (p picture) ribbonSentence(now time.Time) string {
	turns := p.quality.Turns.FirstWord.Turns
	text := "Ribbon of the call: " + ui.DurationWords(lengthOf(p.record, p.clock(now))) + ", "
	if turns == 1 {
		return text + "1 turn. " + p.sentence(now)
	}
	return text + strconv.Itoa(turns) + " turns. " + p.sentence(now)
}
