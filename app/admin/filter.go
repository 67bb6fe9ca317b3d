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
}

// filterLevels are the levels to choose from, worst first.
func filterLevels() []quality.Level {
	return []quality.Level{quality.Poor, quality.Fair, quality.Good, quality.Excellent, quality.None}
}

// readFilter takes a filter from an address. What it doesn't know it leaves.
func readFilter(q url.Values) filter {
	f := filter{text: q.Get("q"), reconnecting: q.Get("state") == "reconnecting", quiet: q.Get("idle") == "25m"}
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
	if f.text != "" {
		add("q", url.QueryEscape(f.text))
	}
	return strings.Join(parts, "&")
}

func (f filter) isEmpty() bool { return f.query() == "" }

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

func searched(s rest.Session) []string {
	return []string{s.ID, s.User, s.Name, s.Org, s.Agent, string(s.State), string(level(s)), string(s.Quality.Cause)}
}
