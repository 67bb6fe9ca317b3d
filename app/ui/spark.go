package ui

import (
	"math"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/quality"
)

// Spark is a small line of the last minute, 72 × 20, with a dot at its end in
// the colour of Level.
type Spark struct {
	Values []float64 // oldest first; NaN, or 0 with ZeroIsGap, is a gap
	// ZeroIsGap tells that 0 means "not measured", as in rest.Session.MOSTrend.
	ZeroIsGap bool
	Low, High float64 // of the axis; equal ones fit the values
	Level     quality.Level
	Label     string // said to screen readers, such as "MOS last minute: 4.1, lowest 3.2"
}

const (
	sparkWidth, sparkHeight = 720, 200 // in tenths
	sparkMargin             = 25
)

// UI draws the line. Gaps break it.
func (s Spark) UI() app.UI {
	d, x, y := s.path()
	body := []app.UI{Path("spark-line", d).DataSet("live", "d")}
	if x >= 0 {
		body = append(body, SVG("circle").Class("spark-dot").DataSet("live", "cx cy").
			Attr("cx", x).Attr("cy", y).Attr("r", 25))
	}
	return SVG("svg").Class("spark "+levelClass(s.Level)).
		Attr("viewBox", "0 0 720 200").
		Role("img").Aria("label", s.Label).DataSet("live", "class aria-label").
		Body(body...)
}

// AppendLive appends the live values of the line, as it is drawn.
func (s Spark) AppendLive(values []string) []string {
	d, x, y := s.path()
	values = append(values, "spark "+levelClass(s.Level), s.Label, d)
	if x >= 0 {
		values = append(values, strconv.Itoa(x), strconv.Itoa(y))
	}
	return values
}

// path gives the line and the place of its last value (x is -1 without one).
func (s Spark) path() (d string, endX, endY int) {
	low, high := s.bounds()
	var p pathBuilder
	endX = -1
	pen := byte('M')
	for i, v := range s.Values {
		if s.isGap(v) {
			pen = 'M'
			continue
		}
		x := sparkMargin + i*(sparkWidth-2*sparkMargin)/max(len(s.Values)-1, 1)
		share := (min(max(v, low), high) - low) / (high - low)
		y := sparkHeight - sparkMargin - int(share*(sparkHeight-2*sparkMargin))
		p.to(pen, x, y)
		pen = 'L'
		endX, endY = x, y
	}
	return p.String(), endX, endY
}

func (s Spark) bounds() (low, high float64) {
	if s.High > s.Low {
		return s.Low, s.High
	}
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range s.Values {
		if !s.isGap(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	if !(high > low) { // flat, or nothing at all: the line runs in the middle
		half := max(1, math.Abs(low)/1000) // of a large value, 1 would be lost
		return low - half, low + half
	}
	return low, high
}

func (s Spark) isGap(v float64) bool { return !isFinite(v) || s.ZeroIsGap && v == 0 }
