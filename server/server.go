package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"parley/server/accesslog"
	"parley/server/admin"
	"parley/server/alert"
	"parley/server/api"
	"parley/server/bridge"
	"parley/server/callapi"
	"parley/server/health"
	"parley/server/logexport"
	"parley/server/metrics"
	"parley/server/monitor"
	"parley/server/relay"
	"parley/server/settings"
	"parley/server/signaling"
	"parley/server/store"
	"parley/server/turn"
)

// Server is the running program: every part, put together.
type Server struct {
	*storage
	flags     *serveCommand
	settings  *settings.Settings
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
	turnCheck turnCheck
	startedAt time.Time
}

// newServer puts the parts together, each after those that it needs.
func (c *serveCommand) newServer(ctx context.Context, kept *storage, observer *metrics.Observer, mediaPort *relay.Relay, web *web, out io.Writer, log *slog.Logger) (*Server, error) {
	s := &Server{storage: kept, flags: c, log: log, mediaPort: mediaPort, web: web, startedAt: time.Now().UTC()}
	if err := s.openCalls(ctx, observer); err != nil {
		return nil, err
	}
	if err := s.openMonitoring(ctx, observer, out); err != nil {
		return nil, err
	}
	acts := admin.New(admin.Config[*store.Tx]{
		Audit: kept.audit, Sessions: s.bridge.Sessions(), Record: s.bridge.SessionRecord, Alerts: s.alerts, Tokens: kept.authority, Mask: kept.privacy, Telemetry: kept.store,
	})
	if err := s.meetNeighbors(s.settings, acts); err != nil {
		return nil, err
	}
	return s, s.openInterfaces(acts)
}

// background are the parts that run beside the answers, until everything that
// they keep has ended.
func (s *Server) background() []func(context.Context) {
	return []func(context.Context){
		s.monitor.Run, s.alerts.Run, s.anomalies.Run, s.accessLog.Run, s.exporter.Run, s.bridge.Run, s.audit.Run, s.authority.Run, s.upkeep.Run, s.runDemo, s.runMembership, s.runNeighbors, s.runTURNCheck, s.web.runCertificates,
		func(ctx context.Context) { s.flags.telemetry.Run(ctx, s.figures.Gather, s.log) },
	}
}
