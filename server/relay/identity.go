package relay

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// identityLife is how long new legs get the same DTLS certificate. Making one
// for each call costs more than the rest of a call's start; a week keeps it far
// from the end of its validity (a month), and its key lives in memory only.
const identityLife = 7 * 24 * time.Hour

// identity is the DTLS certificate that legs share.
type identity struct {
	mu   sync.Mutex
	made time.Time
	cert *webrtc.Certificate
}

func (i *identity) current() (webrtc.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.cert != nil && time.Since(i.made) < identityLife {
		return *i.cert, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return webrtc.Certificate{}, fmt.Errorf("relay: make a DTLS key: %w", err)
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return webrtc.Certificate{}, fmt.Errorf("relay: make a DTLS certificate: %w", err)
	}
	i.cert, i.made = cert, time.Now()
	return *cert, nil
}
