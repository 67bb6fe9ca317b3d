package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"parley/shared/rest"
)

// RevocationLife is how long a user's revocation matters: the longest-lived
// token issued before it is refused for its age by then.
const RevocationLife = MaxLife + Leeway

// storeTimeout bounds what signing out waits for the disk. It is what any
// durable answer may take at most.
const storeTimeout = 2 * time.Second

// SignInStore keeps revocations and sign-ins beyond this life of the server. What it
// was given is durable when it returns. *store.Store is one.
type SignInStore interface {
	// RevokeToken keeps the token's Identity.ID until then.
	RevokeToken(ctx context.Context, id string, until time.Time) error
	// PutSignIn keeps what only the cookie of that hash opens.
	PutSignIn(ctx context.Context, hash, userKey, sealed string, expires time.Time) error
	DeleteSignIn(ctx context.Context, hash string) error
	// SignIns calls yield with all of them, those that expire first before others.
	SignIns(ctx context.Context, yield func(hash, userKey, sealed string, expires time.Time)) error
}

// revocations are asked on every request, so they are in memory. What is in
// there is bounded by the tokens an issuer mints and the users admins revoke
// within RevocationLife, or block: only valid tokens can be signed out.
type revocations struct {
	store   SignInStore
	userKey func(string) string
	now     func() time.Time

	mu      sync.RWMutex
	changes int                      // of what is below, by this server
	users   map[accountKey]time.Time // tokens issued before it are refused
	blocked map[accountKey]bool      // all tokens are
	tokens  map[string]time.Time     // by Identity.ID: until it would be refused anyway
}

// accountKey is a user key within an organization; "" is all of them.
type accountKey struct{ org, userKey string }

func (a *Auth) setSignInStore(c Config) error {
	a.revoked = &revocations{
		store: c.SignInStore, userKey: c.UserKey, now: a.now,
		users: make(map[accountKey]time.Time), blocked: make(map[accountKey]bool), tokens: make(map[string]time.Time),
	}
	if a.revoked.userKey == nil {
		a.revoked.userKey = func(sub string) string { return sub }
	}
	a.signIns = newSignIns(c.SignInStore, a.revoked.userKey, a.now)
	a.signIns.shared, a.signIns.lookups = c.SharedSignIns, newLookups()
	if c.SignInStore == nil {
		return nil
	}
	if c.UserKey == nil || c.RevokedTokens == nil {
		return errors.New("a store of revocations needs user keys and what it holds")
	}
	for _, v := range c.Revocations {
		a.PutRevocation(v)
	}
	maps.Copy(a.revoked.tokens, c.RevokedTokens)
	return a.signIns.load()
}

// SignOut takes the cookie of r back and refuses the token of id, which r came
// with, from now on, after a restart too. On an error it is refused in this life
// of the server only.
func (a *Auth) SignOut(w http.ResponseWriter, r *http.Request, id Identity) error {
	a.clearCookie(w, r)
	a.Revoke(id.ID, id.ExpiresAt)
	if a.revoked.store == nil {
		return nil
	}
	// Who signs out and closes the page has signed out.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), storeTimeout)
	defer cancel()
	err := a.revoked.store.RevokeToken(ctx, id.ID, id.ExpiresAt.Add(Leeway))
	for _, c := range r.CookiesNamed(a.cookieName(r)) {
		err = errors.Join(err, a.signIns.remove(ctx, c.Value))
	}
	if err != nil {
		return fmt.Errorf("signing out: %w", err)
	}
	return nil
}

// Revoke refuses the token with this Identity.ID until exp, when it is refused
// anyway, in memory; SignOut makes it last.
func (a *Auth) Revoke(id string, exp time.Time) {
	v := a.revoked
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sweepLocked()
	v.changes++
	v.tokens[id] = exp.Add(Leeway)
}

// PutRevocation refuses a person's tokens issued before a moment or, where it
// blocks, all of them, in memory: who calls it has written the revocation,
// together with the audit of it. With an organization it holds for that
// organization's tokens alone, and never for those of Config.Admins: who
// administers one changes nothing outside it. Tokens count in seconds, so one
// issued in the very second of the moment is refused as well. An earlier moment
// never takes a later one back.
func (a *Auth) PutRevocation(of rest.Revocation) {
	v, key := a.revoked, accountKey{of.Org, of.UserKey}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sweepLocked()
	v.changes++
	switch {
	case of.Block:
		v.blocked[key] = true
	case of.Since.After(v.users[key]):
		v.users[key] = of.Since
	}
}

// DeleteRevocation takes one back, in memory: its tokens are good again.
func (a *Auth) DeleteRevocation(of rest.Revocation) {
	v, key := a.revoked, accountKey{of.Org, of.UserKey}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.changes++
	if of.Block {
		delete(v.blocked, key)
		return
	}
	delete(v.users, key)
}

// isRevoked reports whether a token that is otherwise good was revoked. What an
// organization revoked doesn't hold for who is exempt from it.
func (v *revocations) isRevoked(id Identity, exempt bool) bool {
	v.mu.RLock()
	_, signedOut := v.tokens[id.ID]
	if session, ok := providerSession(id.ID); ok && !signedOut {
		_, signedOut = v.tokens[session]
	}
	none := len(v.users) == 0 && len(v.blocked) == 0
	v.mu.RUnlock()
	if signedOut || none {
		return signedOut
	}
	key := v.userKey(id.Subject)
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.isRefusedLocked(accountKey{"", key}, id.IssuedAt) ||
		id.Org != "" && !exempt && v.isRefusedLocked(accountKey{id.Org, key}, id.IssuedAt)
}

// isRefusedLocked reports whether tokens issued at a time are refused. mu must be
// held.
func (v *revocations) isRefusedLocked(of accountKey, issuedAt time.Time) bool {
	before, ok := v.users[of]
	return v.blocked[of] || ok && issuedAt.Before(before)
}

// sweepLocked forgets what is refused without it. mu must be held.
func (v *revocations) sweepLocked() {
	now := v.now()
	isSpent := func(before time.Time) bool { return now.After(before.Add(RevocationLife)) }
	maps.DeleteFunc(v.tokens, func(_ string, until time.Time) bool { return now.After(until) })
	maps.DeleteFunc(v.users, func(_ accountKey, before time.Time) bool { return isSpent(before) })
}
