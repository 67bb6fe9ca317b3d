package site

import (
	"net/http"
	"strings"
)

// contentSecurityPolicy is CSP level 3. Scripts are files of ours or WebAssembly, styles are
// files of ours; nothing is inline, nothing is remote, and no form submits by itself: what is
// typed goes nowhere but through the program. connect-src covers the
// WebSocket too; blob: is for media the page itself makes.
func contentSecurityPolicy() string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self' 'wasm-unsafe-eval'",
		"style-src 'self'",
		"img-src 'self' data:",
		"connect-src 'self'",
		"media-src 'self' blob:",
		"worker-src 'self'",
		"manifest-src 'self'",
		"object-src 'none'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	}, "; ")
}

// hstsAge is a year, in seconds, the least that browsers' preload lists take.
const hstsAge = "31536000"

func (s *Site) setHeaders(h http.Header, r *http.Request) {
	h.Set("Content-Security-Policy", contentSecurityPolicy())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", "microphone=(self), camera=(), display-capture=(), geolocation=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY") // for browsers that don't know frame-ancestors
	if s.secure(r) {
		h.Set("Strict-Transport-Security", "max-age="+hstsAge)
	}
}
