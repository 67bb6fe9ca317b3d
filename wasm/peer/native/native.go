//go:build !js

// Package native makes package peer's calls without a browser: signaling by
// gorilla/websocket, media by pion/webrtc. It sends the RTP that it is given,
// with RFC 6464 levels, and counts what comes back; it has no microphone, codec
// or loudspeaker.
//
//	caller := native.New(native.Config{Server: "http://localhost:8080", Token: token})
//	call := peer.New(caller.Peer(show))
//	end := call.Run(ctx)
package native

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// Config says whom to call and as whom.
type Config struct {
	Server string // http://localhost:8080
	Token  string // bearer token
	Agent  string // "" is the server's default
	// Takeover ends the oldest of the caller's own calls when all their places
	// are taken.
	Takeover bool
	// Heard is told each RTP packet of the agent. It must not block, and keep
	// no part of the packet.
	Heard func(*rtp.Packet)
	// OnEvent is told each event of the agent, as text. nil opens no channel for them.
	OnEvent func(text string)
	// RelayOnly goes by TURN alone, as iceTransportPolicy "relay" has it.
	RelayOnly bool
	// Engine changes pion's settings, such as its network. May be nil.
	Engine func(*webrtc.SettingEngine)
}

// Caller makes calls, one at a time.
type Caller struct {
	cfg Config

	mu     sync.Mutex
	server string  // where calls go: Config.Server, or where that one sent them
	socket *Socket // the newest; nil before the first
	conn   *Connection
}

// New makes a caller.
func New(cfg Config) *Caller { return &Caller{cfg: cfg, server: cfg.Server} }

// Peer gives what peer.New needs. There is no admission to ask for: unlike a
// browser, this client can read why a socket was refused, and Ended.Err is then
// a *rest.Problem. Set Resume to go on with a call that another process has left
// behind.
func (c *Caller) Peer(on func(peer.Event)) peer.Config {
	return peer.Config{Dial: c.dial, Connect: c.connect, EndSession: c.endSession, On: on}
}

func (c *Caller) endSession(ctx context.Context, id string) error {
	path := strings.Replace(rest.PathEndOwn, "{id}", url.PathEscape(id), 1)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.serverAddress()+path, nil)
	if err != nil {
		return fmt.Errorf("native: end a session: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.cfg.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("native: end a session: %w", err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		return fmt.Errorf("native: end a session: %s", res.Status)
	}
	return nil
}

func (c *Caller) dial(ctx context.Context) (peer.Socket, error) {
	server := c.serverAddress()
	s, err := c.dialAt(ctx, server)
	var refused *rest.Problem
	if err != nil && server != c.cfg.Server && !errors.As(err, &refused) { // it is gone: who sent us there knows others
		s, err = c.dialAt(ctx, c.cfg.Server)
	}
	if errors.As(err, &refused) && refused.Code == rest.CodeDraining {
		for _, server := range refused.Nodes {
			if !isAsSafe(c.cfg.Server, server) {
				continue
			}
			if s, err = c.dialAt(ctx, server); err == nil {
				break
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// dialAt opens a socket at a server, where the call goes on from then.
func (c *Caller) dialAt(ctx context.Context, server string) (*Socket, error) {
	s, err := Dial(ctx, c.socketAddress(server), http.Header{"Authorization": {"Bearer " + c.cfg.Token}})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.socket, c.server = s, server
	return s, nil
}

// isAsSafe reports whether the token may go to a server that another names: never in the
// clear where it came encrypted.
func isAsSafe(from, to string) bool {
	return strings.HasPrefix(to, "https://") || strings.HasPrefix(to, "http://") && strings.HasPrefix(from, "http://")
}

func (c *Caller) serverAddress() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server
}

// socketAddress takes over with the first socket only: the next ones come back
// to the place that the first one got.
func (c *Caller) socketAddress(server string) string {
	c.mu.Lock()
	isFirst := c.socket == nil
	c.mu.Unlock()
	query := rest.SocketQuery{Agent: c.cfg.Agent, Takeover: c.cfg.Takeover && isFirst}
	return "ws" + strings.TrimPrefix(server, "http") + query.Path()
}

func (c *Caller) connect(_ context.Context, servers []wire.ICEServer, l peer.Listener) (peer.Connection, error) {
	conn, err := Connect(servers, c.cfg, l)
	if err != nil {
		return nil, err
	}
	if c.cfg.OnEvent != nil {
		if err := conn.openEvents(c.cfg.OnEvent); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
	return conn, nil
}

// errNoCall is what sending outside a call comes to.
var errNoCall = errors.New("native: no call is under way")

// Send sends one RTP packet with the level of its audio. Payload type, SSRC and
// the level's header extension are set here; sequence number, timestamp, marker
// and payload are the caller's.
func (c *Caller) Send(p *rtp.Packet, l Level) error {
	conn := c.connection()
	if conn == nil {
		return errNoCall
	}
	return conn.Send(p, l)
}

// SendEvent sends the agent one event, once the channel of events is open.
func (c *Caller) SendEvent(text string) error {
	conn := c.connection()
	if conn == nil {
		return errNoCall
	}
	return conn.SendEvent(text)
}

// Counts is what was sent and what came back so far.
func (c *Caller) Counts() Counts {
	conn := c.connection()
	if conn == nil {
		return Counts{}
	}
	return conn.Counts()
}

func (c *Caller) connection() *Connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn
}

// Cut tears the signaling socket without a close frame, as a network does.
func (c *Caller) Cut() {
	c.mu.Lock()
	s := c.socket
	c.mu.Unlock()
	if s != nil {
		s.Cut()
	}
}
