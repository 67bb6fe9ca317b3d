package mail_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"parley/server/mail"
	"parley/server/mail/mailtest"
)

// newSender returns one that finds each server on this machine.
func newSender(t *testing.T, c mail.Config) *mail.Sender {
	t.Helper()
	c.From, c.Password = "Parley <parley@example.org>", func() string { return "pass word" }
	c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
	}
	s, err := mail.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var message = mail.Message{ID: "D1", To: "ops@example.org", Subject: "Firing: Poor calls\r\nBcc: everybody@example.org", Text: "12 (limit 5) %\nsession s_1\n"}

// TestAMailArrives whole, over TLS, from who was said, and its subject makes no header.
func TestAMailArrives(t *testing.T) {
	t.Parallel()
	for speaks, address := range map[string]string{mailtest.SMTPS: "smtps://parley@127.0.0.1:", mailtest.SMTP: "smtp://parley@127.0.0.1:", mailtest.Plain: "smtp://localhost:"} {
		server := new(mailtest.Server)
		if speaks != mailtest.Plain {
			server.Password = "pass word"
		}
		server.Start(t, speaks)
		if err := newSender(t, mail.Config{Server: address + server.Port, RootCAs: server.Roots()}).Send(t.Context(), message); err != nil {
			t.Fatalf("%s: %v", speaks, err)
		}
		got := server.Mail()[0]
		if got.IsTLS == (speaks == mailtest.Plain) {
			t.Errorf("%s: by TLS: %v", speaks, got.IsTLS)
		}
		if got.From != "parley@example.org" || got.To != "ops@example.org" || server.Password != "" && got.User != "parley" {
			t.Errorf("%s: from %q to %q by %q", speaks, got.From, got.To, got.User)
		}
		h := got.Header
		if h.Get("Subject") != "Firing: Poor calls  Bcc: everybody@example.org" || h.Get("Bcc") != "" || h.Get("Message-Id") != "<D1@example.org>" || h.Get("Auto-Submitted") != "auto-generated" {
			t.Errorf("%s: headers %v", speaks, h)
		}
		if strings.ReplaceAll(got.Text, "\r\n", "\n") != message.Text {
			t.Errorf("%s: text %q", speaks, got.Text)
		}
	}
}

// TestAMailIsRefused: each refusal has its kind, and is told apart from what the server
// may take later; without TLS, or with somebody else's certificate, nothing is sent.
func TestAMailIsRefused(t *testing.T) {
	t.Parallel()
	answer := func(code int) error { return &smtp.SMTPError{Code: code, Message: "no"} }
	for name, test := range map[string]struct {
		r       *mailtest.Server
		speaks  string
		host    string // "" is 127.0.0.1
		user    string
		to      string
		trusted bool
		kind    error
		reply   int
		isFinal bool
	}{
		"nobody of that name":     {r: &mailtest.Server{RefuseMailbox: answer(550)}, speaks: mailtest.SMTP, trusted: true, kind: mail.ErrRecipient, reply: 550, isFinal: true},
		"the box is full":         {r: &mailtest.Server{RefuseMailbox: answer(452)}, speaks: mailtest.SMTP, trusted: true, kind: mail.ErrRecipient, reply: 452},
		"not this sender":         {r: &mailtest.Server{RefuseSender: answer(553)}, speaks: mailtest.SMTP, trusted: true, kind: mail.ErrMessage, reply: 553, isFinal: true},
		"no address":              {r: new(mailtest.Server), speaks: mailtest.SMTP, trusted: true, to: "ops", kind: mail.ErrRecipient, isFinal: true},
		"wrong password":          {r: &mailtest.Server{Password: "another"}, speaks: mailtest.SMTP, trusted: true, user: "parley@", kind: mail.ErrCredentials, reply: 535},
		"wrong password, TLS":     {r: &mailtest.Server{Password: "another"}, speaks: mailtest.SMTPS, trusted: true, user: "parley@", kind: mail.ErrCredentials, reply: 535},
		"nobody signed in":        {r: &mailtest.Server{Password: "another"}, speaks: mailtest.SMTP, trusted: true, kind: mail.ErrCredentials, reply: 530},
		"a password in the clear": {r: &mailtest.Server{Password: "pass word"}, speaks: mailtest.Plain, host: "mail.example.test", user: "parley@", kind: mail.ErrNoTLS},
		"no TLS":                  {r: new(mailtest.Server), speaks: mailtest.Plain, host: "mail.example.test", kind: mail.ErrNoTLS},
		"somebody else's":         {r: new(mailtest.Server), speaks: mailtest.SMTP},
		"somebody else's, by TLS": {r: new(mailtest.Server), speaks: mailtest.SMTPS},
		"another name in it":      {r: new(mailtest.Server), speaks: mailtest.SMTP, trusted: true, host: "mail.example.test"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.r.Start(t, test.speaks)
			roots := test.r.Roots()
			if !test.trusted {
				roots = x509.NewCertPool()
			}
			scheme := strings.Replace(test.speaks, mailtest.Plain, "smtp", 1)
			s := newSender(t, mail.Config{Server: scheme + "://" + test.user + cmp.Or(test.host, "127.0.0.1") + ":" + test.r.Port, RootCAs: roots})
			m := message
			m.To = cmp.Or(test.to, m.To)
			err := s.Send(t.Context(), m)
			var refused *mail.Error
			if !errors.As(err, &refused) || refused.Reply != test.reply || refused.IsFinal != test.isFinal {
				t.Fatalf("%+v", err)
			}
			var certificate *tls.CertificateVerificationError
			if is := errors.As(err, &certificate); test.kind == nil && !is || test.kind != nil && !errors.Is(err, test.kind) {
				t.Errorf("%v, want %v", err, test.kind)
			}
			if sent := test.r.Mail(); len(sent) > 0 {
				t.Errorf("it was sent: %+v", sent)
			}
		})
	}
}

// TestASilentMailServer is waited for no longer than the timeout, or the context, and the
// connection to it ends.
func TestASilentMailServer(t *testing.T) {
	t.Parallel()
	for name, timeout := range map[string]time.Duration{"timeout": 50 * time.Millisecond, "a stop of the server": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			s := newSender(t, mail.Config{Server: "smtp://" + l.Addr().String(), Timeout: timeout})
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			sent := make(chan error, 1)
			go func() { sent <- s.Send(ctx, message) }()
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if timeout == time.Hour {
				stop()
			}
			want := context.DeadlineExceeded
			if timeout == time.Hour {
				want = context.Canceled
			}
			if err := <-sent; !errors.Is(err, want) && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v, want %v", err, want)
			}
			if _, err := io.ReadAll(conn); err != nil {
				t.Errorf("the connection: %v", err)
			}
		})
	}
}

func TestMistakenMailServers(t *testing.T) {
	for server, want := range map[string]string{
		"mail.example.org":               "smtps://host:465",
		"https://mail.example.org":       "smtps://host:465",
		"smtps://a:b@mail.example.org":   "has a password",
		"smtps://a@mail.example.org":     "has no password",
		"smtps://mail.example.org:0":     "1 to 65535",
		"smtps://mail.example.org:66000": "1 to 65535",
		"smtps://mail.example.org/x":     "smtps://host:465",
	} {
		if _, err := mail.New(mail.Config{Server: server, From: "parley@example.org"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", server, err, want)
		}
	}
	if _, err := mail.New(mail.Config{Server: "smtps://mail.example.org", From: "parley"}); err == nil || !strings.Contains(err.Error(), "the sender") {
		t.Errorf("no sender: %v", err)
	}
}

func TestParseAddress(t *testing.T) {
	for text, ok := range map[string]bool{
		"ops@example.org": true, "Ops <ops@example.org>": false, "ops": false, "": false, "a@b@c": false,
		"ops@example.org\r\nBcc: x@example.org": false, "a@example.org,b@example.org": false,
	} {
		if got, err := mail.ParseAddress(text); (err == nil) != ok || ok && got != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
