package logexport

import (
	"errors"
	"net"
	"net/url"
)

// The kinds of destinations, by their schemes.
const (
	schemeSyslogTLS = "syslog+tls"
	schemeSyslogTCP = "syslog+tcp"
)

// defaultPorts are those that RFC 5425 and RFC 6587's registration have.
var defaultPorts = map[string]string{schemeSyslogTLS: "6514", schemeSyslogTCP: "601"}

// CheckDestination says what is wrong with an address to send logs to.
func CheckDestination(u *url.URL) error {
	switch {
	case u.Scheme != schemeSyslogTLS && u.Scheme != schemeSyslogTCP && !isHTTP(u):
		return errors.New("begin it with https://, http://, syslog+tls:// or syslog+tcp://")
	case u.Hostname() == "":
		return errors.New("it names no host")
	case u.User != nil:
		return errors.New("leave user and password out: a collector by HTTP takes a token by file")
	case u.Fragment != "":
		return errors.New("leave out what begins with #")
	case !isHTTP(u) && (u.RawQuery != "" || u.Path != "" && u.Path != "/"):
		return errors.New("a syslog server has a host and a port, and no path")
	}
	return nil
}

func isHTTP(u *url.URL) bool { return u.Scheme == "https" || u.Scheme == "http" }

func syslogAddress(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = defaultPorts[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
