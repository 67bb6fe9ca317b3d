package bus

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go"
)

// Connection says where the bus is, and how it is kept from others.
type Connection struct {
	// Servers are addresses such as nats://10.0.0.2:4222: of an external NATS cluster or,
	// with Listen, of the other nodes.
	Servers []string
	// Listen is where the server inside this process takes the other nodes' connections;
	// "" asks for external servers.
	Listen string
	// User and Password are what external servers ask for; with Listen, what the nodes ask
	// each other for.
	User, Password string
	// Credentials is a file of NATS credentials (JWT and key), in place of a password.
	Credentials string
	// Certificates are what this node shows, with its key, and CA whom it believes; without
	// them there is no TLS but what a server's tls:// address asks for.
	Certificate *tls.Certificate
	CA          *x509.CertPool
}

// Check reports what no bus can be made of.
func (c *Connection) Check() error {
	for _, server := range c.Servers {
		u, err := url.Parse(server)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls":
			return fmt.Errorf("%q is no address of the bus: write nats://HOST:PORT or tls://HOST:PORT", server)
		case u.User != nil:
			return errors.New("a password has no place on a command line: name a file of it")
		}
	}
	if c.Listen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("%q is no HOST:PORT", c.Listen)
	}
	if c.Credentials != "" {
		return errors.New("credentials of NATS are for external servers: nodes among themselves have a password")
	}
	if !isLoopback(host) && (c.Certificate == nil || c.CA == nil || c.Password == "") {
		return fmt.Errorf("%s can be reached from other machines: nodes there need a certificate, an authority and a password", c.Listen)
	}
	return nil
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback() || host == "localhost"
}

// url is where the client goes; within the process it goes nowhere.
func (c *Connection) url() string {
	if c.Listen != "" {
		return ""
	}
	return strings.Join(c.Servers, ",")
}

// options are those of the way to external servers.
func (c *Connection) options() (out []nats.Option, err error) {
	if err := c.Check(); err != nil || c.Listen != "" {
		return nil, err
	}
	if len(c.Servers) == 0 {
		return nil, errors.New("the bus has no address")
	}
	if c.Credentials != "" {
		out = append(out, nats.UserCredentials(c.Credentials))
	}
	if c.Password != "" {
		out = append(out, nats.UserInfo(c.User, c.Password))
	}
	if c.Certificate != nil || c.CA != nil {
		out = append(out, nats.Secure(c.tlsConfig()))
	}
	return out, nil
}

func (c *Connection) tlsConfig() *tls.Config {
	t := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: c.CA, ClientCAs: c.CA}
	if c.Certificate != nil {
		t.Certificates = []tls.Certificate{*c.Certificate}
	}
	return t
}
