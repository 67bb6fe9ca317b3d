package main

import (
	"parley/server/admin"
	"parley/server/admission"
	"parley/server/api"
	"parley/server/auth"
	"parley/server/callapi"
	"parley/server/signaling"
	"parley/server/site"
	"parley/shared/rest"
)

// openInterfaces makes what answers requests: the socket, the calls of OpenAI's shape, the
// API and the pages.
func (s *Server) openInterfaces(acts *admin.Admin) error {
	c, kept, calls, mon := s.flags, s.storage, s.bridge, s.monitor
	s.socket = signaling.New(signaling.Config{
		Auth: kept.authority, Sessions: calls.Sessions(), Refuse: api.Refuse, Refused: mon.CountRefusal,
		IsSecure: kept.authority.Secure, Elsewhere: kept.elsewhere(mon),
		Checks: s.newChecks(), Remote: kept.authority.Remote, HasAgent: s.agents.has, BudgetProblem: calls.BudgetProblem, Logger: s.log,
	})
	s.callAPI = callapi.New(callapi.Config{
		Auth: kept.authority, Secrets: kept.authority, Sessions: calls.Sessions(), Checks: s.newChecks(),
		FindAgent: s.agents.find, EndSession: calls.EndSession, EndElsewhere: s.endElsewhere, Steer: calls.Steer,
		Refuse: api.Refuse, ExpectBody: api.ExpectBody, Refused: mon.CountRefusal, Remote: kept.authority.Remote, Logger: s.log,
	})
	pages, err := site.New(site.Config{
		Release: version, ProviderName: c.Provider.providerName(), Demo: kept.authority.Mode() == auth.Demo, Secure: kept.authority.Secure, AdminProblem: kept.authority.AdminProblem,
	})
	if err != nil {
		return err
	}
	provider, err := c.identityProvider()
	if err != nil {
		return err
	}
	s.api = api.New(api.Config{
		Auth: kept.authority, Provider: provider, ProviderSession: c.Provider.SessionLife, Sessions: s.calls(), Operator: s.operator(acts), Monitor: s.picture(), Stream: mon,
		Record: calls.History(kept.store), CallHistory: kept.store, Totals: kept.store, Revocations: kept.store, Usage: kept.store, Ratings: kept.store, Agents: calls, Logs: kept.store, Audit: kept.audit, Nodes: s.nodesLister(), PlacesHeld: kept.placesHeld(), NodeOperator: s.nodeOperator(), Settings: tellingSettings{s.settings, kept.neighbors}, Alerts: s.alerts, AlertOperator: tellingAlerts{acts, kept.neighbors},
		Privacy: kept.privacy, Confinement: c.confinement, Deleted: s.upkeep.Deleted, Fixed: c.fixedSettings(), Meter: s.figures, MetricsToken: c.metricsToken.Value,
		Act: func(a rest.Activity) { mon.AddUnmaskedActivity(kept.privacy, a) }, Ready: s.ready.State, Remote: kept.authority.Remote,
		OnAnswer: s.traceRequest, SignInRefused: s.signInRefused, StreamRefused: s.readings.CountRefusedStream,
		Socket: s.socket, Calls: s.callAPI, AgentEvents: describedEvents(), Site: pages, Log: s.log, Version: version, DemoData: c.DemoData, StreamLifetime: c.StreamLifetime,
	})
	return nil
}

// newChecks are the checks of who asks for a call; each way in counts its own.
func (s *Server) newChecks() *admission.Checks {
	return admission.NewChecks(admission.Config{Protected: s.privacy.Protected})
}
