package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/server/limit"
)

// refusal is why a request was refused, in one stable word. Outside, every token
// is refused alike; inside, the log has the word, and nothing of the token.
type refusal struct {
	kind   error // ErrUnauthorized, ErrOrigin, ErrHost
	reason string
}

func (r *refusal) Error() string { return r.kind.Error() + ": " + r.reason }
func (r *refusal) Unwrap() error { return r.kind }

func newRefusal(reason string) error { return &refusal{ErrUnauthorized, reason} }

// orgRefusal is a refusal of a token that was said to be of an organization.
type orgRefusal struct {
	error
	org string
}

func (r *orgRefusal) Unwrap() error { return r.error }

// withOrg adds the organization that a token names to its refusal. Nobody vouched for it:
// only one that somebody came from with a valid token is taken for an organization at all.
func (a *Auth) withOrg(err error, org string) error {
	if org == "" || !a.knownSubjects.contains(org, anySubject) {
		return err
	}
	return &orgRefusal{err, org}
}

// RefusedOrg returns the organization that a refused token was said to be of, if somebody
// came from it since the server started; "" if it isn't known.
func RefusedOrg(err error) string {
	var r *orgRefusal
	if errors.As(err, &r) {
		return r.org
	}
	return ""
}

// reasonOf gives the word of a refusal.
func reasonOf(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.reason
	}
	return "unknown"
}

// refusalOfParser says in our words what golang-jwt found.
func refusalOfParser(err error) error {
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
			return newRefusal(known.reason)
		}
	}
	return newRefusal("malformed")
}

// Limits of what is logged of refusals: anybody can cause one.
const (
	// RefusalLogInterval is the least between two lines about one address.
	RefusalLogInterval = time.Second
	// MaxRefusalLogs bounds the lines about all addresses within an interval.
	MaxRefusalLogs = 100
)

// refusalLog tells whoever integrates or operates why requests are refused.
type refusalLog struct {
	log  *slog.Logger
	mask func(string) string // of an address
	now  func() time.Time

	perAddress, overall *limit.Limiter // lines about requests, by address and of all
	proxy               *limit.Limiter // lines about a proxy
}

func newRefusalLog(log *slog.Logger, mask func(string) string, now func() time.Time) *refusalLog {
	if mask == nil {
		mask = func(string) string { return "" }
	}
	return &refusalLog{
		log: log, mask: mask, now: now,
		perAddress: limit.NewSliding(1, RefusalLogInterval),
		overall:    limit.NewSliding(MaxRefusalLogs, RefusalLogInterval),
		proxy:      limit.NewSliding(1, proxyLogInterval),
	}
}

// reasonNoToken is of requests that show nothing at all.
const reasonNoToken = "no_token"

// LogRefusal writes why a request was refused: cause is one stable word. There is
// one line a second and address at most.
func (a *Auth) LogRefusal(ctx context.Context, remote, event, cause string) {
	level := slog.LevelInfo
	key := remote
	if cause == reasonNoToken { // what every browser does before it signs in
		level, key = slog.LevelDebug, "no token "+remote
	}
	l := a.refusals
	if l.log.Enabled(ctx, level) && l.takeLine(key) {
		l.log.Log(ctx, level, "request refused", "event", event, "cause", cause, "remote", l.mask(remote))
	}
}

// sharedKey is the key of a limit that all share.
const sharedKey = ""

// proxyLogInterval: a proxy that isn't trusted sends its header with each
// request, and one line says it.
const proxyLogInterval = 10 * time.Minute

func (a *Auth) logProxy(r *http.Request, cause string) {
	l := a.refusals
	if l.proxy.TakeAt(sharedKey, 1, l.now()) > 0 {
		return
	}
	l.log.Warn("a forwarding header is not believed", "event", "proxy", "cause", cause, "remote", l.mask(a.Remote(r)))
}

// takeLine reports whether a line about key is written now.
func (l *refusalLog) takeLine(key string) bool {
	now := l.now()
	return l.perAddress.TakeAt(key, 1, now) == 0 && l.overall.TakeAt(sharedKey, MaxRefusalLogs, now) == 0
}
