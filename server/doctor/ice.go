package doctor

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"

	"parley/shared/wire"
)

// turn gets a relayed address in every way that callers are told, and a binding of
// every STUN server.
func (x *examination) turn(ctx context.Context) (found []Finding) {
	own, others, finding := x.iceServers(ctx)
	if finding != nil {
		found = append(found, *finding)
	}
	for _, s := range own {
		for _, u := range s.URLs {
			found = append(found, x.tryOwn(ctx, u, s))
		}
	}
	for _, s := range others {
		for _, u := range s.URLs {
			found = append(found, x.tryOther(ctx, u, s))
		}
	}
	return found
}

// iceServers are the server's own, where one runs, and those of others; and a finding
// where they can't be had.
func (x *examination) iceServers(ctx context.Context) (own, others []wire.ICEServer, f *Finding) {
	others, err := x.ICEServers()
	if err != nil {
		return nil, nil, &Finding{"ice servers", Fault, fmt.Sprintf("The file can't be used: %v.", err), "Correct the file of --ice-servers; INSTALL.md shows one."}
	}
	if !x.TURN {
		return nil, others, &Finding{"turn", Warning, "TURN is off: callers whose network lets no UDP out may not get through.", "Leave out --turn=off, unless --ice-servers names a TURN server."}
	}
	if x.running == nil {
		return nil, others, &Finding{"turn", Untried, "No server runs here, so that nothing could be relayed.", "Start it, and run this again beside it."}
	}
	token, err := x.Token()
	if err == nil {
		own, err = x.running.iceServers(ctx, token)
	}
	if err != nil {
		return nil, others, &Finding{"turn", Untried, fmt.Sprintf("The running server gives this command no credentials: %v.", err), "Run it with the flags of the server and as its user, so that it can make a token; a server that takes tokens of an issuer alone can't be asked so."}
	}
	return own[:max(len(own)-len(others), 0)], others, nil
}

// A way is how to come to a STUN or TURN server.
type way struct {
	scheme         string // stun, stuns, turn or turns
	network        string // udp or tcp
	addr           string // host:port
	username, cred string
	tls            *tls.Config // for stuns and turns
}

// readWay reads a URL of RFC 7064 or 7065.
func readWay(text string, s wire.ICEServer) (way, error) {
	u, err := stun.ParseURI(text)
	if err != nil {
		return way{}, err
	}
	w := way{scheme: u.Scheme.String(), network: u.Proto.String(), addr: net.JoinHostPort(u.Host, strconv.Itoa(u.Port)), username: s.Username, cred: s.Credential}
	if w.isTLS() {
		w.tls = &tls.Config{ServerName: u.Host}
	}
	return w, nil
}

func (w way) isTLS() bool { return strings.HasSuffix(w.scheme, "s") }

func (w way) isTURN() bool { return strings.HasPrefix(w.scheme, "turn") }

// String says a way as an admin's page does: TURN over TLS, 203.0.113.7:443.
func (w way) String() string {
	over := strings.ToUpper(w.network)
	if w.isTLS() {
		over = "TLS"
	}
	return fmt.Sprintf("%s over %s, %s", strings.ToUpper(strings.TrimSuffix(w.scheme, "s")), over, w.addr)
}

// tryOwn asks the running server for a relayed address, where it says it is, or else on
// this machine: not every router leads a machine back to itself.
func (x *examination) tryOwn(ctx context.Context, text string, s wire.ICEServer) Finding {
	w, err := readWay(text, s)
	if err != nil {
		return Finding{"turn", Fault, fmt.Sprintf("Callers are told %q, which is no URL of TURN.", text), "Look at --public-ip."}
	}
	here := near(x.Media)
	if w.isTLS() {
		w.tls, here = &tls.Config{InsecureSkipVerify: true}, near(x.HTTP) // its certificate has a check of its own
	}
	told := w.String()
	if _, err = ask(ctx, w); err == nil {
		return Finding{"turn", OK, fmt.Sprintf("%s: relays.", told), ""}
	}
	w.addr = here
	if _, nearErr := ask(ctx, w); nearErr == nil {
		return Finding{"turn", Warning, fmt.Sprintf("%s: this machine doesn't reach it, though the server relays (%v).", told, err),
			"Open the port in the firewall and lead it here from the router; if it is open, your router only doesn't lead this machine back to itself: try from another network."}
	}
	return Finding{"turn", Fault, fmt.Sprintf("%s: relays nothing (%v).", told, err), "Look into the server's log for event=turn, and at a firewall on this machine."}
}

// tryOther asks a server of --ice-servers for what callers would ask it for.
func (x *examination) tryOther(ctx context.Context, text string, s wire.ICEServer) Finding {
	w, err := readWay(text, s)
	switch {
	case err != nil:
		return Finding{"ice servers", Fault, fmt.Sprintf("%q is no URL of STUN or TURN.", text), "Correct the file of --ice-servers."}
	case w.isTLS() && w.network == "udp":
		return Finding{"ice servers", Untried, fmt.Sprintf("%s speaks DTLS, which this command doesn't.", text), ""}
	}
	seen, err := ask(ctx, w)
	if err != nil {
		return Finding{"ice servers", Fault, fmt.Sprintf("%s: %v.", w, err), "Look whether it runs, whether this machine may reach it, and at the credentials in the file of --ice-servers; or leave it out."}
	}
	if w.isTURN() {
		return Finding{"ice servers", OK, fmt.Sprintf("%s: relays.", w), ""}
	}
	if told, err := x.Addresses(); err == nil && !isAmong(seen, told) {
		return Finding{"ice servers", Warning, fmt.Sprintf("%s: answers, and sees this machine as %s; callers are told %s.", w, seen, join(told)),
			"If those who call come from where that server is, write the address that it sees to --public-ip."}
	}
	return Finding{"ice servers", OK, fmt.Sprintf("%s: answers, and sees this machine as %s.", w, seen), ""}
}

// isAmong reports whether the address of "host:port" is one of some.
func isAmong(at string, addrs []netip.Addr) bool {
	seen, err := netip.ParseAddrPort(at)
	return err == nil && slices.Contains(addrs, seen.Addr().Unmap())
}

// ask gets a relayed address (RFC 8656 §7) and gives it back, or a binding (RFC 8489),
// and returns the address that was given.
func ask(ctx context.Context, w way) (string, error) {
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
		STUNServerAddr: w.addr, TURNServerAddr: w.addr, Conn: conn, Username: w.username, Password: w.cred, LoggerFactory: quiet,
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

func (w way) request(client *turn.Client) (string, error) {
	if !w.isTURN() {
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

func (w way) dial(ctx context.Context) (net.PacketConn, error) {
	if w.network == "udp" {
		at, err := net.ResolveUDPAddr("udp", w.addr)
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
	if w.tls != nil {
		conn, err = (&tls.Dialer{Config: w.tls}).DialContext(ctx, "tcp", w.addr)
	} else {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", w.addr)
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
