package settings

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"parley/app/ui"
	"parley/shared/rest"
)

// saved are settings as they come from the server: numbers are float64.
func saved(t *testing.T, edit map[string]any) rest.Settings {
	t.Helper()
	out := rest.Settings{Version: 7, Settings: map[string]rest.Setting{
		rest.SettingMonitoring:     {Value: true, Default: true, Applies: "now"},
		rest.SettingPrivacy:        {Value: true, Default: true, Applies: "now"},
		rest.SettingIdleTimeout:    {Value: 30, Default: 30, Min: new(1), Max: new(240), Unit: "min", Applies: "now"},
		rest.SettingIdleWarning:    {Value: 120, Default: 120, Min: new(20), Max: new(600), Unit: "s", Applies: "now"},
		rest.SettingMaxDuration:    {Value: 60, Default: 60, Min: new(0), Max: new(720), Unit: "min", Applies: "now"},
		rest.SettingMaxSessions:    {Value: 100, Default: 100, Min: new(1), Max: new(10000), Applies: "new_calls"},
		rest.SettingMaxPerUser:     {Value: 1, Default: 1, Min: new(1), Max: new(100), Applies: "new_calls"},
		rest.SettingLogRetention:   {Value: 30, Default: 30, Min: new(1), Max: new(365), Unit: "days", Applies: "now"},
		rest.SettingAuditRetention: {Value: 365, Default: 365, Min: new(30), Max: new(3650), Unit: "days", Applies: "now"},
		rest.SettingPaused:         {Value: false, Default: false, Applies: "new_calls"},
		rest.SettingAdminAllow:     {Value: "", Default: "", Applies: "now"},
	}}
	for name, v := range edit {
		s := out.Settings[name]
		s.Value = v
		out.Settings[name] = s
	}
	raw, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	var read rest.Settings
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// TestEachFieldIsHeldToItsRange, with the same sentence as the server's.
func TestEachFieldIsHeldToItsRange(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{rest.SettingIdleTimeout, "1", ""}, {rest.SettingIdleTimeout, " 240 ", ""},
		{rest.SettingIdleTimeout, "0", "Use 1 to 240 minutes."}, {rest.SettingIdleTimeout, "241", "Use 1 to 240 minutes."},
		{rest.SettingIdleTimeout, "30.5", "Use 1 to 240 minutes."}, {rest.SettingIdleTimeout, "", "Use 1 to 240 minutes."},
		{rest.SettingIdleTimeout, "soon", "Use 1 to 240 minutes."}, {rest.SettingIdleTimeout, "99999999999999999999", "Use 1 to 240 minutes."},
		{rest.SettingIdleWarning, "19", "Use 20 to 600 seconds."}, {rest.SettingIdleWarning, "20", ""},
		{rest.SettingMaxDuration, "0", ""}, {rest.SettingMaxDuration, "-1", "Use 1 to 720 minutes, or 0 for none."},
		{rest.SettingMaxSessions, "10001", "Use 1 to 10\u202f000."},
		{rest.SettingLogRetention, "366", "Use 1 to 365 days."},
		{rest.SettingMonitoring, "false", ""},
	} {
		d := newDraft(saved(t, nil))
		d.edit(test.name, test.text)
		if got := d.problem(test.name); got != test.want {
			t.Errorf("%s %q: %q, not %q", test.name, test.text, got, test.want)
		}
		if got := d.told(test.name); got != "" {
			t.Errorf("%s %q is told before the field was left: %q", test.name, test.text, got)
		}
		d.leave(test.name)
		if got := d.told(test.name); got != test.want {
			t.Errorf("%s %q: told %q, not %q", test.name, test.text, got, test.want)
		}
	}
}

// TestAWarningComesBeforeItsTimeout, whichever of the two is edited.
func TestAWarningComesBeforeItsTimeout(t *testing.T) {
	d := newDraft(saved(t, nil))
	d.edit(rest.SettingIdleTimeout, "2")
	d.edit(rest.SettingIdleWarning, "121")
	if got := d.problem(rest.SettingIdleWarning); got != "Use less than the idle timeout of 2 minutes." {
		t.Errorf("a warning after its timeout: %q", got)
	}
	d.edit(rest.SettingIdleWarning, "119")
	if got := d.problem(rest.SettingIdleWarning); got != "" {
		t.Errorf("a warning before its timeout: %q", got)
	}
}

// TestOnlyWhatDiffersIsAChange, and it is sent as the server takes it.
func TestOnlyWhatDiffersIsAChange(t *testing.T) {
	d := newDraft(saved(t, nil))
	d.edit(rest.SettingMaxDuration, "0")
	d.edit(rest.SettingIdleTimeout, " 20")
	d.edit(rest.SettingMaxPerUser, "1 ")
	d.edit(rest.SettingMonitoring, "false")
	want := []ui.Change{{Label: "Monitoring", Old: "on", New: "off"}, {Label: "Idle timeout", Old: "30 min", New: "20 min"}, {Label: "Longest call", Old: "60 min", New: "none"}}
	if got := d.changes(); !slices.Equal(got, want) {
		t.Errorf("the changes are %+v", got)
	}
	sent, err := json.Marshal(d.patch())
	if err != nil || string(sent) != `{"idle_timeout_minutes":20,"max_duration_minutes":0,"monitoring":false}` {
		t.Errorf("it sends %s (%v)", sent, err)
	}
	for _, name := range names() {
		d.edit(name, textOf(d.saved.Settings[name].Value))
	}
	if len(d.changes()) != 0 || len(d.patch()) != 0 {
		t.Errorf("as it was, it still has %+v", d.changes())
	}
}

// TestSomebodyElsesChangeLosesNothing of what was typed, and only what they did is told.
func TestSomebodyElsesChangeLosesNothing(t *testing.T) {
	d := newDraft(saved(t, nil))
	d.edit(rest.SettingIdleTimeout, "20")
	d.edit(rest.SettingMaxSessions, "50")
	theirs := d.rebase(saved(t, map[string]any{rest.SettingIdleTimeout: 10, rest.SettingMaxSessions: 50, rest.SettingPrivacy: false}))
	want := []ui.Change{{Label: "Idle timeout", Old: "30 min", New: "10 min"}, {Label: "Calls at the same time", Old: "100", New: "50"}, {Label: "Privacy mode", Old: "on", New: "off"}}
	if !slices.Equal(theirs, want) {
		t.Errorf("they changed %+v", theirs)
	}
	if mine := []ui.Change{{Label: "Idle timeout", Old: "10 min", New: "20 min"}}; !slices.Equal(d.changes(), mine) {
		t.Errorf("left to save: %+v", d.changes())
	}
	if len(d.rebase(d.saved)) != 0 {
		t.Error("the same settings are a change")
	}
}

// TestARefusalStandsUntilTheFieldIsEdited.
func TestARefusalStandsUntilTheFieldIsEdited(t *testing.T) {
	d := newDraft(saved(t, nil))
	d.edit(rest.SettingIdleTimeout, "20")
	d.refused[rest.SettingIdleTimeout] = "Not now."
	if d.told(rest.SettingIdleTimeout) != "Not now." || d.problems() != 1 {
		t.Errorf("the refusal isn't told: %q", d.told(rest.SettingIdleTimeout))
	}
	d.edit(rest.SettingIdleTimeout, "21")
	d.leave(rest.SettingIdleTimeout)
	if d.told(rest.SettingIdleTimeout) != "" || d.problems() != 0 {
		t.Errorf("the refusal stands: %q", d.told(rest.SettingIdleTimeout))
	}
}

// TestPausingSaysWhatCallersMeet, and resuming asks for nothing.
func TestPausingSaysWhatCallersMeet(t *testing.T) {
	for _, test := range []struct {
		from bool
		to   string
		want string
	}{
		{false, "true", "From then on nobody can start a call; calls that are on go on. "},
		{true, "false", ""}, {true, "true", ""}, {false, "false", ""},
	} {
		d := newDraft(saved(t, map[string]any{rest.SettingPaused: test.from}))
		d.edit(rest.SettingPaused, test.to)
		if got := d.warning(); got != test.want {
			t.Errorf("paused from %v to %s: %q", test.from, test.to, got)
		}
	}
}

// TestTheNoteCountsCallsThatWouldEnd within a minute, to the second.
func TestTheNoteCountsCallsThatWouldEnd(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	quiet := func(d time.Duration) rest.Session { return rest.Session{LastActiveAt: now.Add(-d)} }
	for _, test := range []struct {
		live []rest.Session
		want string
	}{
		{nil, "No call is on."},
		{[]rest.Session{quiet(0)}, "1 live call: none would end in the next minute."},
		{[]rest.Session{quiet(19 * time.Minute)}, "1 live call: 1 would end in the next minute."},
		{[]rest.Session{quiet(19*time.Minute - time.Second), quiet(time.Hour), quiet(0)}, "3 live calls: 1 would end in the next minute."},
	} {
		if got := timeoutNote(test.live, 20*time.Minute, now); got != test.want {
			t.Errorf("%d calls: %q, not %q", len(test.live), got, test.want)
		}
	}
}

// TestEverySettingHasWords and a field, but the one with a page of its own.
func TestEverySettingHasWords(t *testing.T) {
	for name := range saved(t, nil).Settings {
		if labelOf(name) == name || (name != rest.SettingPrivacy) != slices.Contains(names(), name) {
			t.Errorf("%s is %q on the page", name, labelOf(name))
		}
	}
}
