package main

import (
	"net/http"

	"parley/server/auth"
)

// forbidsAdmin tells of requests by somebody who is signed in and may see no
// admin page: the answer of the API, by the same rules.
func forbidsAdmin(a *auth.Auth) func(*http.Request) bool {
	return func(r *http.Request) bool {
		who, err := a.Authenticate(r)
		if err != nil {
			return false
		}
		_, isAdmin := a.Scope(who)
		return !isAdmin || !a.AdminAllowed(r)
	}
}
