package main

import (
	"context"
	"io"

	"parley/server/accesslog"
	"parley/server/alert"
	"parley/server/api"
	"parley/server/health"
	"parley/server/metrics"
)

// openMonitoring makes the parts that look at the server: logs, health, alerts and metrics.
func (s *Server) openMonitoring(ctx context.Context, observer *metrics.Observer, out io.Writer) (err error) {
	c := s.flags
	s.accessLog = accesslog.New(accesslog.Config{
		Sink: s.store, Mask: s.privacy, Node: c.Node, Remote: s.authority.Remote,
		Enabled: s.settings.Monitoring, UserKey: s.privacy.UserKey, Out: c.logCollector(out), Logger: s.log,
		NewID: s.store.NewID, Encode: api.NewEncoder().Encode,
	})
	s.anomalies, err = health.LoadAnomalies(ctx, health.AnomalyConfig{
		Counted: s.monitor.Counted, Ratings: s.monitor.OwnRatings, IsLeader: s.isLeader, Others: s.neighbors.reports,
		Store: s.store, OnChange: s.monitor.SetAnomalies, Network: alert.NetworkOf, Logger: s.log,
	})
	if err != nil {
		return err
	}
	s.readings = s.newReadings()
	if err := s.openAlerts(ctx); err != nil {
		return err
	}
	s.upkeep = health.NewUpkeep(health.UpkeepConfig{
		Store: s.store, Audit: s.audit, ValidatePrivacy: s.privacy.Validate, IsLeader: s.isLeader,
		Settings: s.settings.Values, LogMaxSize: c.LogMaxSize.bytes(), Logger: s.log,
	})
	if s.exporter, err = c.newLogExporter(s.storage, s.log); err != nil {
		return err
	}
	s.ready = s.newReadiness()
	s.figures = metrics.New(metrics.Config{
		Observer: observer, Version: version, Commit: commit, DataDir: c.DataDir,
		Stats: s.monitor.Stats, Unrecorded: s.monitor.Unrecorded, LogQueued: s.accessLog.Queued, LogDropped: s.accessLog.Dropped,
		AlertsFiring: s.alerts.Firing, AuditIntact: s.audit.IsIntact, WebhooksDropped: s.alerts.WebhooksDropped,
		HangUpsFailed: s.agents.hangups.Failed, Relayed: s.relayed,
		Privacy: s.privacy.Status, DatabaseSize: s.store.Size, Totals: s.store.Totals, CertificateValidity: s.web.certificateValidity,
		DiskUsed: s.store.DiskUsed, Agents: s.bridge.AgentStatuses, Degraded: s.ready.Degraded,
		LogExports: s.exporter.Figures, TelemetryDropped: c.telemetry.Dropped, Bus: s.neighbors.busFigures(),
	})
	return nil
}

// openAlerts makes the alerts, with those that the store has.
func (s *Server) openAlerts(ctx context.Context) error {
	c := s.flags
	mail, err := c.newMailSender()
	if err != nil {
		return err
	}
	s.alerts = alert.New(alert.Config{
		Mail: mail, IsLeader: s.isLeader,
		Readings: s.readings.Read, LearningHours: s.anomalies.LearningHours, Store: s.store, OnChange: s.monitor.AlertChanged, Node: c.Node, Logger: s.log,
		AllowPrivate: c.WebhookPrivate, Mask: s.privacy.Text, Encode: api.NewEncoder().Encode,
	})
	if c.isNode() {
		return s.alerts.Follow(ctx) // what another node's calls raised isn't over
	}
	return s.alerts.Load(ctx)
}

// newReadings takes what alerts look at from the parts.
func (s *Server) newReadings() *health.Readings {
	mon := s.monitor
	return health.NewReadings(health.Sources{
		Node: s.flags.nodeName(), Others: s.neighbors.reports, OwnRatings: mon.OwnRatings, Counted: mon.Counted,
		Capacity: s.bridge.Sessions().Capacity, Setups: mon.Setups, Answers: mon.Answers, Ratings: mon.Ratings,
		RefusedOperations: s.privacy.Refused, LostLogLines: s.accessLog.Dropped, IsAuditChainIntact: s.audit.IsIntact,
		CapRefusals: mon.CapRefusals, AreKeysWell: func() bool { return s.authority.KeyHealth().OK() },
		Certificate: s.web.certificateValidity, DiskUsed: s.store.DiskUsed, Anomalies: s.anomalies.Current,
	})
}

// newReadiness looks at the parts that calls can do without.
func (s *Server) newReadiness() *health.Readiness {
	return health.NewReadiness(health.Checks{
		IsStoreFailing: s.upkeep.IsStoreFailing, AreRecordsFailing: s.bridge.Failing, IsAccessLogFailing: s.accessLog.Failing,
		Protected: s.privacy.Protected, AreKeysWell: func() bool { return s.authority.KeyHealth().OK() }, IsAuditIntact: s.audit.IsIntact,
		IsCertificateWell: s.web.isCertificateWell, IsLogExportFailing: s.exporter.IsFailing,
		IsLeaseFailing: s.isLeaseFailing, IsBusFailing: s.neighbors.isFailing,
	})
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
