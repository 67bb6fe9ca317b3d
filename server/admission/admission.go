// Package admission owns what is checked of a caller before a session gives them a
// place, by whichever way they come, and how a caller who gets none is told: the
// same limits and the same problem for a socket and for an HTTP call. It takes no
// place, answers nothing, and knows neither.
package admission

import (
	"errors"
	"net/http"
	"time"

	"parley/server/auth"
	"parley/server/limit"
	"parley/server/session"
	"parley/shared/rest"
)

const (
	// DefaultStarts are the calls that one user may try at once, beside two for each
	// session that the user may have: after a restart all come back.
	DefaultStarts = 20
	// DefaultStartEvery is how often one more may be tried: no slower than an honest
	// client tries again.
	DefaultStartEvery = time.Second
	// ProtectedRetry is when to ask again while nothing protects callers: somebody has
	// to mend that first.
	ProtectedRetry = 15 * time.Second
)

// Config says what is checked. Zero numbers are the defaults.
type Config struct {
	// Protected tells whether callers' privacy is protected just now; while it isn't,
	// nobody may call. nil: it is.
	Protected  func() error
	Starts     int
	StartEvery time.Duration
}

// Checks are those before a place is taken. All ways in share one, so that they
// share its rates.
type Checks struct {
	cfg    Config
	starts *limit.Limiter // by session.Caller.Account
}

// NewChecks makes Checks. It starts nothing.
func NewChecks(cfg Config) *Checks {
	if cfg.Protected == nil {
		cfg.Protected = func() error { return nil }
	}
	if cfg.Starts <= 0 {
		cfg.Starts = DefaultStarts
	}
	if cfg.StartEvery <= 0 {
		cfg.StartEvery = DefaultStartEvery
	}
	return &Checks{cfg: cfg, starts: limit.NewBucket(cfg.Starts, cfg.StartEvery)}
}

// Check returns why a caller who is known may not even ask for a place: their rate,
// of perUser sessions that they may have, and whether anybody may call.
func (c *Checks) Check(caller session.Caller, perUser int) *rest.Problem {
	if wait := c.starts.TakeAt(caller.Account(), c.cfg.Starts+2*perUser, time.Now()); wait > 0 {
		return Later(Problem(http.StatusTooManyRequests, rest.CodeRateLimited), wait)
	}
	if c.cfg.Protected() != nil {
		return Later(Problem(http.StatusServiceUnavailable, rest.CodePrivacyBlock), ProtectedRetry)
	}
	return nil
}

// CallerOf is who a token names, at the address they come from.
func CallerOf(id auth.Identity, remote string) session.Caller {
	return session.Caller{
		User: id.Subject, Name: id.Name, Phone: id.Phone, Email: id.Email, Org: id.Org, Remote: remote,
		AskedAt: time.Now(), TokenExpires: id.ExpiresAt, TokenID: id.ID, ServerAdmin: id.ServerAdmin,
	}
}

// RefusalOf is why sessions gave no place.
func RefusalOf(err error) *session.Refusal {
	var refused *session.Refusal
	if !errors.As(err, &refused) {
		refused = &session.Refusal{Code: session.Draining}
	}
	return refused
}

// RefusalProblem is a refused admission as a problem: the words are the same.
func RefusalProblem(r *session.Refusal) *rest.Problem {
	p := Later(Problem(http.StatusServiceUnavailable, rest.ProblemCode(r.Code)), r.RetryAfter)
	p.Limit, p.Nodes = r.Limit, r.Nodes
	return p
}

// Problem is a problem of a status and a code.
func Problem(status int, code rest.ProblemCode) *rest.Problem {
	return &rest.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code}
}

// FieldProblem is a value that is out of range.
func FieldProblem(field string) *rest.Problem {
	p := Problem(http.StatusUnprocessableEntity, rest.CodeOutOfRange)
	p.Field = field
	return p
}

// Later says when to ask again, in whole seconds and at least one.
func Later(p *rest.Problem, d time.Duration) *rest.Problem {
	p.RetryAfterS = max(1, limit.Seconds(d))
	return p
}
