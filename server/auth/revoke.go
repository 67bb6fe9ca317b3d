package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"
)

// RevocationLife is how long a user's revocation matters: the longest-lived
// token issued before it is refused for its age by then.
const RevocationLife = MaxLife + Leeway

// ledgerTimeout bounds what signing out waits for the disk. It is what any
// durable answer may take at most.
const ledgerTimeout = 2 * time.Second

// Ledger keeps revocations beyond this life of the server. *store.Store is one.
type Ledger interface {
	// RevokeToken keeps the token's Identity.ID until then. It is durable when it
	// returns.
	RevokeToken(ctx context.Context, id string, until time.Time) error
}

// Revoked is what a ledger holds.
type Revoked struct {
	Users  map[string]time.Time // by user key: tokens issued before are refused; kept for RevocationLife
	Tokens map[string]time.Time // by Identity.ID: until
}

// revocations are asked on every request, so they are in memory. What is in
// there is bounded by the tokens an issuer mints and the users admins revoke
// within RevocationLife: only valid tokens can be signed out.
type revocations struct {
	ledger  Ledger
	userKey func(string) string
	now     func() time.Time

	mu     sync.RWMutex
	users  map[string]time.Time // by user key: tokens issued before it are refused
	tokens map[string]time.Time // by Identity.ID: until it would be refused anyway
}

func (a *Auth) takeLedger(c Config) error {
	a.revoked = &revocations{
		ledger: c.Ledger, userKey: c.UserKey, now: a.now,
		users: make(map[string]time.Time), tokens: make(map[string]time.Time),
	}
	if a.revoked.userKey == nil {
		a.revoked.userKey = func(sub string) string { return sub }
	}
	if c.Ledger == nil {
		return nil
	}
	if c.UserKey == nil || c.Revoked.Users == nil || c.Revoked.Tokens == nil {
		return errors.New("a ledger of revocations needs user keys and what it holds")
	}
	maps.Copy(a.revoked.users, c.Revoked.Users)
	maps.Copy(a.revoked.tokens, c.Revoked.Tokens)
	return nil
}

// SignOut refuses the token of id from now on, after a restart too. On an error
// it is refused in this life of the server only.
func (a *Auth) SignOut(ctx context.Context, id Identity) error {
	a.Revoke(id.ID, id.ExpiresAt)
	if a.revoked.ledger == nil {
		return nil
	}
	// Who signs out and closes the page has signed out.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerTimeout)
	defer cancel()
	if err := a.revoked.ledger.RevokeToken(ctx, id.ID, id.ExpiresAt.Add(Leeway)); err != nil {
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
	v.sweep()
	v.tokens[id] = exp.Add(Leeway)
}

// RevokeUser refuses the user's tokens issued before a moment, in memory: who
// calls it has written the revocation, together with the audit of it. Tokens
// count in seconds, so one issued in the very second of the moment is refused
// as well. An earlier moment never takes a later one back.
func (a *Auth) RevokeUser(sub string, before time.Time) {
	v := a.revoked
	key := v.userKey(sub)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sweep()
	if before.After(v.users[key]) {
		v.users[key] = before
	}
}

// has tells whether a token that is otherwise good was revoked.
func (v *revocations) has(id Identity) bool {
	v.mu.RLock()
	_, signedOut := v.tokens[id.ID]
	none := len(v.users) == 0
	v.mu.RUnlock()
	if signedOut || none {
		return signedOut
	}
	key := v.userKey(id.Subject)
	v.mu.RLock()
	defer v.mu.RUnlock()
	before, ok := v.users[key]
	return ok && id.IssuedAt.Before(before)
}

// sweep forgets what is refused without it. The caller holds the lock.
func (v *revocations) sweep() {
	now := v.now()
	maps.DeleteFunc(v.tokens, func(_ string, until time.Time) bool { return now.After(until) })
	maps.DeleteFunc(v.users, func(_ string, before time.Time) bool { return now.After(before.Add(RevocationLife)) })
}
