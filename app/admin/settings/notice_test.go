package settings

import (
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/rest"
)

// TestWhatIsOffIsToldOnEveryPage, and only what is known to be off.
func TestWhatIsOffIsToldOnEveryPage(t *testing.T) {
	const privacy, monitoring = "Privacy mode is off on this server.", "Monitoring is off."
	for name, test := range map[string]struct {
		off  map[string]any
		want []string
	}{
		"both on":        {nil, nil},
		"privacy off":    {map[string]any{rest.SettingPrivacy: false}, []string{privacy}},
		"monitoring off": {map[string]any{rest.SettingMonitoring: false}, []string{monitoring, "Turn on"}},
		"both off":       {map[string]any{rest.SettingPrivacy: false, rest.SettingMonitoring: false}, []string{privacy, monitoring}},
	} {
		n := NewNotice(nil)
		n.settings = saved(t, test.off).Settings
		html := app.HTMLString(n)
		for _, want := range test.want {
			if !strings.Contains(html, want) {
				t.Errorf("%s: no %q in %s", name, want, html)
			}
		}
		if strings.Count(html, "banner-text") != strings.Count(strings.Join(test.want, " "), "is off") {
			t.Errorf("%s: %s", name, html)
		}
	}
	if html := app.HTMLString(NewNotice(nil)); strings.Contains(html, "off") {
		t.Errorf("before anything is known: %s", html)
	}
}
