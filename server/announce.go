package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"

	"parley/server/auth"
)

// demoCaller is the caller whose link a demo server prints.
const demoCaller = "demo-caller"

// announce tells where the server is and, in demo mode, how to sign in. On a
// standard output that is for log lines alone, it is a log line, too, and
// holds no token.
func (c *serveCommand) announce(out io.Writer, addr net.Addr, authority *auth.Auth, log *slog.Logger) error {
	base := c.baseURL(addr)
	if c.LogFormat == "json" {
		c.logAnnouncement(base, authority, log)
		return nil
	}
	if _, err := fmt.Fprintf(out, "Parley %s on %s (%s)\n", version, base, c.Mode); err != nil {
		return err
	}
	if authority.Mode() != auth.Demo {
		return nil
	}
	return printDemoLinks(out, base, authority)
}

// printDemoLinks prints the links to sign in with as caller and as admin, and what the
// page of signing in asks the admin for.
func printDemoLinks(out io.Writer, base string, authority *auth.Auth) error {
	links := []struct{ who, sub, name, next string }{
		{"caller", demoCaller, "Demo caller", ""},
		{"admin ", auth.DemoAdmin, "Demo admin", "/admin"},
	}
	for _, l := range links {
		token, err := authority.Mint(auth.Claims{Subject: l.sub, Name: l.name}, auth.MaxLife)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "  %s   %s\n", l.who, signInLink(base, l.next, token)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "  passkey  %s  (to enter as the demo admin on %s/sign-in)\n", authority.DemoPasskey(), base)
	return err
}

func (c *serveCommand) logAnnouncement(base string, authority *auth.Auth, log *slog.Logger) {
	log.Info("serving", "event", "start", "version", version, "url", base, "mode", c.Mode)
	if authority.Mode() == auth.Demo {
		log.Info("a link to sign in with comes from: parley token --mode=demo --sub="+auth.DemoAdmin+" --link="+base+" --data-dir="+c.DataDir, "event", "start")
	}
}

// warn logs what was set in vain, and what a server in earnest is started without
// and would be missed later, one sentence each.
func (c *serveCommand) warn(log *slog.Logger) {
	if len(c.unknownVariables) > 0 {
		log.Warn("No setting has the name of: "+strings.Join(c.unknownVariables, ", ")+
			". Correct what is mistyped: parley --help lists every variable.", "event", "start")
	}
	mode := auth.Mode(c.Mode)
	if mode == auth.Demo {
		return
	}
	if len(c.Admins)+len(c.Provider.AdminGroups) == 0 && mode == auth.Production {
		log.Warn("There are no admins: name one or more with --admins, or nobody can open the admin pages.", "event", "start")
	}
	if !c.isHTTPS() && len(c.TrustedProxies) == 0 {
		log.Warn("This is plain HTTP without a proxy, and browsers give microphones to https pages only:"+
			" name this server with --domain, set --tls-cert and --tls-key, or name the proxy in front with --trusted-proxies.", "event", "start")
	}
}

// baseURL is how a browser on this machine reaches the server: an address that
// means every interface is told as localhost, where a microphone is allowed.
func (c *serveCommand) baseURL(addr net.Addr) string {
	if len(c.Domain) > 0 {
		return "https://" + c.Domain[0]
	}
	scheme := "http"
	if c.isHTTPS() {
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
