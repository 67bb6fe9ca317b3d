package doctor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

const publicIPAct = "Write the address that callers reach to --public-ip, and have UDP and TCP of the media port led from there to this machine; " +
	"on a network of your own write --media-private."

// address is where callers are told to send their voice.
func (x *examination) address(context.Context) []Finding {
	told, err := x.Addresses()
	if err != nil {
		return one("public address", Fault, fmt.Sprintf("Callers can't be told where to send their voice: %v.", err), publicIPAct)
	}
	own := interfaces()
	list := join(told)
	isPublic := slices.ContainsFunc(told, func(ip netip.Addr) bool { return !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() })
	switch {
	case len(x.PublicIPs) > 0 && !slices.ContainsFunc(told, func(ip netip.Addr) bool { return slices.Contains(own, ip) }):
		return one("public address", OK, fmt.Sprintf("Callers are told %s, which this machine doesn't have itself: a router has to lead UDP and TCP of the media port here.", list), "")
	case isPublic || x.AllowPrivate:
		return one("public address", OK, fmt.Sprintf("Callers are told %s.", list), "")
	case slices.ContainsFunc(told, func(ip netip.Addr) bool { return !ip.IsLoopback() }):
		return one("public address", Warning, fmt.Sprintf("Callers are told %s, which only those on the same network reach.", list), publicIPAct)
	}
	return one("public address", Fault, fmt.Sprintf("Callers are told %s, which nobody but this machine reaches.", list), publicIPAct)
}

// interfaces are this machine's own addresses.
func interfaces() (own []netip.Addr) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, p.Addr())
		}
	}
	return own
}

// names are those that browsers come by: they lead here.
func (x *examination) names(ctx context.Context) (found []Finding) {
	own := append(interfaces(), x.PublicIPs...)
	for _, name := range x.browserNames() {
		if _, err := netip.ParseAddr(name); err == nil {
			continue // an address needs nobody to find it
		}
		asking, cancel := context.WithTimeout(ctx, answerTimeout)
		addrs, err := x.LookupIP(asking, name)
		cancel()
		found = append(found, x.nameFinding(name, own, addrs, err))
	}
	return found
}

func (x *examination) nameFinding(name string, own, addrs []netip.Addr, err error) Finding {
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	elsewhere := slices.DeleteFunc(slices.Clone(addrs), func(ip netip.Addr) bool { return slices.Contains(own, ip) })
	const act = "Have its A and AAAA records hold this machine's public addresses and no others; where a router has them, write them to --public-ip."
	switch {
	case err != nil || len(addrs) == 0:
		return Finding{"name", Fault, fmt.Sprintf("Nobody finds %s: it has no address.", name), "Make an A or AAAA record with this machine's public address, and wait until it is known."}
	case len(elsewhere) == 0:
		return Finding{"name", OK, fmt.Sprintf("%s leads to this machine (%s).", name, join(addrs)), ""}
	case x.IsProxied:
		return Finding{"name", OK, fmt.Sprintf("%s leads to %s, as to a proxy in front.", name, join(addrs)), ""}
	case len(elsewhere) < len(addrs):
		return Finding{"name", Warning, fmt.Sprintf("%s leads to this machine, but also to %s.", name, join(elsewhere)), act}
	}
	return Finding{"name", Fault, fmt.Sprintf("%s leads to %s, which is not this machine.", name, join(addrs)), act}
}

// browserNames are the domains, or the name of the address that browsers open.
func (x *examination) browserNames() []string {
	names := slices.Clone(x.Domains)
	if host := x.host(); host != "" && !slices.Contains(names, host) {
		names = append(names, host)
	}
	return names
}

func (x *examination) host() string {
	u, err := url.Parse(x.URL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// reach opens the address as a browser does, where a server runs.
func (x *examination) reach(ctx context.Context) []Finding {
	if x.running == nil || x.URL == "" {
		return nil
	}
	byName := &running{client: newClient(x.tls())}
	if err := byName.askReadiness(ctx, strings.TrimRight(x.URL, "/")); err != nil {
		return one("way in", Warning, fmt.Sprintf("The server runs, but %s doesn't lead to it from this machine: %v.", x.URL, err),
			"Try it from another network; if it fails there, too, look at the proxy, the router and the firewall before this machine.")
	}
	return one("way in", OK, fmt.Sprintf("%s leads to the server.", x.URL), "")
}

func join(addrs []netip.Addr) string {
	text := make([]string, len(addrs))
	for i, a := range addrs {
		text[i] = a.String()
	}
	return strings.Join(text, ", ")
}
