// Package certificate gets the server's certificate from a certificate authority
// by ACME (RFC 8555), keeps it in a directory, and renews it before it expires.
// It answers the authority's challenges on the listeners that the server has; it
// opens none of its own. Certificates that an operator brings as files are
// server/reload's.
package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap"
)

// Config says whose certificate it is and who issues it.
type Config struct {
	Domains []string // the first is shown to who names none
	Email   string   // where the authority writes to; may be empty
	// Directory is the URL of the authority's ACME directory.
	Directory string
	Roots     *x509.CertPool // that the authority's own certificate hangs from; nil: the machine's
	Profile   string         // of the certificate, in the authority's words; empty: its default
	// ExternalAccount is one that was made at the authority beforehand; nil: an account is
	// made by the first request.
	ExternalAccount *ExternalAccount
	Dir             string // where account, keys and certificates are kept
	// HTTPS and HTTP are the addresses that the server listens on; HTTP is nil
	// where it listens for HTTPS alone.
	HTTPS, HTTP net.Addr
	// CheckInterval is how often certificates are looked at for renewal.
	CheckInterval time.Duration
	Logger        *slog.Logger
}

// ExternalAccount proves that an account with the authority's own customers is ours, as
// external account binding has it (RFC 8555 §7.3.4).
type ExternalAccount struct {
	KeyID string
	Key   string // in base64url without padding
}

// Manager keeps a certificate for each of the domains.
type Manager struct {
	domains []string
	cache   *certmagic.Cache
	magic   *certmagic.Config
	issuer  *certmagic.ACMEIssuer
}

// New returns a Manager, which asks for nothing before Run. It has to be closed.
func New(cfg Config) *Manager {
	m := &Manager{domains: cfg.Domains}
	faults := newFaultLog(cfg.Directory, cfg.ExternalAccount != nil, cfg.Logger)
	logger := zap.New(&zapCore{faults: faults, log: cfg.Logger})
	m.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return m.magic, nil },
		RenewCheckInterval: cfg.CheckInterval,
		Logger:             logger,
	})
	m.magic = certmagic.New(m.cache, certmagic.Config{
		Storage:            &certmagic.FileStorage{Path: cfg.Dir},
		DefaultServerName:  cfg.Domains[0],
		FallbackServerName: cfg.Domains[0],
		// No authority that answers by OCSP is left among the large ones.
		OCSP:    certmagic.OCSPConfig{DisableStapling: true},
		OnEvent: faults.observe,
		Logger:  logger,
	})
	m.issuer = certmagic.NewACMEIssuer(m.magic, issuerTemplate(cfg, logger))
	m.magic.Issuers = []certmagic.Issuer{m.issuer}
	return m
}

// issuerTemplate has the library find our listeners instead of opening its own.
func issuerTemplate(cfg Config, logger *zap.Logger) certmagic.ACMEIssuer {
	template := certmagic.ACMEIssuer{
		CA: cfg.Directory, Email: cfg.Email, Agreed: true, Profile: cfg.Profile,
		TrustedRoots: cfg.Roots, Logger: logger, DisableHTTPChallenge: cfg.HTTP == nil,
	}
	if a := cfg.ExternalAccount; a != nil {
		template.ExternalAccount = &acme.EAB{KeyID: a.KeyID, MACKey: a.Key}
	}
	if https, ok := cfg.HTTPS.(*net.TCPAddr); ok {
		template.AltTLSALPNPort, template.ListenHost = https.Port, hostOf(https)
	}
	if plain, ok := cfg.HTTP.(*net.TCPAddr); ok {
		template.AltHTTPPort = plain.Port
	}
	return template
}

// hostOf is empty for an address that means every interface.
func hostOf(a *net.TCPAddr) string {
	if a.IP.IsUnspecified() {
		return ""
	}
	return a.IP.String()
}

// obtainPause is how long a certificate that the library gave up on is let rest: an
// hour lets every limit of the large authorities recover.
const obtainPause = time.Hour

// Run gets the certificates that are not kept yet, and renews all in time, until
// ctx is done. What fails is tried again, at first after a minute, then less often.
func (m *Manager) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, domain := range m.domains {
		running.Go(func() { m.manage(ctx, domain) })
	}
	<-ctx.Done()
	running.Wait()
}

// manage has a certificate of the domain kept, obtained or from before, and hands
// it to the library's own renewal.
func (m *Manager) manage(ctx context.Context, domain string) {
	for m.magic.ObtainCertAsync(ctx, domain) != nil { // which reports its faults by the log
		select {
		case <-ctx.Done():
			return
		case <-time.After(obtainPause):
		}
	}
	_ = m.magic.ManageAsync(ctx, []string{domain}) // reports its faults the same way
}

// Close ends the renewal that New has begun.
func (m *Manager) Close() { m.cache.Stop() }

// TLSConfig shows the certificate that there is at the moment to each new
// connection, and answers challenges of TLS-ALPN-01 (RFC 8737).
func (m *Manager) TLSConfig() *tls.Config {
	return &tls.Config{
		GetCertificate: m.magic.GetCertificate,
		NextProtos:     []string{"h2", "http/1.1", acmez.ACMETLS1Protocol},
	}
}

// AnswerChallenges answers challenges of HTTP-01 (RFC 8555 §8.3); every other
// request is next's.
func (m *Manager) AnswerChallenges(next http.Handler) http.Handler {
	return m.issuer.HTTPChallengeHandler(next)
}

// Validity returns the time in which the certificates of all domains are valid.
// Both are zero while there is none for one of them.
func (m *Manager) Validity() (from, to time.Time) {
	for _, domain := range m.domains {
		leaf := m.newest(domain)
		if leaf == nil {
			return time.Time{}, time.Time{}
		}
		if to.IsZero() || leaf.NotAfter.Before(to) {
			from, to = leaf.NotBefore, leaf.NotAfter
		}
	}
	return from, to
}

// newest is the certificate of a domain that expires last; nil if there is none.
func (m *Manager) newest(domain string) (leaf *x509.Certificate) {
	for _, cert := range m.cache.AllMatchingCertificates(domain) {
		if cert.Leaf != nil && (leaf == nil || cert.Leaf.NotAfter.After(leaf.NotAfter)) {
			leaf = cert.Leaf
		}
	}
	return leaf
}
