// Package outbound owns requests that the server makes to endpoints that its
// operator names: which addresses they may reach, how they are signed, a client
// that takes no detours, and words for what went wrong. It sends nothing by itself.
package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
)

// ErrAddress: this server must not send anything there.
var ErrAddress = errors.New("not an address that this server may send to")

// MaxURL is the longest URL that is taken, in bytes.
const MaxURL = 2048

// Addresses are those that requests of one kind may reach.
type Addresses struct {
	// AllowPrivate allows loopback and private networks: demo, tests, and services of
	// the operator's own network.
	AllowPrivate bool
	// Setting is how an operator allows them, for the words of a refusal.
	Setting string
}

// What netip has no method for. Those of the first group are a network's own
// (AllowPrivate allows them); those of the second are nobody's, give away what a
// machine is allowed to do, or carry another address inside.
func privateRanges() []netip.Prefix { return parsePrefixes("100.64.0.0/10") } // RFC 6598

func unroutableRanges() []netip.Prefix {
	return parsePrefixes(
		"0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
		// Where clouds tell a machine its own secrets, beside link-local ones.
		"100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::/32", "fd20:ce::254/128",
	)
}

func parsePrefixes(s ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(s))
	for i := range s {
		all[i] = netip.MustParsePrefix(s[i])
	}
	return all
}

func containsIP(ip netip.Addr, ranges []netip.Prefix) bool {
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// CheckIP says whether a request may go to ip.
func (a Addresses) CheckIP(ip netip.Addr) error {
	if !ip.IsValid() || ip.Zone() != "" {
		return ErrAddress
	}
	ip = ip.Unmap()
	switch {
	case ip.IsUnspecified(), ip.IsMulticast(), ip.IsLinkLocalUnicast():
		return fmt.Errorf("%w: unspecified, multicast or link-local", ErrAddress)
	case !ip.IsLoopback() && containsIP(ip, unroutableRanges()):
		return fmt.Errorf("%w: reserved", ErrAddress)
	case ip.IsLoopback(), ip.IsPrivate(), containsIP(ip, privateRanges()):
		if !a.AllowPrivate {
			return fmt.Errorf("%w: loopback, private or shared, which %s allows", ErrAddress, a.Setting)
		}
	case !ip.IsGlobalUnicast():
		return fmt.Errorf("%w: no host's own", ErrAddress)
	}
	return nil
}

// Control is net.Dialer's: it sees the address that a name came to, at the moment
// when it is connected to, so that no other answer can come in between.
func (a Addresses) Control(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: %s %s", ErrAddress, network, address)
	}
	return a.CheckIP(to.Addr())
}

// CheckURL says what is wrong with an endpoint's address as far as can be told
// before it is connected to.
func (a Addresses) CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > MaxURL:
		return errors.New("not a web address")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("use https or http")
	case u.Hostname() == "" || u.Opaque != "":
		return errors.New("it names no host")
	case u.User != nil || u.Fragment != "" || strings.ContainsAny(text, "\r\n\t "):
		return errors.New("use no user, no fragment and no spaces")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		return a.CheckIP(ip)
	}
	return nil
}
