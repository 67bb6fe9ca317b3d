package peer

import (
	"net/netip"
	"strings"
)

// carrierNAT is the range behind a carrier's NAT (RFC 6598).
var carrierNAT = netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10)

// isUsable reports whether a server can do anything with a candidate line (RFC
// 8839 §5.1); an empty one ends them. The others stay here, because a server
// refuses them: names under .local and addresses of the caller's own network
// mean nothing elsewhere, and the TCP ends that this side opens are never dialed
// (RFC 6544 §4.5). A server in the same network needs no candidate either: it
// answers to where the checks come from.
func isUsable(line string) bool {
	if line == "" {
		return true
	}
	const address = 4 // its word in the line
	words := strings.Fields(line)
	if len(words) <= address || strings.Contains(line, "tcptype active") {
		return false
	}
	ip, err := netip.ParseAddr(words[address])
	return err == nil && ip.Zone() == "" && !ip.Is4In6() && ip.IsGlobalUnicast() && !ip.IsPrivate() && !carrierNAT.Contains(ip)
}
