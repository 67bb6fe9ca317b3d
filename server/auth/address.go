package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// MaxHops bounds the hops of X-Forwarded-For that are read: no real chain of
// proxies is as long, and a longer one was made up.
const MaxHops = 32

// Remote is the address that the request comes from: the socket's or, where the
// socket is a trusted proxy's, the rightmost hop of X-Forwarded-For that is not
// one. Of a hop that is no address, the proxy that named it is taken instead:
// what a caller wrote is never returned as it stands.
func (a *Auth) Remote(r *http.Request) string {
	if addr, _ := a.remote(r); addr.IsValid() {
		return addr.String()
	}
	return r.RemoteAddr // of a listener that knows no addresses
}

// IsProxy tells whether a peer is a trusted proxy, which stands for many callers.
func (a *Auth) IsProxy(peer netip.Addr) bool {
	return a.proxies.contains(peer.Unmap().WithZone(""))
}

// AdminAllowed tells whether an admin may come from where r does. Without a
// list, from anywhere; with one, never from where that isn't certain.
func (a *Auth) AdminAllowed(r *http.Request) bool {
	return (*a.allow.Load()).admits(a.CertainRemote(r))
}

// CertainRemote is the address that a request comes from, invalid where that isn't
// certain.
func (a *Auth) CertainRemote(r *http.Request) netip.Addr {
	if addr, certain := a.remote(r); certain {
		return addr
	}
	return netip.Addr{}
}

// SetAdminAllow changes where admins may come from, for every request from now on.
// What can't be read changes nothing.
func (a *Auth) SetAdminAllow(list string) error {
	found, err := parseAdminAllow(list)
	if err == nil {
		a.allow.Store(&found)
	}
	return err
}

// AdmitsAdmin reports whether an admin could come from an address once list is set: one
// that can't be read never is.
func (a *Auth) AdmitsAdmin(list string, from netip.Addr) bool {
	found, err := parseAdminAllow(list)
	return err != nil || found.admits(from)
}

// parseAdminAllow reads a list as the setting has it, with commas between.
func parseAdminAllow(list string) (networks, error) {
	fields := strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(", \n\t", r) })
	return parseNetworks(fields)
}

// HTTPSHost is the host and port that a request names, if this server's own TLS carried
// it; "" if a proxy's did, or none.
func HTTPSHost(r *http.Request) string {
	if r.TLS == nil {
		return ""
	}
	return r.Host
}

// Secure tells whether the caller used HTTPS: to us, or to the trusted proxy
// that we got the request from.
func (a *Auth) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	if len(a.proxies) == 0 {
		return false
	}
	peer, ok := parseHop(r.RemoteAddr)
	if !ok || !a.proxies.contains(peer) {
		return false
	}
	f := forwarded(r)
	if len(f.protos) == 0 {
		return false
	}
	nearest := len(f.protos) - 1
	if len(f.protos) == len(f.from) { // each proxy said its own: the caller's own hop counts
		nearest = a.callersHop(f.from)
	}
	return isSecureScheme(f.protos[nearest])
}

// callersHop is the hop that the outermost trusted proxy told of.
func (a *Auth) callersHop(from []string) int {
	i := len(from) - 1
	for ; i > 0; i-- {
		if hop, ok := parseHop(from[i]); !ok || !a.proxies.contains(hop) {
			break
		}
	}
	return i
}

// logForwarded tells of forwarding headers that aren't believed, which whoever
// put a proxy in front has to know of: nothing else shows it.
func (a *Auth) logForwarded(r *http.Request) {
	if r.Header["X-Forwarded-For"] == nil && r.Header["X-Forwarded-Proto"] == nil {
		return
	}
	peer, ok := parseHop(r.RemoteAddr)
	if !ok || !a.proxies.contains(peer) {
		a.logProxy(r, "proxy_not_trusted")
	} else if _, certain := a.remote(r); !certain {
		a.logProxy(r, "forwarded_for_malformed")
	}
}

// remote walks from the socket towards the caller for as long as each step was
// told by a trusted proxy.
func (a *Auth) remote(r *http.Request) (addr netip.Addr, certain bool) {
	addr, certain = parseHop(r.RemoteAddr)
	if !certain || !a.proxies.contains(addr) {
		return addr, certain
	}
	from := forwardedHops(r, "X-Forwarded-For")
	for i, hop := range slices.Backward(from) {
		next, ok := parseHop(hop)
		if !ok || len(from)-i > MaxHops {
			return addr, false
		}
		if addr = next; !a.proxies.contains(addr) {
			return addr, true
		}
	}
	return addr, true
}

// forwardedHops are the members of a list header, over all its lines, the nearest last.
func forwardedHops(r *http.Request, header string) []string {
	lines := r.Header.Values(header)
	if len(lines) == 0 {
		return nil
	}
	return strings.Split(strings.Join(lines, ","), ",")
}

// parseHop reads an address with or without a port: some proxies add it. An
// IPv4 address is one in whatever form it comes.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	if with, err := netip.ParseAddrPort(s); err == nil {
		return with.Addr().Unmap().WithZone(""), true
	}
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		s = s[1 : len(s)-1]
	}
	addr, err := netip.ParseAddr(s)
	return addr.Unmap().WithZone(""), err == nil
}

// networks is a list of addresses and networks. None of them is IPv4 in IPv6.
type networks []netip.Prefix

func (n networks) contains(addr netip.Addr) bool {
	return slices.ContainsFunc(n, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// admits lets everyone in where there is no list.
func (n networks) admits(addr netip.Addr) bool { return len(n) == 0 || n.contains(addr) }

func (a *Auth) setTrustedProxies(c Config) (err error) {
	if a.proxies, err = parseNetworks(c.TrustedProxies); err != nil {
		return err
	}
	for _, p := range a.proxies {
		if p.Bits() == 0 {
			return fmt.Errorf("%s: trusting everyone lets everyone say where they come from", p)
		}
	}
	return nil
}

func (a *Auth) setAdminNetworks(c Config) error {
	found, err := parseNetworks(c.AdminAllow)
	a.allow.Store(&found)
	return err
}

func parseNetworks(list []string) (networks, error) {
	var found networks
	for _, s := range list {
		p, err := parseNetwork(s)
		if err != nil {
			return nil, fmt.Errorf("%.60q: %w", s, err)
		}
		found = append(found, p)
	}
	return found, nil
}

func parseNetwork(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		if addr.Zone() != "" {
			return netip.Prefix{}, errors.New("an address with a zone")
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, errors.New("want an address or a network such as 10.0.0.0/8")
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, errors.New("reaches beyond IPv4: write it as IPv4")
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("has bits beyond its mask: is %s meant?", p.Masked())
	}
	return p, nil
}
