package doctor

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"slices"

	"parley/server/turn/probe"
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

// tryOwn asks the running server for a relayed address, where it says it is, or else on
// this machine: not every router leads a machine back to itself.
func (x *examination) tryOwn(ctx context.Context, text string, s wire.ICEServer) Finding {
	w, err := probe.ReadWay(text, s)
	if err != nil {
		return Finding{"turn", Fault, fmt.Sprintf("Callers are told %q, which is no URL of TURN.", text), "Look at --public-ip."}
	}
	here := near(x.Media)
	if w.IsTLS() {
		w.TLS, here = &tls.Config{InsecureSkipVerify: true}, near(x.HTTP) // its certificate has a check of its own
	}
	told := w.String()
	if _, err = probe.Ask(ctx, w); err == nil {
		return Finding{"turn", OK, fmt.Sprintf("%s: relays.", told), ""}
	}
	w.Addr = here
	if _, nearErr := probe.Ask(ctx, w); nearErr == nil {
		return Finding{"turn", Warning, fmt.Sprintf("%s: this machine doesn't reach it, though the server relays (%v).", told, err),
			"Open the port in the firewall and lead it here from the router; if it is open, your router only doesn't lead this machine back to itself: try from another network."}
	}
	return Finding{"turn", Fault, fmt.Sprintf("%s: relays nothing (%v).", told, err), "Look into the server's log for event=turn, and at a firewall on this machine."}
}

// tryOther asks a server of --ice-servers for what callers would ask it for.
func (x *examination) tryOther(ctx context.Context, text string, s wire.ICEServer) Finding {
	w, err := probe.ReadWay(text, s)
	switch {
	case err != nil:
		return Finding{"ice servers", Fault, fmt.Sprintf("%q is no URL of STUN or TURN.", text), "Correct the file of --ice-servers."}
	case w.IsTLS() && w.Network == "udp":
		return Finding{"ice servers", Untried, fmt.Sprintf("%s speaks DTLS, which this command doesn't.", text), ""}
	}
	seen, err := probe.Ask(ctx, w)
	if err != nil {
		return Finding{"ice servers", Fault, fmt.Sprintf("%s: %v.", w, err), "Look whether it runs, whether this machine may reach it, and at the credentials in the file of --ice-servers; or leave it out."}
	}
	if w.IsTURN() {
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
