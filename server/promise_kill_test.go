package main

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"parley/shared/rest"
	"parley/shared/wire"
)

// killTries is how often a server is killed the moment it has answered, for each
// kind of answer.
const killTries = 3

// act is what somebody asks of a server, and what has to be so once it was answered,
// though the server is killed at once.
type act struct {
	ask    func(t *testing.T, p *child, session string) int
	holds  func(t *testing.T, p *child, session string)
	action rest.AuditAction // "" is not an admin's
}

func pathOf(path, id string) string {
	return strings.NewReplacer("{id}", id, "{sub}", id).Replace(path)
}

// endedAs returns what checks how the record says that the call ended.
func endedAs(cause wire.EndCause, reason string) func(*testing.T, *child, string) {
	return func(t *testing.T, p *child, session string) {
		t.Helper()
		var page rest.Page[rest.SessionRecord]
		if got := p.ask(t, "demo-admin", http.MethodGet, rest.PathSessions, nil, &page); got != http.StatusOK || len(page.Items) != 1 {
			t.Fatalf("the record: %d, %+v", got, page)
		}
		r := page.Items[0]
		if r.ID != session || r.EndCause != cause || r.EndReason != reason || r.EndedAt == nil || r.State != wire.StateEnded {
			t.Errorf("the record says %+v, want %s", r, cause)
		}
	}
}

// settingIs returns what checks a setting.
func settingIs(name string, want any) func(*testing.T, *child, string) {
	return func(t *testing.T, p *child, _ string) {
		t.Helper()
		var now rest.Settings
		p.ask(t, "demo-admin", http.MethodGet, rest.PathSettings, nil, &now)
		if got := now.Settings[name].Value; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// anyCall is a rule that one call is enough for.
var anyCall = rest.AlertRule{ID: "any", Title: "Any call", Metric: rest.AlertLiveOfCap, Above: 0.001, Enabled: true}

func (c *child) putRule(t *testing.T) int {
	t.Helper()
	return c.ask(t, "demo-admin", http.MethodPut, rest.PathAlertRules, rest.AlertRules{Rules: []rest.AlertRule{anyCall}, Webhooks: []rest.Webhook{}}, nil)
}

// raiseAlert waits for the alert of the one call, and returns its id.
func (c *child) raiseAlert(t *testing.T) (id string) {
	t.Helper()
	if got := c.putRule(t); got != http.StatusOK {
		t.Fatalf("the rule gets %d", got)
	}
	eventually(t, "the alert is raised", func() bool {
		id = c.alert(t).ID
		return id != ""
	})
	return id
}

// alert is the newest one.
func (c *child) alert(t *testing.T) rest.Alert {
	t.Helper()
	var page rest.Page[rest.Alert]
	c.ask(t, "demo-admin", http.MethodGet, rest.PathAlerts, nil, &page)
	if len(page.Items) == 0 {
		return rest.Alert{}
	}
	return page.Items[0]
}

// What was answered is so: no kill -9, however soon, takes it back.
func TestWhatWasAnsweredOutlivesAKill(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]act{
		"an admin ends a call": {
			func(t *testing.T, p *child, session string) int {
				return p.ask(t, "demo-admin", http.MethodPost, pathOf(rest.PathEnd, session), rest.EndRequest{Reason: "maintenance"}, nil)
			}, endedAs(wire.AdminEnded, "maintenance"), rest.AuditEndSession,
		},
		"the user ends it": {
			func(t *testing.T, p *child, session string) int {
				return p.ask(t, "ann", http.MethodPost, pathOf(rest.PathEndOwn, session), nil, nil)
			}, endedAs(wire.CallerLeft, ""), "",
		},
		"an admin revokes the user": {
			func(t *testing.T, p *child, _ string) int {
				return p.ask(t, "demo-admin", http.MethodPost, pathOf(rest.PathRevokeUser, "ann"), rest.RevokeRequest{Reason: "lost phone"}, nil)
			}, func(t *testing.T, p *child, session string) {
				endedAs(wire.Revoked, "")(t, p, session)
				if got := p.ask(t, "ann", http.MethodGet, rest.PathMe, nil, nil); got != http.StatusUnauthorized {
					t.Errorf("a token from before gets %d", got)
				}
			}, rest.AuditRevoke,
		},
		"settings": {
			func(t *testing.T, p *child, _ string) int {
				return p.ask(t, "demo-admin", http.MethodPatch, rest.PathSettings, map[string]any{rest.SettingMaxSessions: 7}, nil)
			}, settingIs(rest.SettingMaxSessions, 7.0), rest.AuditSettings,
		},
		"the timeout": {
			func(t *testing.T, p *child, _ string) int {
				return p.ask(t, "demo-admin", http.MethodPost, rest.PathTimeout, rest.TimeoutRequest{TimeoutMinutes: 45}, nil)
			}, settingIs(rest.SettingIdleTimeout, 45.0), rest.AuditSettings,
		},
		"an alert is acknowledged": {
			func(t *testing.T, p *child, _ string) int {
				return p.ask(t, "demo-admin", http.MethodPost, pathOf(rest.PathAcknowledge, p.raiseAlert(t)), nil, nil)
			}, func(t *testing.T, p *child, _ string) {
				if a := p.alert(t); a.AcknowledgedAt == nil || a.AcknowledgedBy == "" {
					t.Errorf("%+v", a)
				}
			}, rest.AuditAcknowledge,
		},
		"an alert is silenced": {
			func(t *testing.T, p *child, _ string) int {
				return p.ask(t, "demo-admin", http.MethodPost, pathOf(rest.PathSilence, p.raiseAlert(t)), rest.SilenceRequest{Minutes: 30}, nil)
			}, func(t *testing.T, p *child, _ string) {
				if a := p.alert(t); a.SilencedUntil == nil {
					t.Errorf("%+v", a)
				}
			}, rest.AuditSilence,
		},
		"rules": {
			func(t *testing.T, p *child, _ string) int { return p.putRule(t) },
			func(t *testing.T, p *child, _ string) {
				var now rest.AlertRules
				p.ask(t, "demo-admin", http.MethodGet, rest.PathAlertRules, nil, &now)
				if len(now.Rules) != 1 || now.Rules[0] != anyCall {
					t.Errorf("%+v", now.Rules)
				}
			}, rest.AuditRules,
		},
		"timeouts are checked": {
			func(t *testing.T, p *child, _ string) int {
				return p.ask(t, "demo-admin", http.MethodPost, rest.PathCheckTimeouts, nil, nil)
			}, func(*testing.T, *child, string) {}, rest.AuditCheckTimeouts,
		},
	} {
		for n := range killTries {
			t.Run(name+" "+strconv.Itoa(n+1), func(t *testing.T) {
				t.Parallel()
				a.outlivesAKill(t)
			})
		}
	}
}

func (a act) outlivesAKill(t *testing.T) {
	dir := t.TempDir()
	p := spawnIn(t, dir)
	token := p.token(t, "ann") // the same after the kill
	p.tokens = map[string]string{"ann": token}
	session := p.talking(t, "ann", "echo").session()
	got := a.ask(t, p, session)
	p.kill(t)
	if got/100 != 2 {
		t.Fatalf("it is answered with %d", got)
	}
	again := spawnIn(t, dir)
	again.tokens = map[string]string{"ann": token}
	a.holds(t, again, session)
	if a.action == "" {
		return
	}
	for _, line := range again.audit(t) {
		if line.Action == a.action && line.Outcome == "done" {
			return
		}
	}
	t.Errorf("no line says that %s was done", a.action)
}
