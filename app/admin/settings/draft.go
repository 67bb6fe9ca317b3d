package settings

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/app/ui"
	"parley/shared/rest"
)

// draft is what somebody has typed over the settings as they are saved. It holds
// texts: what is no number stays as it was typed, and is told.
type draft struct {
	saved   rest.Settings
	edits   map[string]string
	left    map[string]bool   // fields that were left since they were edited
	refused map[string]string // what the server said of a value, until it is edited
}

func newDraft(saved rest.Settings) draft {
	return draft{saved: saved, edits: map[string]string{}, left: map[string]bool{}, refused: map[string]string{}}
}

// edit takes a text for a setting.
func (d *draft) edit(name, text string) {
	d.edits[name] = text
	delete(d.left, name)
	delete(d.refused, name)
	if !d.isChanged(name) {
		delete(d.edits, name)
	}
}

// leave lets the problem of a setting be told.
func (d *draft) leave(name string) { d.left[name] = true }

// text is what stands in the field.
func (d draft) text(name string) string {
	if text, edited := d.edits[name]; edited {
		return text
	}
	return textOf(d.saved.Settings[name].Value)
}

func (d draft) isChanged(name string) bool {
	text, edited := d.edits[name]
	return edited && strings.TrimSpace(text) != textOf(d.saved.Settings[name].Value)
}

// changedNames are in the order of the page.
func (d draft) changedNames() []string {
	return slices.DeleteFunc(names(), func(name string) bool { return !d.isChanged(name) })
}

// problem is what is wrong with what stands in a field; "" if nothing is.
func (d draft) problem(name string) string {
	if !d.isChanged(name) {
		return ""
	}
	if said := d.refused[name]; said != "" {
		return said
	}
	s := d.saved.Settings[name]
	if s.Min == nil || s.Max == nil {
		return ""
	}
	n, err := strconv.Atoi(strings.TrimSpace(d.text(name)))
	if err != nil || n < *s.Min || n > *s.Max {
		return rangeText(s)
	}
	if timeout := d.idleTimeout(); name == rest.SettingIdleWarning && timeout > 0 && time.Duration(n)*time.Second >= timeout {
		return "Use less than the idle timeout of " + ui.Span(timeout) + "."
	}
	return ""
}

// told is the problem of a field that was left.
func (d draft) told(name string) string {
	if d.left[name] || d.refused[name] != "" {
		return d.problem(name)
	}
	return ""
}

func (d draft) problems() (n int) {
	for _, name := range d.changedNames() {
		if d.problem(name) != "" {
			n++
		}
	}
	return n
}

// idleTimeout is the one in the field; 0 if none stands there.
func (d draft) idleTimeout() time.Duration {
	n, _ := strconv.Atoi(strings.TrimSpace(d.text(rest.SettingIdleTimeout)))
	return time.Duration(n) * time.Minute
}

// changes are what would be saved.
func (d draft) changes() []ui.Change {
	var out []ui.Change
	for _, name := range d.changedNames() {
		s := d.saved.Settings[name]
		out = append(out, ui.Change{Label: labelOf(name), Old: shown(s, textOf(s.Value)), New: shown(s, strings.TrimSpace(d.text(name)))})
	}
	return out
}

// warning says what callers meet at once when this is saved; "" for nothing.
func (d draft) warning() string {
	if d.isChanged(rest.SettingPaused) && d.text(rest.SettingPaused) == "true" {
		return "From then on nobody can start a call; calls that are on go on. "
	}
	return ""
}

// patch is what is sent: the values by name. There must be no problem.
func (d draft) patch() map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for _, name := range d.changedNames() {
		text := strings.TrimSpace(d.text(name))
		if _, isText := d.saved.Settings[name].Value.(string); isText {
			out[name], _ = json.Marshal(text) // a string always can be
			continue
		}
		out[name] = json.RawMessage(text)
	}
	return out
}

// patchOf changes one setting to a value as it is on the wire.
func patchOf(name, value string) map[string]json.RawMessage {
	return map[string]json.RawMessage{name: json.RawMessage(value)}
}

// rebase takes what is saved by now and tells what somebody else changed since the
// draft was begun. What was typed stays.
func (d *draft) rebase(fresh rest.Settings) []ui.Change {
	var theirs []ui.Change
	for _, name := range slices.Sorted(maps.Keys(fresh.Settings)) {
		now, was := fresh.Settings[name], d.saved.Settings[name]
		if textOf(now.Value) != textOf(was.Value) {
			theirs = append(theirs, ui.Change{Label: labelOf(name), Old: shown(was, textOf(was.Value)), New: shown(now, textOf(now.Value))})
		}
	}
	d.saved = fresh
	for _, name := range names() {
		if !d.isChanged(name) {
			delete(d.edits, name)
		}
	}
	return theirs
}

// textOf is a value as it stands in a field.
func textOf(value any) string {
	switch v := value.(type) {
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int:
		return strconv.Itoa(v)
	case string:
		return v
	}
	return ""
}

// shown is a text as a person reads it: 30 min, on, none.
func shown(s rest.Setting, text string) string {
	switch {
	case text == "true":
		return "on"
	case text == "false":
		return "off"
	case text == "", text == "0" && s.Min != nil && *s.Min == 0:
		return "none"
	case s.Unit != "":
		return text + " " + s.Unit
	}
	return text
}

// rangeText tells who typed something else what to use, as the server does.
func rangeText(s rest.Setting) string {
	unit := map[string]string{"min": " minutes", "s": " seconds", "days": " days"}[s.Unit]
	least, most := ui.Count(int64(max(*s.Min, 1))), ui.Count(int64(*s.Max))
	if *s.Min == 0 {
		return "Use " + least + " to " + most + unit + ", or 0 for none."
	}
	return "Use " + least + " to " + most + unit + "."
}

// endingSoon counts the calls that would be over an idle timeout within a minute.
func endingSoon(live []rest.Session, timeout time.Duration, now time.Time) (n int) {
	for _, s := range live {
		if now.Add(time.Minute).Sub(s.LastActiveAt) >= timeout {
			n++
		}
	}
	return n
}

// timeoutNote says what an idle timeout would do to the calls that are on.
func timeoutNote(live []rest.Session, timeout time.Duration, now time.Time) string {
	n := len(live)
	if n == 0 || timeout <= 0 {
		return "No call is on."
	}
	calls := ui.Count(int64(n)) + " live calls: "
	if n == 1 {
		calls = "1 live call: "
	}
	ending := endingSoon(live, timeout, now)
	if ending == 0 {
		return calls + "none would end in the next minute."
	}
	return calls + ui.Count(int64(ending)) + " would end in the next minute."
}
