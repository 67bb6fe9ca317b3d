package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"parley/server/turn/probe"
)

// ports listens for a moment where the server would.
func (x *examination) ports(ctx context.Context) []Finding {
	found := []Finding{x.httpPort(ctx)}
	if x.Redirect != "" {
		found = append(found, x.port("--http-redirect", "tcp", x.Redirect, nil))
	}
	return append(found,
		x.port("--media-addr", "udp", x.Media, func() error { return x.bind(ctx, "udp") }),
		x.port("--media-addr", "tcp", x.Media, func() error { return x.bind(ctx, "tcp") }),
	)
}

// httpPort is of two kinds: free, or a server's that runs.
func (x *examination) httpPort(ctx context.Context) Finding {
	err := listen("tcp", x.HTTP)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return portFinding("--http", "tcp", x.HTTP, err)
	}
	there, isHTTPS, err := findRunning(ctx, near(x.HTTP), x.IsHTTPS)
	if err != nil {
		return Finding{"port", Fault, fmt.Sprintf("Another program listens on %s (tcp), and it is no Parley: %v.", x.HTTP, err),
			"End that program, or write another port to --http."}
	}
	if isHTTPS != x.IsHTTPS {
		return Finding{"port", Warning, fmt.Sprintf("A Parley runs on %s that was started with other flags: it doesn't speak %s.", x.HTTP, protocol(x.IsHTTPS)),
			"Run this with the flags of that server; or end it, if it is to be replaced."}
	}
	x.running = there
	f := Finding{"port", OK, fmt.Sprintf("A Parley runs on %s, and takes calls.", x.HTTP), ""}
	switch {
	case x.running.isDraining:
		f.Result, f.Says, f.Act = Warning, fmt.Sprintf("The Parley on %s is about to end, and takes no new calls.", x.HTTP), "Wait until it has ended, and start it again."
	case len(x.running.degraded) > 0:
		f.Result = Warning
		f.Says = fmt.Sprintf("A Parley runs on %s and takes calls, but this part of it fails: %s.", x.HTTP, strings.Join(x.running.degraded, ", "))
		f.Act = "Look into its log; OPERATE.md says for each part what to do."
	}
	return f
}

func protocol(isHTTPS bool) string {
	if isHTTPS {
		return "HTTPS"
	}
	return "plain HTTP"
}

// port is free, or the running server's, which isItsOwn asks; nil can't be asked.
func (x *examination) port(flag, network, addr string, isItsOwn func() error) Finding {
	err := listen(network, addr)
	if !errors.Is(err, syscall.EADDRINUSE) || x.running == nil {
		return portFinding(flag, network, addr, err)
	}
	if isItsOwn == nil || !x.TURN {
		return Finding{"port", OK, fmt.Sprintf("%s (%s) is taken, most likely by the server that runs.", addr, network), ""}
	}
	if err := isItsOwn(); err != nil {
		return Finding{"port", Fault, fmt.Sprintf("%s (%s) is taken, and not by the server that runs: %v.", addr, network, err),
			"End the program that listens there, or write another port to " + flag + "."}
	}
	return Finding{"port", OK, fmt.Sprintf("%s (%s) is the running server's, and answers.", addr, network), ""}
}

// bind asks the media port for a STUN binding, which its TURN server answers.
func (x *examination) bind(ctx context.Context, network string) error {
	_, err := probe.Ask(ctx, probe.Way{Scheme: "stun", Network: network, Addr: near(x.Media)})
	return err
}

func listen(network, addr string) error {
	if network == "udp" {
		c, err := net.ListenPacket(network, addr)
		if err == nil {
			c.Close()
		}
		return err
	}
	l, err := net.Listen(network, addr)
	if err == nil {
		l.Close()
	}
	return err
}

// portFinding says why one can't be listened on.
func portFinding(flag, network, addr string, err error) Finding {
	f := Finding{Check: "port", Result: Fault}
	switch {
	case err == nil:
		f.Result, f.Says = OK, fmt.Sprintf("%s (%s) is free.", addr, network)
	case errors.Is(err, syscall.EADDRINUSE):
		f.Says = fmt.Sprintf("Another program listens on %s (%s).", addr, network)
		f.Act = "End that program, or write another port to " + flag + "."
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		f.Says = fmt.Sprintf("%s is no address of this machine.", addr)
		f.Act = "Write one that is to " + flag + ", or :PORT for all of them."
	case errors.Is(err, fs.ErrPermission):
		f.Says = fmt.Sprintf("This user may not listen on %s (%s).", addr, network)
		f.Act = "Write a port from 1024 to " + flag + ", or give the right to listen below (CAP_NET_BIND_SERVICE), as the package's unit does."
	default:
		f.Says = fmt.Sprintf("%q can't be listened on: %v.", addr, err)
		f.Act = "Write ADDRESS:PORT to " + flag + ", or :PORT for all addresses."
	}
	return f
}

// near is where this machine reaches what listens on addr.
func near(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
