package main

import (
	"net/http"

	"parley/server/admin"
	"parley/server/api"
	"parley/server/store"
	"parley/shared/rest"
)

// interfaces is what the HTTP interface is made of: every part behind the words
// that it asks in.
func (h *house) interfaces(pages http.Handler) api.Config {
	acts := admin.New(admin.Config[*store.Tx]{
		Audit: h.audit, Sessions: h.sessions, Record: h.bridge.SessionRecord, Alerts: h.alerts, Tokens: h.authority, Mask: h.privacy,
	})
	return api.Config{
		Auth: h.authority, Sessions: h.bridge, Operator: acts,
		Monitor: h.monitor, Stream: h.monitor,
		Record: h.bridge.History(h.store), Logs: h.store, Audit: h.audit, Settings: h.settings, Alerts: h.alerts, AlertOperator: acts,
		Privacy: h.privacy, Confinement: h.flags.confinement, Meter: h.metrics, MetricsToken: h.flags.MetricsToken,
		Act: h.act, Ready: h.ready, Remote: h.authority.Remote,
		SignInRefused: h.alerts.SignInRefused, StreamRefused: func() { h.streamsRefused.Add(1) },
		Socket: h.socket, Site: pages, Log: h.log,
		Version: version, StreamLifetime: h.flags.StreamLifetime,
	}
}

// act adds what an admin or a newcomer did to the feed, masked.
func (h *house) act(a rest.Activity) {
	a.User, a.Name, a.Detail = h.privacy.Person(a.User), h.privacy.Text(a.Name), h.privacy.Text(a.Detail)
	h.monitor.Act(a)
}
