// Package relay owns the caller's leg: the one UDP and TCP port that media
// comes in by, offers and their answers, the packets between a caller's
// transport and the agent's leg, and what their numbers say of the line. It
// decodes no audio, keeps none, and knows neither sessions nor what an agent does.
package relay

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"parley/server/leg"
	"parley/server/leg/peerconn"
	"parley/shared/rtcstats"
)

// Config says where media comes in.
type Config struct {
	// Addr is the address of the UDP and the TCP socket, "host:port" with a
	// literal host or none (":8081"). Port 0 takes a free one, the same for both.
	Addr string
	// PublicIPs are the addresses callers are told, when they differ from those
	// of the machine (1:1 NAT). None: the machine's own.
	PublicIPs []netip.Addr
	// AllowPrivate takes callers at loopback, private, link-local and shared
	// (RFC 6598) addresses, and offers loopback too.
	AllowPrivate bool
	// TURN leaves to a TURN server what of the port is a TURN client's, see
	// [Relay.TURN].
	TURN bool
	// InterfaceAddrs lists the machine's addresses; nil is net.InterfaceAddrs.
	InterfaceAddrs func() ([]net.Addr, error)
	Logger         *slog.Logger // nil: none
	// Mask takes people out of what pion logs, which goes to Logger at debug.
	Mask func(string) string
}

// Events is told of a leg. Calls come one at a time and must not wait.
type Events interface {
	// ConnectionState says too when the caller was last heard on the path.
	ConnectionState(state rtcstats.ConnectionState, heard time.Time)
	// Sampled brings the leg's own figures each second from when it was first connected:
	// Inbound is the caller's voice as it came in here, RemoteInbound what the
	// caller says of the agent's.
	Sampled(rtcstats.Sample)
	// ICERestarted says that the caller restarted ICE and was answered.
	ICERestarted()
}

// ErrClosed says that the relay or the leg was closed.
var ErrClosed = errors.New("relay: closed")

// Relay owns the media port and the legs behind it.
type Relay struct {
	cfg      Config
	log      *slog.Logger
	port     *mediaPort
	pionLog  peerconn.Log
	identity identity
	rhythm   *rhythm
	sampling sync.WaitGroup
	done     chan struct{} // ends the rhythm

	mu     sync.Mutex
	closed bool
	legs   map[*Leg]struct{}
}

// Listen opens the media port.
func Listen(cfg Config) (*Relay, error) {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	pionLog := peerconn.NewLog(log, cfg.Mask)
	port, err := openMediaPort(cfg)
	if err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	r := &Relay{cfg: cfg, log: log, pionLog: pionLog, port: port, rhythm: newRhythm(), done: make(chan struct{}), legs: map[*Leg]struct{}{}}
	r.sampling.Go(func() { r.rhythm.run(r.done) })
	return r, nil
}

// Addr is the address of the UDP sockets; TCP has the same port.
func (r *Relay) Addr() net.Addr { return r.port.bound }

// TakeDelay returns how late this machine passed packets of callers on since it was last
// asked: what nineteen in twenty did not exceed, from the kernel's stamp of their arrival
// until all that they caused was sent. It is false where none came by UDP, or the system
// doesn't stamp packets.
func (r *Relay) TakeDelay() (time.Duration, bool) { return r.port.calls.TakeDelay() }

// OpenAgent opens the agent's side of a call, for the caller's leg that it may speak
// into, and returns what takes all that the caller sends. It is called once, from
// Offer, and whoever gave it closes what it opened, after the caller's leg.
type OpenAgent func(caller *Leg) (leg.Handler, error)

// Open makes the leg of a call. It costs next to nothing until the first offer.
func (r *Relay) Open(id string, on Events, open OpenAgent) (*Leg, error) {
	l := newLeg(r, id, on, open)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, ErrClosed
	}
	r.legs[l] = struct{}{}
	return l, nil
}

func (r *Relay) forget(l *Leg) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.legs, l)
}

// Close closes all legs, then the port, and waits for both.
func (r *Relay) Close() error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.done)
	}
	legs := make([]*Leg, 0, len(r.legs))
	for l := range r.legs {
		legs = append(legs, l)
	}
	r.mu.Unlock()

	var wg sync.WaitGroup
	for _, l := range legs {
		wg.Go(func() { l.Close() })
	}
	wg.Wait()
	r.sampling.Wait()
	return r.port.close()
}
