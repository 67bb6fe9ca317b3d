package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong with the flags of HTTPS is told in one sentence that says what to
// write instead.
func TestMistakenFlagsOfHTTPS(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1)
	noRoots := filepath.Join(dir, "no-roots.pem")
	if err := os.WriteFile(noRoots, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	const domain, redirect = "--domain=voice.example.org", "--http-redirect=127.0.0.1:0"
	for name, test := range map[string]struct {
		flags []string
		want  string
		code  int
	}{
		"two certificates":      {[]string{domain, "--tls-cert=" + cert, "--tls-key=" + key}, "write one of them", exitUsage},
		"a redirect to nothing": {[]string{redirect}, "--http-redirect sends browsers to HTTPS", exitUsage},
		"an address as a name":  {[]string{"--domain=203.0.113.7"}, "--domain takes names", exitUsage},
		"a CA without TLS":      {[]string{domain, "--acme-ca=http://ca.example/dir"}, "--acme-ca takes the https URL", exitUsage},
		"half an account":       {[]string{domain, "--acme-eab-kid=customer-7"}, "--acme-eab-kid and --acme-eab-key-file belong together", exitUsage},
		"an account's no key":   {[]string{domain, redirect, "--acme-eab-kid=customer-7", "--acme-eab-key-file=" + noRoots + "x"}, "--acme-eab-key-file: ", exitUsage},
		"a file without a key":  {[]string{domain, redirect, "--acme-eab-kid=customer-7", "--acme-eab-key-file=" + cert}, "holds no key in base64url", exitUsage},
		"a file without roots":  {[]string{domain, redirect, "--acme-ca-root=" + noRoots}, "holds no certificate", exitUsage},
		"no file of roots":      {[]string{domain, redirect, "--acme-ca-root=" + dir + "/none"}, "--acme-ca-root: ", exitUsage},
		"port 80 is taken":      {[]string{domain, "--http-redirect=" + taken.Addr().String()}, "or write --http-redirect=off", exitFailed},
		"the same, with files":  {[]string{"--tls-cert=" + cert, "--tls-key=" + key, "--http-redirect=" + taken.Addr().String()}, "another program already listens", exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"serve", "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--data-dir=" + t.TempDir()}, test.flags...)
			err := run(t.Context(), args, io.Discard, io.Discard, nil)
			if exitCode(err) != test.code || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// With --domain the ports are those that the authority and browsers look for.
func TestAddressesOfADomain(t *testing.T) {
	for name, test := range map[string]struct {
		args           []string
		http, redirect string
	}{
		"plain":        {nil, ":8080", ""},
		"files":        {[]string{"--tls-cert=c", "--tls-key=k"}, ":8080", ""},
		"domain":       {[]string{"--domain=a.example.org"}, ":443", ":80"},
		"inner ports":  {[]string{"--domain=a.example.org", "--http=:8080", "--http-redirect=:8000"}, ":8080", ":8000"},
		"one port":     {[]string{"--domain=a.example.org", "--http-redirect=off"}, ":443", ""},
		"files, moved": {[]string{"--tls-cert=c", "--tls-key=k", "--http-redirect=:80"}, ":8080", ":80"},
	} {
		t.Run(name, func(t *testing.T) {
			parsed, _, err := parse(append([]string{"serve"}, test.args...), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			c := parsed.Selected().Target.Addr().Interface().(*serveCommand)
			if got := c.redirectAddress(); c.HTTP != test.http || got != test.redirect {
				t.Errorf("--http %s, redirected from %q; want %s and %q", c.HTTP, got, test.http, test.redirect)
			}
		})
	}
}

// A certificate that will end soon, or that is missing, is told; the metric has its
// end, from files, too.
func TestACertificateFromFilesIsWatched(t *testing.T) {
	t.Parallel()
	cert, key := writeCertificate(t, t.TempDir(), 1) // valid for an hour, and since one
	c := spawn(t, "--tls-cert="+cert, "--tls-key="+key, "--http-redirect=127.0.0.1:0")
	b := newProxied(t, strings.TrimPrefix(c.base, "https://"))
	res := b.send(t, http.MethodGet, "/metrics", "", http.Header{"Authorization": {"Bearer " + metricsTokenOfTests}})
	text, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(text), "\nparley_certificate_expiry_timestamp_seconds ") {
		t.Errorf("no end of the certificate in %s, %v", text, err)
	}
}
