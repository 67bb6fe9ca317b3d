package outbound_test

import (
	"errors"
	"net/netip"
	"testing"

	"parley/server/outbound"
)

func TestAddresses(t *testing.T) {
	const never, private, always = 0, 1, 2
	for address, want := range map[string]int{
		"8.8.8.8": always, "1.1.1.1": always, "2606:4700:4700::1111": always, "::ffff:8.8.8.8": always,
		"100.63.255.255": always, "100.128.0.0": always, "172.15.255.255": always, "172.32.0.0": always,
		"127.0.0.1": private, "127.255.255.254": private, "::1": private, "::ffff:127.0.0.1": private,
		"10.0.0.1": private, "172.16.0.1": private, "172.31.255.255": private, "192.168.1.1": private, "::ffff:10.0.0.1": private,
		"100.64.0.1": private, "100.127.255.255": private, "fd12::1": private, "fc00::1": private,
		"0.0.0.0": never, "::": never, "0.1.2.3": never, "255.255.255.255": never, "240.0.0.1": never,
		"169.254.169.254": never, "169.254.0.1": never, "fe80::1": never, "fe80::1%eth0": never, "::ffff:169.254.169.254": never,
		"100.100.100.200": never, "168.63.129.16": never, "192.0.0.192": never, "fd00:ec2::254": never, "fd20:ce::254": never,
		"224.0.0.1": never, "239.1.2.3": never, "ff02::1": never, "192.0.2.1": never, "198.18.0.1": never, "203.0.113.1": never,
		"64:ff9b::7f00:1": never, "64:ff9b::808:808": never, "64:ff9b:1::1": never, "2002:7f00:1::": never, "2001::1": never,
		"::7f00:1": never, "fec0::1": never, "2001:db8::1": never, "100::1": never,
	} {
		ip := netip.MustParseAddr(address)
		for allow, ok := range map[bool]bool{false: want == always, true: want >= private} {
			err := (outbound.Addresses{AllowPrivate: allow}).CheckIP(ip)
			if (err == nil) != ok || err != nil && !errors.Is(err, outbound.ErrAddress) {
				t.Errorf("%s, private allowed %v: %v", address, allow, err)
			}
		}
	}
	if (outbound.Addresses{AllowPrivate: true}).CheckIP(netip.Addr{}) == nil {
		t.Error("no address at all")
	}
}

func TestOnlyTCPIsDialed(t *testing.T) {
	check := outbound.Addresses{AllowPrivate: true}.Control
	for _, c := range [][2]string{{"udp4", "8.8.8.8:53"}, {"tcp4", "8.8.8.8"}, {"tcp4", "host:80"}, {"unix", "/run/x"}, {"tcp", "8.8.8.8:80"}} {
		if check(c[0], c[1], nil) == nil {
			t.Errorf("%s to %s", c[0], c[1])
		}
	}
	if err := check("tcp4", "8.8.8.8:443", nil); err != nil {
		t.Error(err)
	}
}

// FuzzAddress: an address that may always be sent to is one that every router
// of the internet would carry.
func FuzzAddress(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		ip, ok := netip.AddrFromSlice(raw)
		if !ok || (outbound.Addresses{}).CheckIP(ip) != nil {
			return
		}
		plain := ip.Unmap()
		if !plain.IsGlobalUnicast() || plain.IsPrivate() || plain.IsLoopback() || plain.IsLinkLocalUnicast() {
			t.Errorf("%s is let through", ip)
		}
		if (outbound.Addresses{AllowPrivate: true}).CheckIP(ip) != nil {
			t.Errorf("%s is refused once more is allowed", ip)
		}
	})
}
