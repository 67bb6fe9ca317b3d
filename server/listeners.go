package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"

	"parley/server/auth"
	"parley/server/bridge"
	"parley/server/leg/peerconn"
	"parley/server/metrics"
	"parley/server/relay"
	"parley/server/session"
	"parley/server/turn"
	"parley/server/turn/demux"
	"parley/shared/wire"
)

// protocols are what HTTPS offers in ALPN.
var protocols = []string{"h2", "http/1.1"}

// newIssuer makes what callers are told of ways through a firewall.
func (c *serveCommand) newIssuer(port *relay.TURNPort) *turn.Issuer {
	cfg := turn.IssuerConfig{External: c.external}
	if port != nil {
		cfg.Addrs = port.Addrs
	}
	return turn.NewIssuer(cfg)
}

// readICEServers reads the servers of others, which may be none.
func (c *serveCommand) readICEServers() ([]turn.External, error) {
	if c.ICEServers == "" {
		return nil, nil
	}
	file, err := os.ReadFile(c.ICEServers)
	if err != nil {
		return nil, usage("--ice-servers: %w", err)
	}
	external, err := turn.ReadExternal(file, auth.ReadGroupFile)
	if err != nil {
		return nil, usage("--ice-servers %s: %w", c.ICEServers, err)
	}
	return external, nil
}

// iceServers gives each caller credentials that end with their token, and with their
// session.
func iceServers(issuer *turn.Issuer) session.IssueICEServers {
	return func(id string, c session.Caller) []wire.ICEServer {
		return issuer.ICEServers(turn.Holder{Session: id, Account: c.Account(), Expires: c.TokenExpires, Host: c.Host})
	}
}

// listeners are where HTTP comes in, and TURN beside it.
type listeners struct {
	http  net.Listener
	split *demux.Splitter // nil: the port is HTTP's alone
	tls   *tls.Config     // nil: plain HTTP
	turn  *turn.Server    // nil: it is off
}

// openListeners takes the listener apart for those who come by it, and starts the TURN
// server behind it and the media port.
func (s *Server) openListeners(l net.Listener) (*listeners, error) {
	open := &listeners{http: l}
	if certs := s.web.certificates(); certs != nil {
		open.tls = certs.TLSConfig()
		if !slices.Contains(open.tls.NextProtos, "h2") {
			open.tls.NextProtos = append(open.tls.NextProtos, protocols...)
		}
	}
	port := s.mediaPort.TURN()
	if port == nil {
		return open, nil
	}
	cfg := turn.Config{
		Port: port, Issuer: s.issuer, Logger: s.log, LoggerFactory: peerconn.NewLog(s.log, s.privacy.Text), IsLive: isLive(s.bridge),
	}
	if open.tls != nil {
		open.split = demux.SplitTLS(l, open.tls)
		open.http, cfg.TLS = open.split.Others, open.split.TURN
	}
	var err error
	open.turn, err = turn.Listen(cfg)
	s.turn = open.turn
	return open, err
}

// isLive reports whether a session lives, for what is bound to it.
func isLive(calls *bridge.Bridge) func(string) bool {
	return func(id string) bool {
		_, isLive := calls.Sessions().Owner(id)
		return isLive
	}
}

// serve answers HTTP until the server is closed.
func (l *listeners) serve(server *http.Server) error {
	server.TLSConfig = l.tls
	switch {
	case l.split != nil:
		server.ConnContext, server.Handler = withTLSState, setTLSState(server.Handler)
		return serveHTTP(server, l.http)
	case l.tls != nil:
		return ignoreClosed(server.ServeTLS(l.http, "", ""))
	}
	return serveHTTP(server, l.http)
}

// serveHTTP answers HTTP until the server is closed.
func serveHTTP(server *http.Server, l net.Listener) error { return ignoreClosed(server.Serve(l)) }

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// background are what runs beside, until ctx is over and the listeners are closed.
func (l *listeners) background(log *slog.Logger) (parts []func(context.Context)) {
	if l.turn != nil {
		parts = append(parts, l.turn.Run)
	}
	if l.split != nil {
		parts = append(parts, func(context.Context) {
			if err := l.split.Run(); err != nil {
				log.Error("no more connections", "event", "http", "err", err)
			}
		})
	}
	return parts
}

func (l *listeners) close() error {
	if l.turn == nil {
		return nil
	}
	return l.turn.Close()
}

type tlsStateKey struct{}

// withTLSState keeps what TLS agreed on with a connection that net/http doesn't know
// for one of TLS.
func withTLSState(ctx context.Context, c net.Conn) context.Context {
	if _, isKnown := c.(*tls.Conn); isKnown {
		return ctx
	}
	return context.WithValue(ctx, tlsStateKey{}, demux.State(c))
}

// setTLSState gives requests of such a connection what net/http gives all others.
func setTLSState(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if state, ok := r.Context().Value(tlsStateKey{}).(*tls.ConnectionState); ok && r.TLS == nil {
			r.TLS = state
		}
		h.ServeHTTP(w, r)
	})
}

// relayed is what the TURN server did; nil without one.
func (s *Server) relayed() *metrics.Relayed {
	if s.turn == nil {
		return nil
	}
	did := s.turn.Figures()
	return &did
}
