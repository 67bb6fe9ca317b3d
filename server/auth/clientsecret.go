package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Limits of client secrets.
const (
	// MaxClientSecretLife is how long one may wait for its call: time for a page to
	// load and a person to click.
	MaxClientSecretLife = 10 * time.Minute
	// MinClientSecretLife is the shortest that is given: what clients of OpenAI's may
	// ask for.
	MinClientSecretLife = 10 * time.Second
	// MaxClientSecrets may be unused at once, of all users.
	MaxClientSecrets = 10_000
	// MaxUserClientSecrets may be unused at once of one user, so that one backend
	// that asks and never calls doesn't take all.
	MaxUserClientSecrets = 200
)

// ClientSecretPrefix begins every client secret: OpenAI's clients look for it.
const ClientSecretPrefix = "ek_"

// ErrTooManyClientSecrets says that as many are unused as may be.
var ErrTooManyClientSecrets = errors.New("too many client secrets are unused")

// clientSecrets start one call each. They are in memory: none outlives its server.
type clientSecrets struct {
	now func() time.Time

	mu      sync.Mutex
	unused  map[secretHash]ClientSecret
	of      map[string]int // unused ones, by Identity.Account
	sweptAt time.Time
}

// secretHash is what is kept of a client secret. The secret is random, so the hash
// needs no salt.
type secretHash [sha256.Size]byte

// ClientSecret is the right to start one call, in place of the token that it was
// given for.
type ClientSecret struct {
	Identity
	Agent   string // that it is for; "": any
	Expires time.Time
	hash    secretHash
}

func newClientSecrets(now func() time.Time) *clientSecrets {
	return &clientSecrets{now: now, unused: make(map[secretHash]ClientSecret), of: make(map[string]int)}
}

// IssueClientSecret gives a secret for one call to an agent, in place of the token
// that id came with, for that long or as long as the token is good.
func (a *Auth) IssueClientSecret(id Identity, agent string, life time.Duration) (value string, expires time.Time, err error) {
	c := a.clientSecrets
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	isFull := func() bool {
		return len(c.unused) >= MaxClientSecrets || c.of[id.Account()] >= MaxUserClientSecrets
	}
	if isFull() || now.Sub(c.sweptAt) >= sweepEach {
		c.sweepLocked(now)
	}
	if isFull() {
		return "", time.Time{}, ErrTooManyClientSecrets
	}
	expires = now.Add(min(max(life, MinClientSecretLife), MaxClientSecretLife))
	if id.ExpiresAt.Before(expires) {
		expires = id.ExpiresAt
	}
	value = ClientSecretPrefix + strings.ToLower(rand.Text())
	hash := secretHash(sha256.Sum256([]byte(value)))
	c.unused[hash] = ClientSecret{Identity: id, Agent: agent, Expires: expires, hash: hash}
	c.of[id.Account()]++
	return value, expires, nil
}

// FindClientSecret returns the client secret that a request shows as its bearer, and
// whether it shows one at all. It is not spent yet: who is refused a place may try
// again. It is worth what its token is worth by now.
func (a *Auth) FindClientSecret(r *http.Request) (found ClientSecret, isOne bool, err error) {
	value, byCookie, err := a.credentialOf(r)
	if err != nil || byCookie || !strings.HasPrefix(value, ClientSecretPrefix) {
		return ClientSecret{}, false, nil
	}
	found, err = a.clientSecret(secretHash(sha256.Sum256([]byte(value))), false)
	if err != nil {
		a.LogRefusal(r.Context(), a.Remote(r), "client_secret", reasonOf(err))
	}
	return found, true, err
}

// SpendClientSecret spends what FindClientSecret found. Of several who try at once,
// one does.
func (a *Auth) SpendClientSecret(s ClientSecret) error {
	_, err := a.clientSecret(s.hash, true)
	return err
}

// clientSecret looks one up, and spends it if that is asked for.
func (a *Auth) clientSecret(hash secretHash, spend bool) (found ClientSecret, err error) {
	c := a.clientSecrets
	c.mu.Lock()
	found, ok := c.unused[hash]
	if spend {
		c.dropLocked(hash)
	}
	c.mu.Unlock()
	if !ok || !c.now().Before(found.Expires) {
		return ClientSecret{}, newRefusal("unknown_client_secret")
	}
	found.Identity, err = a.recheckIdentity(found.Identity)
	return found, err
}

// dropLocked takes one out. mu must be held.
func (c *clientSecrets) dropLocked(hash secretHash) {
	s, ok := c.unused[hash]
	if !ok {
		return
	}
	delete(c.unused, hash)
	if c.of[s.Account()]--; c.of[s.Account()] <= 0 {
		delete(c.of, s.Account())
	}
}

// sweepLocked takes out those that expired. mu must be held.
func (c *clientSecrets) sweepLocked(now time.Time) {
	c.sweptAt = now
	for hash, s := range c.unused {
		if !now.Before(s.Expires) {
			c.dropLocked(hash)
		}
	}
}
