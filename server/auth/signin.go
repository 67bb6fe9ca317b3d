package auth

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// MaxSignIns bounds the browsers that one user is signed in with at a time: a
// script that signs in for each of its requests must not fill the store. The
// oldest is signed out.
const MaxSignIns = 20

// sessionIDBytes of a cookie are random: 256 bits.
const sessionIDBytes = 32

// StartSession gives the browser a cookie that stands for id until its token
// expires. The cookie is a random session id; what the token said is kept sealed
// with that id, under its hash: whoever reads the store learns nothing of the
// user and can't make the cookie. It is durable when StartSession returns.
func (a *Auth) StartSession(w http.ResponseWriter, r *http.Request, id Identity) error {
	raw := make([]byte, sessionIDBytes)
	rand.Read(raw) // never fails: crypto/rand ends the program instead
	sealed, err := a.sealIdentity(raw, id)
	if err == nil {
		err = a.signIns.add(r.Context(), hashSessionID(raw), id, sealed)
	}
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	a.setCookie(w, r, base64.RawURLEncoding.EncodeToString(raw), id.ExpiresAt)
	return nil
}

// authenticateSession gives who signed in with the cookie. A cookie that holds anything
// but a session id, such as a token, is refused.
func (a *Auth) authenticateSession(value string) (Identity, error) {
	raw, ok := parseSessionID(value)
	if !ok {
		return Identity{}, newRefusal("not_a_session_id")
	}
	sealed, ok := a.signIns.find(hashSessionID(raw))
	if !ok {
		return Identity{}, newRefusal("unknown_session")
	}
	id, err := a.unsealIdentity(raw, sealed)
	if err != nil {
		return Identity{}, newRefusal("other_configuration")
	}
	id.ByCookie = true
	return a.recheckIdentity(id)
}

// recheckIdentity checks what can change about a token after it was verified.
func (a *Auth) recheckIdentity(id Identity) (Identity, error) {
	id.ServerAdmin = a.isServerAdmin(id)
	switch {
	case !a.now().Before(id.ExpiresAt.Add(Leeway)):
		return Identity{}, newRefusal("expired")
	case a.revoked.isRevoked(id, id.ServerAdmin):
		return Identity{}, newRefusal("revoked")
	}
	a.knownSubjects.add(id)
	return id, nil
}

func parseSessionID(value string) (raw []byte, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(value)
	return raw, err == nil && len(raw) == sessionIDBytes
}

// hashSessionID names a session in the store. The id is random, so the hash needs no
// salt.
func hashSessionID(raw []byte) string {
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// sealIdentity encrypts id with a key of its own session.
func (a *Auth) sealIdentity(raw []byte, id Identity) (string, error) {
	secret, by := []byte(nil), "issuer"
	if id.Local {
		secrets := a.localSecrets()
		i := slices.IndexFunc(secrets, func(s localSecret) bool { return s.id == id.secretID })
		if i < 0 {
			return "", ErrUnauthorized // it was dropped since the token was checked
		}
		secret, by = secrets[i].key, "local"
	}
	aead, err := a.newSealer(raw, secret)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(id)
	if err != nil {
		return "", err
	}
	return by + ":" + base64.RawURLEncoding.EncodeToString(aead.Seal(nil, nil, text, nil)), nil
}

// unsealIdentity tries each secret that the token may have been signed with.
func (a *Auth) unsealIdentity(raw []byte, sealed string) (id Identity, err error) {
	by, text, _ := strings.Cut(sealed, ":")
	box, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return id, err
	}
	secrets := []localSecret{{}}
	if by == "local" {
		secrets = a.localSecrets()
	}
	err = errors.New("sealed with another secret")
	for _, secret := range secrets {
		var opened []byte
		if opened, err = a.openBox(raw, secret.key, box); err == nil {
			err = json.Unmarshal(opened, &id)
			id.secretID = secret.id
			return id, err
		}
	}
	return id, err
}

func (a *Auth) openBox(raw, secret, box []byte) ([]byte, error) {
	aead, err := a.newSealer(raw, secret)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, nil, box, nil)
}

// newSealer encrypts with a key made of the session id and of what made its token
// good: with another mode, issuer, audience or secret, the server would refuse
// the token, and so it opens no session of it. An issuer's token has no secret.
func (a *Auth) newSealer(raw, secret []byte) (cipher.AEAD, error) {
	realm := fmt.Sprintf("parley sign-in %q %q %q", a.mode, a.issuer, a.aud)
	key, err := hkdf.Key(sha256.New, slices.Concat(raw, secret), nil, realm, sha256.Size)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// signIn is one browser that is signed in.
type signIn struct {
	userKey   string // user key
	sealed    string
	expiresAt time.Time
}

// signIns are asked on every request, so they are in memory, and as unreadable
// there as in the store. There are MaxSignIns a user at most, none older than a
// token gets.
type signIns struct {
	store   SignInStore   // nil: memory only
	shared  SharedSignIns // nil: no other server signs in
	lookups *rate.Limiter // in shared
	userKey func(string) string
	now     func() time.Time

	mu     sync.RWMutex
	byHash map[string]signIn
	byUser map[string][]string // hashes, the oldest first
	swept  time.Time
}

func newSignIns(l SignInStore, userKey func(string) string, now func() time.Time) *signIns {
	return &signIns{store: l, userKey: userKey, now: now, byHash: make(map[string]signIn), byUser: make(map[string][]string)}
}

// load reads what the life before left.
func (s *signIns) load() error {
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store.SignIns(ctx, func(hash, userKey, sealed string, expires time.Time) {
		s.putLocked(hash, signIn{userKey, sealed, expires})
	})
}

// loadTimeout bounds reading them at the start: 100,000 take less than a second.
const loadTimeout = 30 * time.Second

// add keeps a sign-in, and signs out the user's oldest if there are too many.
func (s *signIns) add(ctx context.Context, hash string, id Identity, sealed string) error {
	in := signIn{s.userKey(id.Org + "\x00" + id.Subject), sealed, id.ExpiresAt.Add(Leeway)}
	if s.store != nil {
		ctx, cancel := context.WithTimeout(ctx, storeTimeout)
		defer cancel()
		if err := s.store.PutSignIn(ctx, hash, in.userKey, sealed, in.expiresAt); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.putLocked(hash, in)
	s.sweepLocked()
	var oldest string
	if mine := s.byUser[in.userKey]; len(mine) > MaxSignIns {
		oldest = mine[0]
	}
	s.mu.Unlock()
	return s.deleteByHash(ctx, oldest)
}

func (s *signIns) find(hash string) (sealed string, ok bool) {
	s.mu.RLock()
	in, ok := s.byHash[hash]
	s.mu.RUnlock()
	if !ok {
		return s.findShared(hash)
	}
	return in.sealed, true
}

// remove forgets the sign-in of a cookie, if it is one.
func (s *signIns) remove(ctx context.Context, value string) error {
	raw, ok := parseSessionID(value)
	if !ok {
		return nil
	}
	return s.deleteByHash(ctx, hashSessionID(raw))
}

func (s *signIns) deleteByHash(ctx context.Context, hash string) error {
	s.mu.Lock()
	_, ok := s.byHash[hash]
	s.dropLocked(hash)
	s.mu.Unlock()
	if !ok || s.store == nil {
		return nil
	}
	return s.store.DeleteSignIn(ctx, hash)
}

// putLocked adds one. mu must be held.
func (s *signIns) putLocked(hash string, in signIn) {
	s.byHash[hash] = in
	s.byUser[in.userKey] = append(s.byUser[in.userKey], hash)
}

// dropLocked takes one out. mu must be held.
func (s *signIns) dropLocked(hash string) {
	owner := s.byHash[hash].userKey
	delete(s.byHash, hash)
	mine := slices.DeleteFunc(s.byUser[owner], func(h string) bool { return h == hash })
	if s.byUser[owner] = mine; len(mine) == 0 {
		delete(s.byUser, owner)
	}
}

// signInSweep is how often those that expired are taken out of memory.
const signInSweep = time.Minute

// sweepLocked takes out those that expired; the store does so by itself. mu must
// be held.
func (s *signIns) sweepLocked() {
	now := s.now()
	if now.Sub(s.swept) < signInSweep {
		return
	}
	s.swept = now
	for hash, in := range s.byHash {
		if now.After(in.expiresAt) {
			s.dropLocked(hash)
		}
	}
}
