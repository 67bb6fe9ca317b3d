package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"parley/server/fault"
	"parley/shared/rest"
)

// When a change holds.
const (
	now      = "now"       // for live sessions, too
	newCalls = "new_calls" // those that are live stay
)

// Definition is all there is to know of one setting: flags, interface and
// documents read it here. Exactly one of duration, number, toggle and text says
// where its value is.
type Definition struct {
	Name string
	// Default, Min and Max are in units. Of what is on or off, 1 is on. A Min of 0
	// is none: the least that limits is 1.
	Default, Min, Max int
	Unit              string // min, s or days; "": a count, or on or off
	Why               string // the range is this one, or the default of what has none
	applies           string

	step     time.Duration // of a duration: its unit
	duration func(*Values) *time.Duration
	number   func(*Values) *int
	toggle   func(*Values) *bool
	text     func(*Values) *string
	// read and takes are of a text: how it is read, and what it lists.
	read  func(text string) (list, problem string)
	takes string
}

// maxCalls is what one media port and one machine carry at most.
const maxCalls = 10_000

// Definitions is the closed set, in the order in which it is shown.
func Definitions() []Definition {
	return []Definition{
		{Name: rest.SettingMonitoring, Default: 1, Max: 1, applies: now,
			Why:    "On, so that a call that goes badly can be looked into.",
			toggle: func(v *Values) *bool { return &v.Monitoring }},
		{Name: rest.SettingIdleTimeout, Default: 30, Min: 1, Max: 240, Unit: "min", applies: now, step: time.Minute,
			Why:      "Below a minute a pause for thought would end a call; after four hours of silence nobody is there.",
			duration: func(v *Values) *time.Duration { return &v.IdleTimeout }},
		{Name: rest.SettingIdleWarning, Default: 120, Min: 20, Max: 600, Unit: "s", applies: now, step: time.Second,
			Why:      "Below 20 seconds nobody who looks away can answer; a warning that stands for over ten minutes is read by nobody.",
			duration: func(v *Values) *time.Duration { return &v.IdleWarning }},
		{Name: rest.SettingMaxDuration, Default: 60, Min: 0, Max: 720, Unit: "min", applies: now, step: time.Minute,
			Why:      "Twelve hours are more than a working day; who wants more wants none.",
			duration: func(v *Values) *time.Duration { return &v.MaxDuration }},
		{Name: rest.SettingMaxSessions, Default: 100, Min: 1, Max: maxCalls, applies: newCalls,
			Why:    "Without a place there is no service; one media port and one machine carry no more than 10,000.",
			number: func(v *Values) *int { return &v.MaxSessions }},
		{Name: rest.SettingMaxPerUser, Default: 1, Min: 1, Max: 100, applies: newCalls,
			Why:    "One subject may stand for a team or a call center; over a hundred it is no person's any more.",
			number: func(v *Values) *int { return &v.MaxPerUser }},
		{Name: rest.SettingMaxPerOrg, Default: 0, Min: 0, Max: maxCalls, applies: newCalls,
			Why:    "None, so that organizations share the lines until somebody divides them.",
			number: func(v *Values) *int { return &v.MaxPerOrg }},
		{Name: rest.SettingOrgCaps, applies: newCalls, read: ReadOrgCaps, takes: "organizations with their calls",
			Why:  "None, so that all organizations are equal until somebody says otherwise.",
			text: func(v *Values) *string { return &v.OrgCaps }},
		{Name: rest.SettingPaused, Max: 1, applies: newCalls,
			Why:    "Off, so that whoever starts a server can call it; calls that are on go on.",
			toggle: func(v *Values) *bool { return &v.Paused }},
		{Name: rest.SettingLogRetention, Default: 30, Min: 1, Max: 365, Unit: "days", applies: now, step: Day,
			Why:      "Below a day yesterday's trouble can't be looked into; over a year who asked for what is kept without need.",
			duration: func(v *Values) *time.Duration { return &v.LogRetention }},
		{Name: rest.SettingAuditRetention, Default: 365, Min: 30, Max: 3650, Unit: "days", applies: now, step: Day,
			Why:      "Below 30 days an act could be gone before anybody asks; ten years are the longest that records are commonly kept.",
			duration: func(v *Values) *time.Duration { return &v.AuditRetention }},
		{Name: rest.SettingPrivacy, Default: 1, Max: 1, applies: now,
			Why:    "On, so that nothing is written in the clear before somebody decided it.",
			toggle: func(v *Values) *bool { return &v.Privacy }},
		{Name: rest.SettingAdminAllow, applies: now, read: readNetworks, takes: "addresses and networks",
			Why:  "None, so that the first admin gets in from wherever they are.",
			text: func(v *Values) *string { return &v.AdminAllow }},
	}
}

// DefinitionOf finds a setting by its name in the interface.
func DefinitionOf(name string) (Definition, bool) {
	for _, d := range Definitions() {
		if d.Name == name {
			return d, true
		}
	}
	return Definition{}, false
}

// set reads a value as it is on the wire into v: true or false, or a whole
// number within the range.
func (d Definition) set(v *Values, raw json.RawMessage) error {
	text := string(bytes.TrimSpace(raw))
	if d.toggle != nil {
		if text != "true" && text != "false" {
			return &fault.BadField{Field: d.Name, Detail: "Use true or false."}
		}
		*d.toggle(v) = text == "true"
		return nil
	}
	if d.text != nil {
		return d.setText(v, raw)
	}
	if !json.Valid(raw) || text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return &fault.BadField{Field: d.Name, Detail: "Use a whole number."}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < d.Min || n > d.Max { // a number that Atoi doesn't know is none of ours
		return &fault.BadField{Field: d.Name, Detail: d.rangeText()}
	}
	d.put(v, n)
	return nil
}

// setText reads a list, and writes it in one way.
func (d Definition) setText(v *Values, raw json.RawMessage) error {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return &fault.BadField{Field: d.Name, Detail: "Use a text."}
	}
	list, problem := d.read(text)
	if problem != "" {
		return &fault.BadField{Field: d.Name, Detail: problem}
	}
	*d.text(v) = list
	return nil
}

// put lets v have n units of it.
func (d Definition) put(v *Values, n int) {
	switch {
	case d.text != nil: // it has no units
	case d.toggle != nil:
		*d.toggle(v) = n == 1
	case d.number != nil:
		*d.number(v) = n
	default:
		*d.duration(v) = time.Duration(n) * d.step
	}
}

// Allows tells whether v has it within its range. A duration may be no whole
// number of units, as a flag's.
func (d Definition) Allows(v Values) bool {
	switch {
	case d.toggle != nil, d.text != nil:
		return true
	case d.number != nil:
		n := *d.number(&v)
		return n >= d.Min && n <= d.Max
	}
	value := *d.duration(&v)
	least, most := time.Duration(d.least())*d.step, time.Duration(d.Max)*d.step
	return value == 0 && d.Min == 0 || value >= least && value <= most
}

// least is the least value that limits something.
func (d Definition) least() int { return max(d.Min, 1) }

// rangeText is a sentence for the one who typed something else.
func (d Definition) rangeText() string {
	unit := map[string]string{"min": " minutes", "s": " seconds", "days": " days"}[d.Unit]
	if d.Min == 0 {
		return fmt.Sprintf("Use %d to %d%s, or 0 for none.", d.least(), d.Max, unit)
	}
	return fmt.Sprintf("Use %d to %d%s.", d.Min, d.Max, unit)
}

// FlagDefault is the default as a flag takes it: 30m, 30d, 100, or on.
func (d Definition) FlagDefault() string {
	if d.text != nil {
		return ""
	}
	if d.toggle == nil {
		return d.flagText(d.Default)
	}
	if d.Default == 1 {
		return "on"
	}
	return "off"
}

// FlagRange is the range as a flag takes it: 1m to 240m, or 1 to 100.
func (d Definition) FlagRange() string {
	if d.toggle != nil {
		return "on or off"
	}
	if d.text != nil {
		return d.takes
	}
	text := d.flagText(d.least()) + " to " + d.flagText(d.Max)
	if d.Min == 0 {
		text += ", or 0 for none"
	}
	return text
}

// flagText is n units as a flag takes them, whole minutes as minutes.
func (d Definition) flagText(n int) string {
	suffix := map[string]string{"min": "m", "s": "s", "days": "d"}[d.Unit]
	if d.Unit == "s" && n%60 == 0 {
		n, suffix = n/60, "m"
	}
	return strconv.Itoa(n) + suffix
}

// wire is the value as it is on the wire. A first value may be no whole number
// of units; it is told as it is.
func (d Definition) wire(v Values) any {
	switch {
	case d.toggle != nil:
		return *d.toggle(&v)
	case d.text != nil:
		return *d.text(&v)
	case d.number != nil:
		return *d.number(&v)
	}
	value := *d.duration(&v)
	if value%d.step == 0 {
		return int(value / d.step)
	}
	return float64(value) / float64(d.step)
}

// raw is the value as it is kept.
func (d Definition) raw(v Values) json.RawMessage {
	text, _ := json.Marshal(d.wire(v)) // a bool, a text or a finite number: it can't fail
	return text
}

func (d Definition) resource(current, first Values) rest.Setting {
	s := rest.Setting{Value: d.wire(current), Default: d.wire(first), Unit: d.Unit, Applies: d.applies}
	if d.toggle == nil && d.text == nil {
		s.Min, s.Max = new(d.Min), new(d.Max)
	}
	return s
}
