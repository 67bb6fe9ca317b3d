package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// MinSecret is the size of HS256's output: a shorter key is weaker than the
// algorithm (RFC 7518 §3.2).
const MinSecret = 32

// secretFileName is where a generated secret is kept, in the data directory.
const secretFileName = "jwt-secret"

// wellKnownSecrets stand in tutorials, defaults and specifications. They are
// compared without case and without anything but letters and digits.
const wellKnownSecrets = `
	your-256-bit-secret-your-256-bit-secret
	a-string-secret-at-least-256-bits-long
	a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long
	your-super-secret-jwt-token-with-at-least-32-characters-long
	super-secret-jwt-token-with-at-least-32-characters-long
	your-secret-key-must-be-at-least-32-characters-long
	your-very-long-secret-key-at-least-32-characters
	this-is-a-very-long-secret-key-for-jwt-tokens
	this-is-my-custom-secret-key-for-authentication
	my-super-secret-key-that-is-at-least-32-bytes-long
	my-32-character-ultra-secure-and-ultra-long-secret
	please-change-this-secret-in-production-please
	AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow
	qwertyuiopasdfghjklzxcvbnm123456
	correct-horse-battery-staple-correct-horse
`

// CheckSecret refuses a secret that is short, well-known, or a pattern.
func CheckSecret(secret []byte) error {
	if len(secret) == 0 {
		return errors.New("no JWT secret")
	}
	if len(secret) < MinSecret {
		return fmt.Errorf("JWT secret of %d bytes: at least %d are needed", len(secret), MinSecret)
	}
	if isPublicKey(secret) {
		return errors.New("JWT secret is a key file: keys of an issuer belong in a key set, the secret is random")
	}
	if isWellKnownSecret(string(secret)) {
		return errors.New("JWT secret is a well-known one")
	}
	if isPatterned(secret) {
		return errors.New("JWT secret is a pattern, not a secret")
	}
	return nil
}

// localSecret is one that signs, or did. Its id tells it from another one without
// giving it away.
type localSecret struct {
	key []byte
	id  string
}

func newLocalSecret(key []byte) localSecret {
	sum := sha256.Sum256(append([]byte("parley secret id "), key...))
	return localSecret{bytes.Clone(key), hex.EncodeToString(sum[:8])}
}

// SetSecrets takes other local secrets: current signs from now on, and what either
// signed is good. Tokens and sign-ins of any other are good no longer. previous may
// be nil. One that CheckSecret refuses changes nothing.
func (a *Auth) SetSecrets(current, previous []byte) error {
	if err := CheckSecret(current); err != nil {
		return err
	}
	secrets := []localSecret{newLocalSecret(current)}
	if previous != nil {
		if err := CheckSecret(previous); err != nil {
			return fmt.Errorf("the previous one: %w", err)
		}
		secrets = append(secrets, newLocalSecret(previous))
	}
	a.secrets.Store(&secrets)
	return nil
}

// ReloadSecrets takes the local secrets from a file and from the one beside it, see
// RotateSecret, and reports whether they are others. A file that holds none changes
// nothing.
func (a *Auth) ReloadSecrets(path string) (changed bool, err error) {
	current, previous, err := ReadSecrets(path)
	if err != nil {
		return false, err
	}
	before := a.localSecrets()
	if err := a.SetSecrets(current, previous); err != nil {
		return false, err
	}
	isSame := func(a, b localSecret) bool { return a.id == b.id }
	return !slices.EqualFunc(before, a.localSecrets(), isSame), nil
}

// HasSecret tells whether tokens of a local secret are taken.
func (a *Auth) HasSecret() bool { return a.secrets.Load() != nil }

// SecretIDs name the local secrets without giving them away, the one that signs first.
func (a *Auth) SecretIDs() (ids []string) {
	for _, s := range a.localSecrets() {
		ids = append(ids, s.id)
	}
	return ids
}

// localSecrets are those that verify, the one that signs first. There are none where
// tokens are an issuer's alone.
func (a *Auth) localSecrets() []localSecret {
	if secrets := a.secrets.Load(); secrets != nil {
		return *secrets
	}
	return nil
}

// secretKeys are the local secrets in the form that the parser tries one by one.
func (a *Auth) secretKeys() (set jwt.VerificationKeySet) {
	for _, secret := range a.localSecrets() {
		set.Keys = append(set.Keys, secret.key)
	}
	return set
}

// signerOf gives the id of the secret that made a signature that is good; "" if it
// was dropped meanwhile.
func (a *Auth) signerOf(signed string, signature []byte) string {
	for _, secret := range a.localSecrets() {
		if jwt.SigningMethodHS256.Verify(signed, signature, secret.key) == nil {
			return secret.id
		}
	}
	return ""
}

// isPublicKey tells the text of a key or certificate, which is no secret: with
// it as one, whoever reads the issuer's public key could sign.
func isPublicKey(secret []byte) bool {
	return bytes.Contains(secret, []byte("-----BEGIN")) || bytes.Contains(secret, []byte(`"kty"`))
}

func isWellKnownSecret(secret string) bool {
	bare := lettersAndDigits(secret)
	for known := range strings.FieldsSeq(wellKnownSecrets) {
		if bare == lettersAndDigits(known) {
			return true
		}
	}
	return false
}

func lettersAndDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// isPatterned tells whether s repeats a piece of up to half its length, counts
// up or down, or is made of fewer than eight different bytes.
func isPatterned(s []byte) bool {
	for n := 1; n <= len(s)/2; n++ {
		if bytes.Equal(s[n:], s[:len(s)-n]) {
			return true
		}
	}
	seen, steps := make(map[byte]bool), 0
	for i, c := range s {
		seen[c] = true
		if i > 0 && (c == s[i-1]+1 || c == s[i-1]-1) {
			steps++
		}
	}
	return len(seen) < 8 || steps > len(s)*3/4
}

// ReadSecret reads a secret from a file; white space around it is not part of it.
// It refuses a file that others may read.
func ReadSecret(path string) ([]byte, error) {
	raw, err := ReadPrivateFile(path)
	if err != nil {
		return nil, fmt.Errorf("JWT secret: %w", err)
	}
	return bytes.TrimSpace(raw), nil
}

// MaxPrivateFile bounds a file with a secret: keys are a few KB.
const MaxPrivateFile = 1 << 20

// ReadPrivateFile reads a file that nobody but its owner may read, or refuses it:
// a secret that others on the machine can read is none. A link to such a file,
// as containers are given secrets by, is as good.
func ReadPrivateFile(path string) ([]byte, error) {
	return readFileUnless(path, 0o077, "its owner can read: run chmod 600 on it")
}

// ReadGroupFile is ReadPrivateFile for what a group may read, too: the key of a
// certificate belongs to who renews it, and is handed to servers by a group.
func ReadGroupFile(path string) ([]byte, error) {
	return readFileUnless(path, 0o027, "its owner, and perhaps a group, can read: run chmod 640 on it")
}

func readFileUnless(path string, refused fs.FileMode, otherwise string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat() // of what was opened, whatever the path leads to by now
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&refused != 0 {
		return nil, fmt.Errorf("%s must be a file that only %s", path, otherwise)
	}
	if info.Size() > MaxPrivateFile {
		return nil, fmt.Errorf("%s has %d bytes: that is no secret", path, info.Size())
	}
	return io.ReadAll(io.LimitReader(f, MaxPrivateFile))
}

// LoadOrGenerateSecret reads the secret of a data directory, or makes one the
// first time. It refuses one that others on the machine can read.
func LoadOrGenerateSecret(dir string) ([]byte, error) {
	path := SecretFile(dir)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return generateSecret(dir, path)
	}
	if err != nil {
		return nil, fmt.Errorf("JWT secret: %w", err)
	}
	if !info.Mode().IsRegular() { // a link in our own directory isn't ours
		return nil, fmt.Errorf("JWT secret: %s must be a file that only its owner can read (0600)", path)
	}
	return ReadSecret(path)
}

// generateSecret writes aside and links, so that a crash leaves no half file
// and of two servers that start at once both use the same secret.
func generateSecret(dir, path string) ([]byte, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("JWT secret: %w", err)
	}
	secret := newSecret()
	tmp, err := writeAside(path, secret)
	if err != nil {
		return nil, fmt.Errorf("JWT secret: %w", err)
	}
	defer os.Remove(tmp)
	err = os.Link(tmp, path)
	if errors.Is(err, fs.ErrExist) {
		return ReadSecret(path)
	}
	if err != nil {
		return nil, fmt.Errorf("JWT secret: %w", err)
	}
	return secret, nil
}
