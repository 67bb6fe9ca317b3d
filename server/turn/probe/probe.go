// Package probe asks a STUN or TURN server for what a caller would ask it for, and says
// what came of it. It keeps nothing of what it is given.
package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"

	"parley/shared/wire"
)

// answerTimeout bounds each question: whoever doesn't answer in it is too far for a call, too.
const answerTimeout = 5 * time.Second

// A Way is how to come to a STUN or TURN server.
type Way struct {
	Scheme               string // stun, stuns, turn or turns
	Network              string // udp or tcp
	Addr                 string // host:port
	Username, Credential string
	TLS                  *tls.Config // for stuns and turns
}

// ReadWay reads a URL of RFC 7064 or 7065.
func ReadWay(text string, s wire.ICEServer) (Way, error) {
	u, err := stun.ParseURI(text)
	if err != nil {
		return Way{}, err
	}
	w := Way{Scheme: u.Scheme.String(), Network: u.Proto.String(), Addr: net.JoinHostPort(u.Host, strconv.Itoa(u.Port)), Username: s.Username, Credential: s.Credential}
	if w.IsTLS() {
		w.TLS = &tls.Config{ServerName: u.Host}
	}
	return w, nil
}

// IsTLS reports whether TLS is around it.
func (w Way) IsTLS() bool { return strings.HasSuffix(w.Scheme, "s") }

// IsTURN reports whether it relays.
func (w Way) IsTURN() bool { return strings.HasPrefix(w.Scheme, "turn") }

// String says a way as an admin's page does: TURN over TLS, 203.0.113.7:443.
func (w Way) String() string {
	over := strings.ToUpper(w.Network)
	if w.IsTLS() {
		over = "TLS"
	}
	return fmt.Sprintf("%s over %s, %s", strings.ToUpper(strings.TrimSuffix(w.Scheme, "s")), over, w.Addr)
}

// Ask gets a relayed address (RFC 8656 §7) and gives it back, or a binding (RFC 8489),
// and returns the address that was given.
func Ask(ctx context.Context, w Way) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	conn, err := w.dial(ctx)
	if err != nil {
		return "", withoutAddress(err)
	}
	defer conn.Close()
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: w.Addr, TURNServerAddr: w.Addr, Conn: conn, Username: w.Username, Password: w.Credential, LoggerFactory: quiet,
	})
	if err != nil {
		return "", err
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, client.Close) // which ends what waits for an answer
	defer stop()
	given, err := w.request(client)
	if ctx.Err() != nil {
		return "", fmt.Errorf("it doesn't answer within %s", answerTimeout)
	}
	return given, err
}

func (w Way) request(client *turn.Client) (string, error) {
	if !w.IsTURN() {
		at, err := client.SendBindingRequest()
		if err != nil {
			return "", err
		}
		return at.String(), nil
	}
	relayed, err := client.Allocate()
	if err != nil {
		return "", err
	}
	defer relayed.Close()
	return relayed.LocalAddr().String(), nil
}

func (w Way) dial(ctx context.Context) (net.PacketConn, error) {
	if w.Network == "udp" {
		at, err := net.ResolveUDPAddr("udp", w.Addr)
		if err != nil {
			return nil, err
		}
		if at.IP.To4() != nil { // the family of the relayed address is that of the socket
			return net.ListenPacket("udp4", ":0")
		}
		return net.ListenPacket("udp6", ":0")
	}
	var conn net.Conn
	var err error
	if w.TLS != nil {
		conn, err = (&tls.Dialer{Config: w.TLS}).DialContext(ctx, "tcp", w.Addr)
	} else {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", w.Addr)
	}
	if err != nil {
		return nil, err
	}
	return turn.NewSTUNConn(conn), nil
}

// withoutAddress leaves out what the sentence around it says already.
func withoutAddress(err error) error {
	if op, ok := err.(*net.OpError); ok {
		return op.Err
	}
	return err
}
