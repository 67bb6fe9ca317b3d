package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"strings"
)

// A demo server lets in who comes: as a visitor, or by the passkey as DemoAdmin.
const (
	// visitorPrefix begins the subject of a visitor. Each has one of their own: nobody sees
	// another's calls, or takes their place.
	visitorPrefix = "visitor-"
	// passkeyBytes of a passkey can't be guessed: 80 bits, and little to type.
	passkeyBytes = 10
	passkeyUse   = "parley demo passkey"
)

// passkeyText has letters and digits alone that aren't taken for one another.
var passkeyText = base32.StdEncoding.WithPadding(base32.NoPadding)

// DemoPasskey is what lets DemoAdmin in, in groups of four; "" outside demo mode. It is
// made from the secret that signs, so all nodes of a cluster take the same, and another
// secret makes another one.
func (a *Auth) DemoPasskey() string {
	secrets := a.localSecrets()
	if a.mode != Demo || len(secrets) == 0 {
		return ""
	}
	var groups []string
	for text := passkeyOf(secrets[0]); text != ""; text = text[4:] {
		groups = append(groups, text[:4])
	}
	return strings.Join(groups, "-")
}

func passkeyOf(s localSecret) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(passkeyUse))
	return strings.ToLower(passkeyText.EncodeToString(mac.Sum(nil)[:passkeyBytes]))
}

// isPasskey compares hashes, in constant time, as mayScrape of the interface does. How a
// passkey is grouped, and in which case, is nothing to refuse somebody for.
func (a *Auth) isPasskey(given string) bool {
	given = strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(strings.TrimSpace(given)))
	got, found := sha256.Sum256([]byte(given)), 0
	for _, secret := range a.localSecrets() {
		want := sha256.Sum256([]byte(passkeyOf(secret)))
		found |= subtle.ConstantTimeCompare(want[:], got[:])
	}
	return found == 1
}

// EnterDemo is a new visitor of a demo server. Every error is ErrUnauthorized.
func (a *Auth) EnterDemo() (Identity, error) {
	name := strings.ToLower(rand.Text()[:10])
	return a.enterDemo(Claims{Subject: visitorPrefix + name, Name: "Visitor " + name[:4]})
}

// EnterDemoAdmin is DemoAdmin, for who knows the passkey. Every error is ErrUnauthorized.
func (a *Auth) EnterDemoAdmin(passkey string) (Identity, error) {
	if !a.isPasskey(passkey) {
		return Identity{}, newRefusal("passkey")
	}
	return a.enterDemo(Claims{Subject: DemoAdmin, Name: "Demo admin"})
}

// enterDemo has a token made and checked, like one that was handed out: who is revoked
// stays so.
func (a *Auth) enterDemo(c Claims) (Identity, error) {
	if a.mode != Demo {
		return Identity{}, newRefusal("mode")
	}
	token, err := a.Mint(c, MaxLife)
	if err != nil {
		return Identity{}, newRefusal("secret")
	}
	return a.Verify(token)
}
