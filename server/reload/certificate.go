package reload

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"parley/server/auth"
)

// Certificate is what TLS shows, read from two PEM files.
type Certificate struct {
	certFile, keyFile string

	cert, key []byte // as read last
	current   atomic.Pointer[tls.Certificate]
}

// LoadCertificate reads a certificate with its key. It fails for files that no
// server could show.
func LoadCertificate(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	if _, err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Reload takes the files as they are now, if both belong together. Half of a
// renewal is an error until the other half is there. Only one goroutine at a time
// may call it.
func (c *Certificate) Reload() (changed bool, err error) {
	cert, err := os.ReadFile(c.certFile)
	if err != nil {
		return false, fmt.Errorf("--tls-cert: %w", err)
	}
	key, err := auth.ReadGroupFile(c.keyFile)
	if err != nil {
		return false, fmt.Errorf("--tls-key: %w", err)
	}
	if bytes.Equal(cert, c.cert) && bytes.Equal(key, c.key) {
		return false, nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return false, fmt.Errorf("--tls-cert %s and --tls-key %s: %w", c.certFile, c.keyFile, err)
	}
	c.cert, c.key = cert, key
	c.current.Store(&pair)
	return true, nil
}

// Validity returns the time in which the certificate is valid.
func (c *Certificate) Validity() (from, to time.Time) {
	leaf := c.current.Load().Leaf
	return leaf.NotBefore, leaf.NotAfter
}

// TLSConfig shows the current certificate to each new connection; open ones stay.
func (c *Certificate) TLSConfig() *tls.Config {
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return c.current.Load(), nil
	}}
}
