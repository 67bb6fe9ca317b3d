package settings_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"parley/server/fault"
	"parley/server/settings"
	"parley/shared/rest"
)

// TestWhereAdminsComeFrom: lists as people write them become one list, and what is no
// address is told, in words that name it.
func TestWhereAdminsComeFrom(t *testing.T) {
	most := strings.Join(slices.Repeat([]string{"192.0.2.1"}, rest.MaxAdminNetworks), ",")
	for typed, want := range map[string]struct{ kept, says string }{
		"":                               {"", ""},
		" \n ":                           {"", ""},
		"203.0.113.7":                    {"203.0.113.7", ""},
		"10.0.0.0/8,2001:db8::/32 ::1":   {"10.0.0.0/8, 2001:db8::/32, ::1", ""},
		" 192.0.2.1 ,\n\t192.0.2.0/24 ,": {"192.0.2.1, 192.0.2.0/24", ""},
		"::ffff:192.0.2.1":               {"192.0.2.1", ""},
		most:                             {strings.ReplaceAll(most, ",", ", "), ""},
		most + ",192.0.2.2":              {"", "100 addresses"},
		"here":                           {"", `"here" is neither`},
		"10.0.0.0/8, example.org":        {"", `"example.org" is neither`},
		"fe80::1%eth0":                   {"", "is neither"},
		"::ffff:192.0.2.0/120":           {"", "is neither"},
		"10.1.2.3/8":                     {"", "use 10.0.0.0/8"},
		"10.0.0.0/33":                    {"", "is neither"},
	} {
		r := newRig(t)
		got, err := r.set(rest.SettingAdminAllow, text(typed))
		var field *fault.BadField
		switch {
		case want.says != "":
			if !errors.As(err, &field) || field.Field != rest.SettingAdminAllow || !strings.Contains(field.Detail, want.says) {
				t.Errorf("%.60q: %v", typed, err)
			}
		case err != nil || got.Settings[rest.SettingAdminAllow].Value != want.kept || r.Values().AdminAllow != want.kept:
			t.Errorf("%.60q: %v (%v)", typed, got.Settings[rest.SettingAdminAllow], err)
		}
	}
	if _, err := newRig(t).set(rest.SettingAdminAllow, "7"); err == nil {
		t.Error("a number was taken for a list")
	}
}

// What was changed holds over the command line's, and a restart.
func TestWhereAdminsComeFromIsKept(t *testing.T) {
	first := settings.Defaults()
	first.AdminAllow = "10.0.0.0/8"
	r := newRig(t)
	r.restart(first)
	r.must(rest.SettingAdminAllow, `"192.0.2.0/24"`)
	r.restart(first)
	if got := r.Get().Settings[rest.SettingAdminAllow]; got.Value != "192.0.2.0/24" || got.Default != "10.0.0.0/8" || r.Values().AdminAllow != "192.0.2.0/24" {
		t.Errorf("%+v", got)
	}
}
