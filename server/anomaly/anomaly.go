// Package anomaly owns what is usual: it learns, from what each hour of past weeks
// came to, what an hour of the week (UTC) usually looks like, and tells when the newest
// minutes are worse than that. Numbers in, findings out: it knows no clock, keeps nothing
// on a disk and asks nobody; who feeds it says what time it is.
package anomaly

import (
	"time"

	"parley/shared/rest"
)

// How much of the past is needed, and looked at.
const (
	// Span is how much of the past counts: eight values of each hour of the week, of
	// which three may be of days that went wrong.
	Span = 8 * 7 * 24 * time.Hour
	// MinWeeks is how many values of an hour of the week it takes until it is judged by
	// its own: of four, the median stands though one was bad.
	MinWeeks = 4
	// MinDays is how many values of an hour of the day stand in for it until then: a
	// week's, so that a Sunday is among them.
	MinDays = 7
	// MinHours is how many hours of any kind stand in for those: two days. Before, there
	// is nothing to be told.
	MinHours = 48
)

// When a figure isn't as usual any more, and when it is again.
const (
	// Threshold is how many usual deviations the present must be off. By chance alone a
	// figure of this many series goes there about once in some weeks.
	Threshold = 4
	// rareThreshold is that of what happens a few times an hour: a fault takes hours to get
	// there, and chance hardly does.
	rareThreshold = 3.2
	// EndThreshold is where it may count as usual again: lower, so that what wavers about
	// the threshold is told once.
	EndThreshold = 2
	// RaiseMinutes in a row over Threshold begin a finding, EndMinutes below EndThreshold
	// end it: a quick window's length, so that it has seen no minute of before.
	RaiseMinutes = 3
	EndMinutes   = 15
	// NewUsual is after how long what isn't as usual is the new usual: over a weekend
	// somebody should have seen it. What was learned before is forgotten then.
	NewUsual = 72 * time.Hour
	// QuickMinutes, SlowMinutes and LongMinutes are the windows that are judged: the quick
	// one sees what is bad soon, the others what is less so, or on a server with few calls.
	QuickMinutes = 15
	SlowMinutes  = 60
	LongMinutes  = 240
)

// Limits of what is kept apart.
const (
	// MaxOrigins bounds the networks and organizations that are told apart in a minute;
	// refused sign-ins of more count with all alone.
	MaxOrigins = 10_000
	// MaxOrgs bounds the organizations that are learned of by themselves.
	MaxOrgs = 1_000
)

// Units of values.
const (
	unitRatio   = "ratio"
	unitSeconds = "s"
	unitMOS     = "mos"
	unitPerHour = "per_hour"
	unitCount   = "count"
)

// series is one figure that has a usual value.
type series struct {
	name string
	unit string
	// isCount: things counted against what they could be of (calls, hours), rather than
	// the mean of measured values.
	isCount bool
	isLow   bool // worse is lower, not higher
	// minChange is how far off the usual it must be, in its unit, and minTimes how many
	// times it: what nobody would notice isn't told.
	minChange, minTimes float64
	// minCount is the least that must have happened in a window, minWeight what it must
	// be of: of less, anything is chance.
	minCount, minWeight float64
	// minHourWeight is what an hour must be of to be learned from.
	minHourWeight float64
	// valuesPerCall: how many of the values are of one call, and so say the same. Their
	// mean is as sure as that of so many fewer.
	valuesPerCall float64
	// minSpread is the least that counts as a usual deviation of hours, in its unit.
	minSpread float64
	// threshold is how many usual deviations are told; 0 is Threshold.
	threshold float64
}

// kinds are all series, in the order in which they are told.
func kinds() []series {
	return []series{
		{name: rest.AnomalyFailureRate, unit: unitRatio, isCount: true, minChange: .04, minTimes: 2, minCount: 5, minWeight: 10, minHourWeight: 10, threshold: rareThreshold},
		{name: rest.AnomalyFirstWord, unit: unitSeconds, minChange: .3, minTimes: 1.3, minWeight: 30, minHourWeight: 30, valuesPerCall: 6, minSpread: .03},
		{name: rest.AnomalyMOS, unit: unitMOS, isLow: true, minChange: .3, minWeight: 45, minHourWeight: 60, valuesPerCall: 8, minSpread: .03},
		{name: rest.AnomalyRefusals, unit: unitPerHour, isCount: true, minTimes: 3, minCount: 10, minWeight: 0, minHourWeight: .5, threshold: rareThreshold},
		{name: rest.AnomalySignInsNetwork, unit: unitCount, isCount: true, minTimes: 3, minCount: 10, minHourWeight: 2},
		{name: rest.AnomalySignInsOrg, unit: unitPerHour, isCount: true, minTimes: 3, minCount: 15, minHourWeight: .5},
		{name: rest.AnomalySignIns, unit: unitPerHour, isCount: true, minTimes: 3, minCount: 20, minHourWeight: .5},
	}
}

// Sum adds up what was measured: how much (calls, hours, values), what it came to, and,
// of values, their squares.
type Sum struct{ Weight, Total, Squares float64 }

// Add adds one value.
func (s *Sum) Add(value float64) { s.add(Sum{1, value, value * value}) }

func (s *Sum) add(o Sum) {
	s.Weight += o.Weight
	s.Total += o.Total
	s.Squares += o.Squares
}

// value is the mean, or the count by what it is of.
func (s Sum) value() float64 { return s.Total / s.Weight }

// Minute is what happened in one.
type Minute struct {
	Ended, Failed int // calls that ended, or failed before they began; those of them by a fault
	Waits         Sum // for the agent's first word, in seconds
	MOS           Sum // of the calls that live, one value each
	Refused       int // calls
	SignIns       map[Origin]int
}

// Origin is where refused sign-ins came from, and whose they were; "" is unknown.
type Origin struct{ Network, Org string }

// HourOf counts the hours since 1970, UTC.
func HourOf(t time.Time) int64 { return t.Unix() / int64(time.Hour/time.Second) }

// Hour is what an hour of a series came to.
type Hour struct {
	Hour   int64 // as HourOf counts them
	Series string
	Org    string // "" for all
	Sum
}

// Forgotten is what isn't learned from any more: the hours of a series before Hour.
type Forgotten struct {
	Series, Org string
	Before      int64
}
