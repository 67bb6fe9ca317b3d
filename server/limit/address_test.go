package limit_test

import (
	"net/netip"
	"testing"

	"parley/server/limit"
)

func TestAddressKey(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7",
		"2001:db8:1:2::7": "2001:db8:1:2::/64", "2001:db8:1:2:ffff::": "2001:db8:1:2::/64", "2001:db8:1:3::7": "2001:db8:1:3::/64",
		"fe80::1%eth0": "fe80::/64",
	} {
		if got := limit.AddressKey(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s counts as %s, want %s", ip, got, want)
		}
	}
}
