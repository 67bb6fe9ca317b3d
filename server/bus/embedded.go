package bus

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Of the server inside the process.
const (
	// startTimeout bounds its start, which takes milliseconds.
	startTimeout = 5 * time.Second
	// clusterName is of the nodes' servers: one of another name is refused.
	clusterName = "parley"
	// authTimeout bounds, in seconds, how long a node may take to say who it is.
	authTimeout = 5.0
)

// embedded is a NATS server inside this process. It takes connections of other nodes'
// servers, and of clients ours alone: that comes without a port, but a server joins no others
// before it has one for clients, so there is one on loopback with a password that nobody knows.
type embedded struct {
	*server.Server

	password string // of our client
}

func (c *Connection) startEmbedded(node string, log *slog.Logger) (*embedded, error) {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("%q is no port", port)
	}
	if number == 0 {
		number = server.RANDOM_PORT
	}
	password := rand.Text()
	options := &server.Options{
		ServerName: node, Host: "127.0.0.1", Port: server.RANDOM_PORT, Username: clusterName, Password: password,
		NoSigs: true, NoLog: true, MaxPayload: MaxMessage,
		Cluster: server.ClusterOpts{
			Name: clusterName, Host: host, Port: number, AuthTimeout: authTimeout, NoAdvertise: true,
		},
	}
	if c.Password != "" { // a name alone would be asked for, and be given by nobody
		options.Cluster.Username, options.Cluster.Password = c.User, c.Password
	}
	if c.Certificate != nil {
		options.Cluster.TLSConfig = c.tlsConfig()
		options.Cluster.TLSConfig.ClientAuth = tls.RequireAndVerifyClientCert
		options.Cluster.TLSTimeout = authTimeout
	}
	for _, address := range c.Servers {
		u, err := url.Parse(address)
		if err != nil {
			return nil, err
		}
		if c.Password != "" {
			u.User = url.UserPassword(c.User, c.Password)
		}
		options.Routes = append(options.Routes, u)
	}
	s, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("the bus inside this process: %w", err)
	}
	s.SetLoggerV2(serverLog{log}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(startTimeout) {
		s.Shutdown()
		return nil, fmt.Errorf("the bus inside this process: %s can't be listened on", c.Listen)
	}
	return &embedded{s, password}, nil
}

// close waits for the end of the server; nil has none.
func (e *embedded) close() {
	if e != nil {
		e.Shutdown()
		e.WaitForShutdown()
	}
}

// serverLog has the lines of the server in ours.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Noticef(format string, v ...any) {
	l.log.Debug(fmt.Sprintf(format, v...), "event", "bus")
}
func (l serverLog) Warnf(format string, v ...any) {
	l.log.Warn(fmt.Sprintf(format, v...), "event", "bus")
}
func (l serverLog) Errorf(format string, v ...any) {
	l.log.Warn(fmt.Sprintf(format, v...), "event", "bus")
}
func (l serverLog) Fatalf(format string, v ...any) {
	l.log.Error(fmt.Sprintf(format, v...), "event", "bus")
}
func (l serverLog) Debugf(string, ...any) {}
func (l serverLog) Tracef(string, ...any) {}
