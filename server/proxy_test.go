package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/server/logtest"
	"parley/shared/rest"
	"parley/shared/wire"
)

// fenced is the one block of a language in INSTALL.md.
func fenced(t *testing.T, language string) string {
	t.Helper()
	return fencedIn(t, "INSTALL.md", language)
}

// fencedIn is the one block of a language in a document.
func fencedIn(t *testing.T, document, language string) string {
	t.Helper()
	page, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(page), "\n```"+language+"\n")
	block, _, closed := strings.Cut(after, "\n```\n")
	if !found || !closed {
		t.Fatalf("%s has no block of %s", document, language)
	}
	return block + "\n"
}

// adapt puts a test's addresses and files into a configuration; each must be
// there to be replaced.
func adapt(t *testing.T, config string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(config, pairs[i]) {
			t.Fatalf("the configuration has no %q", pairs[i])
		}
		config = strings.ReplaceAll(config, pairs[i], pairs[i+1])
	}
	return config
}

// freeAddress is one that was free just now: neither proxy can tell which it got.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startProxy runs one until the test is over, and waits until it listens.
func startProxy(t *testing.T, addr, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = "/usr/sbin/" + name
	}
	cmd, logs := exec.Command(path, args...), new(logtest.Buffer)
	cmd.Stdout, cmd.Stderr = logs, logs
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: make tools installs it", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // its error is the kill
		if t.Failed() {
			t.Logf("%s:\n%s", name, logs)
		}
	})
	eventually(t, name+" listens", func() bool {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

func startNginx(t *testing.T, c *child, dir, cert, key string) string {
	t.Helper()
	addr := freeAddress(t)
	server := adapt(t, fenced(t, "nginx"), "listen 443 ssl", "listen "+addr+" ssl", "127.0.0.1:8080", strings.TrimPrefix(c.base, "http://"),
		"/etc/ssl/parley/cert.pem", cert, "/etc/ssl/parley/key.pem", key)
	// Compression is what makes its tags weak.
	config := fmt.Sprintf(`daemon off; pid %[1]s/pid; error_log stderr; master_process off;
events {}
http {
access_log off; gzip on; gzip_types application/json; gzip_proxied any; gzip_min_length 1;
client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
%[2]s}
`, dir, server)
	file := filepath.Join(dir, "nginx.conf")
	replaceFile(t, file, []byte(config))
	startProxy(t, addr, "nginx", "-p", dir, "-c", file)
	return addr
}

func startHAProxy(t *testing.T, c *child, dir, cert, key string) string {
	t.Helper()
	addr, both := freeAddress(t), new(bytes.Buffer)
	for _, name := range []string{cert, key} {
		part, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		both.Write(part)
	}
	pem, file := filepath.Join(dir, "both.pem"), filepath.Join(dir, "haproxy.cfg")
	replaceFile(t, pem, both.Bytes())
	config := adapt(t, fenced(t, "haproxy"), "bind :443", "bind "+addr, "127.0.0.1:8080", strings.TrimPrefix(c.base, "http://"), "/etc/haproxy/parley.pem", pem)
	replaceFile(t, file, []byte("defaults\n    timeout connect 5s\n    timeout client 50s\n    timeout server 50s\n\n"+config))
	startProxy(t, addr, "haproxy", "-f", file)
	return addr
}

func startCaddy(t *testing.T, c *child, dir, cert, key string) string {
	t.Helper()
	addr := freeAddress(t)
	site := adapt(t, fenced(t, "caddyfile"), "voice.example.org {", "https://"+addr+" {\n    tls "+cert+" "+key, "127.0.0.1:8080", strings.TrimPrefix(c.base, "http://"))
	file := filepath.Join(dir, "Caddyfile")
	replaceFile(t, file, []byte(fmt.Sprintf("{\n    admin off\n    skip_install_trust\n    auto_https disable_redirects\n    default_sni localhost\n    storage file_system %s\n}\n%s", dir, site)))
	startProxy(t, addr, "env", "HOME="+dir, "XDG_CONFIG_HOME="+dir, "caddy", "run", "--adapter", "caddyfile", "--config", file)
	return addr
}

// Behind nginx, HAProxy and Caddy, as INSTALL.md sets them up, a browser signs in, opens
// the socket, watches and changes settings.
func TestBehindRealProxies(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T, *child, string, string, string) string{"nginx": startNginx, "haproxy": startHAProxy, "caddy": startCaddy} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cert, key := writeCertificate(t, dir, 1)
			c := spawn(t, "--trusted-proxies=127.0.0.1")
			b := newProxied(t, start(t, c, dir, cert, key))
			eventually(t, "the proxy finds the server well", func() bool { return b.send(t, "GET", rest.PathReady, "", nil).StatusCode == 200 })

			b.signIn(t, c.token(t, "demo-admin"))
			b.socketOpens(t)
			b.streamBegins(t)
			res := b.send(t, "GET", rest.PathSettings, "", http.Header{"Accept-Encoding": {"gzip"}})
			tag := res.Header.Get("ETag")
			if weak := strings.HasPrefix(tag, "W/"); tag == "" || weak != (name == "nginx") {
				t.Errorf("the tag came as %q", tag)
			}
			if res := b.send(t, "PATCH", rest.PathSettings, `{"max_sessions":9}`, http.Header{"If-Match": {tag}}); res.StatusCode != 200 {
				t.Errorf("If-Match %s: %s", tag, res.Status)
			}
		})
	}
}

// proxied is a browser in front of a proxy.
type proxied struct {
	addr   string
	client *http.Client
	jar    http.CookieJar
}

func newProxied(t *testing.T, addr string) *proxied {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &proxied{addr, &http.Client{Transport: transport, Jar: jar}, jar}
}

func (b *proxied) send(t *testing.T, method, path, body string, header http.Header) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://"+b.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "https://"+b.addr)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		req.Header[name] = values
	}
	res, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func (b *proxied) signIn(t *testing.T, token string) {
	t.Helper()
	res := b.send(t, "POST", rest.PathAuthSession, "", http.Header{"Authorization": {"Bearer " + token}})
	if res.StatusCode != http.StatusNoContent || !strings.HasPrefix(res.Header.Get("Set-Cookie"), "__Host-parley_session=") {
		t.Fatalf("signing in: %s, %q", res.Status, res.Header.Get("Set-Cookie"))
	}
}

func (b *proxied) socketOpens(t *testing.T) {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Jar: b.jar}
	conn, res, err := dialer.Dial("wss://"+b.addr+rest.PathSocket, http.Header{"Origin": {"https://" + b.addr}})
	if err != nil {
		t.Fatalf("the socket: %v %v", err, res)
	}
	defer conn.Close()
	if hello := receive[wire.Hello](&socket{conn, t}); hello.SessionID == "" {
		t.Errorf("%+v", hello)
	}
}

func (b *proxied) streamBegins(t *testing.T) {
	t.Helper()
	res := b.send(t, "GET", rest.PathStream, "", nil)
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if lines.Text() == "event: snapshot" {
			return
		}
	}
	t.Errorf("the stream: %s, %v", res.Status, lines.Err())
}
