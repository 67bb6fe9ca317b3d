package anomaly

import (
	"fmt"
	"math"

	"parley/shared/rest"
)

// sentence tells an anomaly with the usual value beside the present one.
func sentence(a rest.Anomaly) string {
	return subject(a) + "; " + whose(a) + " " + basisWords(a.Basis) + ": " + number(a.Usual, a.Unit) + unitWord(a.Unit) +
		" (" + number(a.Low, a.Unit) + "–" + number(a.High, a.Unit) + ")"
}

// subject is what there is now.
func subject(a rest.Anomaly) string {
	value := number(a.Value, a.Unit) + unitWord(a.Unit)
	switch a.Series {
	case rest.AnomalyFailureRate:
		return value + " of calls fail"
	case rest.AnomalyFirstWord:
		return "First word takes " + value
	case rest.AnomalyMOS:
		return "MOS is " + value
	case rest.AnomalyRefusals:
		return "Calls refused: " + value + " an hour"
	}
	within := " an hour"
	if a.Unit == unitCount {
		within = fmt.Sprintf(" in %d min", QuickMinutes)
	}
	switch a.Series {
	case rest.AnomalySignInsNetwork:
		return "Sign-ins refused from " + a.Network + ": " + value + within
	case rest.AnomalySignInsOrg:
		return "Sign-ins refused of " + a.Org + ": " + value + within
	}
	return "Sign-ins refused: " + value + within
}

// whose tells that a network, or an organization without a past of its own, is held
// against the busiest.
func whose(a rest.Anomaly) string {
	if a.Unit != unitCount {
		return "usual"
	}
	if a.Series == rest.AnomalySignInsNetwork {
		return "usual of the busiest network"
	}
	return "usual of the busiest organization"
}

func basisWords(basis string) string {
	switch basis {
	case rest.AnomalyHourOfWeek:
		return "at this hour"
	case rest.AnomalyHourOfDay:
		return "at this hour of the day"
	}
	return "so far"
}

// number writes a value as finely as it is of use.
func number(v float64, unit string) string {
	if unit == unitRatio {
		v *= 100
	}
	switch unit {
	case unitRatio, unitSeconds, unitMOS:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%d", int64(math.Round(v)))
}

func unitWord(unit string) string {
	switch unit {
	case unitRatio:
		return " %"
	case unitSeconds:
		return " s"
	}
	return ""
}
