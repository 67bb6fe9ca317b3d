// Package mailtest is a mail server for tests: it takes mail as it is told to, over real
// connections, and shows what came.
package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/mail"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// How a server speaks.
const (
	SMTPS = "smtps" // TLS from the first byte
	SMTP  = "smtp"  // TLS by STARTTLS
	Plain = "plain" // without any
)

// Mail is one as the server has it.
type Mail struct {
	From, To string
	User     string // who signed in
	IsTLS    bool
	Header   mail.Header
	Text     string
}

// Server is a running mail server. Its fields are set before Start.
type Server struct {
	Password      string // of any user; "" takes mail of anybody
	RefuseSender  error  // what it says to each sender
	RefuseMailbox error  // what it says to each recipient

	// After Start: where it listens, and the certificate that it shows.
	Port    string
	RootPEM []byte

	mu   sync.Mutex
	mail []Mail
}

// Mail gives what came so far.
func (s *Server) Mail() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mail)
}

// Roots has the server's own certificate.
func (s *Server) Roots() *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.RootPEM)
	return roots
}

// Start runs it until the test ends.
func (s *Server) Start(t testing.TB, speaks string) {
	t.Helper()
	config := s.newCertificate(t)
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{Server: s, conn: c}, nil }))
	server.ErrorLog = log.New(io.Discard, "", 0) // what strangers do
	server.Domain, server.AllowInsecureAuth = "mail.example.test", speaks == Plain
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, s.Port, err = net.SplitHostPort(l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	switch speaks {
	case SMTPS:
		l = tls.NewListener(l, config)
	case SMTP:
		server.TLSConfig = config
	}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(l) })                             // until it is closed
	t.Cleanup(func() { _, _ = l.Close(), server.Close(); running.Wait() }) // Serve may not have begun
}

func (s *Server) newCertificate(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s.RootPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
}

// session is one connection.
type session struct {
	*Server
	conn *smtp.Conn
	now  Mail
}

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != s.Password {
			return smtp.ErrAuthFailed
		}
		s.now.User = user
		return nil
	}), nil
}

// replySignInFirst is that of RFC 4954 §6.
const replySignInFirst = 530

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.Password != "" && s.now.User == "" {
		return &smtp.SMTPError{Code: replySignInFirst, Message: "sign in first"}
	}
	s.now.From = from
	return s.RefuseSender
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.now.To = to
	return s.RefuseMailbox
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(m.Body)
	s.now.Header, s.now.Text = m.Header, string(text)
	_, s.now.IsTLS = s.conn.TLSConnectionState()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Server.mail = append(s.Server.mail, s.now)
	return err
}

// Reset implements smtp.Session.
func (*session) Reset() {}

// Logout implements smtp.Session.
func (*session) Logout() error { return nil }
