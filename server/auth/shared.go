package auth

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"parley/shared/rest"
)

// Where several servers share a record, what one of them revokes or signs in the others
// have from there.

// Revoked is what another server revoked since the last look.
type Revoked struct {
	People []rest.Revocation
	Tokens []string // by Identity.ID
}

// RevocationReader reads all that is revoked from the record.
type RevocationReader interface {
	RevocationsInForce(ctx context.Context) ([]rest.Revocation, error)
	RevokedTokens(ctx context.Context) (map[string]time.Time, error)
}

// maxRereads bounds how often the record is read again because something was revoked here
// while it was read. Then the next look has it.
const maxRereads = 3

// RefreshRevocations takes up what the record holds now, and returns what is new in it.
// What was taken back there is good again here.
func (a *Auth) RefreshRevocations(ctx context.Context, from RevocationReader) (fresh Revoked, err error) {
	for range maxRereads {
		changes := a.revoked.changeCount()
		people, err := from.RevocationsInForce(ctx)
		if err != nil {
			return fresh, err
		}
		tokens, err := from.RevokedTokens(ctx)
		if err != nil {
			return fresh, err
		}
		if fresh, ok := a.revoked.replace(changes, people, tokens); ok {
			return fresh, nil
		}
	}
	return fresh, nil
}

// changeCount counts what this server revoked or took back.
func (v *revocations) changeCount() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.changes
}

// replace takes up what was read while the count of changes was so; it does nothing, and
// returns false, if something changed here since.
func (v *revocations) replace(changes int, people []rest.Revocation, tokens map[string]time.Time) (fresh Revoked, ok bool) {
	users, blocked := make(map[accountKey]time.Time), make(map[accountKey]bool)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.changes != changes {
		return fresh, false
	}
	now := v.now()
	for _, of := range people {
		if !of.Block && now.After(of.Since.Add(RevocationLife)) {
			continue // the tokens that it was about have expired
		}
		key := accountKey{of.Org, of.UserKey}
		isNew := of.Block && !v.blocked[key] || !of.Block && of.Since.After(v.users[key])
		if of.Block {
			blocked[key] = true
		} else {
			users[key] = of.Since
			// The record has milliseconds: what is in memory is as late or later.
			if had, was := v.users[key]; was && !isNew {
				users[key] = had
			}
		}
		if isNew {
			fresh.People = append(fresh.People, of)
		}
	}
	for id, until := range tokens {
		if _, known := v.tokens[id]; !known && !now.After(until) {
			fresh.Tokens = append(fresh.Tokens, id)
			v.tokens[id] = until
		}
	}
	v.users, v.blocked = users, blocked
	v.sweepLocked()
	return fresh, true
}

// SharedSignIns finds a sign-in that another server made. ok is false where there is none.
type SharedSignIns interface {
	SignIn(ctx context.Context, hash string) (userKey, sealed string, expires time.Time, ok bool, err error)
}

// Looking up an unknown cookie costs a query: a flood of made-up ones is refused beyond
// this, as if they were unknown.
const (
	lookupsPerSecond = 100
	lookupBurst      = 200
)

func newLookups() *rate.Limiter { return rate.NewLimiter(lookupsPerSecond, lookupBurst) }

// findShared looks for a sign-in in the record, and keeps it.
func (s *signIns) findShared(hash string) (sealed string, ok bool) {
	if s.shared == nil || !s.lookups.Allow() {
		return "", false
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	userKey, sealed, expires, ok, err := s.shared.SignIn(ctx, hash)
	if err != nil || !ok || !s.now().Before(expires) {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.byHash[hash]; !known {
		s.putLocked(hash, signIn{userKey, sealed, expires})
		s.sweepLocked()
	}
	return sealed, true
}
