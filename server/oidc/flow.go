package oidc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"parley/shared/rest"
)

// flow is one way to the provider and back. It is in the browser's cookie alone, sealed:
// who begins flows fills no memory of the server's.
type flow struct {
	State     string    `json:"s"`
	Nonce     string    `json:"n"`
	Verifier  string    `json:"v"` // of PKCE (RFC 7636 §4.1)
	Next      string    `json:"to,omitempty"`
	ExpiresAt time.Time `json:"exp"`
}

func newFlow(next string, expires time.Time) flow {
	return flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: next, ExpiresAt: expires}
}

// check holds an answer to the flow that asked for it: the state is its own, and the
// issuer, where it is told (RFC 9207), the one that was asked.
func (f flow) check(answer url.Values, issuer string) error {
	given := answer.Get("state")
	switch {
	case subtle.ConstantTimeCompare([]byte(given), []byte(f.State)) != 1:
		return &Failure{rest.SignInExpired, errors.New("the state is of another flow")}
	case answer.Has("iss") && answer.Get("iss") != issuer:
		return &Failure{rest.SignInUntrusted, errors.New("another issuer answered")}
	case answer.Has("error"):
		return &Failure{rest.SignInCanceled, fmt.Errorf("the provider says %.64q", answer.Get("error"))}
	case answer.Get("code") == "":
		return &Failure{rest.SignInUntrusted, errors.New("no code")}
	}
	return nil
}

// sealer keeps flows in cookies. Its key is of this life of the server: who is on the way
// while it starts anew has to begin again.
type sealer struct{ aead cipher.AEAD }

func newSealer() *sealer {
	key := make([]byte, sha256.Size)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // its only error is that of the key's length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // as above, of the block's
	}
	return &sealer{aead}
}

func (s *sealer) seal(f flow) (string, error) {
	text, err := json.Marshal(f)
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, text, nil)), err
}

func (s *sealer) unseal(cookie string, now time.Time) (f flow, err error) {
	box, err := base64.RawURLEncoding.DecodeString(cookie)
	if err == nil {
		box, err = s.aead.Open(nil, nil, box, nil)
	}
	if err == nil {
		err = json.Unmarshal(box, &f)
	}
	if err != nil {
		return flow{}, errors.New("no flow was begun by this browser")
	}
	if now.After(f.ExpiresAt) {
		return flow{}, errors.New("the flow took too long")
	}
	return f, nil
}
