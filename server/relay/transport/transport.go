// Package transport owns how a caller's media is carried: ICE as a lite agent
// (RFC 8445 §2.5), DTLS, SRTP and SCTP of many calls on one UDP and one TCP port. A
// packet is opened, handed on, answered and sent in the goroutine that read it. It
// knows neither sessions nor agents nor session descriptions, and sends nothing to an
// address before a check from there was verified.
package transport

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
)

// ErrClosed says that the port or the transport was closed.
var ErrClosed = errors.New("transport: closed")

// Handler takes what comes by a transport.
type Handler interface {
	// HandleRTP takes a packet, HandleRTCP a compound one, opened and verified, and when
	// it came: by the kernel's word, where there is one. Both are called from one
	// goroutine at a time. The bytes are only good until they return, and they must not
	// wait.
	HandleRTP(packet []byte, came time.Time)
	HandleRTCP(packet []byte, came time.Time)
	// HandleChannel takes a data channel that the caller opened. It must not wait.
	HandleChannel(*datachannel.DataChannel)
	// HandleState is told that the transport's state is another one. Calls come from any
	// goroutine, in any order: State says which.
	HandleState()
	// HandlePair is told of the path that media goes by.
	HandlePair(Pair)
}

// Pair says by which kinds of candidate a caller comes, never from where.
type Pair struct{ Protocol, RemoteType string }

// String implements fmt.Stringer.
func (p Pair) String() string { return p.Protocol + " to " + p.RemoteType }

// Config says what a transport is to be.
type Config struct {
	Certificate tls.Certificate
	Fingerprint Fingerprint // of the caller's certificate
	IsClient    bool        // of DTLS
	Log         logging.LoggerFactory
	// MaxReceived bounds what the caller's data channels may leave unread, in bytes.
	MaxReceived uint32
}

// Credentials are those of ICE (RFC 8445 §5.3).
type Credentials struct{ Ufrag, Pwd string }

// newCredentials makes some that nobody guesses: 96 and 144 random bits.
func newCredentials() Credentials {
	b := make([]byte, 30)
	_, _ = rand.Read(b) // never fails
	text := base64.RawStdEncoding.EncodeToString(b)
	return Credentials{Ufrag: text[:16], Pwd: text[16:]}
}

// Transport is the caller's end of one call's media, from an offer to Close: one
// DTLS association, through any number of ICE restarts.
type Transport struct {
	port    *Port
	cfg     Config
	handler Handler
	log     logging.LeveledLogger
	born    time.Time // the times below count from here, by the monotonic clock

	ctx     context.Context // ends with the transport
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	packets *packetConn // what DTLS reads and writes

	selected atomic.Pointer[path]  // where to send; nil: nowhere
	heard    atomic.Int64          // when a packet of the caller last came, in ns since born
	received atomic.Int64          // packets of the caller
	checked  atomic.Int64          // when a check last verified, in ns since born
	in       inbound               // receives SRTP
	out      outbound              // sends SRTP
	channels chan channelParameter // at most one: SCTP is wanted

	isFinished atomic.Bool
	finished   chan struct{} // closed once the caller has all of DTLS's handshake

	mu          sync.Mutex
	isClosed    bool
	isStarted   bool // DTLS
	ice         webrtc.ICETransportState
	dtls        webrtc.DTLSTransportState
	since       time.Duration // when ICE began to look for a path
	credentials []Credentials // the newest last; those before hold until it has a path
	paths       []*path       // the one that was checked last is last
	remotes     map[netip.AddrPort]string
}

// Open makes a transport that waits for the caller's checks. What comes by it goes to
// what handler makes.
func (p *Port) Open(cfg Config, handler func(*Transport) Handler) (*Transport, error) {
	ctx, cancel := context.WithCancel(context.Background())
	t := &Transport{
		port: p, cfg: cfg, log: cfg.Log.NewLogger("ice"), born: time.Now(), ctx: ctx, cancel: cancel,
		ice: webrtc.ICETransportStateChecking, dtls: webrtc.DTLSTransportStateNew,
		credentials: []Credentials{newCredentials()}, remotes: make(map[netip.AddrPort]string),
		channels: make(chan channelParameter, 1), finished: make(chan struct{}),
	}
	t.packets = newPacketConn(t)
	t.out.ssrc = newSSRC()
	t.handler = handler(t)
	if !p.table.add(t, t.credentials[0].Ufrag) {
		cancel()
		return nil, ErrClosed
	}
	return t, nil
}

// newSSRC makes one that is not 0, which stands for none.
func newSSRC() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return 1 | uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// SSRC is that of the stream that is sent.
func (t *Transport) SSRC() uint32 { return t.out.ssrc }

// now is the time since the transport was made.
func (t *Transport) now() time.Duration { return time.Since(t.born) }

// Credentials returns what the caller's checks are to be made with.
func (t *Transport) Credentials() Credentials {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.credentials[len(t.credentials)-1]
}

// State returns the states of ICE and of DTLS.
func (t *Transport) State() (webrtc.ICETransportState, webrtc.DTLSTransportState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ice, t.dtls
}

// setDTLS notes a state of DTLS and tells of it.
func (t *Transport) setDTLS(state webrtc.DTLSTransportState) {
	t.mu.Lock()
	isNew := t.dtls != state && !t.isClosed
	if isNew {
		t.dtls = state
	}
	t.mu.Unlock()
	if isNew {
		t.handler.HandleState()
	}
}

// Received returns how many packets of the caller came, and when the newest did; the
// zero time: none has.
func (t *Transport) Received() (packets int64, newest time.Time) {
	if at := t.heard.Load(); at > 0 {
		newest = t.born.Add(time.Duration(at))
	}
	return t.received.Load(), newest
}

// noteReceived notes a packet of the caller's, and when it came.
func (t *Transport) noteReceived(came time.Time) {
	t.heard.Store(int64(came.Sub(t.born)))
	t.received.Add(1)
}

// Close says goodbye to the caller, and waits until nothing of the transport runs.
// It must not be called from its handler.
func (t *Transport) Close() {
	t.mu.Lock()
	if t.isClosed {
		t.mu.Unlock()
		t.wg.Wait()
		return
	}
	t.isClosed = true
	t.dtls = webrtc.DTLSTransportStateClosed
	t.mu.Unlock()
	t.cancel() // the goroutine of DTLS says goodbye on its way out
	t.wg.Wait()
	t.packets.Close()
	t.mu.Lock()
	t.ice = webrtc.ICETransportStateClosed
	t.dropPathsLocked()
	used := t.credentials
	t.mu.Unlock()
	t.port.table.remove(used)
	t.in.close()
	t.out.close()
}

// startLocked runs f in a goroutine that Close waits for, unless the transport is closed.
// mu must be held.
func (t *Transport) startLocked(f func()) {
	if !t.isClosed {
		t.wg.Go(f)
	}
}
