package main

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"parley/server/accesslog"
	"parley/server/agent"
	"parley/server/alert"
	"parley/server/api"
	"parley/server/auth"
	"parley/server/bridge"
	"parley/server/metrics"
	"parley/server/monitor"
	"parley/server/relay"
	"parley/server/session"
	"parley/server/settings"
	"parley/server/signaling"
	"parley/server/site"
	"parley/shared/rest"
)

// house is the running server: every part, put together.
type house struct {
	*kept
	flags    *serveCommand
	log      *slog.Logger
	door     *relay.Relay
	sessions *session.Sessions
	monitor  *monitor.Monitor
	settings *settings.Settings
	lines    *accesslog.Log
	bridge   *bridge.Bridge
	socket   *signaling.Handler
	api      *api.API
	alerts   *alert.Alerts
	metrics  *metrics.Metrics
	draining atomic.Bool
	sick     atomic.Bool // the newest look at the store failed

	streamsRefused atomic.Int64
}

// house puts the parts together.
func (c *serveCommand) house(ctx context.Context, k *kept, told *metrics.Observer, door *relay.Relay, out io.Writer, log *slog.Logger) (*house, error) {
	h := &house{kept: k, flags: c, log: log, door: door}
	verdicts := bridge.NewVerdicts()
	h.monitor = monitor.New(monitor.Config{
		OnVerdict: verdicts.Put, Recorder: k.store, Logger: log, Encode: api.NewEncoder().Encode,
		OnFigures: told.LineSampled,
	})
	agents := agent.Builtin()
	h.bridge = bridge.New(bridge.Config{
		Relay: door, Agents: agents, Monitor: h.monitor, Verdicts: verdicts,
		Store: k.store, Privacy: k.privacy, Node: c.Node, Logger: log,
		Sessions: session.Config{
			Settings: sessionSettings(c.first()), ReconnectGrace: c.ReconnectGrace, DefaultAgent: c.Agent,
		},
	})
	h.sessions = h.bridge.Sessions()
	h.settings = settings.New(k.store, k.audit, settings.Config{First: c.first(), Hooks: h.hooks(), Logger: log})
	if err := h.loadSettings(ctx); err != nil {
		return nil, err
	}
	h.alerts = alert.New(alert.Config{
		Read: h.readings, Store: k.store, Tell: h.monitor.AlertChanged, Node: c.Node, Logger: log,
		AllowPrivate: c.MediaPrivate || k.authority.Mode() == auth.Demo,
	})
	if err := h.alerts.Load(ctx); err != nil {
		return nil, err
	}
	h.lines = accesslog.New(accesslog.Config{
		Sink: k.store, Mask: k.privacy, Node: c.Node, Remote: k.authority.Remote,
		Enabled: h.settings.Monitoring, UserKey: k.privacy.UserKey, Out: c.collector(out), Logger: log,
	})
	h.metrics = metrics.New(metrics.Config{
		Observer: told, Version: version, Commit: commit, DataDir: c.DataDir,
		Stats: h.monitor.Stats, Unrecorded: h.monitor.Unrecorded,
		LogQueued: h.lines.Queued, LogDropped: h.lines.Dropped,
		AlertsFiring: h.alerts.Firing, WebhooksDropped: h.alerts.WebhooksDropped,
		Privacy: k.privacy.Status, DatabaseSize: k.store.Size,
	})
	h.socket = signaling.New(signaling.Config{
		Auth: k.authority, Sessions: h.sessions, Refuse: api.Refuse, Refused: h.monitor.Refused, Protected: k.privacy.Protected,
		Remote: k.authority.Remote, Agents: agents.Names(), Logger: log,
	})
	pages, err := site.New(site.Config{
		Release: version, Demo: k.authority.Mode() == auth.Demo, Secure: k.authority.Secure, Forbids: forbidsAdmin(k.authority),
	})
	if err != nil {
		return nil, err
	}
	h.api = api.New(h.interfaces(pages))
	return h, nil
}

// background are the parts that run beside the answers, until everything that
// they keep has ended.
func (h *house) background() []func(context.Context) {
	return []func(context.Context){
		h.monitor.Run, h.alerts.Run, h.lines.Run, h.bridge.Run, h.audit.Run, h.authority.Run, h.upkeep,
	}
}

// hooks are told of changed settings, in this order: who limits calls first.
func (h *house) hooks() []settings.Hook {
	return []settings.Hook{
		func(_, now settings.Values) { h.bridge.UpdateSettings(sessionSettings(now)) },
		func(_, now settings.Values) { h.privacy.Set(now.Privacy) },
		func(_, now settings.Values) { h.monitor.SetOn(now.Monitoring) },
		func(settings.Values, settings.Values) { h.monitor.SettingsChanged(h.settings.Get()) },
	}
}

func sessionSettings(v settings.Values) session.Settings {
	return session.Settings{
		IdleTimeout: v.IdleTimeout, IdleWarning: v.IdleWarning, MaxDuration: v.MaxDuration,
		MaxSessions: v.MaxSessions, MaxPerUser: v.MaxPerUser,
	}
}

// loadSettings brings back what was changed at run time, or forgets it.
func (h *house) loadSettings(ctx context.Context) error {
	if err := h.settings.Load(ctx); err != nil {
		return err
	}
	if !h.flags.ResetSettings {
		return nil
	}
	return h.settings.Reset(ctx, rest.AuditEntry{Actor: "command line"}, "--reset-settings")
}

// collector is where log lines go for others to collect, if anywhere.
func (c *serveCommand) collector(out io.Writer) io.Writer {
	if c.LogFormat == "json" {
		return out
	}
	return nil
}

// upkeepEach is the rhythm of looking after the record: often enough that a
// full disk is told of before an admin meets it.
const upkeepEach = 5 * time.Second

// retainEach is how often what is old goes.
const retainEach = time.Hour

// upkeep looks whether the store and the guard of privacy are well, and lets go
// of what is too old.
func (h *house) upkeep(ctx context.Context) {
	tick := time.NewTicker(upkeepEach)
	defer tick.Stop()
	var retained time.Time
	for {
		h.sick.Store(h.store.Healthy(ctx) != nil)
		if err := h.privacy.Validate(); err != nil {
			h.log.Error("calls are refused", "event", "privacy", "err", err)
		}
		if now := time.Now(); now.Sub(retained) >= retainEach {
			retained = now
			h.retain(ctx, now)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// ready is how fit the server is for new calls.
func (h *house) ready() api.Readiness {
	r := api.Readiness{Draining: h.draining.Load()}
	for _, part := range []struct {
		name string
		bad  bool
	}{
		{"store", h.sick.Load() || h.bridge.Failing()},
		{"access_log", h.lines.Failing()},
		{"privacy", h.privacy.Protected() != nil},
		{"keys", h.keysStale()},
	} {
		if part.bad {
			r.Degraded = append(r.Degraded, part.name)
		}
	}
	return r
}

// keysStale tells that the issuer's keys could not be read again.
func (h *house) keysStale() bool {
	return (h.flags.JWKSFile != "" || h.flags.JWKSURL != "") && !h.authority.KeyHealth().OK()
}

// readings are what alerts look at.
func (h *house) readings() alert.Readings {
	live, limit, _ := h.sessions.Lines()
	r := alert.Readings{
		Live: live, Cap: limit, StorageAttempts: h.privacy.Attempts(),
		LogFailures: h.lines.Dropped(), StreamsRefused: h.streamsRefused.Load(),
	}
	began, failed := h.monitor.Setups()
	r.Setups, r.SetupFailures = began+failed, failed
	for _, c := range h.monitor.Ratings() {
		r.Calls = append(r.Calls, alert.Call{ID: c.ID, Org: c.Org, Level: c.Level, MOS: c.MOS})
	}
	return r
}
