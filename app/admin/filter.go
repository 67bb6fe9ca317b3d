package admin

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
)

// quietFor is how long a session has to be idle for the quick filter: the
// default leash is 30 minutes.
const quietFor = 25 * time.Minute

// filter narrows the table. The zero value lets everything pass.
type filter struct {
	text   string
	levels []quality.Level
	quiet  bool
	relay  bool // only those whose packets go by a relay

	agent, node, cause, longer string // "": any
	doing                      rest.Doing
	sort                       string // key of the column; "": worst first
	down                       bool
	columns                    string // extra ones, with commas between
}

// doings are what may go on in a session, to choose from.
func doings() []rest.Doing {
	return []rest.Doing{rest.DoingConnecting, rest.DoingListening, rest.DoingThinking, rest.DoingSpeaking,
		rest.DoingQuiet, rest.DoingMuted, rest.DoingReconnecting}
}

// causeCodes are the causes to choose from.
func causeCodes() []quality.Cause {
	return []quality.Cause{quality.CauseLoss, quality.CauseDelay, quality.CauseJitter, quality.CauseCPU, quality.CauseAgentSlow}
}

// filterLevels are the levels to choose from, worst first.
func filterLevels() []quality.Level {
	return []quality.Level{quality.Poor, quality.Fair, quality.Good, quality.Excellent, quality.None}
}

// readFilter takes a filter from an address. What it doesn't know it leaves.
func readFilter(q url.Values) filter {
	f := filter{text: q.Get("q"), quiet: q.Get("idle") == "25m", relay: q.Get("path") == string(rest.PathRelay)}
	f.agent, f.node, f.cause, f.longer, f.sort = q.Get("agent"), q.Get("node"), q.Get("cause"), q.Get("longer"), q.Get("sort")
	if d := rest.Doing(q.Get("state")); slices.Contains(doings(), d) {
		f.doing = d
	}
	f.sort, f.down = strings.CutPrefix(f.sort, "-")
	f.columns = q.Get("columns")
	f = f.toggleColumn("") // leaves those that there are
	named := strings.Split(q.Get("quality"), ",")
	for _, l := range filterLevels() {
		if slices.Contains(named, string(l)) {
			f.levels = append(f.levels, l)
		}
	}
	return f
}

// query writes the filter for an address, in plain words. The comma between
// levels is not escaped: the address is read by people.
func (f filter) query() string {
	var parts []string
	add := func(key, value string) { parts = append(parts, key+"="+value) }
	if levels := f.asked().Quality; levels != "" {
		add("quality", levels)
	}
	if f.doing != "" {
		add("state", string(f.doing))
	}
	if f.quiet {
		add("idle", "25m")
	}
	if f.relay {
		add("path", string(rest.PathRelay))
	}
	for _, of := range [][2]string{{"agent", f.agent}, {"node", f.node}, {"cause", f.cause}, {"longer", f.longer}} {
		if of[1] != "" {
			add(of[0], url.QueryEscape(of[1]))
		}
	}
	if f.sort != "" {
		add("sort", strings.Repeat("-", boolOf(f.down))+url.QueryEscape(f.sort))
	}
	if f.columns != "" {
		add("columns", f.columns)
	}
	if f.text != "" {
		add("q", url.QueryEscape(f.text))
	}
	return strings.Join(parts, "&")
}

func (f filter) isEmpty() bool {
	f.sort, f.down, f.columns = "", false, ""
	return f.query() == ""
}

// toggle switches a level on or off.
func (f filter) toggle(l quality.Level) filter {
	next := []quality.Level{}
	for _, known := range filterLevels() {
		if slices.Contains(f.levels, known) != (known == l) {
			next = append(next, known)
		}
	}
	f.levels = next
	return f
}

// asked is what the filter asks for, in the interface's words.
func (f filter) asked() rest.ActiveQuery {
	names := make([]string, len(f.levels))
	for i, l := range f.levels {
		names[i] = string(l)
	}
	q := rest.ActiveQuery{Quality: strings.Join(names, ","), Doing: f.doing, Agent: f.agent, Node: f.node, Cause: quality.Cause(f.cause), Q: strings.TrimSpace(f.text)}
	if f.quiet {
		q.IdleS = int(quietFor / time.Second)
	}
	if f.relay {
		q.Path = rest.PathRelay
	}
	if least, err := time.ParseDuration(f.longer); err == nil {
		q.LongerS = int(least / time.Second)
	}
	return q
}
