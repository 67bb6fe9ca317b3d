// Package turn is the TURN server (RFC 8656) for callers whose network lets no UDP
// through: on the media port over UDP and TCP, and over TLS beside HTTPS. It relays
// between a caller and this server's own media port, and nobody else; what it grants
// is bound to a session and ends with it. It opens no port, and reads no media.
package turn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// Bounds of the TURN server.
const (
	// realm is the one of the long-term credentials (RFC 8489 §9.2).
	realm = "parley"
	// sweepEach is how long an allocation outlives its session at most.
	sweepEach = time.Second
)

// Port is the part of the media port that is a TURN server's.
type Port interface {
	Packets() net.PacketConn
	Connections() net.Listener
	// Open makes a relayed transport address.
	Open(v6 bool) (net.PacketConn, error)
	// IsPeer reports whether one may have a peer there.
	IsPeer(ip netip.Addr) bool
}

// Config wires a Server.
type Config struct {
	Port   Port
	TLS    net.Listener // of connections that speak TURN inside; nil: none
	Issuer *Issuer
	// IsLive reports whether a session lives. Who holds credentials of one that has
	// ended gets and keeps nothing.
	IsLive        func(session string) bool
	Logger        *slog.Logger          // nil discards
	LoggerFactory logging.LoggerFactory // of pion
}

// Server is a running TURN server.
type Server struct {
	cfg     Config
	log     *slog.Logger
	pion    *turn.Server
	quota   *quota
	clients *clients
	figures figures
}

// Listen starts the server.
func Listen(cfg Config) (*Server, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, log: cfg.Logger, clients: newClients()}
	s.quota = newQuota(&s.figures)
	address := relayedAddress{s}
	listeners := []turn.ListenerConfig{{
		Listener: s.clients.listener(cfg.Port.Connections(), TransportTCP), RelayAddressGenerator: address, PermissionHandler: s.isPeer,
	}}
	if cfg.TLS != nil {
		listeners = append(listeners, turn.ListenerConfig{
			Listener: s.clients.listener(cfg.TLS, TransportTLS), RelayAddressGenerator: address, PermissionHandler: s.isPeer,
		})
	}
	var err error
	s.pion, err = turn.NewServer(turn.ServerConfig{
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn: newGuard(cfg.Port.Packets(), s.clients, &s.figures), RelayAddressGenerator: address, PermissionHandler: s.isPeer,
		}},
		ListenerConfigs: listeners, Realm: realm, AuthHandler: s.authenticate, LoggerFactory: cfg.LoggerFactory,
		QuotaHandler: func(user, _ string, _ net.Addr) bool { return s.quota.hasRoom(user) },
		EventHandler: turn.EventHandler{OnAuth: s.handleAuth, OnAllocationCreated: s.handleCreated, OnAllocationDeleted: s.handleDeleted},
	})
	if err != nil {
		return nil, fmt.Errorf("turn: %w", err)
	}
	return s, nil
}

// Run ends what sessions that have ended hold, until ctx is over.
func (s *Server) Run(ctx context.Context) {
	tick := time.NewTicker(sweepEach)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			s.quota.closeWhere(func(user string, expires time.Time) bool {
				return !s.isEntitled(claim{user, expires}, now)
			})
		case <-ctx.Done():
			return
		}
	}
}

// Close ends all that is relayed.
func (s *Server) Close() error {
	err := s.pion.Close()
	s.clients.closeAll()
	s.quota.closeWhere(func(string, time.Time) bool { return true })
	return err
}

// authenticate returns the key of a user name, for pion to check the message by. Who
// has an allocation keeps it while the session lives: its expiry is for new ones.
func (s *Server) authenticate(request *turn.RequestAttributes) (user string, key []byte, ok bool) {
	c, ok := readUsername(request.Username)
	now := time.Now()
	if !ok || !s.isEntitled(c, now) || request.Method == stun.MethodAllocate && !now.Before(c.expires) {
		s.figures.refused(RefusedCredentials)
		return "", nil, false
	}
	s.quota.note(c)
	return c.id, turn.GenerateAuthKey(request.Username, realm, password(s.cfg.Issuer.secret, request.Username)), true
}

// isEntitled reports whether what a claim is for still lasts.
func (s *Server) isEntitled(c claim, now time.Time) bool {
	if c.isCheck() {
		return now.Before(c.expires)
	}
	return s.cfg.IsLive(c.id)
}

func (s *Server) isPeer(_ net.Addr, peer net.IP) bool {
	ip, ok := netip.AddrFromSlice(peer)
	if ok && s.cfg.Port.IsPeer(ip.Unmap()) {
		return true
	}
	s.figures.refused(RefusedPeer)
	return false
}

// handleAuth counts wrong passwords: pion checks them.
func (s *Server) handleAuth(_, _ net.Addr, _, _, _, _ string, isRight bool) {
	if !isRight {
		s.figures.refused(RefusedCredentials)
	}
}

// pion names UDP as the protocol of all: the address tells.
func (s *Server) handleCreated(from, to net.Addr, _, user, _ string, _ net.Addr, _ int) {
	transport := s.clients.allocated(from, to)
	s.figures.opened(transport)
	s.log.Info("relayed", "event", "turn", "session", user, "transport", transport)
}

func (s *Server) handleDeleted(from, to net.Addr, _, user, _ string) {
	s.clients.released(from, to)
	s.log.Info("no longer relayed", "event", "turn", "session", user)
}

// relayedAddress makes the relayed transport addresses that pion asks for.
type relayedAddress struct{ of *Server }

var errUnsupported = errors.New("turn: neither TCP to a peer nor a port of the client's choice")

func (relayedAddress) Validate() error { return nil }

func (a relayedAddress) AllocatePacketConn(c turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	if c.UserID == "" || c.RequestedPort != 0 {
		return nil, nil, errUnsupported // a pair of ports, which nobody needs for one stream
	}
	conn, err := a.of.quota.open(c.UserID, func() (net.PacketConn, error) { return a.of.cfg.Port.Open(c.Network == "udp6") })
	if err != nil {
		return nil, nil, err
	}
	return conn, conn.LocalAddr(), nil
}

func (relayedAddress) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errUnsupported
}

func (relayedAddress) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) {
	return nil, errUnsupported
}
