// Package caller is the far end of a call that costs its machine little, so that one core
// can be a thousand of them: one UDP socket, ICE as a full agent of one pair, DTLS, SRTP
// and a data channel, read by one goroutine, with the kernel's word of when each packet
// came. It is for benches: it verifies neither certificates nor checks, and is no example
// of a client.
package caller

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/dtls/v3"

	"parley/server/stamp"
)

// Config says what a caller is made of.
type Config struct {
	Certificate tls.Certificate
	Fingerprint string     // of the certificate, as SDP has it: "sha-256 AB:…"
	Address     netip.Addr // of the socket, told to the server
	// HandleAudio takes what came back, with when it did; it must not wait or keep it.
	HandleAudio func(payload []byte, came time.Time)
}

// Caller is one end of one call.
type Caller struct {
	cfg        Config
	socket     *net.UDPConn
	ufrag, pwd string
	answer     answer
	media      media

	isAnswered atomic.Bool // a check of ours was
	conn       *dtls.Conn
	channel    atomic.Pointer[datachannel.DataChannel]
	pongs      atomic.Int64
	wg         sync.WaitGroup
}

// New makes a caller with a socket of its own.
func New(cfg Config) (*Caller, error) {
	socket, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(cfg.Address, 0)))
	if err != nil {
		return nil, fmt.Errorf("caller: %w", err)
	}
	stamp.Enable(socket)
	secret := make([]byte, 24)
	_, _ = rand.Read(secret) // never fails
	text := base64.RawStdEncoding.EncodeToString(secret)
	c := &Caller{cfg: cfg, socket: socket, ufrag: text[:8], pwd: text[8:]}
	c.media.ssrc = binary.BigEndian.Uint32(secret) | 1
	return c, nil
}

// Connect takes the server's answer and returns once audio may go both ways. The data
// channel opens afterwards.
func (c *Caller) Connect(ctx context.Context, sdp string) (err error) {
	if c.answer, err = readAnswer(sdp); err != nil {
		return err
	}
	if err := c.findPath(ctx); err != nil {
		return err
	}
	if c.conn, err = c.handshake(ctx); err != nil {
		return fmt.Errorf("caller: DTLS: %w", err)
	}
	if err := c.media.takeKeys(c.conn, c.answer.isClient); err != nil {
		return err
	}
	if c.answer.hasData {
		c.wg.Go(c.openChannel)
	}
	return nil
}

// Close ends the call.
func (c *Caller) Close() {
	if c.conn != nil {
		_ = c.conn.Close() // it says goodbye
	}
	c.socket.Close()
	c.wg.Wait()
}

// read reads one packet and returns its bytes if they are of DTLS; all else it takes.
func (c *Caller) read(b []byte) (packet []byte, err error) {
	var control [stamp.Space]byte
	n, controls, _, _, err := c.socket.ReadMsgUDPAddrPort(b, control[:])
	if err != nil || n == 0 {
		return nil, err
	}
	switch first := b[0]; {
	case first <= 3:
		c.receiveCheck(b[:n])
	case first >= 128:
		if payload := c.media.open(b[:n]); payload != nil && c.cfg.HandleAudio != nil {
			c.cfg.HandleAudio(payload, stamp.Of(control[:controls]))
		}
	default:
		return b[:n], nil
	}
	return nil, nil
}

func (c *Caller) write(packet []byte) error {
	_, err := c.socket.WriteToUDPAddrPort(packet, c.answer.candidate)
	return err
}
