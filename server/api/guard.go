package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/server/accesslog"
	"parley/server/auth"
	"parley/server/limit"
	"parley/shared/rest"
)

// Rates, each in any span of a minute.
const (
	MaxUnsafe         = 60 // a hand can't click faster, a script that does is broken
	MaxRefusedSignIns = 10 // a person mistypes a token a few times; a guesser never stops
	MaxRefusedScrapes = 20 // a scraper with an old token asks four times a minute
)

// right is what a route asks of who comes.
type right int

const (
	anyone   right = iota
	bearer         // a valid token in the header: the cookie is made from it
	user           // a valid token
	admin          // a valid token of somebody whom the configuration makes admin, if only of an organization
	operator       // of somebody who administers everything: what can't be cut by organization
	scraper        // an operator, or the token for metrics
)

func (need right) isForAdmins() bool { return need >= admin }

// guard is the one way to a handler: origin, query, token, network, right, rate,
// body, in this order, on every request. No body is read of one who may not come
// in.
func (a *API) guard(need right, body *huma.Schema, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := visitor{
			remote: a.Remote(r), from: a.Auth.CertainRemote(r), host: auth.HTTPSHost(r), network: a.Auth.AdminAllowed(r),
			requestID: sentID(w), method: r.Method, path: r.URL.Path,
		}
		err := a.Auth.CheckOrigin(r)
		if err == nil {
			v.asked, err = query(r.URL)
		}
		if err == nil {
			err = a.identify(r, need, &v)
		}
		if err != nil {
			a.refuse(w, r, need, v, err)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), visitorKey{}, v))
		if changes(r) {
			err = a.admitChange(w, r, need, body)
		}
		if err != nil {
			a.fail(w, r, err)
			return
		}
		next(w, r)
	}
}

func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	Refuse(w, r, a.problem(r.Context(), err))
}

// identify looks up who asks and whether they may, from the server's own
// configuration.
func (a *API) identify(r *http.Request, need right, v *visitor) (err error) {
	switch need {
	case anyone:
		return nil
	case bearer:
		return a.identifyNew(r, v)
	case scraper:
		return a.identifyScraper(r, v)
	}
	return a.identifyUser(r, need, v)
}

// identifyUser takes a token, and for admins the right that comes with it.
func (a *API) identifyUser(r *http.Request, need right, v *visitor) (err error) {
	if v.Identity, err = a.Auth.Authenticate(r); err != nil {
		return err
	}
	accesslog.LineOf(r.Context()).User(v.Subject, v.Org)
	if need.isForAdmins() {
		return a.identifyAdmin(need, v)
	}
	return nil
}

// identifyAdmin asks for the network first: from a foreign one, a token that was
// stolen tells nothing of what it opens.
func (a *API) identifyAdmin(need right, v *visitor) error {
	if err := checkNetwork(v); err != nil {
		return err
	}
	scope, ok := a.Auth.Scope(v.Identity)
	if !ok || need > admin && !scope.All {
		return &rest.Problem{Code: rest.CodeForbidden}
	}
	if scope.ReadOnly && isUnsafe(v.method) {
		return &rest.Problem{Code: rest.CodeReadOnly}
	}
	v.scope = scope
	return nil
}

func checkNetwork(v *visitor) error {
	if !v.network {
		return &rest.Problem{Code: rest.CodeNetwork}
	}
	return nil
}

// identifyScraper takes the token for metrics, or an operator's. Who guesses is
// told to wait; who has the right is never counted.
func (a *API) identifyScraper(r *http.Request, v *visitor) error {
	if a.mayScrape(r) {
		return checkNetwork(v)
	}
	err := a.identifyUser(r, scraper, v)
	if err == nil {
		return nil
	}
	if wait := a.scrapes.Take(addressKey(v.remote)); wait > 0 {
		return &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: limit.Seconds(wait)}
	}
	return err
}

// mayScrape compares hashes, in constant time: neither length nor a common
// beginning can be measured.
func (a *API) mayScrape(r *http.Request) bool {
	given := r.Header.Values("Authorization")
	configured := a.MetricsToken()
	if configured == "" || len(given) != 1 {
		return false
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	want, got := sha256.Sum256([]byte(configured)), sha256.Sum256([]byte(strings.TrimSpace(token)))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// identifyNew is for signing in. From an address that was refused too often,
// nothing but a token that verifies is answered: people behind one address don't
// lock each other out, and nobody guesses a signature.
func (a *API) identifyNew(r *http.Request, v *visitor) (err error) {
	if v.Identity, err = a.Auth.Bearer(r); err != nil {
		if wait := a.signIns.Take(addressKey(v.remote)); wait > 0 {
			return &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: limit.Seconds(wait)}
		}
		a.SignInRefused(v.remote, auth.RefusedOrg(err))
		return err
	}
	accesslog.LineOf(r.Context()).User(v.Subject, v.Org)
	return nil
}

// admitChange counts an unsafe request and checks its body.
func (a *API) admitChange(w http.ResponseWriter, r *http.Request, need right, body *huma.Schema) error {
	if need != anyone {
		if wait := a.unsafe.Take(caller(r.Context()).Account()); wait > 0 {
			return &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: limit.Seconds(wait)}
		}
	}
	return a.checkBody(w, r, body)
}

func changes(r *http.Request) bool { return isUnsafe(r.Method) }

// isUnsafe: GET changes nothing (RFC 9110 §9.2.1), here as anywhere.
func isUnsafe(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// query reads what is asked for. net/url leaves out what it can't read, and a
// filter that is left out shows more than was meant: it is refused, as are one
// without a value and a name given twice, of which the record would tell one. What was read is what all
// others read: huma has a reader of its own, which means other things by some
// queries.
func query(u *url.URL) (map[string]string, error) {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, &rest.Problem{Code: rest.CodeMalformed, Detail: "the query"}
	}
	asked := make(map[string]string, len(values))
	for name, given := range values {
		if len(given) > 1 {
			return nil, &rest.Problem{Code: rest.CodeOutOfRange, Field: echo(name), Detail: "given twice"}
		}
		if given[0] == "" {
			return nil, &rest.Problem{Code: rest.CodeOutOfRange, Field: echo(name), Detail: "empty: leave it out, or give it a value"}
		}
		asked[name] = given[0]
	}
	u.RawQuery = values.Encode()
	return asked, nil
}

func unwrap(ctx huma.Context) (*http.Request, http.ResponseWriter) { return humago.Unwrap(ctx) }
