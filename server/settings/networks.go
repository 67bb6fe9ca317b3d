package settings

import (
	"fmt"
	"net/netip"
	"strings"

	"parley/shared/rest"
)

// readNetworks reads addresses and networks with commas or spaces between, and writes
// them with commas. problem is a sentence for whoever typed something else.
func readNetworks(text string) (list, problem string) {
	fields := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \n\t", r) })
	if len(fields) > rest.MaxAdminNetworks {
		return "", fmt.Sprintf("Use %d addresses and networks at most.", rest.MaxAdminNetworks)
	}
	for i, field := range fields {
		if fields[i], problem = readNetwork(field); problem != "" {
			return "", problem
		}
	}
	return strings.Join(fields, ", "), ""
}

// readNetwork takes what --admin-allow takes.
func readNetwork(s string) (network, problem string) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return addr.Unmap().String(), ""
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil || p.Addr().Is4In6():
		return "", fmt.Sprintf("%.60q is neither an address nor a network such as 10.0.0.0/8.", s)
	case p != p.Masked():
		return "", fmt.Sprintf("%s has bits beyond its mask: use %s.", p, p.Masked())
	}
	return p.String(), ""
}
