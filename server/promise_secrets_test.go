package main

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// Who calls and looks in this test, and where from. None of it may be found
// again but in the memory of the server.
const (
	secretMail  = "kim.private@example.org"
	secretPhone = "+491701234567"
	secretHost  = "127.77.66.55"
	secretIPv4  = "203.0.113.77"
	secretIPv6  = "2001:db8:77:66:55:44:33:22"
)

// traces collects what must not be found, with what it is, and where not.
type traces struct {
	mu     sync.Mutex
	wanted map[string]string // what it is, by its text
}

func (x *traces) add(what string, texts ...string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, text := range texts {
		if len(text) >= 4 {
			x.wanted[text] = what
		}
	}
}

// token adds a token: what of it opens anything is its signature.
func (x *traces) token(token string) string {
	parts := strings.Split(token, ".")
	x.add("a token", parts[1], parts[2])
	return token
}

// sdp adds what a description gives away: the credentials of ICE, and lines of
// it that stand in no other text.
func (x *traces) sdp(text string) {
	for _, found := range regexp.MustCompile(`a=(?:ice-ufrag|ice-pwd|fingerprint):(?:sha-256 )?(\S+)`).FindAllStringSubmatch(text, -1) {
		x.add("ICE or DTLS credentials", found[1])
	}
	x.add("SDP", "a=ice-", "a=fingerprint", "m=audio", "a=candidate", "UDP/TLS/RTP/SAVPF")
}

// search gives what is found in a text.
func (x *traces) search(t *testing.T, where string, text []byte) {
	t.Helper()
	for _, wanted := range slices.Sorted(maps.Keys(x.wanted)) {
		if at := bytes.Index(text, []byte(wanted)); at >= 0 {
			around := text[max(0, at-80):min(len(text), at+len(wanted)+40)]
			t.Errorf("%s tells %s: …%q…", where, x.wanted[wanted], around)
		}
	}
}

// Everything that a server writes or answers in privacy mode, after calls and
// looks by people with something to hide, holds none of it.
func TestNothingPersonalOrSecretIsKeptOrTold(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			p := spawn(t, "--trusted-proxies=127.0.0.0/8", "--log-format="+format, "--max-sessions-per-user=5")
			x := &traces{wanted: map[string]string{}}
			x.add("an e-mail address", secretMail, url.QueryEscape(secretMail), url.PathEscape(secretMail))
			x.add("a phone number", secretPhone, secretPhone[1:], "0170 1234567")
			x.add("an address", secretHost, secretIPv4, secretIPv6)
			x.add("the metrics token", metricsTokenOfTests)
			p.secretCalls(t, x)
			p.searchAnswers(t, x)
			p.searchFiles(t, x)
			p.terminate(t)
			p.exitWithin(t, patience)
			p.searchFiles(t, x)
			x.search(t, "standard error", []byte(p.logs.String()))
			x.search(t, "standard output", []byte(withoutLinks(p.printed.String())))
		})
	}
}

// secretCalls makes the calls: by a subject that is an e-mail address, one that
// is a phone number, from addresses told by a proxy, with both in the claims,
// in the User-Agent, in queries and reasons, well-formed and not.
func (c *child) secretCalls(t *testing.T, x *traces) {
	t.Helper()
	claims := []string{"--email=" + secretMail, "--phone=" + secretPhone}
	var sockets []*socket
	var last string
	for sub, from := range map[string]string{secretMail: secretIPv4, secretPhone: secretIPv6, "plain": secretHost} {
		token := x.token(c.mint(t, append(claims, "--sub="+sub)...))
		s := c.from(t, token, from)
		hello := receive[wire.Hello](s)
		x.add("a resume token", hello.ResumeToken)
		x.sdp(anOffer())
		s.say(wire.Offer{SDP: anOffer()})
		x.sdp(receive[wire.Answer](s).SDP)
		_ = s.WriteMessage(websocket.TextMessage, []byte(`{"type":"offer","sdp":"`+secretMail+`"}`))
		_ = s.WriteMessage(websocket.TextMessage, []byte(`{"type":"`+secretMail+`"}`))
		last = hello.SessionID
		sockets = append(sockets, s)
	}
	k := c.ringWith(t, x.token(c.mint(t, append(claims, "--sub=acct:"+secretMail)...)), "echo")
	eventually(t, "a real call is on", func() bool { return has[peer.CallConnected](k) })
	k.say(t, 3*time.Second, true)

	admin := x.token(c.token(t, "demo-admin"))
	for _, bad := range []string{
		"/api/v1/me?token=" + admin, "/" + url.PathEscape(secretMail), "/sessions/" + secretMail + "?q=" + secretPhone,
		"/api/v1/monitoring/connection/" + secretMail,
		rest.PathLogs + "?user=" + url.QueryEscape(secretMail), rest.PathLogs + "?q=" + url.QueryEscape(secretPhone),
		rest.PathLogs + "?path=" + url.QueryEscape("/x/"+secretMail), rest.PathAudit + "?actor=" + url.QueryEscape(secretMail),
		rest.PathSessions + "?user=" + url.QueryEscape(secretMail),
	} {
		c.secretly(t, admin, http.MethodGet, bad, "")
	}
	reason := `{"reason":"call ` + secretPhone + ` or write to ` + secretMail + ` at ` + secretIPv4 + `"}`
	c.secretly(t, admin, http.MethodPost, strings.Replace(rest.PathEnd, "{id}", last, 1), reason)
	c.secretly(t, admin, http.MethodPost, strings.Replace(rest.PathEnd, "{id}", secretMail, 1), reason)
	c.secretly(t, admin, http.MethodPost, rest.PathTimeout, `{"`+secretMail+`":1}`)
	c.secretly(t, admin, http.MethodPost, rest.PathAuthSession, "")
	c.secretly(t, admin+"x", http.MethodPost, rest.PathAuthSession, "")
	c.secretly(t, "Basic "+secretMail, http.MethodGet, rest.PathMe, "")
	c.secretly(t, admin, http.MethodPost, strings.Replace(rest.PathRevokeUser, "{sub}", url.PathEscape(secretMail), 1), `{"reason":"`+secretMail+`"}`)
	c.secretly(t, admin, http.MethodPost, strings.Replace(rest.PathRevokeUser, "{sub}", url.PathEscape(secretPhone), 1), "")
	for _, s := range sockets {
		s.vanish()
	}
}

// from opens a socket as a proxy would for someone at an address.
func (c *child) from(t *testing.T, token, address string) *socket {
	t.Helper()
	dialer := websocket.Dialer{
		Subprotocols: []string{wire.Subprotocol},
		NetDial:      (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(secretHost)}}).Dial,
	}
	conn, _, err := dialer.Dial("ws"+strings.TrimPrefix(c.base, "http")+rest.PathSocket, http.Header{
		"Authorization": {"Bearer " + token}, "X-Forwarded-For": {address}, "User-Agent": {"phone of " + secretMail},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &socket{conn, t}
}

// secretly asks for something, from an address; the answer is no matter here.
func (c *child) secretly(t *testing.T, token, method, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{
		"Authorization": {"Bearer " + token}, "X-Forwarded-For": {secretIPv6}, "User-Agent": {"of " + secretMail + " " + secretPhone},
		"Referer": {c.base + "/?token=" + token}, "Content-Type": {"application/json"}, "X-Request-Id": {secretMail},
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
}

// searchAnswers looks into all that an admin can read, and the stream.
func (c *child) searchAnswers(t *testing.T, x *traces) {
	t.Helper()
	admin := c.token(t, "demo-admin")
	paths := []string{
		rest.PathHealth, rest.PathReady, rest.PathActive, rest.PathSessions, rest.PathStats, rest.PathLogs, rest.PathActivities,
		rest.PathAudit, rest.PathPrivacy, rest.PathSettings, rest.PathMonitorHealth, rest.PathAlerts, rest.PathAlertRules,
		rest.PathMetrics, rest.PathOpenAPI, rest.PathDocs, rest.PathOwnSessions, rest.PathUsage + "?group=user", rest.PathAgents,
	}
	for _, what := range []string{"logs", "audit", "sessions", "activities", "usage"} {
		for _, format := range []string{"ndjson", "csv", "json"} {
			paths = append(paths, strings.Replace(rest.PathExport, "{what}", what, 1)+"?format="+format)
		}
	}
	for _, s := range c.active(t) {
		paths = append(paths, strings.Replace(rest.PathConnection, "{id}", s.ID, 1))
	}
	for _, path := range paths {
		res := c.send(t, admin, http.MethodGet, path, nil)
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%s: %s, %v", path, res.Status, err)
		}
		x.search(t, path, body)
	}
	s := c.opened(t, admin)
	within(t, "the stream tells something", 10*time.Second, func() bool { return len(s.events) >= 2 })
	s.close()
	for e := range s.events {
		x.search(t, "the stream's "+e.name, []byte(e.data))
	}
}

// searchFiles looks into each byte of the data directory, and at who may read
// it. The two keys stand in files of their own.
func (c *child) searchFiles(t *testing.T, x *traces) {
	t.Helper()
	found := 0
	err := filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := os.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		if d.IsDir() {
			return nil
		}
		content, err := os.ReadFile(path)
		found++
		x.search(t, filepath.Base(path), content)
		return err
	})
	if err != nil || found < 4 {
		t.Errorf("%d files, %v", found, err)
	}
}
