package auth

import (
	"net/http"
	"strings"
)

// forwarding is what the proxies of a request say of it, the nearest last: who
// each got it from, and by which scheme.
type forwarding struct{ from, protos []string }

// forwarded reads X-Forwarded-For and X-Forwarded-Proto, or, where a proxy sets
// neither, Forwarded (RFC 7239). They are never mixed: a proxy that sets one
// kind hands on the other as a caller wrote it. For the same reason nobody's
// address is taken from Forwarded: most proxies know nothing of it, and hand on
// what a caller made up.
func forwarded(r *http.Request) forwarding {
	f := forwarding{from: forwardedHops(r, "X-Forwarded-For"), protos: forwardedHops(r, "X-Forwarded-Proto")}
	if f.from != nil || f.protos != nil {
		return f
	}
	for _, element := range splitQuoted(strings.Join(r.Header.Values("Forwarded"), ","), ',') {
		var from, proto string
		for _, pair := range splitQuoted(element, ';') {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			switch value = strings.Trim(value, `"`); strings.ToLower(name) {
			case "for":
				from = value
			case "proto":
				proto = value
			}
		}
		f.from, f.protos = append(f.from, from), append(f.protos, proto)
	}
	return f
}

// splitQuoted cuts s at each separator that stands outside of quotes.
func splitQuoted(s string, separator byte) (parts []string) {
	if s == "" {
		return nil
	}
	start, quoted := 0, false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			parts, start = append(parts, s[start:i]), i+1
		}
	}
	return append(parts, s[start:])
}

// isSecureScheme takes what proxies call a WebSocket (Traefik) as what carries it.
func isSecureScheme(proto string) bool {
	proto = strings.TrimSpace(proto)
	return strings.EqualFold(proto, "https") || strings.EqualFold(proto, "wss")
}

// withoutDefaultPort takes ":443" from what HTTPS serves and ":80" from the
// rest: with or without it, it is the same host (RFC 9110 §4.2.1).
func withoutDefaultPort(host string, secure bool) string {
	if secure {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}
