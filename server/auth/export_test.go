package auth

import (
	"time"

	"parley/shared/rest"
)

// RevokeUser refuses a subject's tokens issued before a moment.
func (a *Auth) RevokeUser(org, sub string, before time.Time) {
	a.PutRevocation(rest.Revocation{Org: org, UserKey: a.revoked.userKey(sub), Since: before})
}

// ParseKeySet tells the algorithms of the keys that would be taken, by kid, one
// for each key.
func ParseKeySet(raw []byte) (map[string][]string, error) {
	keys, err := parseKeySet(raw)
	algs := make(map[string][]string, len(keys))
	for name, list := range keys {
		for range list {
			algs[name.kid] = append(algs[name.kid], name.alg)
		}
	}
	return algs, err
}

// Unsigned is an identity without the secret that its token was signed with.
func Unsigned(id Identity) Identity {
	id.secretID = ""
	return id
}
