package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"parley/shared/rest"
)

// spoken is a request as somebody's program sends it, and what it gets.
type spoken struct {
	sent   string // without the Host, which TestHTTPAsSpokenInTheField adds
	status int
	header string // one line of the answer's header, if that matters
	body   string // the beginning of the body, if that matters
}

// field is HTTP as probes, proxies, clients and people's fingers have it.
var field = map[string]spoken{
	// A slash at the end, one too many, dots: one rule for pages and interface.
	"a slash after a page":               {"GET /call/", 308, "Location: /call", ""},
	"a slash after an admin's page":      {"GET /admin/logs/?q=a", 308, "Location: /admin/logs?q=a", ""},
	"a slash after a path of the API":    {"GET /api/v1/me/", 308, "Location: /api/v1/me", ""},
	"a slash after health":               {"GET /healthz/", 308, "Location: /healthz", ""},
	"a slash after a file":               {"GET /web/parley.css/", 308, "Location: /web/parley.css", ""},
	"a slash after what isn't there":     {"GET /api/v1/nothing/", 308, "Location: /api/v1/nothing", ""},
	"a slash after what is posted to":    {"POST /api/v1/realtime/ticket/", 308, "Location: /api/v1/realtime/ticket", ""},
	"slashes with a query":               {"GET //api//v1///me?a=b%2Fc", 308, "Location: /api/v1/me?a=b%2Fc", ""},
	"slashes before a page":              {"GET //call", 308, "Location: /call", ""},
	"slashes that would lead elsewhere":  {"GET //evil.example/..", 308, "Location: /", ""},
	"backslashes that would":             {`GET /\evil.example/`, 308, "Location: /%5Cevil.example", ""},
	"only slashes":                       {"GET ///", 308, "Location: /", ""},
	"dots":                               {"GET /api/v1/../v1/./me", 308, "Location: /api/v1/me", ""},
	"dots above the root":                {"GET /../../healthz", 308, "Location: /healthz", ""},
	"encoded dots are a name":            {"GET /api/v1/%2e%2e/v1/me", 404, "Content-Type: application/problem+json", ""},
	"encoded dots are a name, of a page": {"GET /%2e%2e/call", 404, "", ""},
	"an encoded slash is no slash":       {"GET /api%2Fv1/me", 404, "", ""},
	"an encoded letter is the letter":    {"GET /%68ealthz", 200, "", `{"status":"ok"}`},
	"what isn't there":                   {"GET /api/v1/nothing", 404, "Content-Type: application/problem+json", ""},
	"a page that isn't there":            {"GET /nothing", 404, "Content-Type: text/html; charset=utf-8", ""},
	"another case":                       {"GET /API/v1/me", 404, "", ""},
	// OPTIONS without an Origin is a question about methods.
	"options of a page":       {"OPTIONS /call", 204, "Allow: GET, HEAD, OPTIONS", ""},
	"options of a file":       {"OPTIONS /web/parley.css", 204, "Allow: GET, HEAD, OPTIONS", ""},
	"options of the API":      {"OPTIONS /api/v1/me", 204, "Allow: GET, HEAD, OPTIONS", ""},
	"options of what changes": {"OPTIONS " + rest.PathSettings, 204, "Allow: GET, HEAD, PATCH, OPTIONS", ""},
	"options of the socket":   {"OPTIONS " + rest.PathSocket, 204, "Allow: GET, HEAD, OPTIONS", ""},
	"options of the server":   {"OPTIONS *", 200, "", ""},
	"another method, a page":  {"DELETE /call", 405, "Allow: GET, HEAD, OPTIONS", ""},
	"another method, the API": {"PUT /api/v1/me", 405, "Allow: GET, HEAD, OPTIONS", ""},
	"a method nobody knows":   {"BREW /api/v1/me", 405, "Allow: GET, HEAD, OPTIONS", ""},
	"trace":                   {"TRACE /call", 405, "Allow: GET, HEAD, OPTIONS", ""},
	"connect":                 {"CONNECT elsewhere.example:443", 405, "", ""},
	// The form of proxies.
	"absolute":               {"GET http://{host}/healthz", 200, "", `{"status":"ok"}`},
	"absolute, https":        {"GET https://{host}/healthz", 200, "", `{"status":"ok"}`},
	"absolute, no path":      {"GET http://{host}", 200, "Content-Type: text/html; charset=utf-8", "<!"},
	"absolute, only query":   {"GET http://{host}?a=b", 200, "Content-Type: text/html; charset=utf-8", "<!"},
	"absolute, a slash more": {"GET http://{host}/healthz/", 308, "Location: /healthz", ""},
	// Somebody waits for a word before the body. One who may not come in, or sends
	// too much, is told so instead.
	"expect, nobody":    {"POST /api/v1/realtime/ticket\nExpect: 100-continue\nContent-Type: application/json\nContent-Length: 2", 401, "", ""},
	"expect, something": {"GET /healthz\nExpect: 200-maybe", 417, "", ""},
	"expect, at a page": {"POST /call\nExpect: 100-continue\nContent-Length: 2", 405, "", ""},
	"expect, an admin":  {"POST " + rest.PathTimeout + "\nAuthorization: Bearer {token}\nExpect: 100-continue\nContent-Type: application/json\nContent-Length: 22", 100, "", ""},
	"expect, too much":  {"POST " + rest.PathTimeout + "\nAuthorization: Bearer {token}\nExpect: 100-continue\nContent-Type: application/json\nContent-Length: 65537", 413, "", ""},
	"expect, a form":    {"POST " + rest.PathTimeout + "\nAuthorization: Bearer {token}\nExpect: 100-continue\nContent-Type: text/plain\nContent-Length: 2", 415, "", ""},
	"expect, no body":   {"GET /healthz\nExpect: 100-continue", 200, "", `{"status":"ok"}`},
	// Conditions.
	"any tag will do":             {"GET /call\nIf-None-Match: *", 304, "", ""},
	"another tag":                 {`GET /call` + "\n" + `If-None-Match: "x"`, 200, "", "<!"},
	"any tag, a file":             {"GET /web/parley.css\nIf-None-Match: *", 304, "", ""},
	"a date of the future":        {"GET /call\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT", 200, "", "<!"},
	"a date that is none":         {"GET /call\nIf-Modified-Since: yesterday", 200, "", "<!"},
	"a tag that the API has not":  {"GET /healthz\nIf-None-Match: *", 200, "", `{"status":"ok"}`},
	"a range of a file":           {"GET /web/parley.css\nRange: bytes=0-3", 200, "", ""},
	"half of a range":             {"GET /healthz\nRange: bytes=0-3", 200, "", `{"status":"ok"}`},
	"whatever is accepted":        {"GET /healthz\nAccept: text/plain;q=0.1", 200, "Content-Type: application/json", ""},
	"an encoding that nobody has": {"GET /call\nAccept-Encoding: zstd, *;q=0", 200, "", "<!"},
	"an upgrade that isn't ours":  {"GET /healthz\nConnection: Upgrade\nUpgrade: h2c", 200, "", `{"status":"ok"}`},
}

// TestHTTPAsSpokenInTheField sends each request on a connection of its own.
func TestHTTPAsSpokenInTheField(t *testing.T) {
	t.Parallel()
	p := start(t)
	host := strings.TrimPrefix(p.base, "http://")
	fill := strings.NewReplacer("{host}", host, "{token}", p.token(t, "demo-admin"))
	for name, c := range field {
		t.Run(name, func(t *testing.T) {
			line, headers, _ := strings.Cut(fill.Replace(c.sent), "\n")
			if headers != "" {
				headers = strings.ReplaceAll(headers, "\n", "\r\n") + "\r\n"
			}
			res, body := speak(t, host, line+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n"+headers+"\r\n")
			if _, err := os.Stat("../web/app.wasm.br"); err != nil && res.StatusCode == http.StatusServiceUnavailable {
				t.Skip("the pages aren't built here: make wasm")
			}
			if res.StatusCode != c.status || !strings.HasPrefix(body, c.body) {
				t.Errorf("%d, want %d: %.200s", res.StatusCode, c.status, body)
			}
			if key, value, _ := strings.Cut(c.header, ": "); res.Header.Get(key) != value {
				t.Errorf("%s: %q, want %q", key, res.Header.Get(key), value)
			}
		})
	}
}

// speak sends what is to be sent, as it is, and reads the answer.
func speak(t *testing.T, host, text string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(text, " ")
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// TestHeadIsGetWithoutABody, wherever GET is.
func TestHeadIsGetWithoutABody(t *testing.T) {
	t.Parallel()
	p := start(t)
	paths := []string{
		"/", "/call", "/sign-in", "/admin", "/nothing", "/robots.txt", "/sitemap.xml", "/favicon.ico", "/manifest.webmanifest", "/app.js", "/app-worker.js", "/web/parley.css",
		rest.PathHealth, rest.PathReady, rest.PathOpenAPI, rest.PathDocs, rest.PathMe, rest.PathAdmission, rest.PathOwnSessions, rest.PathStats, rest.PathActive,
		rest.PathSessions, rest.PathLogs, rest.PathActivities, rest.PathAudit, rest.PathPrivacy, rest.PathSettings, rest.PathMonitorHealth, rest.PathAlerts, rest.PathAlertRules,
		rest.PathDeliveries, rest.PathRevocations, rest.PathMetrics, monitoring + "/export/logs", "/api/v1/nothing",
	}
	for _, path := range paths {
		var answers [2]*http.Response
		for i, method := range []string{http.MethodGet, http.MethodHead} {
			req, err := http.NewRequestWithContext(t.Context(), method, p.base+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+p.token(t, "demo-admin"))
			if answers[i], err = http.DefaultClient.Do(req); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, answers[i].Body)
			_ = answers[i].Body.Close()
		}
		get, head := answers[0], answers[1]
		if get.StatusCode != head.StatusCode || get.Header.Get("Content-Type") != head.Header.Get("Content-Type") || get.Header.Get("ETag") != head.Header.Get("ETag") {
			t.Errorf("%s: %d %v, by HEAD %d %v", path, get.StatusCode, get.Header, head.StatusCode, head.Header)
		}
	}
}
