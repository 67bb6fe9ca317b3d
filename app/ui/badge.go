package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/quality"
)

// Badge shows a rating: bars, word, and with a number the estimated MOS. The
// word is always there, so that colour never stands alone.
func Badge(v quality.Verdict, number bool) app.UI {
	word := LevelWord(v.Level)
	text := []app.UI{app.Span().Class("badge-word").DataSet("live", LiveText).Text(word)}
	if number && v.Level.Bars() > 0 {
		text = append(text, app.Span().Class("badge-number num").DataSet("live", LiveText).Text(MOS(v.MOS)))
	}
	return app.Span().Class("badge "+levelClass(v.Level)).DataSet("live", "class title").
		Title(BadgeTitle(v)).
		Body(append([]app.UI{bars(v.Level).DataSet("live", "class")}, text...)...)
}

// AppendBadge appends the live values of a Badge with a number, as it is drawn.
func AppendBadge(values []string, v quality.Verdict) []string {
	values = append(values, "badge "+levelClass(v.Level), BadgeTitle(v), barsClass(v.Level), LevelWord(v.Level))
	if v.Level.Bars() > 0 {
		values = append(values, MOS(v.MOS))
	}
	return values
}

// Bars draws the four bars of a level, the missing ones as outlines: which those are, the
// style sheet knows by the level's class.
func Bars(level quality.Level) app.UI { return bars(level) }

func bars(level quality.Level) app.HTMLElem {
	bars := make([]app.UI, 4)
	for i := range bars {
		height := 5 + 3*i
		bars[i] = SVG("rect").Class("bar").
			Attr("x", 1+5*i).Attr("y", 15-height).
			Attr("width", 3).Attr("height", height).Attr("rx", 1)
	}
	return SVG("svg").Class(barsClass(level)).
		Attr("viewBox", "0 0 20 16").Aria("hidden", true).Attr("focusable", "false").
		Body(bars...)
}

func barsClass(l quality.Level) string { return "bars " + levelClass(l) }

// levelClass sets the colour of a level: q4 excellent to q1 poor, q0 no data.
func levelClass(l quality.Level) string { return "q" + string(rune('0'+l.Bars())) }
