package admin

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// quietFor is how long a session has to be idle for the quick filter: the
// default leash is 30 minutes.
const quietFor = 25 * time.Minute

// filter narrows the table. The zero value lets everything pass.
type filter struct {
	text         string
	levels       []quality.Level
	reconnecting bool
	quiet        bool

	agent, state, cause, longer string // "": any
	sort                        string // key of the column; "": worst first
	down                        bool
	columns                     string // extra ones, with commas between
}

// stateWords are the states to choose from, as rows have them.
func stateWords() []string {
	return []string{"Connecting", "Listening", "Thinking", "Speaking", "Quiet", "Muted", "Reconnecting", "Ended"}
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
	f := filter{text: q.Get("q"), reconnecting: q.Get("state") == "reconnecting", quiet: q.Get("idle") == "25m"}
	f.agent, f.cause, f.longer, f.sort = q.Get("agent"), q.Get("cause"), q.Get("longer"), q.Get("sort")
	if s := q.Get("state"); slices.Contains(stateWords(), s) {
		f.state = s
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
	if len(f.levels) > 0 {
		names := make([]string, len(f.levels))
		for i, l := range f.levels {
			names[i] = string(l)
		}
		add("quality", strings.Join(names, ","))
	}
	if f.reconnecting {
		add("state", "reconnecting")
	}
	if f.quiet {
		add("idle", "25m")
	}
	if f.state != "" && !f.reconnecting {
		add("state", f.state)
	}
	for _, of := range [][2]string{{"agent", f.agent}, {"cause", f.cause}, {"longer", f.longer}} {
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

// match reports whether a session passes. Text is looked for in what stands in
// the row, in the id, and in the agent's name; now is the server's.
func (f filter) match(s session, now time.Time) bool {
	switch {
	case len(f.levels) > 0 && !slices.Contains(f.levels, level(s.Session)):
		return false
	case f.reconnecting && s.State != wire.StateReconnecting:
		return false
	case f.quiet && now.Sub(s.LastActiveAt) < quietFor:
		return false
	case f.agent != "" && s.Agent != f.agent, f.state != "" && stateWord(s, now) != f.state,
		f.cause != "" && string(s.Quality.Cause) != f.cause, !f.isLonger(now.Sub(s.StartedAt)):
		return false
	case f.text == "":
		return true
	}
	for _, in := range searched(s.Session) {
		if strings.Contains(strings.ToLower(in), strings.ToLower(strings.TrimSpace(f.text))) {
			return true
		}
	}
	return false
}

// isLonger reports whether a call has lasted for as long as is asked for.
func (f filter) isLonger(lasted time.Duration) bool {
	least, err := time.ParseDuration(f.longer)
	return err != nil || lasted >= least
}

func searched(s rest.Session) []string {
	return []string{s.ID, s.User, s.Name, s.Org, s.Agent, string(s.State), string(level(s)), string(s.Quality.Cause)}
}
