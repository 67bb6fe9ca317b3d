package auth

import (
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// refusal is why a request was refused, in one stable word. Outside, every token
// is refused alike; inside, the log has the word, and nothing of the token.
type refusal struct {
	kind   error // ErrUnauthorized, ErrOrigin, ErrHost
	reason string
}

func (r *refusal) Error() string { return r.kind.Error() + ": " + r.reason }
func (r *refusal) Unwrap() error { return r.kind }

func refused(reason string) error { return &refusal{ErrUnauthorized, reason} }

// reasonOf gives the word of a refusal.
func reasonOf(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.reason
	}
	return "unknown"
}

// refusedByParser says in our words what golang-jwt found.
func refusedByParser(err error) error {
	var r *refusal
	if errors.As(err, &r) { // of keyFor
		return r
	}
	for _, known := range []struct {
		is     error
		reason string
	}{
		{jwt.ErrTokenSignatureInvalid, "signature"},
		{jwt.ErrTokenExpired, "expired"},
		{jwt.ErrTokenNotValidYet, "not_yet_valid"},
		{jwt.ErrTokenUsedBeforeIssued, "issued_in_future"},
		{jwt.ErrTokenInvalidIssuer, "issuer"},
		{jwt.ErrTokenInvalidAudience, "audience"},
		{jwt.ErrTokenRequiredClaimMissing, "claim_missing"},
		{jwt.ErrTokenUnverifiable, "algorithm"},
	} {
		if errors.Is(err, known.is) {
			return refused(known.reason)
		}
	}
	return refused("malformed")
}

// Limits of what is logged of refusals: anybody can cause one.
const (
	// RefusalLogInterval is the least between two lines about one address.
	RefusalLogInterval = time.Second
	// MaxRefusalLogs bounds the addresses that are logged within an interval.
	MaxRefusalLogs = 100
)

// refusalLog tells whoever integrates or operates why requests are refused.
type refusalLog struct {
	log  *slog.Logger
	mask func(string) string // of an address
	now  func() time.Time

	mu    sync.Mutex
	last  map[string]time.Time // by address, of the last interval
	proxy time.Time            // of the newest line about a proxy
}

func newRefusalLog(log *slog.Logger, mask func(string) string, now func() time.Time) *refusalLog {
	if mask == nil {
		mask = func(string) string { return "" }
	}
	return &refusalLog{log: log, mask: mask, now: now, last: make(map[string]time.Time)}
}

// reasonNoToken is of requests that show nothing at all.
const reasonNoToken = "no_token"

// LogRefusal writes why a request was refused: cause is one stable word. There is
// one line a second and address at most.
func (a *Auth) LogRefusal(r *http.Request, event, cause string) {
	remote := a.Remote(r)
	level := slog.LevelInfo
	key := remote
	if cause == reasonNoToken { // what every browser does before it signs in
		level, key = slog.LevelDebug, "no token "+remote
	}
	l := a.refusals
	if l.log.Enabled(r.Context(), level) && l.take(key) {
		l.log.Log(r.Context(), level, "request refused", "event", event, "cause", cause, "remote", l.mask(remote))
	}
}

// proxyLogInterval: a proxy that isn't trusted sends its header with each
// request, and one line says it.
const proxyLogInterval = 10 * time.Minute

func (a *Auth) logProxy(r *http.Request, cause string) {
	l := a.refusals
	if !l.takeProxy(l.now()) {
		return
	}
	l.log.Warn("a forwarding header is not believed", "event", "proxy", "cause", cause, "remote", l.mask(a.Remote(r)))
}

func (l *refusalLog) takeProxy(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.proxy) < proxyLogInterval {
		return false
	}
	l.proxy = now
	return true
}

func (l *refusalLog) take(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if last, ok := l.last[key]; ok && now.Sub(last) < RefusalLogInterval {
		return false
	}
	if len(l.last) >= MaxRefusalLogs {
		for other, last := range l.last {
			if now.Sub(last) >= RefusalLogInterval {
				delete(l.last, other)
			}
		}
	}
	if len(l.last) >= MaxRefusalLogs {
		return false
	}
	l.last[key] = now
	return true
}
