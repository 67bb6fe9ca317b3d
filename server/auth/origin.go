package auth

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
)

// ErrOrigin refuses a request that a page of another origin may have caused.
var ErrOrigin = errors.New("origin not allowed")

// ErrHost refuses a request for a name that isn't the server's.
var ErrHost = errors.New("host not served here")

// maxHostLength is the longest DNS name with a port.
const maxHostLength = 253 + len(":65535")

// CheckOrigin guards WebSockets and unsafe methods: Origin (RFC 6454) must be
// the server's own or an allowed one, and a cookie alone, without any Origin,
// does nothing. Other requests pass: GET changes nothing.
func (a *Auth) CheckOrigin(r *http.Request) error {
	err := a.checkOrigin(r)
	if err != nil {
		a.LogRefusal(r.Context(), a.Remote(r), "origin", reasonOf(err))
	}
	return err
}

func (a *Auth) checkOrigin(r *http.Request) error {
	if isSafe(r.Method) && !isUpgrade(r) {
		return nil
	}
	sameHost := *r
	sameHost.Host = withoutDefaultPort(r.Host, a.Secure(r))
	given := r.Header.Values("Origin")
	switch {
	case len(given) > 1:
		return &refusal{ErrOrigin, "two_origins"}
	case len(given) == 1 && !a.isOriginAllowed(r, strings.ToLower(given[0])):
		return &refusal{ErrOrigin, "origin_not_allowed"}
	case a.crossOrigin.Check(&sameHost) != nil:
		return &refusal{ErrOrigin, "cross_site"}
	case len(given) == 0:
		return a.withoutOrigin(r)
	}
	return nil
}

// withoutOrigin: browsers name the origin of every WebSocket and unsafe fetch,
// so this is a program. It must show a token of its own accord.
func (a *Auth) withoutOrigin(r *http.Request) error {
	if r.Header.Get("Authorization") == "" && len(r.CookiesNamed(a.cookieName(r))) > 0 {
		return &refusal{ErrOrigin, "cookie_without_origin"}
	}
	return nil
}

// AllowedOrigin gives the origin of a page elsewhere that may read what it is
// answered: one of Config.AllowedOrigins, as the request spells it.
func (a *Auth) AllowedOrigin(r *http.Request) (origin string, ok bool) {
	given := r.Header.Values("Origin")
	if len(given) != 1 || !slices.Contains(a.origins, strings.ToLower(given[0])) {
		return "", false
	}
	return given[0], true
}

func (a *Auth) isOriginAllowed(r *http.Request, origin string) bool {
	secure, scheme := a.Secure(r), "http://"
	if secure {
		scheme = "https://"
	}
	own := scheme + withoutDefaultPort(strings.ToLower(r.Host), secure)
	return origin == own || slices.Contains(a.origins, origin)
}

// CheckHost refuses a Host (RFC 9110 §7.2) that is no host at all or, where
// names are configured, none of them. Nothing may be built from Host even so.
func (a *Auth) CheckHost(r *http.Request) error {
	a.logForwarded(r)
	host, cause := strings.ToLower(r.Host), ""
	switch {
	case !isWellFormedHost(host):
		cause = "host_malformed"
	case len(a.hosts) > 0 && !slices.Contains(a.hosts, host):
		cause = "host_not_served"
	default:
		return nil
	}
	a.LogRefusal(r.Context(), a.Remote(r), "host", cause)
	return &refusal{ErrHost, cause}
}

func isWellFormedHost(host string) bool {
	if host == "" || len(host) > maxHostLength {
		return false
	}
	name := host
	if h, port, err := net.SplitHostPort(host); err == nil {
		if port == "" || strings.Trim(port, "0123456789") != "" {
			return false
		}
		name = h
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		name = host[1 : len(host)-1]
	}
	if strings.Contains(name, ":") {
		return net.ParseIP(name) != nil
	}
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == ""
}

func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

func isUpgrade(r *http.Request) bool {
	return slices.ContainsFunc(r.Header.Values("Upgrade"), func(v string) bool {
		return strings.Contains(strings.ToLower(v), "websocket")
	})
}
