package certificate

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Redirect sends browsers on to the same page by HTTPS: to the name that they
// asked for where it is one of names or none are given, else to the first. port
// is that of HTTPS; 443 is left out. Anything but GET and HEAD is refused: what
// it carried has already been sent in the clear, and must not be sent twice.
func Redirect(names []string, port string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "This server speaks HTTPS alone: send it there.", http.StatusForbidden)
			return
		}
		target := url.URL{Scheme: "https", Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
		host := hostname(r.Host)
		if len(names) > 0 && !slices.Contains(names, host) {
			host = names[0]
		}
		target.Host = strings.TrimSuffix(net.JoinHostPort(host, port), ":443")
		w.Header().Set("Location", target.String())
		w.WriteHeader(http.StatusMovedPermanently)
	})
}

// hostname is a Host header's, without its port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}
