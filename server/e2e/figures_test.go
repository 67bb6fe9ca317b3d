package e2e_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"parley/shared/quality"
	"parley/shared/rest"
)

// figures are a line's round trip and jitter in ms and loss in percent. One that isn't
// shown is not a number.
type figures struct{ rtt, toAgent, toCaller, jitterUp, jitterDown float64 }

// unknown are figures of which none is shown.
func unknown() figures {
	nan := math.NaN()
	return figures{nan, nan, nan, nan, nan}
}

func (f figures) String() string {
	return fmt.Sprintf("round trip %.1f ms, lost %.2f %% to the agent and %.2f %% to the caller, jitter %.1f and %.1f ms", f.rtt, f.toAgent, f.toCaller, f.jitterUp, f.jitterDown)
}

// meanOf is the mean of each figure.
func meanOf(all []figures) (mean figures) {
	n := float64(len(all))
	for _, f := range all {
		mean.rtt += f.rtt / n
		mean.toAgent += f.toAgent / n
		mean.toCaller += f.toCaller / n
		mean.jitterUp += f.jitterUp / n
		mean.jitterDown += f.jitterDown / n
	}
	return mean
}

// figures reads the page's table of details: a row a figure, a column a
// direction.
func (s *screen) figures() figures {
	out := unknown()
	rows := evaluate[[][]string](s, "[...document.querySelectorAll('table tr')].map(r => [...r.cells].map(c => c.innerText.trim()))")
	for _, row := range rows {
		if len(row) != 3 {
			continue
		}
		switch row[0] {
		case "Lost":
			out.toAgent, out.toCaller = number(row[1]), number(row[2])
		case "Jitter":
			out.jitterUp, out.jitterDown = number(row[1]), number(row[2])
		case "Round trip":
			out.rtt = number(row[1])
			if math.IsNaN(out.rtt) {
				out.rtt = number(row[2])
			}
		}
	}
	return out
}

// number reads a figure as the pages write them: "81 ms", "3.1 %", "–".
func number(text string) float64 {
	if strings.HasPrefix(text, "<") {
		return 0 // less than the smallest that is shown
	}
	v, err := strconv.ParseFloat(before(text, " "), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// near tells if two figures are there and within so much of each other.
func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

// latest is what the API says now: each direction's loss as its receiver
// counted it, and the round trip as the caller's browser measured it.
func (s *server) latest(t *testing.T, id string) figures {
	return figuresOf(s.connection(t, id, ""), func(stream rest.StreamQuality) (rtt, loss, jitter float64) {
		return value(stream.Latest.RTTMS), value(stream.Latest.LossRatio), value(stream.Latest.JitterMS)
	})
}

// figuresOf picks the caller's leg out of what the API says of a session.
func figuresOf(c rest.Connection, pick func(rest.StreamQuality) (rtt, loss, jitter float64)) figures {
	out := unknown()
	for _, stream := range c.Streams {
		if stream.Leg != "caller" {
			continue
		}
		rtt, loss, jitter := pick(stream)
		switch {
		case stream.Direction == quality.ToAgent && stream.MeasuredBy == "server":
			out.toAgent, out.jitterUp = 100*loss, jitter
		case stream.Direction == quality.ToCaller && stream.MeasuredBy == "client":
			out.rtt, out.toCaller, out.jitterDown = rtt, 100*loss, jitter
		}
	}
	return out
}

func value(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
