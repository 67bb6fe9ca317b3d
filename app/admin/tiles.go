package admin

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// liveTile counts the calls against the cap.
func liveTile(p picture) app.UI {
	live, limit := p.live(), p.stats.Cap
	t := ui.Tile{Label: "Live calls", Value: ui.CountShort(int64(live)), Level: capLevel(live, limit), Href: "/admin/sessions"}
	if limit > 0 {
		t.Unit = "of " + ui.CountShort(int64(limit))
		t.Note = linesFree(limit - live)
		t.Extra = bar([]part{{capClass(t.Level), live}, {"bar-rest", max(limit-live, 0)}})
	}
	return t.UI()
}

func linesFree(n int) string {
	if n <= 0 {
		return "no line free"
	}
	return ui.Count(int64(n)) + " " + verb(n, "line", "lines") + " free"
}

// capLevel marks the tile where the lines run out: amber, then red.
func capLevel(live, limit int) quality.Level {
	switch share := float64(live) / float64(max(limit, 1)); {
	case limit == 0 || share < capMost:
		return ""
	case share < capNearly:
		return quality.Fair
	}
	return quality.Poor
}

func capClass(l quality.Level) string {
	switch l {
	case quality.Fair:
		return "q2"
	case quality.Poor:
		return "q1"
	}
	return "bar-plain"
}

// qualityTile splits the live calls by level.
func qualityTile(p picture) app.UI {
	n := p.levels()
	rated := p.live() - n[quality.None]
	well := n[quality.Excellent] + n[quality.Good]
	t := ui.Tile{Label: "Quality now", Value: ui.Missing, Href: "/admin/sessions"}
	if rated > 0 {
		t.Value = ui.Count(int64(well))
		t.Unit = "of " + ui.Count(int64(rated)) + " good or better"
	}
	if bad := n[quality.Poor] + n[quality.Fair]; bad > 0 {
		t.Href = "/admin/sessions?quality=poor,fair"
	}
	var parts []part
	var words []string
	for _, l := range stacked() {
		if n[l] > 0 {
			parts = append(parts, part{levelClass(l), n[l]})
			words = append(words, ui.Count(int64(n[l]))+" "+strings.ToLower(ui.LevelWord(l)))
		}
	}
	t.Note = strings.Join(words, " · ")
	t.Extra = bar(parts)
	return t.UI()
}

// endedTile is the share of the calls that ended badly, among those whose causes are
// listed below it.
func endedTile(causes map[wire.EndCause]int64, when string) app.UI {
	t := ui.Tile{Label: "Ended by a fault", Value: ui.Missing, Note: "no call has ended " + when}
	ended, faults := int64(0), int64(0)
	for cause, n := range causes {
		if ended += n; cause.IsFault() {
			faults += n
		}
	}
	if ended > 0 {
		t.Value = ui.Ratio(float64(faults) / float64(ended))
		t.Note = "of " + ui.Count(ended) + " ended " + when
	}
	return t.UI()
}

// totalsTile is what all calls came to, and how many there were a day.
func totalsTile(of rest.Totals, now time.Time) app.UI {
	t := ui.Tile{Label: "All calls", Value: ui.Missing, Href: "/admin/usage"}
	if of.Days != nil { // they are known
		t.Note = "no call has ended yet"
	}
	since, err := time.Parse(time.DateOnly, of.Since)
	if err != nil {
		return t.UI()
	}
	t.Value, t.Unit = ui.CountShort(of.Calls), ui.Count(int64(math.Round(of.Minutes)))+" min"
	t.Note = "since " + ui.Day(since, now)
	days, users := make([]float64, totalDays), int64(0)
	today := now.UTC().Truncate(24 * time.Hour)
	for _, d := range of.Days {
		at, err := time.Parse(time.DateOnly, d.Day)
		ago := int(today.Sub(at) / (24 * time.Hour))
		if err != nil || ago < 0 || ago >= totalDays {
			continue
		}
		if days[totalDays-1-ago] = float64(d.Calls); ago == 0 {
			users = d.Users
		}
	}
	if users > 0 {
		t.Note += ", " + ui.Count(users) + " " + verb(int(users), "caller", "callers") + " today"
	}
	t.Extra = ui.Spark{Values: days, Label: "Calls a day, last 30 days: today " + whole(days[totalDays-1]) + ", most " + whole(slices.Max(days))}.UI()
	return t.UI()
}

// totalDays are the days that the tile of all calls draws.
const totalDays = 30

// refusedTile counts the calls that got no line, by reason.
func refusedTile(p picture) app.UI {
	total := int64(0)
	var words []string
	for _, e := range byCount(p.stats.Refused) {
		total += e.n
		words = append(words, ui.Count(e.n)+" "+refusalWord(e.name))
	}
	t := ui.Tile{Label: "Refused", Value: ui.CountShort(total), Note: "since the server started; every caller got a line"}
	if len(words) > 0 {
		t.Unit, t.Note = "since the server started", strings.Join(words[:min(len(words), 2)], " · ")
	}
	return t.UI()
}

// refusalWord names a refusal in a few words.
func refusalWord(code string) string {
	switch code {
	case "cap_reached":
		return "all lines busy"
	case "user_cap":
		return "already in a call"
	case "org_cap":
		return "organization's lines busy"
	case "draining":
		return "server restarting"
	case "paused":
		return "calls paused"
	case "unauthorized", "token_expired":
		return "not signed in"
	case "forbidden":
		return "without rights"
	case "rate_limited":
		return "too fast"
	case "origin_not_allowed":
		return "from another site"
	}
	return strings.ReplaceAll(code, "_", " ")
}

type counted struct {
	name string
	n    int64
}

// byCount lists the counts that are not zero, largest first.
func byCount[S ~string](m map[S]int64) []counted {
	var all []counted
	for name, n := range m {
		if n > 0 {
			all = append(all, counted{string(name), n})
		}
	}
	slices.SortFunc(all, func(a, b counted) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name))
	})
	return all
}

// endCauses lists why calls ended, most frequent first.
func endCauses(causes map[wire.EndCause]int64) app.UI {
	return shares(byCount(causes), ui.EndWord, "No call has ended yet.")
}

// shares lists counts, each with its share of all.
func shares(all []counted, word func(string) string, empty string) app.UI {
	if len(all) == 0 {
		return app.P().Class("panel-empty").Text(empty)
	}
	total := int64(0)
	for _, c := range all {
		total += c.n
	}
	items := make([]app.UI, len(all))
	for i, c := range all {
		items[i] = app.Li().Class("causes-item").Body(
			app.Span().Class("causes-name").Text(word(c.name)),
			app.Span().Class("causes-bar").Body(bar([]part{{"bar-plain", int(c.n)}, {"bar-rest", int(total - c.n)}})),
			app.Span().Class("causes-count", "num").Text(ui.Count(c.n)),
		)
	}
	return app.Ul().Class("causes").Body(items...)
}

// part is one piece of a bar, in the colour of its class.
type part struct {
	class string
	n     int
}

// barWidth is a bar's width in its own units: enough that one of 1,000 shows.
const barWidth = 1000

// bar draws parts of a whole side by side. It says nothing that the text beside
// it doesn't, so it is hidden from screen readers.
func bar(parts []part) app.UI {
	total := 0
	for _, p := range parts {
		total += p.n
	}
	var rects []app.UI
	sum := 0
	for _, p := range parts {
		if p.n == 0 {
			continue
		}
		// From the running sum, so that rounding never leaves a gap at the end.
		from := sum * barWidth / total
		sum += p.n
		rects = append(rects, ui.SVG("rect").Class("bar-part", p.class).
			Attr("x", from).Attr("y", 0).
			Attr("width", sum*barWidth/total-from).Attr("height", 8))
	}
	return ui.SVG("svg").Class("stack").
		Attr("viewBox", fmt.Sprintf("0 0 %d 8", barWidth)).Attr("preserveAspectRatio", "none").
		Aria("hidden", true).Attr("focusable", "false").Body(rects...)
}

func levelClass(l quality.Level) string {
	switch l {
	case quality.Excellent:
		return "q4"
	case quality.Good:
		return "q3"
	case quality.Fair:
		return "q2"
	case quality.Poor:
		return "q1"
	}
	return "q0"
}
