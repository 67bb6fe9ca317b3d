package main

import (
	"fmt"
	"io"
	"net"

	"parley/server/auth"
)

// demoCaller is the caller whose link a demo server prints.
const demoCaller = "demo-caller"

// announce prints where the server is and, in demo mode, the two links to sign
// in with. A link carries its token in the fragment, which no server sees.
func (c *serveCommand) announce(out io.Writer, addr net.Addr, authority *auth.Auth) error {
	base := c.baseURL(addr)
	if _, err := fmt.Fprintf(out, "Parley %s on %s (%s)\n", version, base, c.Mode); err != nil {
		return err
	}
	if authority.Mode() != auth.Demo {
		return nil
	}
	links := []struct{ who, sub, name string }{
		{"caller", demoCaller, "Demo caller"},
		{"admin ", auth.DemoAdmin, "Demo admin"},
	}
	for _, l := range links {
		token, err := authority.Mint(auth.Claims{Subject: l.sub, Name: l.name}, auth.MaxLife)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "  %s  %s/sign-in#token=%s\n", l.who, base, token); err != nil {
			return err
		}
	}
	return nil
}

// baseURL is how a browser on this machine reaches the server: an address that
// means every interface is told as localhost, where a microphone is allowed.
func (c *serveCommand) baseURL(addr net.Addr) string {
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return scheme + "://" + addr.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
