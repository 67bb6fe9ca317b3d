package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"
)

// RevocationLife is how long a user's revocation matters: the longest-lived
// token issued before it is refused for its age by then.
const RevocationLife = MaxLife + Leeway

// ledgerTimeout bounds what signing out waits for the disk. It is what any
// durable answer may take at most.
const ledgerTimeout = 2 * time.Second

// Ledger keeps revocations and sign-ins beyond this life of the server. What it
// was given is durable when it returns. *store.Store is one.
type Ledger interface {
	// RevokeToken keeps the token's Identity.ID until then.
	RevokeToken(ctx context.Context, id string, until time.Time) error
	// PutSignIn keeps what only the cookie of that hash opens.
	PutSignIn(ctx context.Context, hash, userKey, sealed string, expires time.Time) error
	DeleteSignIn(ctx context.Context, hash string) error
	// SignIns calls yield with all of them, those that expire first before others.
	SignIns(ctx context.Context, yield func(hash, userKey, sealed string, expires time.Time)) error
}

// Revoked is what a ledger holds.
type Revoked struct {
	Users    map[string]time.Time    // by user key: tokens issued before are refused; kept for RevocationLife
	OrgUsers map[[2]string]time.Time // the same by organization and user key, for that organization's tokens alone
	Tokens   map[string]time.Time    // by Identity.ID: until
}

// revocations are asked on every request, so they are in memory. What is in
// there is bounded by the tokens an issuer mints and the users admins revoke
// within RevocationLife: only valid tokens can be signed out.
type revocations struct {
	ledger  Ledger
	userKey func(string) string
	now     func() time.Time

	mu       sync.RWMutex
	users    map[string]time.Time    // by user key: tokens issued before it are refused
	orgUsers map[[2]string]time.Time // the same by organization and user key
	tokens   map[string]time.Time    // by Identity.ID: until it would be refused anyway
}

func (a *Auth) takeLedger(c Config) error {
	a.revoked = &revocations{
		ledger: c.Ledger, userKey: c.UserKey, now: a.now,
		users: make(map[string]time.Time), orgUsers: make(map[[2]string]time.Time), tokens: make(map[string]time.Time),
	}
	if a.revoked.userKey == nil {
		a.revoked.userKey = func(sub string) string { return sub }
	}
	a.signIns = newSignIns(c.Ledger, a.revoked.userKey, a.now)
	if c.Ledger == nil {
		return nil
	}
	if c.UserKey == nil || c.Revoked.Users == nil || c.Revoked.OrgUsers == nil || c.Revoked.Tokens == nil {
		return errors.New("a ledger of revocations needs user keys and what it holds")
	}
	maps.Copy(a.revoked.users, c.Revoked.Users)
	maps.Copy(a.revoked.orgUsers, c.Revoked.OrgUsers)
	maps.Copy(a.revoked.tokens, c.Revoked.Tokens)
	return a.signIns.load()
}

// SignOut takes the cookie of r back and refuses the token of id, which r came
// with, from now on, after a restart too. On an error it is refused in this life
// of the server only.
func (a *Auth) SignOut(w http.ResponseWriter, r *http.Request, id Identity) error {
	a.clearCookie(w, r)
	a.Revoke(id.ID, id.ExpiresAt)
	if a.revoked.ledger == nil {
		return nil
	}
	// Who signs out and closes the page has signed out.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), ledgerTimeout)
	defer cancel()
	err := a.revoked.ledger.RevokeToken(ctx, id.ID, id.ExpiresAt.Add(Leeway))
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
	v.tokens[id] = exp.Add(Leeway)
}

// RevokeUser refuses the user's tokens issued before a moment, in memory: who
// calls it has written the revocation, together with the audit of it. With an
// organization it holds for that organization's tokens alone, and never for
// those of Config.Admins: who administers one changes nothing outside it. Tokens
// count in seconds, so one issued in the very second of the moment is refused
// as well. An earlier moment never takes a later one back.
func (a *Auth) RevokeUser(org, sub string, before time.Time) {
	v := a.revoked
	key := v.userKey(sub)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sweepLocked()
	if org == "" && before.After(v.users[key]) {
		v.users[key] = before
	}
	if within := [2]string{org, key}; org != "" && before.After(v.orgUsers[within]) {
		v.orgUsers[within] = before
	}
}

// has reports whether a token that is otherwise good was revoked. What an
// organization revoked doesn't hold for who is exempt from it.
func (v *revocations) has(id Identity, exempt bool) bool {
	v.mu.RLock()
	_, signedOut := v.tokens[id.ID]
	none := len(v.users) == 0 && len(v.orgUsers) == 0
	v.mu.RUnlock()
	if signedOut || none {
		return signedOut
	}
	key := v.userKey(id.Subject)
	v.mu.RLock()
	defer v.mu.RUnlock()
	if before, ok := v.users[key]; ok && id.IssuedAt.Before(before) {
		return true
	}
	before, ok := v.orgUsers[[2]string{id.Org, key}]
	return ok && !exempt && id.IssuedAt.Before(before)
}

// sweepLocked forgets what is refused without it. mu must be held.
func (v *revocations) sweepLocked() {
	now := v.now()
	isSpent := func(before time.Time) bool { return now.After(before.Add(RevocationLife)) }
	maps.DeleteFunc(v.tokens, func(_ string, until time.Time) bool { return now.After(until) })
	maps.DeleteFunc(v.users, func(_ string, before time.Time) bool { return isSpent(before) })
	maps.DeleteFunc(v.orgUsers, func(_ [2]string, before time.Time) bool { return isSpent(before) })
}
