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
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
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
	sealed, err := a.seal(raw, id)
	if err == nil {
		err = a.signIns.add(r.Context(), hashOf(raw), id, sealed)
	}
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	a.setCookie(w, r, base64.RawURLEncoding.EncodeToString(raw), id.ExpiresAt)
	return nil
}

// bySession gives who signed in with the cookie. A cookie that holds anything
// but a session id, such as a token, is refused.
func (a *Auth) bySession(value string) (Identity, error) {
	raw, ok := sessionID(value)
	if !ok {
		return Identity{}, refused("not_a_session_id")
	}
	sealed, ok := a.signIns.find(hashOf(raw))
	if !ok {
		return Identity{}, refused("unknown_session")
	}
	id, err := a.unseal(raw, sealed)
	if err != nil {
		return Identity{}, refused("other_configuration")
	}
	id.ByCookie = true
	return a.stillGood(id)
}

// stillGood checks what can change about a token after it was verified.
func (a *Auth) stillGood(id Identity) (Identity, error) {
	id.ServerAdmin = a.isServerAdmin(id)
	switch {
	case !a.now().Before(id.ExpiresAt.Add(Leeway)):
		return Identity{}, refused("expired")
	case a.revoked.has(id, id.ServerAdmin):
		return Identity{}, refused("revoked")
	}
	a.met.add(id)
	return id, nil
}

func sessionID(value string) (raw []byte, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(value)
	return raw, err == nil && len(raw) == sessionIDBytes
}

// hashOf names a session in the store. The id is random, so the hash needs no
// salt.
func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// seal encrypts id with a key of its own session.
func (a *Auth) seal(raw []byte, id Identity) (string, error) {
	aead, err := a.sealer(raw, id.Local)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(id)
	if err != nil {
		return "", err
	}
	by := "issuer"
	if id.Local {
		by = "local"
	}
	return by + ":" + base64.RawURLEncoding.EncodeToString(aead.Seal(nil, nil, text, nil)), nil
}

func (a *Auth) unseal(raw []byte, sealed string) (id Identity, err error) {
	by, text, _ := strings.Cut(sealed, ":")
	aead, err := a.sealer(raw, by == "local")
	if err != nil {
		return id, err
	}
	box, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		box, err = aead.Open(nil, nil, box, nil)
	}
	if err == nil {
		err = json.Unmarshal(box, &id)
	}
	return id, err
}

// sealer encrypts with a key made of the session id and of what made its token
// good: with another mode, issuer, audience or secret, the server would refuse
// the token, and so it opens no session of it.
func (a *Auth) sealer(raw []byte, local bool) (cipher.AEAD, error) {
	secret := raw
	if local {
		secret = slices.Concat(raw, a.localSecret())
	}
	realm := fmt.Sprintf("parley sign-in %q %q %q", a.mode, a.issuer, a.aud)
	key, err := hkdf.Key(sha256.New, secret, nil, realm, sha256.Size)
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
	owner  string // user key
	sealed string
	until  time.Time
}

// signIns are asked on every request, so they are in memory, and as unreadable
// there as in the store. There are MaxSignIns a user at most, none older than a
// token gets.
type signIns struct {
	ledger  Ledger // nil: memory only
	userKey func(string) string
	now     func() time.Time

	mu      sync.RWMutex
	byHash  map[string]signIn
	byOwner map[string][]string // hashes, the oldest first
	swept   time.Time
}

func newSignIns(l Ledger, userKey func(string) string, now func() time.Time) *signIns {
	return &signIns{ledger: l, userKey: userKey, now: now, byHash: make(map[string]signIn), byOwner: make(map[string][]string)}
}

// load reads what the life before left.
func (s *signIns) load() error {
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.SignIns(ctx, func(hash, userKey, sealed string, expires time.Time) {
		s.putLocked(hash, signIn{userKey, sealed, expires})
	})
}

// loadTimeout bounds reading them at the start: 100,000 take less than a second.
const loadTimeout = 30 * time.Second

// add keeps a sign-in, and signs out the user's oldest if there are too many.
func (s *signIns) add(ctx context.Context, hash string, id Identity, sealed string) error {
	in := signIn{s.userKey(id.Org + "\x00" + id.Subject), sealed, id.ExpiresAt.Add(Leeway)}
	if s.ledger != nil {
		ctx, cancel := context.WithTimeout(ctx, ledgerTimeout)
		defer cancel()
		if err := s.ledger.PutSignIn(ctx, hash, in.owner, sealed, in.until); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.putLocked(hash, in)
	s.sweepLocked()
	var oldest string
	if mine := s.byOwner[in.owner]; len(mine) > MaxSignIns {
		oldest = mine[0]
	}
	s.mu.Unlock()
	return s.forget(ctx, oldest)
}

func (s *signIns) find(hash string) (sealed string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	in, ok := s.byHash[hash]
	return in.sealed, ok
}

// remove forgets the sign-in of a cookie, if it is one.
func (s *signIns) remove(ctx context.Context, value string) error {
	raw, ok := sessionID(value)
	if !ok {
		return nil
	}
	return s.forget(ctx, hashOf(raw))
}

func (s *signIns) forget(ctx context.Context, hash string) error {
	s.mu.Lock()
	_, ok := s.byHash[hash]
	s.dropLocked(hash)
	s.mu.Unlock()
	if !ok || s.ledger == nil {
		return nil
	}
	return s.ledger.DeleteSignIn(ctx, hash)
}

// putLocked adds one. mu must be held.
func (s *signIns) putLocked(hash string, in signIn) {
	s.byHash[hash] = in
	s.byOwner[in.owner] = append(s.byOwner[in.owner], hash)
}

// dropLocked takes one out. mu must be held.
func (s *signIns) dropLocked(hash string) {
	owner := s.byHash[hash].owner
	delete(s.byHash, hash)
	mine := slices.DeleteFunc(s.byOwner[owner], func(h string) bool { return h == hash })
	if s.byOwner[owner] = mine; len(mine) == 0 {
		delete(s.byOwner, owner)
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
		if now.After(in.until) {
			s.dropLocked(hash)
		}
	}
}
