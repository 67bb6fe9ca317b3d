package limit

import "net/netip"

// AddressKey is the key to count an address by: one customer has a whole IPv6
// /64.
func AddressKey(ip netip.Addr) string {
	if ip = ip.Unmap().WithZone(""); !ip.Is6() {
		return ip.String()
	}
	net64, _ := ip.Prefix(64) // fails for other lengths alone
	return net64.String()
}
