package ui

import (
	"strings"

	"parley/shared/quality"
)

// LevelWord is the word for a level.
func LevelWord(l quality.Level) string {
	switch l {
	case quality.Excellent:
		return "Excellent"
	case quality.Good:
		return "Good"
	case quality.Fair:
		return "Fair"
	case quality.Poor:
		return "Poor"
	}
	return "No data"
}

// BadgeTitle says a rating in full: level, estimated MOS, main cause.
func BadgeTitle(v quality.Verdict) string {
	if v.Level == quality.None || v.Level == "" {
		return "No data yet."
	}
	parts := []string{LevelWord(v.Level) + ".", "Estimated MOS " + MOSExact(v.MOS) + "."}
	if c := CauseShort(v); c != "" {
		parts = append(parts, "Main cause: "+c+".")
	}
	if v.Quiet {
		parts = append(parts, "Quiet just now; the last rating stands.")
	}
	return strings.Join(parts, " ")
}

// HasCause reports whether something is wrong, so that CauseShort has a name for it.
func HasCause(v quality.Verdict) bool {
	switch v.Cause {
	case quality.CauseLoss, quality.CauseDelay, quality.CauseJitter, quality.CauseCPU, quality.CauseAgentSlow:
		return true
	}
	return false
}

// CauseShort names the main cause in a few words, for tables: loss 4.2 %,
// you → agent. It is empty when nothing is wrong.
func CauseShort(v quality.Verdict) string {
	what := ""
	switch v.Cause {
	case quality.CauseLoss:
		what = "loss " + Percent(v.Value)
	case quality.CauseDelay:
		what = "delay " + Millis(v.Value)
	case quality.CauseJitter:
		what = "jitter " + Millis(v.Value)
	case quality.CauseCPU:
		return "busy device"
	case quality.CauseAgentSlow:
		return "slow agent " + Seconds(v.Value)
	default:
		return ""
	}
	if d := DirectionShort(v.Direction); d != "" {
		what += ", " + d
	}
	return what
}

// DirectionShort names a direction as an admin reads it.
func DirectionShort(d quality.Direction) string {
	switch d {
	case quality.ToAgent:
		return "caller → agent"
	case quality.ToCaller:
		return "agent → caller"
	}
	return ""
}

// Advice is the one sentence a caller reads about the line: what is wrong, which
// way, and what to do. It is empty while nothing needs to be said.
func Advice(v quality.Verdict) string {
	if v.Cause == quality.CauseAgentSlow {
		return "Your line is fine. The agent is taking longer than usual (" + Seconds(v.Value) + ")."
	}
	if v.Level != quality.Fair && v.Level != quality.Poor {
		return ""
	}
	switch v.Cause {
	case quality.CauseLoss:
		if v.Direction == quality.ToCaller {
			return "Parts of the agent's voice don't reach you (" + Percent(v.Value) + " lost). Move closer to your Wi-Fi, or switch to mobile data."
		}
		return "The agent is missing parts of what you say (" + Percent(v.Value) + " lost). Move closer to your Wi-Fi, or switch to mobile data."
	case quality.CauseDelay:
		return "The line is slow (" + Millis(v.Value) + " each way). Leave a short pause before you speak."
	case quality.CauseJitter:
		return "The connection is uneven. Close downloads or video on this network."
	case quality.CauseCPU:
		return "Your device is busy. Close other tabs."
	}
	return "The line is weak just now. Move closer to your Wi-Fi, or switch to mobile data."
}
