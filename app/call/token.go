package call

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"parley/shared/rest"
)

// tokenFrom reads the token of a sign-in link from its fragment, which no
// server ever sees.
func tokenFrom(fragment string) string {
	token, found := strings.CutPrefix(strings.TrimPrefix(fragment, "#"), "token=")
	if !found {
		return ""
	}
	return strings.TrimSpace(token)
}

// tokenExpired reports whether a token says of itself that it is over. It
// checks nothing: the server answers every refusal alike, and this only finds
// the kinder words for one of them.
func tokenExpired(token string, now time.Time) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return false
	}
	var claims struct {
		Expires float64 `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Expires <= 0 {
		return false
	}
	return now.After(time.Unix(int64(claims.Expires), 0))
}

// nextPath is where to go after signing in: a local path, or "" for anything
// that could lead elsewhere or back here.
func nextPath(next string) string {
	next = rest.LocalPath(next)
	if path, _, _ := strings.Cut(next, "?"); path == "/sign-in" || path == "/" {
		return ""
	}
	return next
}

// Home is the first page for somebody's rights.
func Home(r rest.Rights) string {
	if r.Admin {
		return "/admin"
	}
	return "/call"
}
