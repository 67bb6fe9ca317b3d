package settings

import (
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/rest"
)

// TestMonitoringIsOffSinceATime, which is told as far as it is known.
func TestMonitoringIsOffSinceATime(t *testing.T) {
	now := time.Date(2026, 11, 26, 14, 30, 0, 0, time.Local)
	for want, since := range map[string]time.Time{
		"have stopped.":          {},
		"stopped at 14:02:11.":   now.Add(-28*time.Minute + 11*time.Second),
		"stopped at 14:30:01.":   now.Add(-24*time.Hour + time.Second),
		"stopped on 25 Nov.":     now.Add(-24 * time.Hour),
		"stopped on 1 Dec 2025.": time.Date(2025, 12, 1, 0, 0, 0, 0, time.Local),
	} {
		if got := monitoringOff(since, now); !strings.HasSuffix(got, "logs "+want) {
			t.Errorf("%v: %q, want %q", since, got, want)
		}
	}
}

// TestTheGravestIsToldOnEveryPage, the others are counted, and what isn't known to be
// so isn't told.
func TestTheGravestIsToldOnEveryPage(t *testing.T) {
	const privacy, monitoring, paused = "Privacy mode is off on this server.", "Monitoring is off.", "New calls are paused."
	all := map[string]any{rest.SettingPrivacy: false, rest.SettingMonitoring: false, rest.SettingPaused: true}
	for name, test := range map[string]struct {
		set      map[string]any
		degraded []string
		isOpen   bool
		want     []string
		banners  int
	}{
		"all well":       {nil, nil, false, nil, 0},
		"privacy off":    {map[string]any{rest.SettingPrivacy: false}, nil, false, []string{privacy}, 1},
		"monitoring off": {map[string]any{rest.SettingMonitoring: false}, nil, false, []string{monitoring, "Turn on"}, 1},
		"paused":         {map[string]any{rest.SettingPaused: true}, nil, false, []string{paused, "Resume"}, 1},
		"three":          {all, nil, false, []string{privacy, "2 more", `aria-expanded="false"`}, 1},
		"a part fails":   {all, []string{"audit_chain", "new_part"}, false, []string{"the audit chain is broken; new_part.", "3 more", "tone-danger"}, 1},
		"all are shown":  {all, []string{"store"}, true, []string{"can&#39;t be written", privacy, paused, monitoring, "Fewer"}, 4},
		"open, but one":  {map[string]any{rest.SettingPaused: true}, nil, true, []string{paused}, 1},
	} {
		n := NewNotice(nil)
		n.settings, n.degraded, n.isOpen = saved(t, test.set).Settings, test.degraded, test.isOpen
		html := app.HTMLString(n)
		for _, want := range test.want {
			if !strings.Contains(html, want) {
				t.Errorf("%s: no %q in %s", name, want, html)
			}
		}
		if got := strings.Count(html, "banner-text"); got != test.banners {
			t.Errorf("%s: %d banners in %s", name, got, html)
		}
	}
	if html := app.HTMLString(NewNotice(nil)); strings.Contains(html, "off") {
		t.Errorf("before anything is known: %s", html)
	}
}
