package api

import "net/netip"

// addressKey is the address to count by: one customer has a whole IPv6 /64.
func addressKey(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return addr
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	net64, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return addr
	}
	return net64.String()
}
