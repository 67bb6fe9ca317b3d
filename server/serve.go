package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"parley/server/agent"
	"parley/server/api"
	"parley/server/auth"
	"parley/server/monitor"
	"parley/server/relay"
	"parley/server/session"
	"parley/server/signaling"
	"parley/server/site"
)

// Run serves until ctx is over, then drains: the map of the program.
func (c *serveCommand) Run(ctx context.Context, out io.Writer, logs logWriter) error {
	log := c.logger(logs)
	dir, err := openDataDir(c.DataDir)
	if err != nil {
		return err
	}
	defer dir.Close()
	authority, err := c.authority()
	if err != nil {
		return err
	}
	door, err := c.mediaDoor(log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.HTTP)
	if err != nil {
		return errors.Join(fmt.Errorf("--http: %w", err), door.Close())
	}
	h, err := c.house(authority, door, log)
	if err != nil {
		return errors.Join(err, listener.Close(), door.Close())
	}
	if err := c.announce(out, listener.Addr(), authority); err != nil {
		return errors.Join(err, listener.Close(), door.Close())
	}
	return h.serve(ctx, listener)
}

func (c *serveCommand) authority() (*auth.Auth, error) {
	secret, err := c.secret()
	if err != nil {
		return nil, err
	}
	a, err := auth.New(auth.Config{
		Mode: auth.Mode(c.Mode), Admins: c.Admins, Secret: secret,
		Issuer: c.JWTIssuer, Audience: c.JWTAudience, AllowedOrigins: c.AllowedOrigins,
	})
	if err != nil {
		return nil, &usageError{err}
	}
	return a, nil
}

func (c *serveCommand) mediaDoor(log *slog.Logger) (*relay.Relay, error) {
	public, err := c.publicIPs()
	if err != nil {
		return nil, &usageError{err}
	}
	door, err := relay.Listen(relay.Config{
		Addr: c.MediaAddr, PublicIPs: public, Logger: log,
		AllowPrivate: c.MediaPrivate || auth.Mode(c.Mode) == auth.Demo,
	})
	if err != nil {
		return nil, fmt.Errorf("--media-addr: %w", err)
	}
	return door, nil
}

// house is the running server: every part, and the order they close in.
type house struct {
	flags    *serveCommand
	log      *slog.Logger
	door     *relay.Relay
	sessions *session.Sessions
	monitor  *monitor.Monitor
	socket   *signaling.Handler
	api      *api.API
	draining atomic.Bool
}

// house puts the parts together.
func (c *serveCommand) house(authority *auth.Auth, door *relay.Relay, log *slog.Logger) (*house, error) {
	h := &house{flags: c, log: log, door: door}
	pages, err := site.New(site.Config{
		Release: version, Demo: authority.Mode() == auth.Demo, Secure: authority.Secure,
	})
	if err != nil {
		return nil, err
	}
	watch := &observer{}
	h.monitor = monitor.New(monitor.Config{Caps: watch.lines, OnVerdict: watch.verdict})
	h.sessions = session.New(session.Config{
		Settings: session.Settings{
			IdleTimeout: c.IdleTimeout, IdleWarning: c.IdleWarning, MaxDuration: c.MaxDuration,
			MaxSessions: c.MaxSessions, MaxPerUser: c.MaxSessionsPerUser,
		},
		ReconnectGrace: c.ReconnectGrace, DefaultAgent: c.Agent,
		Media: &media{relay: door, agents: agent.Builtin()}, Observer: watch, Logger: log,
	})
	watch.monitor, watch.sessions = h.monitor, h.sessions
	h.socket = signaling.New(signaling.Config{
		Auth: authority, Sessions: h.sessions, Refuse: h.refuse, Logger: log,
		Agents: agentNames(),
	})
	h.api = api.New(api.Config{
		Auth: authority, Sessions: &desk{sessions: h.sessions, agents: agentTitles()},
		Monitor: h.monitor, Feed: feed{h.monitor}, Act: h.monitor.Act, Ready: h.ready,
		Socket: h.socket, Site: pages, Log: log,
		Version: version, StreamLifetime: c.StreamLifetime,
	})
	return h, nil
}

// serve answers until ctx is over, then lets the calls end.
func (h *house) serve(ctx context.Context, listener net.Listener) error {
	server := api.Server(h.api, h.log)
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { h.monitor.Run(watching) })
	failed := make(chan error, 1)
	running.Go(func() { failed <- h.listen(server, listener) })

	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	err = errors.Join(err, h.shutdown(context.WithoutCancel(ctx), server))
	stopWatching()
	running.Wait()
	return err
}

func (h *house) listen(server *http.Server, listener net.Listener) error {
	var err error
	if h.flags.TLSCert != "" {
		err = server.ServeTLS(listener, h.flags.TLSCert, h.flags.TLSKey)
	} else {
		err = server.Serve(listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// closeReserve is what is left of the drain time-out for closing: sockets and
// streams end in milliseconds, a dead peer costs one write deadline.
const closeReserve = 2 * time.Second

// shutdown turns newcomers away, waits for the calls, and closes every part.
func (h *house) shutdown(ctx context.Context, server *http.Server) error {
	h.draining.Store(true)
	h.log.Info("draining", "event", "shutdown")
	patience := max(h.flags.DrainTimeout-closeReserve, h.flags.DrainTimeout/2)
	drain, cancel := context.WithTimeout(ctx, patience)
	err := h.sessions.Drain(drain)
	cancel()
	err = errors.Join(ignoreDeadline(err), h.sessions.Close(), h.socket.Close())
	h.api.Close()
	closing, cancel := context.WithTimeout(ctx, closeReserve)
	defer cancel()
	return errors.Join(err, ignoreDeadline(server.Shutdown(closing)), server.Close(), h.door.Close())
}

// ignoreDeadline: that calls had to be ended is how a drain may end, no fault.
func ignoreDeadline(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func (h *house) ready() api.Readiness { return api.Readiness{Draining: h.draining.Load()} }
