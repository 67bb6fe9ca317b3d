package auth_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/server/auth"
	"parley/server/logtest"
)

// TestBadAnswers: the last good set is kept, health tells, and a good answer
// makes it well again.
func TestBadAnswers(t *testing.T) {
	k := newKeys(t)
	elsewhere := newIssuer(t, set(t, rsaMember("evil", &k.other.PublicKey)))
	evil := issue(t, jwt.SigningMethodRS256, k.other, byKid("evil"))
	mine := issue(t, jwt.SigningMethodEdDSA, k.ed, byKid("ed"))
	body := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(s)) }
	}
	poisoned := set(t, rsaMember("evil", &k.other.PublicKey))
	for name, answer := range map[string]http.HandlerFunc{
		"503":              func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"404 with a set":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); _, _ = w.Write([]byte(poisoned)) },
		"203 with a set":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(203); _, _ = w.Write([]byte(poisoned)) },
		"nothing":          body(""),
		"a page":           body("<html>Sign in</html>"),
		"no keys":          body(`{"keys":[]}`),
		"only a secret":    body(`{"keys":[{"kty":"oct","kid":"evil","k":"AAAA"}]}`),
		"cut":              body(poisoned[:len(poisoned)-9]),
		"a byte too large": body(pad(poisoned, auth.MaxKeySet+1)),
		"zipped, too large": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write([]byte(pad(poisoned, 64<<20)))
			_ = z.Close()
		},
		"less than promised": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write([]byte(poisoned))
		},
		"headers without end": func(w http.ResponseWriter, _ *http.Request) {
			for n := range 64 {
				w.Header().Set(fmt.Sprint("X-", n), strings.Repeat("x", 1<<10))
			}
			_, _ = w.Write([]byte(poisoned))
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+keyPath, http.StatusFound)
		},
		"a redirect that keeps the method": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+keyPath, http.StatusPermanentRedirect)
		},
		"a redirect to itself": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, keyPath, http.StatusFound) },
		"a redirect to a file": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///dev/zero")
			w.WriteHeader(http.StatusFound)
		},
		"a broken connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t, k.usual(t))
			source := i.source()
			source.Gap, source.Refresh = 10*time.Millisecond, 10*time.Millisecond
			a := keyed(t, source, nil)
			until(t, "keys", func() bool { return a.KeyHealth().OK() })
			i.instead(answer)
			until(t, "a fault", func() bool { return !a.KeyHealth().OK() })
			if _, err := a.Verify(mine); err != nil {
				t.Errorf("the last good set is gone: %v", err)
			}
			if h := a.KeyHealth(); h.Keys != 3 || h.LoadedAt.IsZero() {
				t.Errorf("%+v", h)
			}
			if _, err := a.Verify(evil); err == nil {
				t.Error("a key came in with it")
			}
			i.publish(k.usual(t))
			until(t, "health", func() bool { return a.KeyHealth().OK() })
		})
	}
	t.Cleanup(func() { // after the parallel ones
		if n := elsewhere.fetches.Load() + elsewhere.strays.Load(); n != 0 {
			t.Errorf("%d redirects were followed", n)
		}
	})
}

func TestLargestAnswer(t *testing.T) {
	k := newKeys(t)
	i := newIssuer(t, pad(k.usual(t), auth.MaxKeySet))
	a := keyed(t, i.source(), nil)
	until(t, "keys", func() bool { return a.KeyHealth().OK() })
}

// TestEndlessAnswer: it is given up for its size, long before its time is over.
func TestEndlessAnswer(t *testing.T) {
	i := newIssuer(t, "")
	i.instead(func(w http.ResponseWriter, _ *http.Request) {
		for err := error(nil); err == nil; {
			_, err = w.Write(make([]byte, 1<<16))
		}
	})
	a := keyed(t, i.source(), nil)
	until(t, "a fault", func() bool { return strings.Contains(a.KeyHealth().Fault, "over 262144 bytes") })
}

// TestSlowIssuer: nobody waits longer than their patience, known kids and the
// local secret don't wait at all, and it ends with the program.
func TestSlowIssuer(t *testing.T) {
	k := newKeys(t)
	unknown := issue(t, jwt.SigningMethodEdDSA, k.ed, byKid("ed"))
	for name, answer := range map[string]http.HandlerFunc{
		"silent": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"trickling": func(w http.ResponseWriter, r *http.Request) {
			for beat := time.NewTicker(5 * time.Millisecond); r.Context().Err() == nil; <-beat.C {
				_, _ = w.Write([]byte(" "))
				_ = http.NewResponseController(w).Flush()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t, "")
			i.instead(answer)
			source := i.source()
			source.Timeout, source.Patience, source.Gap = 500*time.Millisecond, 50*time.Millisecond, 10*time.Millisecond
			a := keyed(t, source, nil)
			until(t, "the fetch", func() bool { return i.fetches.Load() == 1 })
			start := time.Now()
			var wg sync.WaitGroup
			for range 4 * auth.MaxKeyWaiters {
				wg.Go(func() {
					if _, err := a.Verify(unknown); !errors.Is(err, auth.ErrUnauthorized) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("answers took %s", took)
			}
			if _, err := a.Verify(sign(header, payload(""))); err != nil {
				t.Errorf("the local secret: %v", err)
			}
			until(t, "a timeout", func() bool { return strings.Contains(a.KeyHealth().Fault, "deadline") })
			i.publish(k.usual(t))
			until(t, "keys", good(a, unknown))
		})
	}
}

// TestWaitersHaveTheirPatienceAndNoMore, to the nanosecond; a request that is
// gone doesn't wait.
func TestWaitersHaveTheirPatienceAndNoMore(t *testing.T) {
	token := issue(t, jwt.SigningMethodEdDSA, newKeys(t).ed, byKid("ed"))
	synctest.Test(t, func(t *testing.T) {
		a, _ := inBubble(t, func(int) (int, string) { return http.StatusOK, "" }) // and nobody runs it
		asks := func(ctx context.Context) (took time.Duration) {
			r := httptest.NewRequestWithContext(ctx, "GET", "http://parley.test/", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			start := time.Now()
			if _, err := a.Authenticate(r); !errors.Is(err, auth.ErrUnauthorized) {
				t.Error(err)
			}
			return time.Since(start)
		}
		var waited, at atomic.Int64
		var wg sync.WaitGroup
		for range 3 * auth.MaxKeyWaiters {
			wg.Go(func() {
				switch asks(t.Context()) {
				case auth.KeyPatience:
					waited.Add(1)
				case 0:
					at.Add(1)
				}
			})
		}
		wg.Wait()
		if waited.Load() != auth.MaxKeyWaiters || at.Load() != 2*auth.MaxKeyWaiters {
			t.Errorf("%d waited, %d were answered at once", waited.Load(), at.Load())
		}
		ctx, cancel := context.WithTimeout(t.Context(), auth.KeyPatience/2)
		defer cancel()
		if took := asks(ctx); took != auth.KeyPatience/2 {
			t.Errorf("who is gone waited %s", took)
		}
	})
}

// TestUnreachableIssuer: the server starts without it, says so, and knows its
// keys once it is there. The URL, which may hold a password of its own, and the
// set stay out of the log, and a fault that lasts is logged once.
func TestUnreachableIssuer(t *testing.T) {
	k := newKeys(t)
	i := newIssuer(t, k.usual(t))
	var reachable atomic.Bool
	var tries atomic.Int64
	var logged logtest.Buffer
	source := i.source()
	source.Gap = 5 * time.Millisecond
	source.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		tries.Add(1)
		if !reachable.Load() {
			return nil, errors.New("no route")
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	a := newAuth(t, func(c *auth.Config) {
		c.Keys, c.Logger = source, slog.New(slog.NewTextHandler(&logged, nil))
	})
	if h := a.KeyHealth(); h.OK() || h.Keys != 0 {
		t.Fatalf("before the first load: %+v", h)
	}
	running(t, a)
	until(t, "three tries", func() bool { return tries.Load() >= 3 })
	if h := a.KeyHealth(); h.OK() || !strings.Contains(h.Fault, "no route") || !h.LoadedAt.IsZero() {
		t.Fatalf("%+v", h)
	}
	if _, err := a.Verify(sign(header, payload(""))); err != nil {
		t.Fatalf("the local secret meanwhile: %v", err)
	}
	reachable.Store(true)
	until(t, "its keys", good(a, issue(t, jwt.SigningMethodEdDSA, k.ed, byKid("ed"))))
	if h := a.KeyHealth(); !h.OK() || h.Keys != 3 {
		t.Fatalf("%+v", h)
	}
	lines := logged.String()
	if strings.Contains(lines, "hush") || strings.Contains(lines, `"keys"`) {
		t.Errorf("logged: %s", lines)
	}
	if n := strings.Count(lines, "no route"); n != 1 {
		t.Errorf("a lasting fault is logged %d times:\n%s", n, lines)
	}
}
