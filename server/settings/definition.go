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

// definition is what there is to know of one setting. Exactly one of duration,
// number and toggle says where its value is.
type definition struct {
	name     string
	min, max int // in units
	unit     string
	applies  string

	step     time.Duration // of a duration: its unit
	duration func(*Values) *time.Duration
	number   func(*Values) *int
	toggle   func(*Values) *bool
}

// definitions is the closed set, in the order in which it is shown.
func definitions() []definition {
	return []definition{
		{name: rest.SettingMonitoring, applies: now, toggle: func(v *Values) *bool { return &v.Monitoring }},
		{name: rest.SettingIdleTimeout, min: 1, max: 240, unit: "min", applies: now, step: time.Minute,
			duration: func(v *Values) *time.Duration { return &v.IdleTimeout }},
		{name: rest.SettingIdleWarning, min: 20, max: 600, unit: "s", applies: now, step: time.Second,
			duration: func(v *Values) *time.Duration { return &v.IdleWarning }},
		{name: rest.SettingMaxDuration, min: 0, max: 720, unit: "min", applies: now, step: time.Minute,
			duration: func(v *Values) *time.Duration { return &v.MaxDuration }},
		{name: rest.SettingMaxSessions, min: 1, max: 10_000, applies: newCalls,
			number: func(v *Values) *int { return &v.MaxSessions }},
		{name: rest.SettingMaxPerUser, min: 1, max: 100, applies: newCalls,
			number: func(v *Values) *int { return &v.MaxPerUser }},
		{name: rest.SettingLogRetention, min: 1, max: 365, unit: "days", applies: now, step: Day,
			duration: func(v *Values) *time.Duration { return &v.LogRetention }},
		{name: rest.SettingAuditRetention, min: 30, max: 3650, unit: "days", applies: now, step: Day,
			duration: func(v *Values) *time.Duration { return &v.AuditRetention }},
		{name: rest.SettingPrivacy, applies: now, toggle: func(v *Values) *bool { return &v.Privacy }},
	}
}

func definitionOf(name string) (definition, bool) {
	for _, d := range definitions() {
		if d.name == name {
			return d, true
		}
	}
	return definition{}, false
}

// set reads a value as it is on the wire into v: true or false, or a whole
// number within the range.
func (d definition) set(v *Values, raw json.RawMessage) error {
	text := string(bytes.TrimSpace(raw))
	if d.toggle != nil {
		if text != "true" && text != "false" {
			return &fault.BadField{Field: d.name, Detail: "Use true or false."}
		}
		*d.toggle(v) = text == "true"
		return nil
	}
	if !json.Valid(raw) || text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return &fault.BadField{Field: d.name, Detail: "Use a whole number."}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < d.min || n > d.max { // a number that Atoi doesn't know is none of ours
		return &fault.BadField{Field: d.name, Detail: d.rangeText()}
	}
	if d.number != nil {
		*d.number(v) = n
		return nil
	}
	*d.duration(v) = time.Duration(n) * d.step
	return nil
}

// rangeText is a sentence for the one who typed something else.
func (d definition) rangeText() string {
	unit := map[string]string{"min": " minutes", "s": " seconds", "days": " days"}[d.unit]
	if d.min == 0 {
		return fmt.Sprintf("Use 1 to %d%s, or 0 for none.", d.max, unit)
	}
	return fmt.Sprintf("Use %d to %d%s.", d.min, d.max, unit)
}

// wire is the value as it is on the wire. A first value may be no whole number
// of units; it is told as it is.
func (d definition) wire(v Values) any {
	switch {
	case d.toggle != nil:
		return *d.toggle(&v)
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
func (d definition) raw(v Values) json.RawMessage {
	text, _ := json.Marshal(d.wire(v)) // a bool or a finite number: it can't fail
	return text
}

func (d definition) resource(current, first Values) rest.Setting {
	s := rest.Setting{Value: d.wire(current), Default: d.wire(first), Unit: d.unit, Applies: d.applies}
	if d.toggle == nil {
		s.Min, s.Max = new(d.min), new(d.max)
	}
	return s
}
