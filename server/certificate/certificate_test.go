package certificate_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"parley/server/certificate"
)

func TestRedirect(t *testing.T) {
	for name, test := range map[string]struct {
		names       []string
		port        string
		method, url string
		status      int
		want        string
	}{
		"the page itself":         {[]string{"voice.example.org"}, "443", "GET", "http://voice.example.org/call?agent=echo", 301, "https://voice.example.org/call?agent=echo"},
		"with the port it has":    {nil, "8443", "GET", "http://voice.example.org:8080/", 301, "https://voice.example.org:8443/"},
		"another name":            {[]string{"voice.example.org"}, "443", "HEAD", "http://evil.example/a", 301, "https://voice.example.org/a"},
		"a second name":           {[]string{"a.example", "b.example"}, "443", "GET", "http://b.example/", 301, "https://b.example/"},
		"an address of IPv6":      {nil, "443", "GET", "http://[2001:db8::1]/", 301, "https://[2001:db8::1]/"},
		"a path as it was":        {nil, "443", "GET", "http://a.example/x%2Fy", 301, "https://a.example/x%2Fy"},
		"what carries a body":     {nil, "443", "POST", "http://a.example/", 403, ""},
		"what isn't known to ask": {nil, "443", "DELETE", "http://a.example/", 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			certificate.Redirect(test.names, test.port).ServeHTTP(w, httptest.NewRequest(test.method, test.url, nil))
			if got := w.Header().Get("Location"); w.Code != test.status || got != test.want {
				t.Errorf("%d to %q, want %d to %q", w.Code, got, test.status, test.want)
			}
			if w.Header().Get("Strict-Transport-Security") != "" {
				t.Error("HSTS on plain HTTP, where it means nothing")
			}
		})
	}
}

func TestCheckDomain(t *testing.T) {
	const public, private = "https://acme-v02.api.letsencrypt.org/directory", "https://ca.internal/acme/directory"
	for name, test := range map[string]struct{ domain, directory, want string }{
		"a public name":                  {"voice.example.org", public, ""},
		"a name within a company":        {"voice.corp.internal", private, ""},
		"the same, of a public one":      {"voice.corp.internal", public, "--acme-ca"},
		"this machine's own":             {"localhost", public, "--acme-ca"},
		"an address":                     {"203.0.113.7", public, "is an address"},
		"an address of IPv6":             {"2001:db8::1", private, "is an address"},
		"all names below one":            {"*.example.org", public, "one by one"},
		"a URL":                          {"https://voice.example.org", public, "names like"},
		"a name with a port":             {"voice.example.org:443", public, "names like"},
		"nothing":                        {"", public, "names like"},
		"a name with a space":            {"voice example.org", public, "names like"},
		"a name that begins with a dot":  {".example.org", public, "names like"},
		"several in one, by a semicolon": {"a.example.org;b.example.org", public, "names like"},
	} {
		t.Run(name, func(t *testing.T) {
			err := certificate.CheckDomain(test.domain, test.directory)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%q: %v, want %q", test.domain, err, test.want)
			}
		})
	}
}
