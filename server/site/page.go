package site

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"parley/app/routes"
	"parley/shared/rest"
)

// cleanPath is what a path of ours looks like. go-app writes the path into an
// attribute without escaping it for HTML, so nothing else gets that far.
var cleanPath = regexp.MustCompile(`^/[A-Za-z0-9/_.~:@+|-]*$`)

// servePage shows a page, or the one that says why it isn't shown, with the
// status that says so, too: go-app answers 200 to all.
func (s *Site) servePage(w http.ResponseWriter, r *http.Request) {
	if routes.IsAdmins(r.URL.Path) {
		w.Header().Add("Vary", "Cookie")
		if problem := s.adminProblem(r); problem != "" {
			s.serveRefusal(w, r, problem)
			return
		}
	}
	program := routes.ProgramFor(r.URL)
	if !routes.Known(r.URL.Path) {
		s.serveErrorPage(w, r, program, routes.LostPath, http.StatusNotFound)
		return
	}
	s.render(w, s.shellRequest(r), program, http.StatusOK)
}

// serveRefusal shows those who may see no admin page why, and nothing of admins'.
// Who isn't signed in gets the page to do it on, which leads back here.
func (s *Site) serveRefusal(w http.ResponseWriter, r *http.Request, problem rest.ProblemCode) {
	switch problem {
	case rest.CodeUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer") // RFC 9110 §11.6.1 asks for one; no browser asks for a password by it
		s.serveErrorPage(w, r, routes.Admins, routes.SignInPath, http.StatusUnauthorized)
	case rest.CodeNetwork:
		s.serveErrorPage(w, r, routes.Callers, routes.ForeignAddressPath, http.StatusForbidden)
	default:
		s.serveErrorPage(w, r, routes.Callers, routes.ForbiddenPath, http.StatusForbidden)
	}
}

// serveErrorPage shows another page than was asked for, which nobody keeps.
func (s *Site) serveErrorPage(w http.ResponseWriter, r *http.Request, program routes.Program, path string, status int) {
	other := withoutQuery(r)
	other.URL.Path = path
	other.Header.Del("If-None-Match")
	s.render(w, other, program, status)
}

// render lets go-app write a page, and takes out of it what isn't true.
func (s *Site) render(w http.ResponseWriter, r *http.Request, program routes.Program, status int) {
	page := &pageWriter{header: w.Header(), status: http.StatusOK}
	s.pages[program].ServeHTTP(page, r)
	if page.status != http.StatusOK { // not modified
		w.WriteHeader(page.status)
		return
	}
	body := addressMetaTags.ReplaceAll(page.body.Bytes(), nil)
	if program == routes.Admins {
		body = bytes.Replace(body, []byte(`src="`+callersScript+`"`), []byte(`src="`+adminsScript+`"`), 1)
	}
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if acceptsEncoding(r.Header.Get("Accept-Encoding"), "gzip") {
		body = compressPage(body)
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if status != http.StatusOK {
		h.Del("ETag")
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client is gone: nobody to tell
	}
}

// compressPage packs a page. It holds no secret and nothing of the request, so that its
// size tells nothing.
func compressPage(body []byte) []byte {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(body) // into memory, where nothing fails
	_ = z.Close()
	return packed.Bytes()
}

// addressMetaTags are the tags in which go-app names the page's address and picture.
// They have to be whole addresses (ogp.me), and a server doesn't know its own:
// it is reached by several names, and the one in a request is the client's word.
var addressMetaTags = regexp.MustCompile(`(?s)\s*<meta [^>]*property="og:(?:url|image)"[^>]*>`)

// pageWriter holds a page back until it is whole. Pages are some kilobytes.
type pageWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *pageWriter) Header() http.Header         { return w.header }
func (w *pageWriter) WriteHeader(status int)      { w.status = status }
func (w *pageWriter) Write(b []byte) (int, error) { return w.body.Write(b) }

// shellRequest is r as go-app gets it: the path, and the tag that it compares
// with the header as a whole.
func (s *Site) shellRequest(r *http.Request) *http.Request {
	plain := withoutQuery(r)
	if etag := `"` + s.version + `"`; etagMatches(r.Header.Get("If-None-Match"), etag) {
		plain.Header.Set("If-None-Match", etag)
	}
	return plain
}

// withoutQuery takes away all of the request that a page could render: query, host
// and everything but the path. The browser reads its own address.
func withoutQuery(r *http.Request) *http.Request {
	clean := r.Clone(r.Context())
	clean.URL = &url.URL{Path: r.URL.Path}
	return clean
}
