package site_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"

	"parley/app/routes"
	"parley/server/site"
	"parley/web"
)

// program stands for app.wasm: what is in it, no server knows.
var program = bytes.Repeat([]byte("\x00asm program "), 1000)

// files are the real ones, with programs of our own or none.
func files(t *testing.T, wasm []byte) fstest.MapFS {
	t.Helper()
	found := make(fstest.MapFS)
	err := fs.WalkDir(web.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, ".wasm.") {
			return err
		}
		raw, err := fs.ReadFile(web.Files, path)
		found[path] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if wasm != nil {
		addProgram(t, found, "app.wasm", wasm)
		addProgram(t, found, "admin.wasm", append([]byte("the admins' "), wasm...))
	}
	return found
}

func addProgram(t *testing.T, to fstest.MapFS, name string, wasm []byte) {
	t.Helper()
	var br, gz bytes.Buffer
	pack(t, brotli.NewWriter(&br), wasm)
	pack(t, gzip.NewWriter(&gz), wasm)
	to[name+".br"] = &fstest.MapFile{Data: br.Bytes()}
	to[name+".gz"] = &fstest.MapFile{Data: gz.Bytes()}
}

func pack(t *testing.T, w io.WriteCloser, raw []byte) {
	t.Helper()
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// serve starts a site on a real socket.
func serve(t *testing.T, c site.Config) (*site.Site, string) {
	t.Helper()
	if c.Files == nil {
		c.Files = files(t, program)
	}
	s, err := site.New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

type answer struct {
	status int
	header http.Header
	body   string
}

func get(t *testing.T, url string, pairs ...string) answer { return do(t, "GET", url, pairs...) }

func do(t *testing.T, method, url string, pairs ...string) answer {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == "Host" {
			req.Host = pairs[i+1]
		}
		req.Header.Set(pairs[i], pairs[i+1])
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return answer{res.StatusCode, res.Header, string(raw)}
}

// pages are the addresses a person can come to.
var pages = []string{"/", "/sign-in", "/call", "/admin", "/admin/sessions"}

func TestSecurityHeaders(t *testing.T) {
	_, url := serve(t, site.Config{})
	for _, path := range append([]string{"/app.js", "/app.css", "/app-worker.js", "/web/app.wasm", "/robots.txt", "/nothing", "/web/nothing"}, pages...) {
		got := get(t, url+path)
		for name, want := range map[string]string{
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"X-Frame-Options":              "DENY",
			"Strict-Transport-Security":    "",
		} {
			if have := got.header.Get(name); have != want {
				t.Errorf("%s: %s is %q, want %q", path, name, have, want)
			}
		}
		if policy := got.header.Get("Permissions-Policy"); !strings.Contains(policy, "microphone=(self)") {
			t.Errorf("%s: Permissions-Policy %q", path, policy)
		}
		checkPolicy(t, path, got.header.Get("Content-Security-Policy"))
	}
}

func checkPolicy(t *testing.T, path, policy string) {
	t.Helper()
	for _, want := range []string{
		"default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'", "connect-src 'self'",
		"media-src 'self' blob:", "worker-src 'self'", "manifest-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
		"form-action 'none'",
	} {
		if !strings.Contains(policy+";", want+";") {
			t.Errorf("%s: no %s in %q", path, want, policy)
		}
	}
	for _, bad := range []string{"unsafe-inline", "'unsafe-eval'", "http:", "https:", "*"} {
		if strings.Contains(policy, bad) {
			t.Errorf("%s: %s in %q", path, bad, policy)
		}
	}
}

func TestHSTSOnlyWhereItIsHTTPS(t *testing.T) {
	_, url := serve(t, site.Config{Secure: func(*http.Request) bool { return true }})
	if got := get(t, url+"/call").header.Get("Strict-Transport-Security"); got != "max-age=31536000" {
		t.Fatalf("got %q", got)
	}
}

func TestEncodings(t *testing.T) {
	_, url := serve(t, site.Config{})
	for name, test := range map[string]struct{ accept, want string }{
		"a browser":           {"gzip, deflate, br, zstd", "br"},
		"an older one":        {"gzip, deflate", "gzip"},
		"anything":            {"*", "br"},
		"no Brotli":           {"br;q=0, *", "gzip"},
		"by weight zero":      {"br; q=0.0, gzip;q=0.001", "gzip"},
		"in capitals":         {"BR", "br"},
		"a word within one":   {"brotli, xgzip", ""},
		"a weight of nothing": {"br;q=x", ""},
		"none":                {"", ""},
		"identity":            {"identity", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := get(t, url+"/web/app.wasm", "Accept-Encoding", test.accept)
			if got.status != 200 || got.header.Get("Content-Encoding") != test.want {
				t.Fatalf("%d, %q", got.status, got.header.Get("Content-Encoding"))
			}
			if got.header.Get("Content-Type") != "application/wasm" || got.header.Get("Vary") != "Accept-Encoding" {
				t.Fatalf("headers %v", got.header)
			}
			if raw := unpack(t, test.want, got.body); raw != string(program) {
				t.Fatalf("%d bytes came, %d went out", len(raw), len(program))
			}
			head := do(t, "HEAD", url+"/web/app.wasm", "Accept-Encoding", test.accept)
			if head.body != "" || head.header.Get("Content-Length") != got.header.Get("Content-Length") {
				t.Fatalf("HEAD: %v", head.header)
			}
		})
	}
}

// TestPagesTravelPacked, for who takes them so: the same page.
func TestPagesTravelPacked(t *testing.T) {
	_, url := serve(t, site.Config{})
	for _, path := range []string{"/call", "/admin/sessions", "/nowhere"} {
		plain, packed := get(t, url+path, "Accept-Encoding", "identity"), get(t, url+path, "Accept-Encoding", "gzip, br")
		if plain.header.Get("Content-Encoding") != "" || packed.header.Get("Content-Encoding") != "gzip" || 3*len(packed.body) > len(plain.body) {
			t.Errorf("%s: %d bytes, packed (%q) %d", path, len(plain.body), packed.header.Get("Content-Encoding"), len(packed.body))
		}
		// go-app writes attributes in no order.
		if raw := unpack(t, "gzip", packed.body); len(raw) != len(plain.body) || !strings.HasSuffix(raw, "</html>") {
			t.Errorf("%s: %d bytes came out of it, not %d", path, len(raw), len(plain.body))
		}
		if packed.status != plain.status || !strings.Contains(strings.Join(packed.header.Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("%s: %d, %v", path, packed.status, packed.header)
		}
	}
}

func unpack(t *testing.T, coding, body string) string {
	t.Helper()
	var from io.Reader = strings.NewReader(body)
	switch coding {
	case "br":
		from = brotli.NewReader(from)
	case "gzip":
		z, err := gzip.NewReader(from)
		if err != nil {
			t.Fatal(err)
		}
		from = z
	}
	raw, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestNotModified(t *testing.T) {
	s, url := serve(t, site.Config{})
	for _, path := range append([]string{"/web/app.wasm", "/web/parley.css", "/app.css", "/app.js", "/manifest.webmanifest"}, pages...) {
		first := get(t, url+path)
		etag := first.header.Get("ETag")
		if etag != `"`+s.Version()+`"` || first.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: ETag %s, Cache-Control %s", path, etag, first.header.Get("Cache-Control"))
		}
		if again := get(t, url+path, "If-None-Match", etag); again.status != 304 || again.body != "" {
			t.Errorf("%s: %d, %d bytes", path, again.status, len(again.body))
		}
		for _, tags := range []string{"W/" + etag, `"other", ` + etag, "*"} {
			if again := get(t, url+path, "If-None-Match", tags); again.status != 304 {
				t.Errorf("%s: If-None-Match %s: %d", path, tags, again.status)
			}
		}
		if other := get(t, url+path, "If-None-Match", `"other"`); other.status != 200 {
			t.Errorf("%s with another tag: %d", path, other.status)
		}
	}
}

func TestVersionIsTheContents(t *testing.T) {
	version := func(c site.Config) string {
		s, err := site.New(c)
		if err != nil {
			t.Fatal(err)
		}
		return s.Version()
	}
	base := site.Config{Files: files(t, program), Release: "1", Env: map[string]string{"A": "1"}}
	want := version(base)
	if again := version(site.Config{Files: files(t, program), Release: "1", Env: map[string]string{"A": "1"}}); again != want {
		t.Fatalf("the same contents: %s and %s", want, again)
	}
	css := files(t, program)
	css["parley.css"] = &fstest.MapFile{Data: []byte("body{}")}
	for name, c := range map[string]site.Config{
		"program": {Files: files(t, append(program[:len(program):len(program)], '!')), Release: "1", Env: map[string]string{"A": "1"}},
		"styles":  {Files: css, Release: "1", Env: map[string]string{"A": "1"}},
		"release": {Files: files(t, program), Release: "2", Env: map[string]string{"A": "1"}},
		"env":     {Files: files(t, program), Release: "1", Env: map[string]string{"A": "2"}},
		"no env":  {Files: files(t, program), Release: "1"},
		"mode":    {Files: files(t, program), Release: "1", Env: map[string]string{"A": "1"}, Demo: true},
	} {
		if version(c) == want {
			t.Errorf("another %s, the same version", name)
		}
	}
}

// TestForgedHost: go-app would fetch these from the host that the request names
// and keep the answer.
func TestForgedHost(t *testing.T) {
	trap := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the server asked %s for %s", r.Host, r.URL)
	}))
	defer trap.Close()
	_, url := serve(t, site.Config{})
	forged := strings.TrimPrefix(trap.URL, "http://")
	for path, status := range map[string]int{"/robots.txt": 200, "/sitemap.xml": 404, "/ads.txt": 404, "/call": 200} {
		got := get(t, url+path, "Host", forged)
		if got.status != status || strings.Contains(got.body, forged) {
			t.Errorf("%s: %d %.80s", path, got.status, got.body)
		}
	}
	if got := get(t, url+"/robots.txt"); got.body != "User-agent: *\nDisallow: /\n" {
		t.Errorf("robots: %q", got.body)
	}
}

var (
	inline = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script(?:[^>]*[^>])?>[^<]`)
	remote = regexp.MustCompile(`(?i)(?:src|href|action|url)\s*=?\s*[("']?\s*(?:https?:)?//[a-z0-9]`)
)

func TestPagesArePrerendered(t *testing.T) {
	_, url := serve(t, site.Config{})
	for _, path := range pages {
		if !routes.Known(path) {
			t.Errorf("%s isn't a page any more", path)
		}
		got := get(t, url+path)
		if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") || !strings.Contains(got.body, "</html>") {
			t.Fatalf("%s: %d %s", path, got.status, got.header.Get("Content-Type"))
		}
		if found := inline.FindString(got.body); found != "" {
			t.Errorf("%s: inline %q, which the policy blocks", path, found)
		}
		if found := remote.FindString(got.body); found != "" {
			t.Errorf("%s: remote %q", path, found)
		}
	}
}

// TestNothingOfTheRequestIsRendered: go-app writes attributes unescaped.
func TestNothingOfTheRequestIsRendered(t *testing.T) {
	_, url := serve(t, site.Config{})
	const mark = "xyzzy"
	for _, path := range append([]string{"/lost"}, pages...) {
		got := get(t, url+path+"?next="+mark+"&q=%22%3E%3Cscript%3E"+mark, "Cookie", "parley_session="+mark,
			"User-Agent", mark, "Referer", "http://"+mark+"/", "X-Forwarded-Host", mark, "Accept-Language", mark)
		if strings.Contains(got.body, mark) {
			t.Errorf("%s renders the request", path)
		}
	}
	for _, path := range []string{`/call"onmouseover="x`, "/admin/%3Cscript%3E", "/call%0d%0aX: y", "/%22%3E%3Cimg%20src=x%3E", "/sign-in%E2%80%AE"} {
		got := get(t, url+strings.ReplaceAll(path, `"`, "%22"))
		if got.status != 404 || strings.Contains(got.body, "<") {
			t.Errorf("%s: %d %.100s", path, got.status, got.body)
		}
	}
}

func TestLost(t *testing.T) {
	s, url := serve(t, site.Config{})
	got := get(t, url+"/nothing/here", "If-None-Match", `"`+s.Version()+`"`)
	if got.status != 404 || !strings.Contains(got.body, "</html>") || got.header.Get("Cache-Control") != "no-store" || got.header.Get("ETag") != "" {
		t.Fatalf("%d %v", got.status, got.header)
	}
	for _, path := range []string{"/web/", "/web/nothing.css", "/web/embed.go", "/web/worker.js", "/web/unbuilt.html", "/web/app.wasm.br", "/web/app.wasm.txt", "/web/../web/embed.go", "/web/icons"} {
		if got := get(t, url+path); got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	for method, want := range map[string]int{"POST": 405, "PUT": 405, "DELETE": 405, "OPTIONS": 204} {
		if got := do(t, method, url+"/call"); got.status != want || got.header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s: %d", method, got.status)
		}
	}
}

func TestFilesOfOurs(t *testing.T) {
	_, url := serve(t, site.Config{})
	for path, kind := range map[string]string{
		"/favicon.ico": "image/png", "/app.css": "text/css; charset=utf-8", "/web/parley.css": "text/css; charset=utf-8",
		"/web/icons/parley.svg": "image/svg+xml", "/web/offline.js": "text/javascript; charset=utf-8",
	} {
		got := get(t, url+path, "Accept-Encoding", "gzip")
		if got.status != 200 || got.header.Get("Content-Type") != kind {
			t.Errorf("%s: %d %s", path, got.status, got.header.Get("Content-Type"))
		}
		if zipped := got.header.Get("Content-Encoding") == "gzip"; zipped != (got.header.Get("Vary") != "") {
			t.Errorf("%s: Content-Encoding and Vary disagree: %v", path, got.header)
		}
	}
	for name, file := range files(t, nil) {
		if remote.Match(file.Data) && filepath.Ext(name) != ".png" {
			t.Errorf("%s: remote %q", name, remote.Find(file.Data))
		}
	}
	if js := get(t, url+"/app.js").body; remote.MatchString(js) {
		t.Errorf("/app.js: remote %q", remote.FindString(js))
	}
}

func TestDemoIsToldToTheBrowser(t *testing.T) {
	for demo, want := range map[bool]bool{true: true, false: false} {
		_, url := serve(t, site.Config{Demo: demo})
		if js := get(t, url+"/app.js").body; strings.Contains(js, `"`+site.EnvDemo+`":"1"`) != want {
			t.Errorf("demo %v: %.300s", demo, js)
		}
	}
}

// TestNoPageNamesAnAddressOfItsOwn: what a page is shared by has to be a whole
// address, which a server behind others doesn't know.
func TestNoPageNamesAnAddressOfItsOwn(t *testing.T) {
	_, url := serve(t, site.Config{})
	for _, path := range append([]string{"/nothing/here"}, pages...) {
		got := get(t, url+path)
		if strings.Contains(got.body, "og:url") || strings.Contains(got.body, "og:image") {
			t.Errorf("%s names %s", path, regexp.MustCompile(`<meta[^>]*og:(url|image)[^>]*>`).FindString(got.body))
		}
		if !strings.Contains(got.body, `property="og:title"`) {
			t.Errorf("%s has no title to share it by", path)
		}
		if got.header.Get("Content-Length") != strconv.Itoa(len(got.body)) {
			t.Errorf("%s: %s bytes told, %d sent", path, got.header.Get("Content-Length"), len(got.body))
		}
	}
}
