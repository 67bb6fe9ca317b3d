package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// Limits of a key source; each but MaxKeySet is a default of KeySource.
const (
	// MaxKeySet is ten times the largest set of the large providers.
	MaxKeySet = 256 << 10
	// KeyRefresh is how long a key that its issuer took back is still good.
	KeyRefresh = 10 * time.Minute
	// KeyFileRefresh is the same for a file, which costs nothing to read: what an
	// operator changed holds within a minute.
	KeyFileRefresh = 30 * time.Second
	// KeyGap is the least between two loads, whoever asks: a new key works this
	// long after it appeared at the latest, and a flood of made-up kids costs the
	// issuer two requests a minute.
	KeyGap = 30 * time.Second
	// KeyTimeout is for a whole load, connection and body.
	KeyTimeout = 5 * time.Second
	// KeyPatience is how long a request waits for a kid to become known. A bad
	// token is answered within 2 s, whatever the issuer does.
	KeyPatience = time.Second
	// MaxKeyWaiters bounds how many requests wait for a load at a time.
	MaxKeyWaiters = 64
	// maxKeyHeader is for the headers of the issuer's answer.
	maxKeyHeader = 16 << 10
)

// KeySource is where an issuer's JWK Set is: a file or a URL, not both. Nothing
// in a token, and nothing in the set, ever leads to another place.
type KeySource struct {
	File string // read again at every load, so that keys change by replacing it
	URL  string // https, or http on this machine; redirects are not followed

	Refresh   time.Duration     // between loads, default KeyRefresh, of a file KeyFileRefresh
	Gap       time.Duration     // least between loads, and after a failed one, default KeyGap
	Timeout   time.Duration     // default KeyTimeout
	Patience  time.Duration     // default KeyPatience
	Transport http.RoundTripper // default: the standard one, connections not kept
}

func (s KeySource) isConfigured() bool { return s.File != "" || s.URL != "" }

func (s KeySource) withDefaults() KeySource {
	if s.File != "" && s.Refresh == 0 {
		s.Refresh = KeyFileRefresh
	}
	for _, d := range []struct {
		value     *time.Duration
		otherwise time.Duration
	}{{&s.Refresh, KeyRefresh}, {&s.Gap, KeyGap}, {&s.Timeout, KeyTimeout}, {&s.Patience, KeyPatience}} {
		if *d.value == 0 {
			*d.value = d.otherwise
		}
	}
	return s
}

// loader gives the set as it is now.
type loader func(context.Context) ([]byte, error)

func (s KeySource) loader() (loader, error) {
	if s.File != "" && s.URL != "" {
		return nil, errors.New("keys by file or by URL, not both")
	}
	if s.File != "" {
		return func(context.Context) ([]byte, error) { return readKeyFile(s.File) }, nil
	}
	if err := checkKeyURL(s.URL); err != nil {
		return nil, err
	}
	client := &http.Client{
		Transport: s.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	if client.Transport == nil {
		client.Transport = keyTransport()
	}
	return func(ctx context.Context) ([]byte, error) { return fetchKeys(ctx, client, s.URL) }, nil
}

// readKeyFile refuses a file that others may write: who writes it signs tokens.
func readKeyFile(path string) ([]byte, error) {
	info, err := os.Stat(path) // before opening: a pipe would wait for a writer
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o002 != 0 {
		return nil, fmt.Errorf("%s must be a file that not everyone can write", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readBounded(f)
}

// checkKeyURL: who can change the set on its way signs tokens, so it comes by
// HTTPS unless it never leaves the machine.
func checkKeyURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return errors.New("want https://host/path")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopbackHost(u.Hostname())) {
		return errors.New("http is for this machine only, want https")
	}
	return nil
}

func isLoopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func keyTransport() http.RoundTripper {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	t.DisableKeepAlives = true // one request in ten minutes
	t.MaxResponseHeaderBytes = maxKeyHeader
	return t
}

func fetchKeys(ctx context.Context, client *http.Client, from string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	res, err := client.Do(r)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer answers %d", res.StatusCode)
	}
	return readBounded(res.Body)
}

// withoutURL: a URL may hold a key of its own, and errors are logged.
func withoutURL(err error) error {
	if told, ok := errors.AsType[*url.Error](err); ok {
		return told.Err
	}
	return err
}

func readBounded(from io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(from, MaxKeySet+1))
	if err == nil && len(raw) > MaxKeySet {
		err = fmt.Errorf("over %d bytes", MaxKeySet)
	}
	return raw, err
}
