package settings_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"parley/server/fault"
	"parley/server/settings"
	"parley/shared/rest"
)

// TestCapsOfOrganizations: lists as people write them become one list, and what is none is
// told, in words that name it.
func TestCapsOfOrganizations(t *testing.T) {
	var all []string
	for i := range rest.MaxOrgCaps {
		all = append(all, fmt.Sprintf("org %d=%d", i, i))
	}
	most := strings.Join(all, ", ")
	for typed, want := range map[string]struct{ kept, says string }{
		"":                             {"", ""},
		" \n, ":                        {"", ""},
		"acme=20":                      {"acme=20", ""},
		" acme = 020,\nbig corp=10000": {"acme=20, big corp=10000", ""},
		"a=b=0":                        {"a=b=0", ""},
		most:                           {most, ""},
		most + ",x=1":                  {"", "Use 100 organizations"},
		"acme":                         {"", `"acme" is no organization`},
		"acme=":                        {"", `"acme=" is no organization`},
		"=3":                           {"", "is no organization"},
		"acme=-1":                      {"", "0 to 10000"},
		"acme=10001":                   {"", "0 to 10000"},
		"acme=some":                    {"", "is no organization"},
		"acme=1, acme=2":               {"", "twice"},
	} {
		r := newRig(t)
		got, err := r.set(rest.SettingOrgCaps, text(typed))
		var field *fault.BadField
		switch {
		case want.says != "":
			if !errors.As(err, &field) || field.Field != rest.SettingOrgCaps || !strings.Contains(field.Detail, want.says) {
				t.Errorf("%.60q: %v", typed, err)
			}
		case err != nil || got.Settings[rest.SettingOrgCaps].Value != want.kept || r.Values().OrgCaps != want.kept:
			t.Errorf("%.60q: %v (%v)", typed, got.Settings[rest.SettingOrgCaps], err)
		}
	}
}

// TestWhichCapAnOrganizationHas: its own, or that of all; none has none.
func TestWhichCapAnOrganizationHas(t *testing.T) {
	v := settings.Values{MaxPerOrg: 7, OrgCaps: "acme=20, free=0, a=b=3"}
	for org, want := range map[string]int{"acme": 20, "free": 0, "a=b": 3, "a": 7, "acm": 7, "ACME": 7, "globex": 7, "": 0} {
		if got := v.OrgCap(org); got != want {
			t.Errorf("%q: %d, want %d", org, got, want)
		}
	}
}
