package quality

// Where the levels begin, in R (ITU-T G.109).
const (
	ExcellentR = 80
	GoodR      = 70
	FairR      = 60
)

// LevelOf is the band that R falls into.
func LevelOf(r float64) Level {
	switch {
	case r >= ExcellentR:
		return Excellent
	case r >= GoodR:
		return Good
	case r >= FairR:
		return Fair
	}
	return Poor
}

// Bars is how many of four bars a level draws; None draws none.
func (l Level) Bars() int {
	switch l {
	case Excellent:
		return 4
	case Good:
		return 3
	case Fair:
		return 2
	case Poor:
		return 1
	}
	return 0
}

func levelOfBars(n int) Level {
	return [...]Level{None, Poor, Fair, Good, Excellent}[min(max(n, 0), 4)]
}

// Metric is a figure with bands of its own. They colour cells and name reasons;
// they never set the level.
type Metric int

// The metrics with bands, in ms or (the last two) percent.
const (
	MetricDelay   Metric = iota // mouth to ear
	MetricRTT                   // round trip
	MetricJitter                // RFC 3550
	MetricBuffer                // receiver's jitter buffer
	MetricLoss                  // over ten seconds
	MetricConceal               // concealed audio
)

// Band is the band that a metric's value falls into.
func Band(m Metric, v float64) Level {
	edges, ok := map[Metric][3]float64{
		MetricDelay:   {150, 250, 400},
		MetricRTT:     {150, 250, 400},
		MetricJitter:  {10, 20, 30},
		MetricBuffer:  {60, 120, 200},
		MetricLoss:    {1, 3, 5},
		MetricConceal: {1, 3, 7},
	}[m]
	if !ok || v != v {
		return None
	}
	for i, edge := range edges {
		if v < edge {
			return levelOfBars(4 - i)
		}
	}
	return Poor
}
