package api

import (
	"net/netip"

	"parley/server/limit"
)

// addressKey is the key to count a peer by, whatever its listener calls it.
func addressKey(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return addr
	}
	return limit.AddressKey(ip)
}
