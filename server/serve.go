package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"parley/server/api"
	"parley/server/auth"
	"parley/server/metrics"
	"parley/server/relay"
	"parley/server/reload"
	"parley/server/systemd"
	"parley/shared/rest"
)

// Run serves until ctx is over, then drains: the map of the program.
func (c *serveCommand) Run(ctx context.Context, out io.Writer, logs logWriter, confine confiner) (err error) {
	log := c.logger(logs)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // which ends nothing from now on
	defer signal.Stop(hangups)
	var files *reload.Certificate
	if c.TLSCert != "" {
		if files, err = reload.LoadCertificate(c.TLSCert, c.TLSKey); err != nil {
			return &usageError{err}
		}
	}
	if c.metricsToken, err = c.readMetricsToken(); err != nil {
		return err
	}
	c.Node = cmp.Or(c.Node, hostname())
	if err := c.openTelemetry(); err != nil {
		return err
	}
	log = slog.New(c.telemetry.LogHandler(log.Handler()))
	if err := c.readLogExportToken(); err != nil {
		return err
	}
	if c.external, err = c.readICEServers(); err != nil {
		return err
	}
	dir, err := openDataDir(c.DataDir)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := c.confine(confine, dir); err != nil {
		return err
	}
	observer := metrics.NewObserver()
	kept, err := c.openStorage(ctx, dir, observer, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	mediaPort, err := c.openMediaPort(kept.privacy.Text, log)
	if err != nil {
		return err
	}
	web, err := c.openWeb(files, log)
	if err != nil {
		return errors.Join(err, mediaPort.Close())
	}
	defer func() { err = errors.Join(err, web.Close()) }()
	c.Provider.URL = cmp.Or(c.Provider.URL, c.baseURL(web.listener.Addr()))
	if kept.member, err = c.joinCluster(ctx, kept, c.baseURL(web.listener.Addr()), log); err != nil {
		return errors.Join(err, mediaPort.Close())
	}
	kept.joinPlaces()
	s, err := c.newServer(ctx, kept, observer, mediaPort, web, out, log)
	if err == nil {
		err = c.announce(out, web.listener.Addr(), kept.authority, log)
	}
	if err != nil {
		return errors.Join(err, mediaPort.Close())
	}
	log.Info("confined", "event", "confinement", "is", c.confinement)
	c.warn(log)
	s.recordStart(ctx)
	s.agents.recoverCalls(ctx, log)
	return s.serve(ctx, hangups)
}

// recordStart has the audit log tell of each life of the server. Calls don't wait
// for a disk that takes nothing: admins will, and are told.
func (s *Server) recordStart(ctx context.Context) {
	err := s.audit.Record(ctx, rest.AuditEntry{
		Actor: "parley", Action: rest.AuditStarted, Target: "server", Details: map[string]any{"version": version, "mode": s.flags.Mode},
	})
	if err != nil {
		s.log.Error("start of the server not recorded", "event", "audit", "err", err)
	}
}

// confine lets the process write nowhere but into its data directory, where the
// kernel offers that.
func (c *serveCommand) confine(confine confiner, dir *dataDir) (err error) {
	if c.confinement = "not asked for"; confine == nil {
		return nil
	}
	if c.confinement, err = confine(dir.path); err != nil {
		return err
	}
	return nil
}

func (c *serveCommand) openMediaPort(mask func(string) string, log *slog.Logger) (*relay.Relay, error) {
	public, err := c.publicIPs()
	if err != nil {
		return nil, &usageError{err}
	}
	mediaPort, err := relay.Listen(relay.Config{
		Addr: c.MediaAddr, PublicIPs: public, Logger: log, Mask: mask,
		AllowPrivate: c.MediaPrivate || auth.Mode(c.Mode) == auth.Demo, TURN: c.TURN == "on",
	})
	if errors.Is(err, relay.ErrAddress) {
		return nil, &usageError{fmt.Errorf("--public-ip %s: no caller can reach that; write the public address of this machine, or add --media-private for a private one",
			strings.Join(c.PublicIP, ","))}
	}
	if err != nil {
		return nil, mistakenAddress("--media-addr", c.MediaAddr, err)
	}
	return mediaPort, nil
}

// serve answers until ctx is over, then lets the calls end.
func (s *Server) serve(ctx context.Context, hangups <-chan os.Signal) error {
	server := api.Server(s.accessLog.Wrap(s.api), s.log)
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	open, err := s.openListeners(api.LimitConnections(s.web.listener, s.authority.IsProxy))
	if err != nil {
		stop()
		return errors.Join(err, s.mediaPort.Close())
	}
	for _, part := range append(s.background(), open.background(s.log)...) {
		running.Go(func() { part(background) })
	}
	files := reload.New(s.files(), s.flags.ReloadInterval, s.startReload, s.log)
	running.Go(func() { files.Run(background, hangups) })
	failed := make(chan error, 2)
	running.Go(func() { failed <- open.serve(server) })
	redirect := s.redirectServer()
	if redirect != nil {
		running.Go(func() {
			failed <- serveHTTP(redirect, api.LimitConnections(s.web.redirect, s.authority.IsProxy))
		})
	}

	running.Go(func() { s.feedWatchdog(background) })
	systemd.NotifyReady()

	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	systemd.NotifyStopping()
	err = errors.Join(err, s.shutdown(context.WithoutCancel(ctx), server), open.close(), s.mediaPort.Close())
	if redirect != nil {
		err = errors.Join(err, redirect.Close())
	}
	stop()
	running.Wait()
	return err
}

// files are those that may change while the server runs; a file of keys is read
// again by the authority.
func (s *Server) files() (files []reload.File) {
	if s.web.files != nil {
		files = append(files, reload.File{Name: "certificate", Reload: s.web.files.Reload})
	}
	if file, err := s.flags.secretFile(); err == nil && file != "" && s.authority.HasSecret() {
		files = append(files, reload.File{Name: "token secret", Reload: func() (bool, error) { return s.authority.ReloadSecrets(file) }})
	}
	if s.flags.MetricsTokenFile != "" {
		files = append(files, reload.File{Name: "metrics token", Reload: s.flags.metricsToken.Reload})
	}
	if s.flags.LogExportTokenFile != "" {
		files = append(files, reload.File{Name: "log export token", Reload: s.flags.logExportToken.Reload})
	}
	if s.flags.OTLPTokenFile != "" {
		files = append(files, reload.File{Name: "OTLP token", Reload: s.flags.otlpToken.Reload})
	}
	return append(files, s.agents.files(s.flags.Agents)...)
}

// closeReserve is what is left of the drain time-out for closing: sockets and
// streams end in milliseconds, a dead peer costs one write deadline.
const closeReserve = 2 * time.Second

// shutdown turns newcomers away, waits for the calls, and closes every part.
// What runs in the background goes on: it keeps what ends here.
func (s *Server) shutdown(ctx context.Context, server *http.Server) error {
	s.ready.StartDraining()
	s.log.Info("draining", "event", "shutdown")
	patience := max(s.flags.DrainTimeout-closeReserve, s.flags.DrainTimeout/2)
	drain, cancel := context.WithTimeout(ctx, patience)
	err := s.bridge.Sessions().Drain(drain)
	cancel()
	err = errors.Join(ignoreDeadline(err), s.bridge.Sessions().Close(), s.agents.hangups.Close(), s.socket.Close(), s.callAPI.Close())
	s.api.Close()
	closing, cancel := context.WithTimeout(ctx, closeReserve)
	defer cancel()
	return errors.Join(err, ignoreDeadline(server.Shutdown(closing)), server.Close())
}

// ignoreDeadline: that calls had to be ended is how a drain may end, no fault.
func ignoreDeadline(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}
