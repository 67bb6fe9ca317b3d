package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/quality"
)

// RibbonSecond is one second of a call.
type RibbonSecond struct {
	You, Agent float64 // loudness of each side, 0 (silent) to 1
	Waiting    bool    // the agent was thinking
	Level      quality.Level
	Gap        bool // the line was not measured
	Paused     bool // your microphone was, by your device
	Muted      bool // it was, by you
}

// RibbonWait is a wait for the agent's first word, which came at End, in columns from the
// ribbon's beginning, after so many of them.
type RibbonWait struct {
	End, Length float64
	Level       quality.Level // the band that it fell into
}

// Ribbon is a call drawn over time in three lanes: you, the agent, the line.
// Low bars of the line are good ones: trouble stands out.
type Ribbon struct {
	Seconds []RibbonSecond // oldest first
	Waits   []RibbonWait
	Span    int    // seconds the ribbon is wide
	Label   string // the sentence for screen readers
}

const (
	ribbonStep  = 100 // a second's width, in tenths
	ribbonWidth = 64  // of a bar
	laneHeight  = 200
	laneGap     = 60
)

// UI draws the ribbon: one path a lane, and one a level on the third.
func (r Ribbon) UI() app.UI {
	var you, agent, waiting, gaps pathBuilder
	line := map[string]*pathBuilder{"q1": {}, "q2": {}, "q3": {}, "q4": {}}
	first := r.Span - len(r.Seconds)
	for i, s := range r.Seconds {
		x := (first+i)*ribbonStep + (ribbonStep-ribbonWidth)/2
		addLoudness(&you, x, laneBottom(0), s.You)
		switch {
		case s.Paused:
			gaps.bar(x, laneBottom(0), ribbonWidth, 20)
		case s.Muted && s.You <= 0:
			waiting.bar(x, laneBottom(0), ribbonWidth, 20)
		}
		addLoudness(&agent, x, laneBottom(1), s.Agent)
		if s.Waiting && s.Agent <= 0 {
			waiting.bar(x, laneBottom(1), ribbonWidth, 20)
		}
		if s.Gap {
			gaps.bar(x, laneBottom(2), ribbonWidth, 20)
			continue
		}
		if p := line[levelClass(s.Level)]; p != nil {
			p.bar(x, laneBottom(2), ribbonWidth, lineHeight(s.Level))
		}
	}
	return r.frame(you, agent, waiting, gaps, line)
}

// leastWait is how narrow a wait is drawn at least.
const leastWait = 24

// waits draws those of a band, each as long as it was. Longer bands stand higher: colour
// alone says nothing.
func (r Ribbon) waits(level quality.Level) string {
	var p pathBuilder
	first := r.Span - len(r.Seconds)
	for _, w := range r.Waits {
		if w.Level != level {
			continue
		}
		end := int((float64(first) + w.End) * ribbonStep)
		from := max(end-max(int(w.Length*ribbonStep), leastWait), 0)
		p.bar(from, laneBottom(1), end-from, (6-level.Bars())*laneHeight/7)
	}
	return p.String()
}

func (r Ribbon) frame(you, agent, waiting, gaps pathBuilder, line map[string]*pathBuilder) app.UI {
	width := r.Span * ribbonStep
	height := laneBottom(2) + 10
	body := make([]app.UI, 0, 15)
	for lane := range 3 {
		body = append(body, Path("ribbon-base", laneLine(width, laneBottom(lane))))
	}
	body = append(body,
		Path("ribbon-you", you.String()),
		Path("ribbon-agent", agent.String()),
		Path("ribbon-wait", waiting.String()),
		Path("ribbon-wait q4", r.waits(quality.Excellent)),
		Path("ribbon-wait q3", r.waits(quality.Good)),
		Path("ribbon-wait q2", r.waits(quality.Fair)),
		Path("ribbon-wait q1", r.waits(quality.Poor)),
		Path("ribbon-gap", gaps.String()),
		Path("ribbon-line q4", line["q4"].String()),
		Path("ribbon-line q3", line["q3"].String()),
		Path("ribbon-line q2", line["q2"].String()),
		Path("ribbon-line q1", line["q1"].String()),
	)
	return app.Div().Class("ribbon").Role("img").Aria("label", r.Label).Body(
		app.Div().Class("ribbon-lanes").Aria("hidden", true).Body(
			app.Span().Text("You"), app.Span().Text("Agent"), app.Span().Text("Line"),
		),
		SVG("svg").Class("ribbon-chart").
			Attr("viewBox", viewBox(width, height)).
			Attr("preserveAspectRatio", "none").
			Aria("hidden", true).Attr("focusable", "false").
			Body(body...),
	)
}

func laneBottom(lane int) int { return laneHeight + lane*(laneHeight+laneGap) }

func laneLine(width, y int) string {
	var p pathBuilder
	p.to('M', 0, y)
	p.to('L', width, y)
	return p.String()
}

func addLoudness(p *pathBuilder, x, bottom int, loud float64) {
	if loud > 0 {
		p.bar(x, bottom, ribbonWidth, 30+int(min(loud, 1)*(laneHeight-30)))
	}
}

func lineHeight(l quality.Level) int {
	switch l {
	case quality.Excellent:
		return 30
	case quality.Good:
		return 70
	case quality.Fair:
		return 130
	}
	return laneHeight
}
