package settings_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley/server/fault"
	"parley/server/settings"
	"parley/shared/rest"
)

// edges are each setting's range, from the interface's table.
var edges = map[string]struct {
	min, max int
	first    string
	unit     string
	applies  string
	value    func(settings.Values) time.Duration // or a plain count
	one      time.Duration
}{
	rest.SettingIdleTimeout:    {1, 240, "30", "min", "now", func(v settings.Values) time.Duration { return v.IdleTimeout }, time.Minute},
	rest.SettingIdleWarning:    {20, 600, "120", "s", "now", func(v settings.Values) time.Duration { return v.IdleWarning }, time.Second},
	rest.SettingMaxDuration:    {0, 720, "60", "min", "now", func(v settings.Values) time.Duration { return v.MaxDuration }, time.Minute},
	rest.SettingMaxSessions:    {1, 10_000, "100", "", "new_calls", func(v settings.Values) time.Duration { return time.Duration(v.MaxSessions) }, 1},
	rest.SettingMaxPerUser:     {1, 100, "1", "", "new_calls", func(v settings.Values) time.Duration { return time.Duration(v.MaxPerUser) }, 1},
	rest.SettingMaxPerOrg:      {0, 10_000, "0", "", "new_calls", func(v settings.Values) time.Duration { return time.Duration(v.MaxPerOrg) }, 1},
	rest.SettingLogRetention:   {1, 365, "30", "days", "now", func(v settings.Values) time.Duration { return v.LogRetention }, 24 * time.Hour},
	rest.SettingAuditRetention: {30, 3650, "365", "days", "now", func(v settings.Values) time.Duration { return v.AuditRetention }, 24 * time.Hour},
}

func text(v any) string {
	out, _ := json.Marshal(v)
	return string(out)
}

func TestGetTellsDefaultsAndRanges(t *testing.T) {
	got := newRig(t).Get()
	if got.Version != 0 || len(got.Settings) != len(edges)+5 {
		t.Fatalf("%+v", got)
	}
	for name, e := range edges {
		s := got.Settings[name]
		if text(s.Value) != e.first || text(s.Default) != e.first || s.Min == nil || *s.Min != e.min || s.Max == nil || *s.Max != e.max ||
			s.Unit != e.unit || s.Applies != e.applies {
			t.Errorf("%s: %s", name, text(s))
		}
	}
	for _, name := range []string{rest.SettingPrivacy, rest.SettingMonitoring} {
		if s := got.Settings[name]; s.Value != true || s.Default != true || s.Min != nil || s.Max != nil || s.Applies != "now" {
			t.Errorf("%s: %s", name, text(s))
		}
	}
}

func TestRangesEndWhereTheySay(t *testing.T) {
	for name, e := range edges {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			for _, n := range []int{e.max, e.min, e.max} {
				got := r.must(name, text(n))
				if text(got.Settings[name].Value) != text(n) || e.value(r.Values()) != time.Duration(n)*e.one {
					t.Errorf("%d: %v on the wire, %v in use", n, got.Settings[name].Value, e.value(r.Values()))
				}
			}
			for _, n := range []int{e.min - 1, e.max + 1} {
				_, err := r.set(name, text(n))
				var field *fault.BadField
				if !errors.As(err, &field) || field.Field != name || field.Detail == "" {
					t.Errorf("%d: %v", n, err)
				}
			}
			if e.value(r.Values()) != time.Duration(e.max)*e.one || len(r.entries()) != 3 {
				t.Errorf("%v, %d lines", e.value(r.Values()), len(r.entries()))
			}
		})
	}
}

// TestDefinitions holds the table of ranges as flags and documents read it.
func TestDefinitions(t *testing.T) {
	flags := map[string][2]string{
		rest.SettingIdleTimeout:    {"30m", "1m to 240m"},
		rest.SettingIdleWarning:    {"2m", "20s to 10m"},
		rest.SettingMaxDuration:    {"60m", "1m to 720m, or 0 for none"},
		rest.SettingMaxSessions:    {"100", "1 to 10000"},
		rest.SettingMaxPerUser:     {"1", "1 to 100"},
		rest.SettingMaxPerOrg:      {"0", "1 to 10000, or 0 for none"},
		rest.SettingOrgCaps:        {"", "organizations with their calls"},
		rest.SettingLogRetention:   {"30d", "1d to 365d"},
		rest.SettingAuditRetention: {"365d", "30d to 3650d"},
		rest.SettingPrivacy:        {"on", "on or off"},
		rest.SettingMonitoring:     {"on", "on or off"},
		rest.SettingPaused:         {"off", "on or off"},
		rest.SettingAdminAllow:     {"", "addresses and networks"},
	}
	for _, d := range settings.Definitions() {
		if got := [2]string{d.FlagDefault(), d.FlagRange()}; got != flags[d.Name] {
			t.Errorf("%s: %q, want %q", d.Name, got, flags[d.Name])
		}
		if d.Why == "" || d.Default < d.Min || d.Default > d.Max {
			t.Errorf("%+v", d)
		}
	}
	if len(settings.Definitions()) != len(flags) {
		t.Errorf("%d settings, %d flags", len(settings.Definitions()), len(flags))
	}
	want := settings.Values{
		IdleTimeout: 30 * time.Minute, IdleWarning: 2 * time.Minute, MaxDuration: time.Hour, MaxSessions: 100, MaxPerUser: 1,
		LogRetention: 30 * settings.Day, AuditRetention: 365 * settings.Day, Privacy: true, Monitoring: true,
	}
	if got := settings.Defaults(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A flag's duration may be no whole number of units: the range ends at the
// nanosecond.
func TestAllowsEndsAtTheEdges(t *testing.T) {
	for name, c := range map[string]struct {
		setting string
		change  func(*settings.Values)
		ok      bool
	}{
		"timeout least":   {rest.SettingIdleTimeout, func(v *settings.Values) { v.IdleTimeout = time.Minute }, true},
		"timeout below":   {rest.SettingIdleTimeout, func(v *settings.Values) { v.IdleTimeout = time.Minute - 1 }, false},
		"timeout none":    {rest.SettingIdleTimeout, func(v *settings.Values) { v.IdleTimeout = 0 }, false},
		"timeout most":    {rest.SettingIdleTimeout, func(v *settings.Values) { v.IdleTimeout = 240 * time.Minute }, true},
		"timeout above":   {rest.SettingIdleTimeout, func(v *settings.Values) { v.IdleTimeout = 240*time.Minute + 1 }, false},
		"longest none":    {rest.SettingMaxDuration, func(v *settings.Values) { v.MaxDuration = 0 }, true},
		"longest below 0": {rest.SettingMaxDuration, func(v *settings.Values) { v.MaxDuration = -1 }, false},
		"longest below":   {rest.SettingMaxDuration, func(v *settings.Values) { v.MaxDuration = time.Minute - 1 }, false},
		"longest least":   {rest.SettingMaxDuration, func(v *settings.Values) { v.MaxDuration = time.Minute }, true},
		"longest above":   {rest.SettingMaxDuration, func(v *settings.Values) { v.MaxDuration = 720*time.Minute + 1 }, false},
		"cap least":       {rest.SettingMaxSessions, func(v *settings.Values) { v.MaxSessions = 1 }, true},
		"cap below":       {rest.SettingMaxSessions, func(v *settings.Values) { v.MaxSessions = 0 }, false},
		"cap most":        {rest.SettingMaxSessions, func(v *settings.Values) { v.MaxSessions = 10_000 }, true},
		"cap above":       {rest.SettingMaxSessions, func(v *settings.Values) { v.MaxSessions = 10_001 }, false},
		"off":             {rest.SettingPrivacy, func(v *settings.Values) { v.Privacy = false }, true},
	} {
		d, known := settings.DefinitionOf(c.setting)
		v := settings.Defaults()
		c.change(&v)
		if !known || d.Allows(v) != c.ok {
			t.Errorf("%s: known %v, allowed %v", name, known, !c.ok)
		}
	}
}

func TestWhatIsNoValue(t *testing.T) {
	const number, toggle = rest.SettingIdleTimeout, rest.SettingPrivacy
	for name, c := range map[string]struct {
		patch  map[string]json.RawMessage
		field  string
		detail string
	}{
		"an unknown name":           {patch("idle_timeout", "5"), "idle_timeout", "There is no such setting."},
		"no name":                   {patch("", "5"), "", "There is no such setting."},
		"another case":              {patch("Idle_timeout_minutes", "5"), "Idle_timeout_minutes", "There is no such setting."},
		"an unknown beside a known": {patch(number, "5", "x", "5"), "x", "There is no such setting."},
		"a text":                    {patch(number, `"5"`), number, "Use a whole number."},
		"null":                      {patch(number, "null"), number, "Use a whole number."},
		"a list":                    {patch(number, "[5]"), number, "Use a whole number."},
		"true for a number":         {patch(number, "true"), number, "Use a whole number."},
		"nothing":                   {patch(number, ""), number, "Use a whole number."},
		"no JSON":                   {patch(number, "0x10"), number, "Use a whole number."},
		"a sign":                    {patch(number, "+5"), number, "Use a whole number."},
		"a fraction":                {patch(number, "5.5"), number, "Use 1 to 240 minutes."},
		"an exponent":               {patch(number, "1e1"), number, "Use 1 to 240 minutes."},
		"far too much":              {patch(number, "99999999999999999999"), number, "Use 1 to 240 minutes."},
		"below nothing":             {patch(number, "-5"), number, "Use 1 to 240 minutes."},
		"none or more":              {patch(rest.SettingMaxDuration, "721"), rest.SettingMaxDuration, "Use 1 to 720 minutes, or 0 for none."},
		"days":                      {patch(rest.SettingAuditRetention, "29"), rest.SettingAuditRetention, "Use 30 to 3650 days."},
		"seconds":                   {patch(rest.SettingIdleWarning, "19"), rest.SettingIdleWarning, "Use 20 to 600 seconds."},
		"a count":                   {patch(rest.SettingMaxSessions, "0"), rest.SettingMaxSessions, "Use 1 to 10000."},
		"1 for true":                {patch(toggle, "1"), toggle, "Use true or false."},
		"on":                        {patch(toggle, `"on"`), toggle, "Use true or false."},
		"null for true":             {patch(toggle, "null"), toggle, "Use true or false."},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			_, err := r.Change(t.Context(), rest.SettingsChange{By: ada(), Patch: c.patch, IfVersion: rest.AnyVersion})
			var field *fault.BadField
			if !errors.As(err, &field) || *field != (fault.BadField{Field: c.field, Detail: c.detail}) {
				t.Errorf("%v", err)
			}
			if r.Values() != settings.Defaults() || len(r.entries()) != 0 || len(r.heard) != 0 {
				t.Errorf("%+v, %d lines, heard %v", r.Values(), len(r.entries()), r.heard)
			}
		})
	}
}

// A warning comes before what it warns of begins: not as late, whichever is set
// beside it. A timeout that is lowered by itself is taken.
func TestWarningAndTimeoutAreCheckedTogether(t *testing.T) {
	const warning, timeout = rest.SettingIdleWarning, rest.SettingIdleTimeout
	r := newRig(t)
	r.must(warning, "600")
	r.must(timeout, "1")
	if v := r.Values(); v.IdleWarning != 10*time.Minute || v.IdleTimeout != time.Minute {
		t.Errorf("%+v", v)
	}
	for name, c := range map[string]struct {
		patch map[string]json.RawMessage
		ok    bool
	}{
		"as long":          {patch(warning, "60"), false},
		"longer":           {patch(warning, "61"), false},
		"as long, both":    {patch(timeout, "2", warning, "120"), false},
		"a second shorter": {patch(warning, "59"), true},
		"shorter, both":    {patch(timeout, "2", warning, "119"), true},
		"another setting":  {patch(timeout, "1", rest.SettingMaxSessions, "5"), true},
	} {
		r := newRig(t)
		r.must(timeout, "1")
		_, err := r.Change(t.Context(), rest.SettingsChange{By: ada(), Patch: c.patch, IfVersion: rest.AnyVersion})
		var field *fault.BadField
		if (err == nil) != c.ok || err != nil && (!errors.As(err, &field) || field.Field != warning) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAKeptValueWinsUntilReset(t *testing.T) {
	r := newRig(t)
	r.must(rest.SettingIdleTimeout, "7", rest.SettingMonitoring, "false")
	flags := settings.Defaults()
	flags.IdleTimeout, flags.MaxSessions = 90*time.Second, 5
	r.restart(flags)
	want := flags
	want.IdleTimeout, want.Monitoring = 7*time.Minute, false
	if got := r.Values(); got != want || r.Monitoring() || !r.Privacy() {
		t.Errorf("%+v, want %+v", got, want)
	}
	s := r.Get()
	if s.Version != 1 || text(s.Settings[rest.SettingIdleTimeout].Default) != "1.5" || text(s.Settings[rest.SettingMaxSessions].Default) != "5" {
		t.Errorf("%s", text(s))
	}
	if err := r.Reset(t.Context(), rest.AuditEntry{Actor: "parley"}, "--reset-settings"); err != nil {
		t.Fatal(err)
	}
	if got := r.Values(); got != flags || r.Get().Version != 2 {
		t.Errorf("after reset: %+v, version %d", got, r.Get().Version)
	}
	lines := r.entries()
	last := lines[len(lines)-1]
	if len(lines) != 2 || last.Actor != "parley" || last.Action != rest.AuditMonitoringOn || last.Target != "settings" || last.Reason != "--reset-settings" {
		t.Errorf("%d lines, the last %+v", len(lines), last)
	}
	r.restart(settings.Defaults())
	if got := r.Values(); got != settings.Defaults() || r.Get().Version != 2 {
		t.Errorf("after a restart: %+v, version %d", got, r.Get().Version)
	}
}

// What another version of the program kept, and this one can't use, is not used.
func TestAKeptValueOutOfRangeIsNotFollowed(t *testing.T) {
	r := newRig(t)
	_, err := r.store.AppendAudit(t.Context(), rest.AuditEntry{}, seal, keep(0, patch(
		rest.SettingIdleTimeout, "100000", rest.SettingMaxSessions, "7", rest.SettingPrivacy, `"no"`, "of_tomorrow", "1")))
	if err != nil {
		t.Fatal(err)
	}
	r.restart(settings.Defaults())
	want := settings.Defaults()
	want.MaxSessions = 7
	if got := r.Values(); got != want {
		t.Errorf("%+v", got)
	}
}

func TestWithoutAuditNothingChanges(t *testing.T) {
	r := newRig(t)
	if err := os.Rename(filepath.Join(r.dir, "control.db"), filepath.Join(r.dir, "away")); err != nil {
		t.Fatal(err)
	}
	_, err := r.set(rest.SettingMaxSessions, "7")
	if err == nil || r.Values() != settings.Defaults() || len(r.heard) != 0 {
		t.Errorf("%v, %+v", err, r.Values())
	}
}
