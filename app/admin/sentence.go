package admin

import (
	"fmt"
	"time"

	"parley/shared/quality"
)

// Shares of the cap from which the lines are said to run out.
const (
	capMost   = 0.80
	capNearly = 0.95
)

// heavyLoss is where loss is called heavy: the poor band of package quality, in %.
const heavyLoss = 5

// sentence says in one or two sentences whether calls are good right now, and
// if not, why. It carries counts and words only, no measurement, so that it
// changes when its meaning does.
func sentence(p picture) string {
	live := p.live()
	if live == 0 {
		if p.stats.Started == 0 {
			return "No calls yet."
		}
		return "No one is calling right now."
	}
	n := p.levels()
	if live == 1 && n[quality.Poor]+n[quality.Fair] == 1 {
		return theOne(p, n) + linesLeft(live, p.stats.Cap)
	}
	text := overall(live, n) + trouble(p, n)
	if none := n[quality.None]; none > 0 && none < live {
		text += fmt.Sprintf(" %d more %s no figures yet.", none, verb(none, "has", "have"))
	}
	return text + linesLeft(live, p.stats.Cap)
}

// overall counts those that are good or better among those that are rated.
func overall(live int, n map[quality.Level]int) string {
	rated := live - n[quality.None]
	well := n[quality.Excellent] + n[quality.Good]
	switch {
	case rated == 0 && live == 1:
		return "One call, with no figures yet."
	case rated == 0:
		return fmt.Sprintf("%d calls, with no figures yet.", live)
	case well == rated && live == 1:
		return "The one call is good or better."
	case well == rated && rated == live:
		return fmt.Sprintf("All %d calls are good or better.", live)
	}
	return fmt.Sprintf("%d of %d %s good or better.", well, rated, verb(rated, "call is", "calls are"))
}

// theOne says what is wrong with the only call.
func theOne(p picture, n map[quality.Level]int) string {
	l := quality.Fair
	if n[quality.Poor] > 0 {
		l = quality.Poor
	}
	if why := mainCause(p, l); why != "" {
		return "The one call is " + string(l) + ": " + why + "."
	}
	return "The one call is " + string(l) + "."
}

// trouble names how many are worse, and the main cause of the worst ones.
func trouble(p picture, n map[quality.Level]int) string {
	worst := quality.Poor
	counts := ""
	switch poor, fair := n[quality.Poor], n[quality.Fair]; {
	case poor > 0 && fair > 0:
		counts = fmt.Sprintf("%d poor, %d fair", poor, fair)
	case poor > 0:
		counts = fmt.Sprintf("%d poor %s", poor, verb(poor, "call", "calls"))
	case fair > 0:
		worst = quality.Fair
		counts = fmt.Sprintf("%d fair %s", fair, verb(fair, "call", "calls"))
	default:
		return ""
	}
	if why := mainCause(p, worst); why != "" {
		counts += ": " + why
	}
	return " " + counts + "."
}

// mainCause says what most live sessions of a level suffer from; where no cause
// has the majority, that there are several.
func mainCause(p picture, l quality.Level) string {
	count, all := map[string]int{}, 0
	for _, s := range p.sessions {
		if s.live() && level(s.Session) == l {
			all++
			count[causeWords(s.Quality)]++
		}
	}
	for why, n := range count {
		switch {
		case n == all:
			return why
		case 2*n > all && why != "":
			return "mostly " + why
		}
	}
	if len(count) > 1 {
		return "several causes"
	}
	return ""
}

// causeWords says a cause without its value.
func causeWords(v quality.Verdict) string {
	what := ""
	switch v.Cause {
	case quality.CauseLoss:
		what = "loss"
		if v.Value >= heavyLoss {
			what = "heavy loss"
		}
	case quality.CauseDelay:
		what = "delay"
	case quality.CauseJitter:
		what = "an uneven connection"
	case quality.CauseCPU:
		return "a busy device"
	case quality.CauseAgentSlow:
		return "a slow agent"
	default:
		return ""
	}
	switch v.Direction {
	case quality.ToAgent:
		return what + " from caller to agent"
	case quality.ToCaller:
		return what + " from agent to caller"
	}
	return what
}

// linesLeft warns when the lines run out.
func linesLeft(live, limit int) string {
	switch share := float64(live) / float64(max(limit, 1)); {
	case limit == 0 || share < capMost:
		return ""
	case share >= 1:
		return " All lines are in use; new callers are refused."
	case share >= capNearly:
		return " Nearly all lines are in use."
	}
	return " Most lines are in use."
}

// liveLine is what the table's status region says.
func liveLine(p picture) string {
	live := p.live()
	text := fmt.Sprintf("%d live %s", live, verb(live, "call", "calls"))
	if live == 0 {
		return "No live calls."
	}
	if poor := p.levels()[quality.Poor]; poor > 0 {
		text += fmt.Sprintf(", %d poor", poor)
	}
	return text + "."
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// throttledText is a text of a status region, which must not change more often than
// people can listen.
type throttledText struct {
	text string
	at   time.Time
}

// Steps of the two status regions.
const (
	sentenceEvery = 30 * time.Second
	liveLineEvery = 15 * time.Second
)

// update takes the new text if it differs and the old one has stood long enough.
func (s throttledText) update(text string, now time.Time, every time.Duration) throttledText {
	if text == s.text || s.text != "" && now.Sub(s.at) < every {
		return s
	}
	return throttledText{text, now}
}
