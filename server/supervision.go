package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"parley/server/systemd"
	"parley/shared/rest"
)

// startReload is what a SIGHUP begins, beside the files; the service manager is told
// of both ends.
func (s *Server) startReload(ctx context.Context) (onRead func()) {
	systemd.NotifyReloading()
	s.authority.ReloadKeys(ctx)
	return systemd.NotifyReady
}

// feedWatchdog tells the service manager that the server lives, where it wants to
// know: as long as the API answers a request of its own.
func (s *Server) feedWatchdog(ctx context.Context) {
	interval := systemd.WatchdogInterval()
	if interval <= 0 {
		return
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if s.answers(ctx) {
			systemd.NotifyAlive()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) answers(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+rest.PathHealth, nil)
	if err != nil {
		return false
	}
	w := statusWriter{header: make(http.Header)}
	s.api.ServeHTTP(&w, req)
	return w.status == http.StatusOK
}

// statusWriter keeps the status of an answer, and nothing else.
type statusWriter struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (w *statusWriter) Header() http.Header { return w.header }

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return len(p), nil
}

// SetReadDeadline and SetWriteDeadline are what http.ResponseController asks for.
// There is no connection that could keep anyone waiting.
func (w *statusWriter) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline see above.
func (w *statusWriter) SetWriteDeadline(time.Time) error { return nil }

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) { w.status = cmp.Or(w.status, status) }

// healthCommand is for whoever has nothing but the program: a container's check.
type healthCommand struct {
	URL string `name:"url" arg:"" optional:"" default:"http://127.0.0.1:8080" help:"Address of the server. A certificate is not asked for on this machine's own addresses."`
}

// healthTimeout is shorter than what checks are usually given.
const healthTimeout = 4 * time.Second

// Run fails unless the server answers that it lives.
func (h *healthCommand) Run(ctx context.Context) error {
	base, err := url.Parse(h.URL)
	if err != nil || base.Host == "" {
		return usage("health takes the URL of a server, such as http://127.0.0.1:8080, not %q", h.URL)
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(rest.PathHealth).String(), nil)
	if err != nil {
		return usage("health takes the URL of a server: %w", err)
	}
	ip := net.ParseIP(base.Hostname())
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: ip != nil && ip.IsLoopback()}}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("the server does not answer at %s: %w", h.URL, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the server at %s answers %s", h.URL, res.Status)
	}
	return nil
}
