package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// provider is an OpenID Connect provider that misbehaves as a test wants it. Its login
// page is the test itself: authorize gives what the browser would come back with.
type provider struct {
	*httptest.Server
	t   *testing.T
	key *rsa.PrivateKey

	// idToken changes the claims of an ID token before it is signed.
	idToken func(jwt.MapClaims)
	// sign makes the token; default: RS256 with key.
	sign func(jwt.MapClaims) string
	// userinfo is answered there.
	userinfo map[string]any
	// endSession is its end_session_endpoint.
	endSession string
	status     int // of the token endpoint, if not 200

	codes map[string]url.Values // what was asked of authorize, by the code
}

func newProvider(t *testing.T) *provider {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{t: t, key: key, codes: map[string]url.Values{}, idToken: func(jwt.MapClaims) {}}
	p.sign = func(c jwt.MapClaims) string { return p.signWith(jwt.SigningMethodRS256, key, c) }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.answer(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
			"jwks_uri": p.URL + "/keys", "userinfo_endpoint": p.URL + "/userinfo",
			"id_token_signing_alg_values_supported": []string{"RS256", "HS256"}, "end_session_endpoint": p.endSession,
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		b64 := base64.RawURLEncoding.EncodeToString
		p.answer(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k",
			"n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, _ *http.Request) { p.answer(w, p.userinfo) })
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		p.t.Error(err)
	}
}

func (p *provider) signWith(method jwt.SigningMethod, key any, c jwt.MapClaims) string {
	token := jwt.NewWithClaims(method, c)
	token.Header["kid"] = "k"
	signed, err := token.SignedString(key)
	if err != nil {
		p.t.Error(err)
	}
	return signed
}

// authorize is the login page: it holds the request to what it has to be, and gives the
// answer that the browser carries back.
func (p *provider) authorize(address string) url.Values {
	p.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		p.t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "parley", "redirect_uri": redirect, "code_challenge_method": "S256", "scope": "openid email",
	} {
		if got := q.Get(name); got != want {
			p.t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(q.Get("state")) < 20 || len(q.Get("nonce")) < 20 || q.Get("state") == q.Get("nonce") {
		p.t.Errorf("state %q and nonce %q", q.Get("state"), q.Get("nonce"))
	}
	code := rand.Text()
	p.codes[code] = q
	return url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.URL}}
}

// token takes a code once, from who shows the secret and the verifier of its challenge.
func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	asked, known := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	user, secret, _ := r.BasicAuth()
	switch {
	case p.status != 0:
		w.WriteHeader(p.status)
		return
	case !known || user != "parley" || secret != "s3cret" || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge"):
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	now := time.Now()
	claims := jwt.MapClaims{
		"iss": p.URL, "aud": "parley", "sub": "ada", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "nonce": asked.Get("nonce"),
		"name": "Ada Kern", "email": "ada@example.org", "email_verified": true, "groups": []string{"staff", "ops"}, "sid": "s1",
	}
	p.idToken(claims)
	p.answer(w, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": p.sign(claims)})
}

// logoutToken is what the back channel carries.
func (p *provider) logoutToken(change func(jwt.MapClaims)) string {
	now := time.Now()
	claims := jwt.MapClaims{
		"iss": p.URL, "aud": "parley", "sub": "ada", "sid": "s1", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": rand.Text(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	change(claims)
	return p.sign(claims)
}
