package rest

import "strings"

// LocalPath is where to go after signing in: a path of this server's pages, or "" for
// anything that could lead elsewhere.
func LocalPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.HasPrefix(next, "/api/") || strings.ContainsAny(next, "\\\t\r\n") {
		return ""
	}
	return next
}

// Why somebody comes back from the identity provider without being signed in: the
// sign-in page finds it in its address, as ?problem=.
const (
	SignInCanceled  = "provider_canceled"  // they, or the provider, said no
	SignInDown      = "provider_down"      // the provider doesn't answer
	SignInForbidden = "provider_forbidden" // in none of the groups that may use this server, or revoked
	SignInExpired   = "provider_expired"   // it took too long, or began in another browser
	SignInUntrusted = "provider_untrusted" // what the provider answered can't be trusted
)
