package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"parley/server/admin"
	"parley/server/api"
	"parley/server/auth"
	"parley/server/bus"
	"parley/server/cluster"
	"parley/server/fault"
	"parley/server/health"
	"parley/server/metrics"
	"parley/server/monitor"
	"parley/server/nodes"
	"parley/server/privacy"
	"parley/server/session"
	"parley/server/settings"
	"parley/server/signaling"
	"parley/server/store"
	"parley/shared/rest"
)

// What nodes tell each other has changed in the record.
const (
	sharedSettings = nodes.SharedSettings
	sharedAlerts   = "alerts"
)

// serviceSignaling is where a node takes the sockets of callers who came to another.
const serviceSignaling = "signaling"

// neighbors are the other nodes, as this one knows them. Where the server is alone there are
// none, and nothing is told to anybody.
type neighbors struct {
	bus   *bus.Bus
	nodes *nodes.Nodes
	acts  *nodes.Acts
}

// tell has the other nodes read something again.
func (n *neighbors) tell(what string) {
	if n.nodes != nil {
		n.nodes.Tell(what)
	}
}

// publish tells them what changed of this node's calls.
func (n *neighbors) publish(c monitor.Changes) {
	if n.nodes != nil {
		n.nodes.Publish(c)
	}
}

// reports are what the others told of their health last.
func (n *neighbors) reports() map[string]health.Report {
	if n.nodes == nil {
		return nil
	}
	return n.nodes.Reports()
}

// open tells whether other nodes take calls, and where.
func (n *neighbors) open() (addresses []string, isAny bool) {
	if n.nodes == nil {
		return nil, false
	}
	return n.nodes.Open()
}

// readAgain has all read again: the bus lost something.
func (n *neighbors) readAgain() {
	if n.nodes != nil {
		n.nodes.ReadAgain()
	}
}

// close ends the way to them.
func (n *neighbors) close() error {
	if n.bus == nil {
		return nil
	}
	return n.bus.Close()
}

// busFigures tell what the bus counts; nil where there is none.
func (n *neighbors) busFigures() func() metrics.Bus {
	if n.bus == nil {
		return nil
	}
	return func() metrics.Bus {
		f := n.bus.Figures()
		return metrics.Bus{
			IsConnected: f.IsConnected, Sent: f.Published, Received: f.Received, Requests: f.Requests, Reconnects: f.Reconnects,
			Dropped:  map[string]int64{"slow": f.Slow, "version": f.UnknownVersions, "unreadable": f.Unread, "busy": f.Busy},
			Failures: map[string]int64{"unreachable": f.Unreachable, "no_answer": f.Unanswered, "refused": f.Failed},
		}
	}
}

// isFailing reports whether some node can't be told.
func (n *neighbors) isFailing() bool { return n.nodes != nil && n.nodes.IsDegraded() }

// members tells the nodes who has a lease.
type members struct{ *cluster.Membership }

// Live implements nodes.Members.
func (m members) Live(ctx context.Context) (names []string, err error) {
	all, err := m.Nodes(ctx)
	for _, n := range all {
		if n.State == store.NodeLive {
			names = append(names, n.Name)
		}
	}
	return names, err
}

// nodeName is what rows and callers are told; "" where the server is alone.
func (c *serveCommand) nodeName() string {
	if !c.isNode() {
		return ""
	}
	return c.Node
}

// meetNeighbors has the parts of this node hear the others.
func (s *Server) meetNeighbors(values *settings.Settings, acts *admin.Admin) (err error) {
	if s.neighbors.bus == nil {
		return nil
	}
	s.neighbors.nodes, err = nodes.New(nodes.Config{
		Bus: s.neighbors.bus, Members: members{s.member}, Picture: s.monitor, Logger: s.log,
		Shared: map[string]func(context.Context) error{
			sharedSettings:          values.Load,
			nodes.SharedRevocations: func(ctx context.Context) error { return s.readRevocations(ctx, acts) },
			sharedAlerts:            s.alerts.Follow,
		},
		Drain:    s.setDraining,
		EndCalls: s.endCalls,
		Self: func() nodes.Beat {
			b := s.beat()
			b.Health = s.readings.TakeReport()
			return b
		},
		Heard: s.hearNode,
	})
	if err != nil {
		return fmt.Errorf("--cluster: %w", err)
	}
	if s.neighbors.acts, err = nodes.NewActs(s.neighbors.nodes, acts, ownCalls{s.bridge}, s.store); err != nil {
		return err
	}
	return s.answerPlaces()
}

// hearNode counts the sign-ins that another node refused: who guesses comes to all of them.
func (s *Server) hearNode(_ string, b nodes.Beat) {
	for _, of := range b.Health.SignIns {
		if of.Address != "" {
			s.alerts.SignInsRefused(of.Address, of.Count)
		}
		s.anomalies.SignInsRefused(of.Address, of.Org, of.Count)
	}
}

// readRevocations takes up what other nodes revoked, and ends the calls that it is about.
func (s *Server) readRevocations(ctx context.Context, acts *admin.Admin) error {
	fresh, err := s.authority.RefreshRevocations(ctx, s.store)
	if err != nil {
		return err
	}
	for _, of := range fresh.People {
		acts.EndRevoked(of)
	}
	for _, id := range fresh.Tokens {
		s.bridge.EndTokens(id)
	}
	return nil
}

// tellingSignIns tells the other nodes who signed out.
type tellingSignIns struct {
	*store.Store

	neighbors *neighbors
}

// RevokeToken implements auth.SignInStore.
func (t tellingSignIns) RevokeToken(ctx context.Context, id string, until time.Time) error {
	err := t.Store.RevokeToken(ctx, id, until)
	if err == nil {
		t.neighbors.tell(nodes.SharedRevocations)
	}
	return err
}

// sharedSignIns are those of other nodes; nil where there are none.
func (c *serveCommand) sharedSignIns(s *store.Store) auth.SharedSignIns {
	if !c.isNode() {
		return nil
	}
	return s
}

// tellingSettings tells the other nodes of a change.
type tellingSettings struct {
	*settings.Settings

	neighbors *neighbors
}

// Change implements api.Settings.
func (t tellingSettings) Change(ctx context.Context, c rest.SettingsChange) (rest.Settings, error) {
	now, err := t.Settings.Change(ctx, c)
	if err == nil {
		t.neighbors.tell(sharedSettings)
	}
	if err == nil && c.Now && t.neighbors.acts != nil {
		t.neighbors.acts.EndOverdue(ctx)
	}
	return now, err
}

// tellingAlerts tells the other nodes what an admin did about alerts.
type tellingAlerts struct {
	*admin.Admin

	neighbors *neighbors
}

// Acknowledge implements api.AlertOperator.
func (t tellingAlerts) Acknowledge(ctx context.Context, id, org string, by rest.AuditEntry) (rest.Alert, error) {
	changed, err := t.Admin.Acknowledge(ctx, id, org, by)
	t.neighbors.tell(sharedAlerts)
	return changed, err
}

// Silence implements api.AlertOperator.
func (t tellingAlerts) Silence(ctx context.Context, id, org string, minutes int, by rest.AuditEntry) (rest.Alert, error) {
	changed, err := t.Admin.Silence(ctx, id, org, minutes, by)
	t.neighbors.tell(sharedAlerts)
	return changed, err
}

// SetAlertRules implements api.AlertOperator.
func (t tellingAlerts) SetAlertRules(ctx context.Context, rules rest.AlertRules, by rest.AuditEntry) (rest.AlertRules, error) {
	now, err := t.Admin.SetAlertRules(ctx, rules, by)
	t.neighbors.tell(sharedAlerts)
	return now, err
}

// elsewhere is what other nodes hold, for callers who come back to this one.
type elsewhere struct {
	bus     *bus.Bus
	picture *monitor.Monitor
	record  *store.Store
	mask    *privacy.Privacy
	permits *cluster.Permits
}

// elsewhere is nil where the server is alone.
func (s *storage) elsewhere(mon *monitor.Monitor) signaling.Elsewhere {
	if s.neighbors.bus == nil {
		return nil
	}
	return elsewhere{s.neighbors.bus, mon, s.store, s.privacy, s.permits}
}

// Holds implements signaling.Elsewhere.
func (e elsewhere) Holds(c session.Caller) bool {
	return e.picture.IsElsewhere(e.mask.Person(c.User), c.Org)
}

// newestOnRecord is how many of a caller's calls are looked at: a live one is among the
// newest.
const newestOnRecord = 10

// HoldsOnRecord implements signaling.Elsewhere.
func (e elsewhere) HoldsOnRecord(ctx context.Context, c session.Caller) bool {
	ctx, cancel := context.WithTimeout(ctx, recordPatience)
	defer cancel()
	records, _, err := e.record.Sessions(ctx, rest.SessionQuery{UserKey: e.mask.UserKey(c.User), Org: c.Org, Limit: newestOnRecord})
	return err == nil && slices.ContainsFunc(records, func(r rest.SessionRecord) bool { return r.EndedAt == nil && r.Node != e.bus.Node() })
}

// recordPatience bounds what a caller waits for the record beside all else.
const recordPatience = 2 * time.Second

// Dial implements signaling.Elsewhere.
func (e elsewhere) Dial(ctx context.Context, sessionID string, c session.Caller) (net.Conn, error) {
	of, err := e.record.Session(ctx, sessionID)
	if err == nil && (of.EndedAt != nil || of.Node == e.bus.Node() || of.UserKey != e.mask.UserKey(c.User) || of.Org != c.Org) {
		err = fault.NotFound
	}
	if err != nil {
		return nil, err
	}
	conn, err := e.bus.Dial(ctx, of.Node, serviceSignaling, net.JoinHostPort(c.Remote, "0"))
	if errors.Is(err, bus.ErrUnreachable) || errors.Is(err, bus.ErrNoAnswer) {
		// The caller is told that this call is over. Their next one doesn't wait for the lease
		// of a node that is gone.
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
		defer cancel()
		err = errors.Join(err, e.record.AbandonPermit(bounded, of.Node, e.permits.KeyOf(c)))
	}
	return conn, err
}

// runNeighbors tells and hears the other nodes until ctx is over, and serves the callers
// that they pass on.
func (s *Server) runNeighbors(ctx context.Context) {
	if s.neighbors.nodes == nil {
		return
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := s.serveNeighbors(ctx); err != nil {
			s.log.Error("callers who come back to another node are not served", "event", "bus", "err", err)
		}
	})
	s.neighbors.nodes.Run(ctx)
	serving.Wait()
}

func (s *Server) serveNeighbors(ctx context.Context) error {
	listener, err := s.neighbors.bus.Listen(serviceSignaling)
	if err != nil {
		return err
	}
	server := api.Server(signaling.FromNodes(s.accessLog.Wrap(s.api)), s.log)
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
