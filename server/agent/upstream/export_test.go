package upstream

import "net"

// MayReach reports whether a service's media may be at an address.
func MayReach(a *Agent, ip net.IP) bool { return (&upstreamLeg{agent: a}).mayReach(ip) }
