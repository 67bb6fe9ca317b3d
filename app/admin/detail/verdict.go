package detail

import (
	"math"
	"strconv"
	"strings"
	"time"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// verdict is the session in a few sentences: how the line is or was, since when
// or for how long, and who has to be asked about it.
func (p picture) sentence(now time.Time) string {
	if p.isLive() {
		return p.liveSentence(p.clock(now))
	}
	return p.pastSentence()
}

// liveSentence tells how it is just now, and then how it was.
func (p picture) liveSentence(now time.Time) string {
	v := p.verdict()
	if v.Level == quality.None || v.Level == "" {
		return "Nothing is known of the line yet."
	}
	out := ui.LevelWord(v.Level)
	if since := p.levelSince(v.Level, now); !since.IsZero() {
		out += " since " + ui.Clock(since) + " (" + ui.DurationWords(now.Sub(since)) + ")"
	}
	out += "."
	if v.Level == quality.Poor || v.Level == quality.Fair {
		return join(out, causeSentence(v), fineSentence(p.owners()))
	}
	return join(out, ownersSentence(p.owners()))
}

// pastSentence tells how the whole call was.
func (p picture) pastSentence() string {
	seconds, total := p.secondsAt(), 0
	for _, n := range seconds {
		total += n
	}
	if total == 0 {
		return "Nothing was measured in this call."
	}
	best, most := quality.None, -1
	for _, l := range []quality.Level{quality.Excellent, quality.Good, quality.Fair, quality.Poor} {
		if seconds[l] > most {
			best, most = l, seconds[l]
		}
	}
	out := ui.LevelWord(best) + " for " + ui.Percent(math.Round(100*float64(most)/float64(total))) + " of the call."
	return join(out, ownersSentence(p.owners()))
}

// secondsAt is for how long the line stood at each level: by the record, and until
// that is complete by the seconds that are shown.
func (p picture) secondsAt() map[quality.Level]int {
	if len(p.record.Quality.Seconds) > 0 {
		return p.record.Quality.Seconds
	}
	out := map[quality.Level]int{}
	for _, r := range p.levels() {
		if r.level.Bars() > 0 {
			out[r.level] += int(r.to.Sub(r.from) / time.Second)
		}
	}
	return out
}

// owners are for how many seconds the call was poor, by who has to be asked.
func (p picture) owners() map[quality.Owner]int {
	if p.row != nil && p.row.PoorSeconds != nil {
		return p.row.PoorSeconds
	}
	if p.quality.PoorSeconds != nil {
		return p.quality.PoorSeconds
	}
	return p.record.Quality.PoorSeconds
}

// levelSince is since when the rating of the worse direction is at a level; zero
// where the seconds don't tell.
func (p picture) levelSince(l quality.Level, now time.Time) time.Time {
	since := time.Time{}
	runs := p.levels()
	for i := len(runs) - 1; i >= 0 && runs[i].level == l; i-- {
		since = runs[i].from
	}
	if since.After(now) {
		return time.Time{}
	}
	return since
}

// causeSentence says what is wrong, and which way.
func causeSentence(v quality.Verdict) string {
	to, from := "what the caller says", "the agent's voice"
	what := to
	if v.Direction == quality.ToCaller {
		what = from
	}
	switch v.Cause {
	case quality.CauseLoss:
		return "The caller's line loses " + ui.Percent(v.Value) + " of " + what + "."
	case quality.CauseDelay:
		return "It takes " + ui.Millis(v.Value) + " from mouth to ear."
	case quality.CauseJitter:
		return "Packets of " + what + " come unevenly (" + ui.Millis(v.Value) + ")."
	case quality.CauseCPU:
		return "The caller's device is busy."
	case quality.CauseAgentSlow:
		return "The agent takes " + ui.Seconds(v.Value) + " to its first word."
	}
	return ""
}

// ownerWord names who has to be asked.
func ownerWord(o quality.Owner) string {
	switch o {
	case quality.OwnerCaller:
		return "the caller's network"
	case quality.OwnerServer:
		return "this server"
	case quality.OwnerAgent:
		return "the agent's network"
	case quality.OwnerModel:
		return "the agent itself"
	}
	return ""
}

// ownersSentence tells how long the call was poor, and whose each second was.
func ownersSentence(poor map[quality.Owner]int) string {
	total := 0
	var parts []string
	for _, o := range quality.Owners {
		if n := poor[o]; n > 0 {
			total += n
			parts = append(parts, strconv.Itoa(n)+" s "+ownerWord(o))
		}
	}
	switch len(parts) {
	case 0:
		return "No second of it was poor."
	case 1:
		return strconv.Itoa(total) + " s were poor, because of " + strings.TrimPrefix(parts[0], strconv.Itoa(total)+" s ") + "."
	}
	return strconv.Itoa(total) + " s were poor: " + strings.Join(parts, ", ") + "."
}

// fineSentence names those of whom no second was.
func fineSentence(poor map[quality.Owner]int) string {
	var fine []string
	for _, o := range []quality.Owner{quality.OwnerCaller, quality.OwnerServer, quality.OwnerAgent, quality.OwnerModel} {
		if poor[o] == 0 {
			fine = append(fine, ownerWord(o))
		}
	}
	if len(fine) == 0 || len(fine) == len(quality.Owners) {
		return ""
	}
	text := fine[0]
	if len(fine) > 1 {
		text = strings.Join(fine[:len(fine)-1], ", ") + " and " + fine[len(fine)-1]
	}
	verb := " is fine."
	if len(fine) > 1 {
		verb = " are fine."
	}
	return strings.ToUpper(text[:1]) + text[1:] + verb
}

func join(sentences ...string) string {
	var out []string
	for _, s := range sentences {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}

// levelRun is a stretch at one level; owner is whose leg was the worse where it
// was poor.
type levelRun struct {
	from, to time.Time
	level    quality.Level
	owner    quality.Owner
}

// levels are the worst of both legs and directions, second by second, with runs
// of the same together.
func (p picture) levels() []levelRun {
	lines := p.lines()
	if len(lines) == 0 {
		return nil
	}
	longest := 0
	for i := range lines {
		if len(lines[i].points) > len(lines[longest].points) {
			longest = i
		}
	}
	next := make([]int, len(lines)) // each line's place: their seconds run side by side
	var out []levelRun
	for i := range lines[longest].points {
		at, to := lines[longest].at[i], lines[longest].at[i]+1000
		if i+1 < len(lines[longest].at) {
			to = lines[longest].at[i+1]
		}
		out = addLevel(out, worst(lines, next, at, to), time.UnixMilli(at), time.UnixMilli(to))
	}
	return bridged(out)
}

// standsFor is for how long a level stands without figures (QUALITY.md 2.3).
const standsFor = 5 * time.Second

// bridged has a level go on over seconds of which nothing is known, where they are few and
// something is known again after them: the first of a page come before its stream.
func bridged(runs []levelRun) []levelRun {
	var out []levelRun
	for i, r := range runs {
		if i > 0 && i+1 < len(runs) && r.level == quality.None && r.to.Sub(r.from) < standsFor {
			r.level, r.owner = out[len(out)-1].level, out[len(out)-1].owner
		}
		out = addLevel(out, r, r.from, r.to)
	}
	return out
}

func addLevel(runs []levelRun, of levelRun, from, to time.Time) []levelRun {
	if n := len(runs); n > 0 && runs[n-1].level == of.level && runs[n-1].owner == of.owner && runs[n-1].to.Equal(from) {
		runs[n-1].to = to
		return runs
	}
	of.from, of.to = from, to
	return append(runs, of)
}

// worst is the worst of all lines at a moment. next moves on to it.
func worst(lines []line, next []int, at, to int64) levelRun {
	lowest := math.Inf(1)
	var leg rtcstats.Leg
	for k := range lines {
		l := &lines[k]
		for next[k] < len(l.at) && l.at[next[k]] < at {
			next[k]++
		}
		if next[k] >= len(l.at) || l.at[next[k]] >= to || l.points[next[k]].Gap {
			continue
		}
		if r := l.points[next[k]].Metrics.R; r != nil && *r < lowest {
			lowest, leg = *r, l.leg
		}
	}
	if math.IsInf(lowest, 1) {
		return levelRun{level: quality.None}
	}
	run := levelRun{level: quality.LevelOf(lowest)}
	if run.level == quality.Poor {
		run.owner = quality.OwnerCaller
		if leg == rtcstats.LegAgent {
			run.owner = quality.OwnerAgent
		}
	}
	return run
}

func firstWordAt(t rest.Turn) time.Time { return t.EndOfSpeech.Add(t.Wait()) }
