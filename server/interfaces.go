package main

import (
	"net/http"

	"parley/server/api"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// interfaces is what the HTTP interface is made of: every part behind the words
// that it asks in.
func (h *house) interfaces(pages http.Handler) api.Config {
	here := &desk{sessions: h.sessions, privacy: h.privacy, agents: agentTitles()}
	kept := record{h.store}
	alerts := &alerting{alerts: h.alerts, audit: h.audit, store: h.store, privacy: h.privacy}
	return api.Config{
		Auth: h.authority, Sessions: here, Operator: here,
		Monitor: h.monitor, Stream: h.monitor,
		Record: kept, Lines: kept,
		Audit:    &auditing{log: h.audit, store: h.store, authority: h.authority, privacy: h.privacy},
		Settings: runtimeSettings{h.settings}, Alerts: alerts, Rules: alerts,
		Privacy: &protection{h}, Meter: h.metrics, MetricsToken: h.flags.MetricsToken,
		Act: h.act, Ready: h.ready, Remote: h.authority.Remote,
		SignInRefused: h.alerts.SignInRefused, StreamRefused: func() { h.streamsRefused.Add(1) },
		Socket: h.socket, Site: pages, Log: h.log,
		Version: version, StreamLifetime: h.flags.StreamLifetime,
	}
}

// act adds what an admin or a newcomer did to the feed, masked.
func (h *house) act(a rest.Activity) {
	a.User, a.Detail = h.privacy.Person(a.User), h.privacy.Text(a.Detail)
	h.monitor.Act(a)
}

// EndUser implements api.Operator.
func (d *desk) EndUser(user, org string) int {
	return d.sessions.EndWhere(func(c session.Caller) bool {
		return c.User == user && (org == "" || c.Org == org && !c.ServerAdmin)
	}, wire.Revoked, "")
}

// EndToken implements api.Operator.
func (d *desk) EndToken(id string) {
	d.sessions.EndWhere(func(c session.Caller) bool { return c.TokenID == id }, wire.Revoked, "")
}

// protection is what protects callers, complete.
type protection struct{ house *house }

// Status implements api.Privacy.
func (p *protection) Status() rest.Privacy {
	s := p.house.privacy.Status()
	v := p.house.settings.Get().Settings
	s.LogRetentionDays, _ = v[rest.SettingLogRetention].Value.(int)
	s.AuditRetentionDays, _ = v[rest.SettingAuditRetention].Value.(int)
	s.Confinement = p.house.flags.confinement
	return s
}

// Person implements api.Privacy.
func (p *protection) Person(sub string) string { return p.house.privacy.Person(sub) }

// UserKey implements api.Privacy.
func (p *protection) UserKey(sub string) string { return p.house.privacy.UserKey(sub) }
