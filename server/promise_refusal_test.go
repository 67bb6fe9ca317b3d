package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/shared/rest"
)

// answerTime is how long a refusal may take.
const answerTime = 2 * time.Second

// raw sends bytes and gives the answer to them, which must come in answerTime;
// more is then sent until the server hangs up.
func (p *program) raw(t *testing.T, sent string, more func(io.Writer) error) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(answerTime))
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	if more != nil {
		go func() {
			for more(conn) == nil {
			}
		}()
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer within %v: %v", answerTime, err)
	}
	return res
}

// A stranger's header is read up to 64 KiB, however long it goes on.
func TestAStrangersHeaderHasALimit(t *testing.T) {
	t.Parallel()
	p := spawn(t)
	head := func(size int) string {
		start, end := "GET "+rest.PathMe+" HTTP/1.1\r\nHost: localhost\r\nX-Filler: ", "\r\n\r\n"
		return start + strings.Repeat("x", size-len(start)-len(end)) + end
	}
	for size, want := range map[int]int{
		32 << 10:        http.StatusUnauthorized,
		64<<10 + 1:      http.StatusRequestHeaderFieldsTooLarge,
		10 * (64 << 10): http.StatusRequestHeaderFieldsTooLarge,
	} {
		if res := p.raw(t, head(size), nil); res.StatusCode != want {
			t.Errorf("a header of %d bytes gets %s, want %d", size, res.Status, want)
		}
	}
	kinds := map[string]string{"one line": "x", "lines": "X-Line: x\r\n"}
	for name, part := range kinds {
		endless := func(w io.Writer) error { _, err := io.WriteString(w, strings.Repeat(part, 1000)); return err }
		if res := p.raw(t, "GET / HTTP/1.1\r\nHost: localhost\r\nX: x\r\n"+part, endless); res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("an endless header (%s) gets %s", name, res.Status)
		}
	}
}

// Whoever shows no valid token is answered before any of the body has come.
func TestNoBodyOfAStrangerIsReadFor(t *testing.T) {
	t.Parallel()
	p := spawn(t)
	paths := []string{
		"POST " + rest.PathAuthSession, "POST " + rest.PathTimeout, "POST " + rest.PathCheckTimeouts,
		"POST " + rest.PathEnable, "POST " + rest.PathDisable, "POST " + rest.PathPause, "PATCH " + rest.PathSettings, "PUT " + rest.PathAlertRules,
		"POST " + strings.Replace(rest.PathEnd, "{id}", "sess_1", 1),
		"POST " + strings.Replace(rest.PathRevokeUser, "{sub}", "ann", 1),
		"GET " + rest.PathMe, "GET " + rest.PathSocket, "GET " + rest.PathStream,
	}
	for _, path := range paths {
		for kind, header := range map[string]string{
			"a body to come":       "Content-Length: 1000\r\n",
			"a long body to come":  "Content-Length: 10000000\r\n",
			"a body in pieces":     "Transfer-Encoding: chunked\r\n",
			"a body that may come": "Content-Length: 1000\r\nExpect: 100-continue\r\n",
		} {
			t.Run(path+", "+kind, func(t *testing.T) {
				res := p.raw(t, path+" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer no.to.ken\r\nContent-Type: application/json\r\n"+header+"\r\n", nil)
				if res.StatusCode != http.StatusUnauthorized {
					t.Errorf("it gets %s", res.Status)
				}
			})
		}
	}
}

// The pages refuse a body too before it was sent, and are heard.
func TestARefusalOfAPageIsHeardByWhoSendsOn(t *testing.T) {
	t.Parallel()
	p := spawn(t)
	const large = 8 << 20 // more than both ends' buffers hold
	for _, path := range []string{"/", "/web/app.css", "/sign-in"} {
		head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", path, large)
		if res := p.raw(t, head+strings.Repeat("x", large), nil); res.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

// Every token that isn't good costs the same refusal, at once.
func TestBadTokensAreAnsweredAtOnce(t *testing.T) {
	p := spawn(t)
	paths := []string{rest.PathMe, rest.PathAdmission, rest.PathSocket, rest.PathStream, rest.PathActive, rest.PathMetrics}
	good := p.token(t, "ann")
	var all sync.WaitGroup
	for name, token := range badTokens(t, p, good) {
		for _, path := range paths {
			all.Go(func() {
				began := time.Now()
				res := p.raw(t, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+token+"\r\n\r\n", nil)
				if took := time.Since(began); res.StatusCode != http.StatusUnauthorized || took >= answerTime {
					t.Errorf("%s: %s gets %s after %v", name, path, res.Status, took)
				}
			})
		}
	}
	all.Wait()
	if res := p.send(t, good, http.MethodGet, rest.PathMe, nil); res.StatusCode != http.StatusOK {
		t.Errorf("the good one gets %s", res.Status)
	}
}

func badTokens(t *testing.T, p *child, good string) map[string]string {
	t.Helper()
	part := base64.RawURLEncoding.EncodeToString
	forge := func(header, claims string) string {
		signed := part([]byte(header)) + "." + part([]byte(claims))
		mac := hmac.New(sha256.New, []byte("a secret that is not the server's"))
		mac.Write([]byte(signed))
		return signed + "." + part(mac.Sum(nil))
	}
	now := time.Now().Unix()
	claims := fmt.Sprintf(`{"iss":"parley","aud":"parley","sub":"demo-admin","mode":"demo","iat":%d,"exp":%d}`, now, now+600)
	cut := strings.Split(good, ".")
	return map[string]string{
		"empty":              "x",
		"dots":               strings.Repeat(".", 4000),
		"another secret":     forge(`{"alg":"HS256","typ":"JWT"}`, claims),
		"no algorithm":       part([]byte(`{"alg":"none"}`)) + "." + part([]byte(claims)) + ".",
		"a key by URL":       forge(`{"alg":"RS256","jku":"http://127.0.0.1:9/keys","kid":"k"}`, claims),
		"an unknown key":     forge(`{"alg":"ES256","kid":"../../dev/zero"}`, claims),
		"8 KiB":              forge(`{"alg":"HS256"}`, claims) + strings.Repeat("A", 8<<10),
		"32 KiB":             strings.Repeat("A", 32<<10),
		"deep JSON":          forge(strings.Repeat("[", 3000)+strings.Repeat("]", 3000), claims),
		"another's body":     cut[0] + "." + part([]byte(claims)) + "." + cut[2],
		"of another mode":    p.mint(t, "--sub=ann", "--mode=production"),
		"of another issuer":  p.mint(t, "--sub=ann", "--jwt-issuer=elsewhere"),
		"for another server": p.mint(t, "--sub=ann", "--jwt-audience=elsewhere"),
	}
}
