package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"parley/server/auth"
)

// reloadEach is how often files that may have changed are read again: what was
// renewed holds within a minute, without anyone's word.
const reloadEach = 30 * time.Second

// A fileReloader takes up files that were changed while the server runs: the
// certificate, the issuer's keys, the token secret. A file that can't be used
// changes nothing, and the log says so.
type fileReloader struct {
	certificate *certificate // nil: no TLS
	authority   *auth.Auth
	secretFile  string // "": the secret came otherwise
	log         *slog.Logger

	faults map[string]string // the newest of each file, to be told once
}

// hangups is told of SIGHUP, which ends nothing from now on.
func hangups() (asked chan os.Signal, stop func()) {
	asked = make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	return asked, func() { signal.Stop(asked) }
}

// Run reads the files again in their rhythm, and at once when asked.
func (f *fileReloader) Run(ctx context.Context, asked <-chan os.Signal) {
	tick := time.NewTicker(reloadEach)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-asked:
			f.log.Info("files are read again", "event", "reload")
			f.authority.ReloadKeys(ctx)
		case <-ctx.Done():
			return
		}
		if f.certificate != nil {
			f.report("certificate", f.certificate.reload)
		}
		if f.secretFile != "" {
			f.report("token secret", f.reloadSecret)
		}
	}
}

// report tells of a change, and of a fault once.
func (f *fileReloader) report(what string, reload func() (changed bool, err error)) {
	changed, err := reload()
	switch {
	case err != nil && f.faults[what] != err.Error():
		f.log.Error("a changed file can't be used; the one before stays", "event", "reload", "file", what, "err", err)
	case changed:
		f.log.Info("a changed file is in use", "event", "reload", "file", what)
	}
	if delete(f.faults, what); err != nil {
		f.faults[what] = err.Error()
	}
}

func (f *fileReloader) reloadSecret() (bool, error) {
	secret, err := auth.ReadSecret(f.secretFile)
	if err != nil || f.authority.HasSecret(secret) {
		return false, err
	}
	return true, f.authority.SetSecret(secret)
}

// certificate is what TLS shows, read from two files.
type certificate struct {
	certFile, keyFile string

	cert, key []byte // as read last
	current   atomic.Pointer[tls.Certificate]
}

// loadCertificate fails for files that no server could show.
func loadCertificate(certFile, keyFile string) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile}
	if _, err := c.reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// reload takes the files as they are now, if both belong together. Half of a
// renewal is an error until the other half is there.
func (c *certificate) reload() (changed bool, err error) {
	cert, err := os.ReadFile(c.certFile)
	if err != nil {
		return false, fmt.Errorf("--tls-cert: %w", err)
	}
	key, err := os.ReadFile(c.keyFile)
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

// config shows whatever is current to each new connection; open ones stay.
func (c *certificate) config() *tls.Config {
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return c.current.Load(), nil
	}}
}
