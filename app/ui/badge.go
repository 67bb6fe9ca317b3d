package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/quality"
)

// Badge shows a rating: bars, word, and with a number the estimated MOS. The
// word is always there, so that colour never stands alone.
func Badge(v quality.Verdict, number bool) app.UI {
	word := LevelWord(v.Level)
	text := []app.UI{app.Span().Class("badge-word").Text(word)}
	if number && v.Level != quality.None && v.Level != "" {
		text = append(text, app.Span().Class("badge-number num").DataSet("live", LiveText).Text(MOS(v.MOS)))
	}
	return app.Span().Class("badge", levelClass(v.Level)).DataSet("live", "title").
		Title(BadgeTitle(v)).
		Body(append([]app.UI{Bars(v.Level)}, text...)...)
}

// AppendBadge appends the live values of a Badge with a number, as it is drawn.
func AppendBadge(values []string, v quality.Verdict) []string {
	values = append(values, BadgeTitle(v))
	if v.Level != quality.None && v.Level != "" {
		values = append(values, MOS(v.MOS))
	}
	return values
}

// Bars draws the four bars of a level, the missing ones as outlines.
func Bars(level quality.Level) app.UI {
	full := levelBars(level)
	bars := make([]app.UI, 4)
	for i := range bars {
		class := "bar"
		if i >= full {
			class = "bar bar-off"
		}
		height := 5 + 3*i
		bars[i] = SVG("rect").Class(class).
			Attr("x", 1+5*i).Attr("y", 15-height).
			Attr("width", 3).Attr("height", height).Attr("rx", 1)
	}
	return SVG("svg").Class("bars", levelClass(level)).
		Attr("viewBox", "0 0 20 16").Aria("hidden", true).Attr("focusable", "false").
		Body(bars...)
}

func levelBars(l quality.Level) int {
	switch l {
	case quality.Excellent:
		return 4
	case quality.Good:
		return 3
	case quality.Fair:
		return 2
	case quality.Poor:
		return 1
	}
	return 0
}

// levelClass sets the colour of a level: q4 excellent to q1 poor, q0 no data.
func levelClass(l quality.Level) string { return "q" + string(rune('0'+levelBars(l))) }
