package main

import (
	"context"

	"parley/server/api"
	"parley/server/bridge"
	"parley/server/metrics"
	"parley/server/monitor"
	"parley/server/session"
)

// openCalls makes the parts that hold calls: agents, what measures them, and the settings
// that they keep to.
func (s *Server) openCalls(ctx context.Context, observer *metrics.Observer) (err error) {
	c, verdicts := s.flags, bridge.NewVerdicts()
	s.monitor = monitor.New(monitor.Config{
		Node: c.nodeName(), OnChanges: s.neighbors.publish,
		OnVerdict: verdicts.Put, OnFigures: observer.LineSampled, OnTurns: observer.TurnsMeasured,
		TakeDelay: s.mediaPort.TakeDelay, OnDelay: observer.Delayed,
		Recorder: s.store, Logger: s.log, Encode: api.NewEncoder().Encode,
	})
	if s.agents, err = c.loadAgents(s.storage, s.log); err != nil {
		return err
	}
	s.issuer = c.newIssuer(s.mediaPort.TURN())
	s.bridge = bridge.New(bridge.Config{
		Relay: s.mediaPort, Agents: s.agents, Monitor: s.monitor, Verdicts: verdicts,
		Store: s.store, Privacy: s.privacy, Node: c.Node, Logger: s.log, MadeUp: s.madeUpMedia(),
		OnSetup: c.telemetry.TraceSetup,
		Sessions: session.Config{
			Node: c.nodeName(), Settings: session.SettingsOf(c.initialSettings()), ReconnectGrace: c.ReconnectGrace,
			DefaultAgent: c.Agent, ICEServers: iceServers(s.issuer), Places: s.places(), OpenNodes: s.neighbors.open,
		},
	})
	s.settings, err = c.loadSettings(ctx, s.storage, s.bridge, s.monitor, s.log)
	return err
}
