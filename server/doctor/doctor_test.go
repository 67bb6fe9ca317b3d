package doctor_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley/server/doctor"
)

func TestNothingIsFoundWhereAllIsWell(t *testing.T) {
	t.Parallel()
	for _, f := range doctor.Examine(t.Context(), with(t, func(c *doctor.Config) { c.IsProxied = true })) {
		if f.Result == doctor.Fault || f.Result == doctor.Warning {
			t.Errorf("%+v", f)
		}
	}
}

// taken is a TCP port of a program that speaks to nobody, and a UDP port of another.
func taken(t *testing.T) (stream, packets string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return l.Addr().String(), p.LocalAddr().String()
}

func TestPorts(t *testing.T) {
	t.Parallel()
	stream, packets := taken(t)
	for says, change := range map[string]func(*doctor.Config){
		"is no Parley":                          func(c *doctor.Config) { c.HTTP = stream },
		"Another program listens on " + stream:  func(c *doctor.Config) { c.Redirect = stream },
		"Another program listens on " + packets: func(c *doctor.Config) { c.Media = packets },
		"no address of this machine":            func(c *doctor.Config) { c.Media = "203.0.113.9:0" },
		"can't be listened on":                  func(c *doctor.Config) { c.HTTP = "8080" },
	} {
		finds(t, with(t, change), "port", doctor.Fault, says)
	}
	finds(t, healthy(t), "port", doctor.OK, "is free")
}

func TestPublicAddress(t *testing.T) {
	t.Parallel()
	told := func(ip string, change ...func(*doctor.Config)) doctor.Config {
		return with(t, func(c *doctor.Config) {
			c.Addresses = func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr(ip)}, nil }
			for _, of := range change {
				of(c)
			}
		})
	}
	finds(t, told("8.8.8.8"), "public address", doctor.OK, "8.8.8.8")
	finds(t, told("8.8.8.8", func(c *doctor.Config) { c.PublicIPs = []netip.Addr{netip.MustParseAddr("8.8.8.8")} }), "public address", doctor.OK, "router")
	finds(t, told("10.0.0.7"), "public address", doctor.Warning, "same network")
	finds(t, told("10.0.0.7", func(c *doctor.Config) { c.AllowPrivate = true }), "public address", doctor.OK, "10.0.0.7")
	finds(t, told("127.0.0.1"), "public address", doctor.Fault, "nobody but this machine")
	finds(t, with(t, func(c *doctor.Config) {
		c.Addresses = func() ([]netip.Addr, error) { return nil, errors.New("no address") }
	}), "public address", doctor.Fault, "no address")
}

func TestNames(t *testing.T) {
	t.Parallel()
	leads := func(to ...string) func(*doctor.Config) {
		return func(c *doctor.Config) {
			c.Domains, c.URL, c.IsHTTPS = []string{"voice.example.org"}, "https://voice.example.org", true
			c.LookupIP = func(context.Context, string) (addrs []netip.Addr, err error) {
				for _, a := range to {
					addrs = append(addrs, netip.MustParseAddr(a))
				}
				return addrs, nil
			}
		}
	}
	finds(t, with(t, leads("127.0.0.1")), "name", doctor.OK, "leads to this machine")
	finds(t, with(t, leads()), "name", doctor.Fault, "Nobody finds voice.example.org")
	finds(t, with(t, leads("198.51.100.4")), "name", doctor.Fault, "which is not this machine")
	finds(t, with(t, leads("127.0.0.1", "198.51.100.4")), "name", doctor.Warning, "also to 198.51.100.4")
	finds(t, with(t, func(c *doctor.Config) { leads("198.51.100.4")(c); c.IsProxied = true }), "name", doctor.OK, "proxy")
	finds(t, with(t, func(c *doctor.Config) {
		leads("198.51.100.4")(c)
		c.PublicIPs = []netip.Addr{netip.MustParseAddr("198.51.100.4")}
	}), "name", doctor.OK, "leads to this machine")
}

func TestMicrophone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*doctor.Config)
		result doctor.Result
		says   string
	}{
		"plain for all":         {func(c *doctor.Config) { c.HTTP = ":0" }, doctor.Fault, "HTTPS alone"},
		"plain for all, a demo": {func(c *doctor.Config) { c.HTTP = ":0"; c.IsDemo = true }, doctor.Warning, "http://localhost"},
		"plain here":            {func(*doctor.Config) {}, doctor.OK, "this machine alone"},
		"a proxy":               {func(c *doctor.Config) { c.HTTP = ":0"; c.IsProxied = true }, doctor.OK, "proxy"},
		"HTTPS":                 {func(c *doctor.Config) { c.IsHTTPS = true }, doctor.OK, "speaks HTTPS"},
		"an unnamed proxy":      {func(c *doctor.Config) { c.URL = "https://a.example" }, doctor.Warning, "no proxy is named"},
		"opened by plain HTTP":  {func(c *doctor.Config) { c.URL = "http://a.example"; c.IsProxied = true }, doctor.Fault, "which is plain HTTP"},
		"opened here":           {func(c *doctor.Config) { c.URL = "http://localhost:8080" }, doctor.OK, "this machine alone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			finds(t, with(t, test.change), "microphone", test.result, test.says)
		})
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, test := range map[string]struct {
		from, to     time.Duration
		url          string
		isSelfSigned bool
		isForeign    bool // of an authority that nobody trusts
		result       doctor.Result
		says         string
	}{
		"good":                 {-time.Hour, 90 * 24 * time.Hour, "https://voice.example.org", false, false, doctor.OK, "It is for voice.example.org"},
		"no address known":     {-time.Hour, 90 * 24 * time.Hour, "", false, false, doctor.OK, "write --url"},
		"expired":              {-48 * time.Hour, -time.Hour, "", false, false, doctor.Fault, "expired"},
		"not yet":              {time.Hour, 48 * time.Hour, "", false, false, doctor.Fault, "begins on"},
		"of another name":      {-time.Hour, 48 * time.Hour, "https://other.example.org", false, false, doctor.Fault, "open other.example.org refuse it"},
		"ends soon":            {-1000 * time.Hour, 100 * time.Hour, "", false, false, doctor.Warning, "ends soon"},
		"signed by itself":     {-time.Hour, 48 * time.Hour, "", true, false, doctor.Warning, "signed by itself"},
		"of an unknown issuer": {-time.Hour, 48 * time.Hour, "", false, true, doctor.Warning, "Test authority, is unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pair, roots := issue(t, now.Add(test.from), now.Add(test.to), test.isSelfSigned)
			if test.isForeign {
				roots = x509.NewCertPool()
			}
			finds(t, with(t, func(c *doctor.Config) {
				c.IsHTTPS, c.URL, c.Roots = true, test.url, roots
				c.Certificate = func() (*tls.Certificate, error) { return pair, nil }
			}), "certificate", test.result, test.says)
		})
	}
	finds(t, with(t, func(c *doctor.Config) {
		c.IsHTTPS, c.Certificate = true, func() (*tls.Certificate, error) { return nil, os.ErrNotExist }
	}), "certificate", doctor.Fault, "can't be shown")
	finds(t, with(t, func(c *doctor.Config) {
		c.IsHTTPS, c.Domains, c.CertificateDir = true, []string{"voice.example.org"}, t.TempDir()
	}), "certificate", doctor.Untried, "There is none for voice.example.org yet")
}

// Of an authority's certificate the one that is shown counts, and else the one kept.
func TestCertificateOfAnAuthority(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pair, roots := issue(t, time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour), false)
	kept := filepath.Join(dir, "certificates", "ca.example.org", "voice.example.org")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	if err := errors.Join(os.MkdirAll(kept, 0o700), os.WriteFile(filepath.Join(kept, "voice.example.org.crt"), text, 0o600)); err != nil {
		t.Fatal(err)
	}
	domain := with(t, func(c *doctor.Config) {
		c.IsHTTPS, c.Domains, c.CertificateDir, c.Roots = true, []string{"voice.example.org"}, dir, roots
	})
	finds(t, domain, "certificate", doctor.Fault, "expired")
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"status":"ready"}`)) }))
	t.Cleanup(s.Close)
	domain.HTTP, domain.TURN = s.Listener.Addr().String(), false
	finds(t, domain, "certificate", doctor.Fault, "is for example.com")
}

func TestDataDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, own, open := filepath.Join(dir, "file"), filepath.Join(dir, "own"), filepath.Join(dir, "open")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Mkdir(own, 0o700), os.Mkdir(open, 0o700), os.Chmod(open, 0o755)); err != nil {
		t.Fatal(err)
	}
	in := func(path string) doctor.Config { return with(t, func(c *doctor.Config) { c.DataDir = path }) }
	finds(t, in(filepath.Join(dir, "new", "data")), "data directory", doctor.OK, "the server makes it")
	finds(t, in(own), "data directory", doctor.OK, "closed to others")
	finds(t, in(open), "data directory", doctor.Warning, "holds secrets")
	finds(t, in(file), "data directory", doctor.Fault, "is no directory")
	finds(t, in(filepath.Join(file, "below")), "data directory", doctor.Fault, "not a directory")
	if os.Geteuid() == 0 {
		if err := os.Chown(own, 65534, -1); err != nil {
			t.Fatal(err)
		}
		finds(t, in(own), "data directory", doctor.Warning, "belongs to user 65534")
		return
	}
	finds(t, in("/"), "data directory", doctor.Fault, "may not write to /")
	finds(t, in("/parley"), "data directory", doctor.Fault, "may not make it in /")
}

func TestDisk(t *testing.T) {
	t.Parallel()
	free := func(bytes int64) doctor.Config {
		return with(t, func(c *doctor.Config) {
			c.FreeSpace = func(string) (free, all int64, known bool) { return bytes, 100 << 30, true }
		})
	}
	const reserve, log = 64 << 20, 1 << 30
	finds(t, free(reserve-1), "disk", doctor.Fault, "less than what stays free")
	finds(t, free(reserve), "disk", doctor.Warning, "may grow to 1.0 GiB")
	finds(t, free(reserve+log-1), "disk", doctor.Warning, "may grow")
	finds(t, free(reserve+log), "disk", doctor.OK, "is free")
	finds(t, with(t, func(c *doctor.Config) {
		c.FreeSpace = func(string) (free, all int64, known bool) { return 0, 0, false }
	}), "disk", doctor.Untried, "can't be told")
}

func TestFiles(t *testing.T) {
	t.Parallel()
	of := func(err error) doctor.Config {
		return with(t, func(c *doctor.Config) {
			c.Files = []doctor.File{{Name: "agents", Read: func() error { return err }, Act: "Correct it."}}
		})
	}
	finds(t, of(errors.New("line 3: no url")), "agents", doctor.Fault, "line 3")
	finds(t, of(nil), "agents", doctor.OK, "can be read")
}
