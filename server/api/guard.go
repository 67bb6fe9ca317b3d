package api

import (
	"context"
	"net"
	"net/http"
	"net/netip"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/server/auth"
	"parley/shared/rest"
)

// Rates of CONTRACT section 2, each a sliding minute.
const (
	MaxUnsafe         = 60 // a hand can't click faster, a script that does is broken
	MaxRefusedSignIns = 10 // a person mistypes a token a few times; a guesser never stops
)

type identityKey struct{}

type tokenKey struct{}

// caller is who asks, as the guard found.
func caller(ctx context.Context) auth.Identity {
	id, _ := ctx.Value(identityKey{}).(auth.Identity)
	return id
}

// guard is the one way to a handler: origin, token, right, rate, body, in this
// order, on every request. No body is read of one who may not come in.
func (a *API) guard(need right, body *huma.Schema, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := a.Auth.CheckOrigin(r); err != nil {
			a.fail(w, r, err)
			return
		}
		ctx, err := a.identify(r, need)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		r = r.WithContext(ctx)
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
func (a *API) identify(r *http.Request, need right) (context.Context, error) {
	switch need {
	case anyone:
		return r.Context(), nil
	case bearer:
		return a.identifyNew(r)
	}
	id, err := a.Auth.Authenticate(r)
	if err != nil {
		return nil, err
	}
	if need == admin && !a.Auth.Admin(id) {
		return nil, &rest.Problem{Code: rest.CodeForbidden}
	}
	return context.WithValue(r.Context(), identityKey{}, id), nil
}

// identifyNew is for signing in. An address that was refused too often waits,
// with a good token too, so that a guess tells nothing.
func (a *API) identifyNew(r *http.Request) (context.Context, error) {
	from := addressKey(a.Remote(r))
	if wait := a.signIns.full(from); wait > 0 {
		return nil, &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: seconds(wait)}
	}
	id, token, err := a.Auth.Bearer(r)
	if err != nil {
		a.signIns.add(from)
		return nil, err
	}
	return context.WithValue(context.WithValue(r.Context(), identityKey{}, id), tokenKey{}, token), nil
}

// admitChange counts an unsafe request and checks its body.
func (a *API) admitChange(w http.ResponseWriter, r *http.Request, need right, body *huma.Schema) error {
	if need != anyone {
		if wait := a.unsafe.take(caller(r.Context()).Subject); wait > 0 {
			return &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: seconds(wait)}
		}
	}
	return a.checkBody(w, r, body)
}

func changes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

func unwrap(ctx huma.Context) (*http.Request, http.ResponseWriter) { return humago.Unwrap(ctx) }

func socketAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// addressKey is the address to count by: one customer has a whole IPv6 /64.
func addressKey(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return addr
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	net64, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return addr
	}
	return net64.String()
}
