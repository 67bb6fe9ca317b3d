package settings

import (
	"testing"

	"parley/shared/rest"
)

// TestWhereOneComesFrom is told beside the list of where admins may come from.
func TestWhereOneComesFrom(t *testing.T) {
	for name, test := range map[string]struct {
		address, saved, typed, want string
	}{
		"no list":            {"203.0.113.7", "", "", "Your address is 203.0.113.7"},
		"in the list":        {"203.0.113.7", "203.0.113.0/24", "203.0.113.0/24", "Your address 203.0.113.7 is in the list ✓"},
		"a list to be saved": {"203.0.113.7", "203.0.113.0/24", "10.0.0.0/8", "Your address is 203.0.113.7"},
		"not known":          {"", "203.0.113.0/24", "203.0.113.0/24", ""},
	} {
		p := &Page{address: test.address, draft: newDraft(saved(t, map[string]any{rest.SettingAdminAllow: test.saved}))}
		p.draft.edit(rest.SettingAdminAllow, test.typed)
		if got := p.ownAddress(); got != test.want {
			t.Errorf("%s: %q, not %q", name, got, test.want)
		}
	}
}
