package auth

import (
	"net/http"
	"strings"
	"time"
)

// Names of the session cookie. The prefix makes browsers refuse one set without
// Secure, with another path, or by a sibling domain (RFC 6265bis §4.1.3).
const (
	cookieHTTP  = "parley_session"
	cookieHTTPS = "__Host-parley_session"
)

// carried finds the request's token: exactly one bearer or, when there is no
// Authorization at all, exactly one cookie. A URL never carries one.
func (a *Auth) carried(r *http.Request) (token string, byCookie bool, err error) {
	if given := r.Header.Values("Authorization"); len(given) > 0 {
		if len(given) > 1 {
			return "", false, refused("two Authorization headers")
		}
		scheme, token, ok := strings.Cut(given[0], " ")
		if !ok || !strings.EqualFold(scheme, "Bearer") || strings.ContainsAny(token, " \t,") {
			return "", false, refused("not one bearer")
		}
		return token, false, nil
	}
	cookies := r.CookiesNamed(a.cookieName(r))
	if len(cookies) != 1 {
		return "", false, refused("no token, or two cookies")
	}
	return cookies[0].Value, true, nil
}

// SetSession gives the browser the session cookie with token, until exp.
func (a *Auth) SetSession(w http.ResponseWriter, r *http.Request, token string, exp time.Time) {
	c := a.cookie(r)
	c.Value, c.MaxAge = token, max(1, int(exp.Sub(a.now())/time.Second))
	http.SetCookie(w, c)
}

// ClearSession takes the session cookie back.
func (a *Auth) ClearSession(w http.ResponseWriter, r *http.Request) {
	c := a.cookie(r)
	c.MaxAge = -1
	http.SetCookie(w, c)
}

func (a *Auth) cookie(r *http.Request) *http.Cookie {
	return &http.Cookie{
		Name: a.cookieName(r), Path: "/", HttpOnly: true,
		Secure: a.Secure(r), SameSite: http.SameSiteStrictMode,
	}
}

func (a *Auth) cookieName(r *http.Request) string {
	if a.Secure(r) {
		return cookieHTTPS
	}
	return cookieHTTP
}
