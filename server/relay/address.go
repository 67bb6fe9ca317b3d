package relay

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/pion/ice/v4"
)

// Why a candidate was refused. ErrAddress: its address is none that media may
// be sent to.
var (
	ErrCandidate = errors.New("relay: candidate refused")
	ErrAddress   = fmt.Errorf("%w: address", ErrCandidate)
	// errElsewhere: it is an address, of a network that media may not go to.
	errElsewhere = fmt.Errorf("%w: of another network", ErrAddress)
)

// Ranges that netip has no method for. Those of the first group are this
// network's own (AllowPrivate takes them), those of the second reach nobody, or
// carry another address inside that would go unchecked.
var (
	innerRanges = prefixes("100.64.0.0/10") // RFC 6598, behind a carrier's NAT
	deadRanges  = prefixes(
		"0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	)
)

func prefixes(s ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(s))
	for i := range s {
		all[i] = netip.MustParsePrefix(s[i])
	}
	return all
}

func isWithin(ip netip.Addr, ranges []netip.Prefix) bool {
	for _, p := range ranges {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// checkIP says whether media may be sent to ip. The server sends connectivity
// checks wherever a caller's candidates point, so without allowPrivate they
// must not point into its own networks.
func checkIP(ip netip.Addr, allowPrivate bool) error {
	switch {
	case !ip.IsValid(), ip.Zone() != "", ip.Is4In6():
		return fmt.Errorf("%w: not one plain address", ErrAddress)
	case ip.IsLoopback(), ip.IsPrivate(), ip.IsLinkLocalUnicast(), isWithin(ip, innerRanges):
		if !allowPrivate {
			return fmt.Errorf("%w: loopback, private, shared or link-local", errElsewhere)
		}
	case ip.IsUnspecified(), ip.IsMulticast(), isWithin(ip, deadRanges), !ip.IsGlobalUnicast():
		return fmt.Errorf("%w: no host's own", errElsewhere)
	}
	return nil
}

// checkHost is checkIP for text. Names are refused unresolved, and so is every
// spelling that another reader could take for another address: octal or short
// IPv4, IPv4 mapped into IPv6, zones, brackets.
func checkHost(host string, allowPrivate bool) error {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return fmt.Errorf("%w: not a literal", ErrAddress)
	}
	return checkIP(ip, allowPrivate)
}

// remoteCandidate is a candidate of a caller's that media may be sent to. The relay
// sends nothing to it: a caller's own checks say where it is.
type remoteCandidate struct {
	at   netip.AddrPort
	kind string // host, srflx, prflx or relay
	text string // as the parser writes it
}

// readCandidate reads a candidate attribute. It is nil for one that is left out
// without a word, for browsers name all addresses of their machine: those of
// networks that media may not go to, mDNS names (RFC 8828), which no server can
// resolve, and TCP ones, which are never dialed: a caller with TCP comes to us.
func readCandidate(raw string, allowPrivate bool) (*remoteCandidate, error) {
	c, err := ice.UnmarshalCandidate(strings.TrimPrefix(raw, "candidate:"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCandidate, err)
	}
	if strings.HasSuffix(strings.ToLower(c.Address()), ".local") {
		return nil, nil
	}
	switch err := checkHost(c.Address(), allowPrivate); {
	case errors.Is(err, errElsewhere):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if c.NetworkType().IsTCP() {
		return nil, nil
	}
	if c.Port() == 0 {
		return nil, fmt.Errorf("%w: port 0", ErrCandidate)
	}
	ip, err := netip.ParseAddr(c.Address())
	if err != nil {
		return nil, fmt.Errorf("%w: not a literal", ErrAddress)
	}
	return &remoteCandidate{netip.AddrPortFrom(ip, uint16(c.Port())), c.Type().String(), c.Marshal()}, nil
}

// Advertised are the addresses that callers of a relay would be told, which needs none
// to be listening.
func Advertised(cfg Config) ([]netip.Addr, error) {
	at, err := literal(cfg.Addr)
	if err != nil {
		return nil, err
	}
	return advertised(cfg, at.Addr())
}

// advertised are the addresses callers are told just now, in order of preference.
// The machine's own are read anew each time: they change while a server runs, and
// may come after it started.
func advertised(cfg Config, bound netip.Addr) ([]netip.Addr, error) {
	if len(cfg.PublicIPs) > 0 {
		for _, ip := range cfg.PublicIPs {
			if err := checkIP(ip, cfg.AllowPrivate); err != nil {
				return nil, fmt.Errorf("public address %s: %w", ip, err)
			}
		}
		return cfg.PublicIPs, nil
	}
	if !bound.IsUnspecified() {
		return []netip.Addr{bound}, nil
	}
	own, err := machineIPs(cfg.InterfaceAddrs)
	if err != nil {
		return nil, err
	}
	// The machine's own private addresses are told: they reach who is in the
	// same network and betray nothing to probe. Loopback reaches nobody else.
	var told []netip.Addr
	for _, ip := range own {
		usable := !ip.IsLinkLocalUnicast() && (bound.Is6() || ip.Is4())
		if usable && (!ip.IsLoopback() || cfg.AllowPrivate || len(told) == 0) {
			told = append(told, ip)
		}
	}
	if len(told) == 0 {
		return nil, errors.New("this machine has no address to tell callers; name a public one")
	}
	return told, nil
}

// machineIPs lists the machine's addresses, loopback last.
func machineIPs(list func() ([]net.Addr, error)) ([]netip.Addr, error) {
	if list == nil {
		list = net.InterfaceAddrs
	}
	addrs, err := list()
	if err != nil {
		return nil, fmt.Errorf("list the machine's addresses: %w", err)
	}
	var far, near []netip.Addr
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		if ip := p.Addr(); ip.IsLoopback() {
			near = append(near, ip)
		} else {
			far = append(far, ip)
		}
	}
	return append(far, near...), nil
}
