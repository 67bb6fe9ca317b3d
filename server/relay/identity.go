package relay

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3/pkg/crypto/fingerprint"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
)

// identityLife is how long new legs get the same DTLS certificate. Making one
// for each call costs more than the rest of a call's start; a week keeps it far
// from the end of its validity (a month), and its key lives in memory only.
const identityLife = 7 * 24 * time.Hour

// certificate is a DTLS certificate with its fingerprint as answers have it.
type certificate struct {
	tls.Certificate
	fingerprint string
}

// identity is the DTLS certificate that legs share.
type identity struct {
	mu   sync.Mutex
	made time.Time
	cert *certificate
}

func (i *identity) current() (certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.cert != nil && time.Since(i.made) < identityLife {
		return *i.cert, nil
	}
	cert, err := newCertificate()
	if err != nil {
		return certificate{}, fmt.Errorf("relay: make a DTLS certificate: %w", err)
	}
	i.cert, i.made = &cert, time.Now()
	return cert, nil
}

func newCertificate() (c certificate, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return c, err
	}
	if c.Certificate, err = selfsign.SelfSign(key); err != nil {
		return c, err
	}
	if c.Leaf, err = x509.ParseCertificate(c.Certificate.Certificate[0]); err != nil {
		return c, err
	}
	value, err := fingerprint.Fingerprint(c.Leaf, crypto.SHA256)
	c.fingerprint = "sha-256 " + strings.ToUpper(value) // RFC 8122 §5; Firefox reads no other
	return c, err
}
