package api

import (
	"net/http"
	"net/url"
	"path"
)

// redirectToCanonical sends who writes a path with a trailing slash, a slash too
// many, or dots to the one path that it means (RFC 3986 §6.2.2.3), and reports
// whether it did: interface and pages have one address each. The method and the
// body stay as they are (308). An encoded slash or dot is part of a name, a
// subject's for example, and stays.
func redirectToCanonical(w http.ResponseWriter, r *http.Request) bool {
	canonical := canonicalPath(r.URL)
	if canonical == r.URL.EscapedPath() || r.Method == http.MethodConnect {
		return false
	}
	if r.URL.Path == "" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		r.URL.Path = "/" // the form of proxies: http://host means http://host/ (RFC 9112 §3.2.2)
		return false
	}
	if r.URL.RawQuery != "" {
		canonical += "?" + r.URL.RawQuery
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Location", canonical) // begins with one slash: it never leads elsewhere
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusPermanentRedirect)
	return true
}

func canonicalPath(u *url.URL) string { return path.Clean("/" + u.EscapedPath()) }
