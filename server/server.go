package main

import (
	"context"
	"io"
	"log/slog"

	"parley/server/accesslog"
	"parley/server/admin"
	"parley/server/admission"
	"parley/server/alert"
	"parley/server/api"
	"parley/server/auth"
	"parley/server/bridge"
	"parley/server/callapi"
	"parley/server/health"
	"parley/server/logexport"
	"parley/server/metrics"
	"parley/server/monitor"
	"parley/server/relay"
	"parley/server/session"
	"parley/server/signaling"
	"parley/server/site"
	"parley/server/store"
	"parley/server/turn"
	"parley/shared/rest"
)

// Server is the running program: every part, put together.
type Server struct {
	*storage
	flags     *serveCommand
	log       *slog.Logger
	mediaPort *relay.Relay
	web       *web
	issuer    *turn.Issuer
	turn      *turn.Server // nil: it is off, or not open yet
	bridge    *bridge.Bridge
	agents    *agents
	monitor   *monitor.Monitor
	alerts    *alert.Alerts
	anomalies *health.Anomalies
	readings  *health.Readings
	accessLog *accesslog.Log
	exporter  *logexport.Exporter // nil: nobody takes the logs
	figures   *metrics.Metrics
	upkeep    *health.Upkeep
	socket    *signaling.Handler
	callAPI   *callapi.Handler
	api       *api.API
	ready     *health.Readiness
}

// newServer puts the parts together, each after those that it needs.
func (c *serveCommand) newServer(ctx context.Context, kept *storage, observer *metrics.Observer, mediaPort *relay.Relay, web *web, out io.Writer, log *slog.Logger) (*Server, error) {
	s := new(Server)
	verdicts := bridge.NewVerdicts()
	mon := monitor.New(monitor.Config{
		Node: c.nodeName(), OnChanges: kept.neighbors.publish,
		OnVerdict: verdicts.Put, OnFigures: observer.LineSampled, OnTurns: observer.TurnsMeasured,
		TakeDelay: mediaPort.TakeDelay, OnDelay: observer.Delayed,
		Recorder: kept.store, Logger: log, Encode: api.NewEncoder().Encode,
	})
	agents, err := c.loadAgents(kept, log)
	if err != nil {
		return nil, err
	}
	issuer := c.newIssuer(mediaPort.TURN())
	calls := bridge.New(bridge.Config{
		Relay: mediaPort, Agents: agents, Monitor: mon, Verdicts: verdicts,
		Store: kept.store, Privacy: kept.privacy, Node: c.Node, Logger: log, MadeUp: kept.madeUpMedia(),
		OnSetup: c.telemetry.TraceSetup,
		Sessions: session.Config{
			Node: c.nodeName(), Settings: session.SettingsOf(c.initialSettings()), ReconnectGrace: c.ReconnectGrace, DefaultAgent: c.Agent, ICEServers: iceServers(issuer), Places: kept.places(), OpenNodes: kept.neighbors.open,
		},
	})
	values, err := c.loadSettings(ctx, kept, calls, mon, log)
	if err != nil {
		return nil, err
	}
	accessLog := accesslog.New(accesslog.Config{
		Sink: kept.store, Mask: kept.privacy, Node: c.Node, Remote: kept.authority.Remote,
		Enabled: values.Monitoring, UserKey: kept.privacy.UserKey, Out: c.logCollector(out), Logger: log,
		NewID: kept.store.NewID, Encode: api.NewEncoder().Encode,
	})
	anomalies, err := health.LoadAnomalies(ctx, health.AnomalyConfig{
		Counted: mon.Counted, Ratings: mon.OwnRatings, IsLeader: kept.isLeader, Others: kept.neighbors.reports, Store: kept.store, OnChange: mon.SetAnomalies, Network: alert.NetworkOf, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	readings := newReadings(c.nodeName(), kept, calls, mon, accessLog, web, anomalies)
	mailSender, err := c.newMailSender()
	if err != nil {
		return nil, err
	}
	alerts := alert.New(alert.Config{
		Mail:     mailSender,
		IsLeader: kept.isLeader,
		Readings: readings.Read, Store: kept.store, OnChange: mon.AlertChanged, Node: c.Node, Logger: log,
		AllowPrivate: c.WebhookPrivate, Mask: kept.privacy.Text, Encode: api.NewEncoder().Encode,
	})
	load := alerts.Load
	if c.isNode() {
		load = alerts.Follow // what another node's calls raised isn't over
	}
	if err := load(ctx); err != nil {
		return nil, err
	}
	upkeep := health.NewUpkeep(health.UpkeepConfig{
		Store: kept.store, Audit: kept.audit, ValidatePrivacy: kept.privacy.Validate, IsLeader: kept.isLeader,
		Settings: values.Values, LogMaxSize: c.LogMaxSize.bytes(), Logger: log,
	})
	exporter, err := c.newLogExporter(kept, log)
	if err != nil {
		return nil, err
	}
	ready := newReadiness(kept, upkeep, calls, accessLog, web, exporter)
	figures := metrics.New(metrics.Config{
		Observer: observer, Version: version, Commit: commit, DataDir: c.DataDir,
		Stats: mon.Stats, Unrecorded: mon.Unrecorded, LogQueued: accessLog.Queued, LogDropped: accessLog.Dropped,
		AlertsFiring: alerts.Firing, AuditIntact: kept.audit.IsIntact, WebhooksDropped: alerts.WebhooksDropped, HangUpsFailed: agents.hangups.Failed, Relayed: s.relayed,
		Privacy: kept.privacy.Status, DatabaseSize: kept.store.Size, Totals: kept.store.Totals, CertificateValidity: web.certificateValidity,
		DiskUsed: kept.store.DiskUsed, Agents: calls.AgentStatuses, Degraded: ready.Degraded, LogExports: exporter.Figures, TelemetryDropped: c.telemetry.Dropped,
	})
	checks := admission.NewChecks(admission.Config{Protected: kept.privacy.Protected})
	socket := signaling.New(signaling.Config{
		Auth: kept.authority, Sessions: calls.Sessions(), Refuse: api.Refuse, Refused: mon.CountRefusal,
		IsSecure: kept.authority.Secure, Elsewhere: kept.elsewhere(mon),
		Checks: checks, Remote: kept.authority.Remote, HasAgent: agents.has, BudgetProblem: calls.BudgetProblem, Logger: log,
	})
	callAPI := callapi.New(callapi.Config{
		Auth: kept.authority, Secrets: kept.authority, Sessions: calls.Sessions(),
		Checks:    admission.NewChecks(admission.Config{Protected: kept.privacy.Protected}),
		FindAgent: agents.find, EndSession: calls.EndSession, Steer: calls.Steer,
		Refuse: api.Refuse, ExpectBody: api.ExpectBody, Refused: mon.CountRefusal, Remote: kept.authority.Remote, Logger: log,
	})
	pages, err := site.New(site.Config{
		Release: version, ProviderName: c.Provider.providerName(), Demo: kept.authority.Mode() == auth.Demo, Secure: kept.authority.Secure, AdminProblem: kept.authority.AdminProblem,
	})
	if err != nil {
		return nil, err
	}
	provider, err := c.identityProvider()
	if err != nil {
		return nil, err
	}
	acts := admin.New(admin.Config[*store.Tx]{
		Audit: kept.audit, Sessions: calls.Sessions(), Record: calls.SessionRecord, Alerts: alerts, Tokens: kept.authority, Mask: kept.privacy, Telemetry: kept.store,
	})
	*s = Server{
		storage: kept, flags: c, log: log, mediaPort: mediaPort, web: web, issuer: issuer, bridge: calls, agents: agents, monitor: mon,
		alerts: alerts, anomalies: anomalies, readings: readings, accessLog: accessLog, exporter: exporter, figures: figures, upkeep: upkeep, socket: socket, callAPI: callAPI, ready: ready,
	}
	if err := s.meetNeighbors(values, acts); err != nil {
		return nil, err
	}
	s.api = api.New(api.Config{
		Auth: kept.authority, Provider: provider, ProviderSession: c.Provider.SessionLife, Sessions: calls, Operator: s.operator(acts), Monitor: s.picture(), Stream: mon,
		Record: calls.History(kept.store), CallHistory: kept.store, Totals: kept.store, Revocations: kept.store, Usage: kept.store, Ratings: kept.store, Agents: calls, Logs: kept.store, Audit: kept.audit, Nodes: s.nodesLister(), NodeOperator: s.nodeOperator(), Settings: tellingSettings{values, kept.neighbors}, Alerts: alerts, AlertOperator: tellingAlerts{acts, kept.neighbors},
		Privacy: kept.privacy, Confinement: c.confinement, Meter: figures, MetricsToken: c.metricsToken.Value,
		Act: func(a rest.Activity) { mon.AddUnmaskedActivity(kept.privacy, a) }, Ready: ready.State, Remote: kept.authority.Remote,
		OnAnswer: s.traceRequest, SignInRefused: s.signInRefused, StreamRefused: readings.CountRefusedStream,
		Socket: socket, Calls: callAPI, AgentEvents: describedEvents(), Site: pages, Log: log, Version: version, DemoData: c.DemoData, StreamLifetime: c.StreamLifetime,
	})
	return s, nil
}

// newReadings takes what alerts look at from the parts.
func newReadings(node string, kept *storage, calls *bridge.Bridge, mon *monitor.Monitor, accessLog *accesslog.Log, web *web, anomalies *health.Anomalies) *health.Readings {
	return health.NewReadings(health.Sources{
		Node: node, Others: kept.neighbors.reports, OwnRatings: mon.OwnRatings, Counted: mon.Counted,
		Capacity: calls.Sessions().Capacity, Setups: mon.Setups, Ratings: mon.Ratings,
		RefusedOperations: kept.privacy.Refused, LostLogLines: accessLog.Dropped, IsAuditChainIntact: kept.audit.IsIntact,
		CapRefusals: mon.CapRefusals, AreKeysWell: func() bool { return kept.authority.KeyHealth().OK() },
		Certificate: web.certificateValidity, DiskUsed: kept.store.DiskUsed, Anomalies: anomalies.Current,
	})
}

// newReadiness looks at the parts that calls can do without.
func newReadiness(kept *storage, upkeep *health.Upkeep, calls *bridge.Bridge, accessLog *accesslog.Log, web *web, exporter *logexport.Exporter) *health.Readiness {
	return health.NewReadiness(health.Checks{
		IsStoreFailing: upkeep.IsStoreFailing, AreRecordsFailing: calls.Failing, IsAccessLogFailing: accessLog.Failing,
		Protected: kept.privacy.Protected, AreKeysWell: func() bool { return kept.authority.KeyHealth().OK() }, IsAuditIntact: kept.audit.IsIntact,
		IsCertificateWell: web.isCertificateWell, IsLogExportFailing: exporter.IsFailing,
		IsLeaseFailing: kept.isLeaseFailing, IsBusFailing: kept.neighbors.isFailing,
	})
}

// background are the parts that run beside the answers, until everything that
// they keep has ended.
func (s *Server) background() []func(context.Context) {
	return []func(context.Context){
		s.monitor.Run, s.alerts.Run, s.anomalies.Run, s.accessLog.Run, s.exporter.Run, s.bridge.Run, s.audit.Run, s.authority.Run, s.upkeep.Run, s.runDemo, s.runMembership, s.runNeighbors, s.web.runCertificates,
		func(ctx context.Context) { s.flags.telemetry.Run(ctx, s.figures.Gather, s.log) },
	}
}

// signInRefused tells those who watch for guessers, here and at the other nodes.
func (s *Server) signInRefused(remote, org string) {
	s.alerts.SignInsRefused(remote, 1)
	s.anomalies.SignInsRefused(remote, org, 1)
	if s.neighbors.nodes != nil {
		s.readings.CountRefusedSignIn(remote, org)
	}
}

// logCollector is where log lines go for others to collect, if anywhere.
func (c *serveCommand) logCollector(out io.Writer) io.Writer {
	if c.LogFormat == "json" {
		return out
	}
	return nil
}
