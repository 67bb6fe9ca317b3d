package auth

import (
	"net/http"
	"strings"
	"time"
)

// Names of the session cookie. The prefix makes browsers refuse one set without
// Secure, with another path, or by a sibling domain (RFC 6265bis §4.1.3).
const (
	CookieHTTP  = "parley_session"
	CookieHTTPS = "__Host-parley_session"
)

// credentialOf finds what the request shows: exactly one bearer token or, when there
// is no Authorization at all, the session id of exactly one cookie. A URL never
// carries either.
func (a *Auth) credentialOf(r *http.Request) (value string, byCookie bool, err error) {
	if given := r.Header.Values("Authorization"); len(given) > 0 {
		if len(given) > 1 {
			return "", false, newRefusal("two_tokens")
		}
		scheme, token, ok := strings.Cut(given[0], " ")
		if !ok || !strings.EqualFold(scheme, "Bearer") || strings.ContainsAny(token, " \t,") {
			return "", false, newRefusal("not_bearer")
		}
		return token, false, nil
	}
	cookies := r.CookiesNamed(a.cookieName(r))
	switch len(cookies) {
	case 0:
		return "", false, newRefusal(reasonNoToken)
	case 1:
		return cookies[0].Value, true, nil
	}
	return "", false, newRefusal("two_cookies")
}

func (a *Auth) setCookie(w http.ResponseWriter, r *http.Request, value string, exp time.Time) {
	c := a.cookie(r)
	c.Value, c.MaxAge = value, max(1, int(exp.Sub(a.now())/time.Second))
	http.SetCookie(w, c)
}

func (a *Auth) clearCookie(w http.ResponseWriter, r *http.Request) {
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
		return CookieHTTPS
	}
	return CookieHTTP
}
