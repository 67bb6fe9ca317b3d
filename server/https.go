package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"parley/server/api"
	"parley/server/certificate"
	"parley/server/reload"
	"parley/server/systemd"
)

// Certificates are what TLS shows: an operator's files, or an authority's.
type certificates interface {
	// TLSConfig shows the current certificate to each new connection. It is the
	// one configuration of all that is TLS on the port of --http.
	TLSConfig() *tls.Config
	// Validity returns when the certificate begins and ends to be valid; both are
	// zero while there is none.
	Validity() (from, to time.Time)
}

// web is how browsers reach the server: the port of --http, the one that sends
// them there, and the certificate that they are shown.
type web struct {
	listener net.Listener
	redirect net.Listener         // nil: there is none
	files    *reload.Certificate  // nil: not from files
	managed  *certificate.Manager // nil: not from an authority
}

// openWeb listens. What is opened is to be closed, whatever comes after.
func (c *serveCommand) openWeb(files *reload.Certificate, log *slog.Logger) (w *web, err error) {
	w = &web{files: files}
	inherited, err := systemd.Listeners()
	if err != nil {
		return nil, err
	}
	if w.listener, err = listen(inherited[socketHTTP], c.HTTP); err != nil {
		return nil, mistakenAddress("--http", c.HTTP, err)
	}
	if addr := c.redirectAddress(); addr != "" {
		if w.redirect, err = listen(inherited[socketRedirect], addr); err != nil {
			return nil, errors.Join(c.mistakenRedirect(addr, err), w.Close())
		}
	}
	if len(c.Domain) > 0 {
		if w.managed, err = c.manageCertificates(w, log); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	return w, nil
}

// Names of sockets (FileDescriptorName) that a service manager may listen on in the
// place of the flags --http and --http-redirect.
const (
	socketHTTP     = "http"
	socketRedirect = "http-redirect"
)

// listen returns the inherited socket, or opens one where there is none.
func listen(inherited net.Listener, addr string) (net.Listener, error) {
	if inherited != nil {
		return inherited, nil
	}
	return net.Listen("tcp", addr)
}

func (c *serveCommand) manageCertificates(w *web, log *slog.Logger) (*certificate.Manager, error) {
	roots, err := readRoots("--acme-ca-root", c.ACMECARoot)
	if err != nil {
		return nil, err
	}
	account, err := c.externalAccount()
	if err != nil {
		return nil, err
	}
	cfg := certificate.Config{
		Domains: c.Domain, Email: c.ACMEEmail, Directory: c.ACMECA, Roots: roots, Profile: c.ACMEProfile, ExternalAccount: account,
		Dir: filepath.Join(c.DataDir, "certificates"), HTTPS: w.listener.Addr(), CheckInterval: c.ReloadInterval, Logger: log,
	}
	if w.redirect != nil {
		cfg.HTTP = w.redirect.Addr()
	}
	return certificate.New(cfg), nil
}

// readRoots reads the file of a flag: root certificates of a private authority. No file
// is nil, which stands for the machine's.
func readRoots(flag, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, usage("%s: %w", flag, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, usage("%s: %s holds no certificate: write a file of PEM certificates", flag, file)
	}
	return roots, nil
}

// externalAccount is one that was made at the authority beforehand; nil: none.
func (c *serveCommand) externalAccount() (*certificate.ExternalAccount, error) {
	if c.ACMEEABKID == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.ACMEEABKeyFile)
	if err != nil {
		return nil, usage("--acme-eab-key-file: %w", err)
	}
	key := strings.TrimRight(strings.TrimSpace(string(text)), "=")
	if decoded, err := base64.RawURLEncoding.DecodeString(key); err != nil || len(decoded) == 0 {
		return nil, usage("--acme-eab-key-file: %s holds no key in base64url: write the MAC key as the authority shows it, alone", c.ACMEEABKeyFile)
	}
	return &certificate.ExternalAccount{KeyID: c.ACMEEABKID, Key: key}, nil
}

// certificates returns what TLS shows; nil where the server speaks plain HTTP.
func (w *web) certificates() certificates {
	switch {
	case w.managed != nil:
		return w.managed
	case w.files != nil:
		return w.files
	}
	return nil
}

// certificateValidity is for who watches: zero without a certificate, or TLS.
func (w *web) certificateValidity() (from, to time.Time) {
	if certs := w.certificates(); certs != nil {
		return certs.Validity()
	}
	return time.Time{}, time.Time{}
}

// isCertificateWell reports whether browsers accept the certificate and will for
// some time: a sixth of its life, half of what is left when renewal begins.
func (w *web) isCertificateWell() bool {
	if w.certificates() == nil {
		return true
	}
	from, to := w.certificateValidity()
	return time.Until(to) > to.Sub(from)/6
}

// runCertificates gets and renews, where an authority issues the certificate.
func (w *web) runCertificates(ctx context.Context) {
	if w.managed != nil {
		w.managed.Run(ctx)
	}
}

// redirectServer answers on plain HTTP; nil if nobody is to.
func (s *Server) redirectServer() *http.Server {
	if s.web.redirect == nil {
		return nil
	}
	_, port, _ := net.SplitHostPort(s.web.listener.Addr().String())
	if len(s.flags.Domain) > 0 {
		port = "443" // where the authority finds it, whatever leads from there to here
	}
	handler := certificate.Redirect(s.flags.Domain, port)
	if s.web.managed != nil {
		handler = s.web.managed.AnswerChallenges(handler)
	}
	return api.Server(handler, s.log)
}

// Close implements io.Closer.
func (w *web) Close() error {
	err := w.listener.Close()
	if w.redirect != nil {
		err = errors.Join(err, w.redirect.Close())
	}
	if w.managed != nil {
		w.managed.Close()
	}
	if errors.Is(err, net.ErrClosed) { // by the servers on them
		return nil
	}
	return err
}

// Addresses that hold where --domain is given and they are not.
const (
	domainHTTPS = ":443"
	domainHTTP  = ":80"
	noRedirect  = "off"
)

// completeAddresses gives the flags of addresses the defaults that go with --domain.
func (c *serveCommand) completeAddresses(isHTTPGiven bool) {
	if _, isSet := os.LookupEnv(variablePrefix + "_HTTP"); len(c.Domain) > 0 && !isHTTPGiven && !isSet {
		c.HTTP = domainHTTPS
	}
}

// redirectAddress is empty where nothing is to be redirected.
func (c *serveCommand) redirectAddress() string {
	switch {
	case c.HTTPRedirect == noRedirect:
		return ""
	case c.HTTPRedirect == "" && len(c.Domain) > 0:
		return domainHTTP
	}
	return c.HTTPRedirect
}

// mistakenRedirect says also how to do without.
func (c *serveCommand) mistakenRedirect(addr string, err error) error {
	mistake := mistakenAddress("--http-redirect", addr, err)
	if len(c.Domain) == 0 || !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, os.ErrPermission) {
		return mistake
	}
	return fmt.Errorf("%w; or write --http-redirect=off, and the certificate comes by port 443 alone", mistake)
}

func (c *serveCommand) isHTTPS() bool { return c.TLSCert != "" || len(c.Domain) > 0 }

// validateDomains holds the flags of certificates against each other.
func (c *serveCommand) validateDomains() error {
	if len(c.Domain) > 0 && c.TLSCert != "" {
		return errors.New("--domain gets a certificate by itself, --tls-cert brings one: write one of them")
	}
	if c.HTTPRedirect != "" && c.HTTPRedirect != noRedirect && !c.isHTTPS() {
		return errors.New("--http-redirect sends browsers to HTTPS: write --domain, or --tls-cert and --tls-key, too")
	}
	if !strings.HasPrefix(c.ACMECA, "https://") {
		return fmt.Errorf("--acme-ca takes the https URL of a directory, not %s", strconv.Quote(c.ACMECA))
	}
	if (c.ACMEEABKID == "") != (c.ACMEEABKeyFile == "") {
		return errors.New("--acme-eab-kid and --acme-eab-key-file belong together: write both, as the authority gave them")
	}
	for i, name := range c.Domain {
		c.Domain[i] = strings.ToLower(strings.TrimSuffix(name, "."))
		if err := certificate.CheckDomain(c.Domain[i], c.ACMECA); err != nil {
			return fmt.Errorf("--domain %w", err)
		}
	}
	return nil
}
