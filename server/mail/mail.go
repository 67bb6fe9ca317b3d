// Package mail hands plain mail to the operator's own mail server (SMTP, RFC 5321), which
// sends it on. It connects to nobody else, and keeps nothing.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// The schemes of a mail server's address, and the ports that each stands for.
const (
	schemeSMTP      = "smtp"  // TLS by STARTTLS, on the port of submission (RFC 6409)
	schemeSMTPS     = "smtps" // TLS from the first byte (RFC 8314)
	portSubmission  = 587
	portSubmissions = 465
)

// Timeout is from the dial to the last answer: servers that look strangers up in lists
// take some seconds before they greet.
const Timeout = 20 * time.Second

// Config is what a Sender needs.
type Config struct {
	// Server is smtps://user@host:465 or smtp://user@host:587; the user may be left out.
	Server string
	// Password gives the user's as it is by now; it may be nil where there is no user.
	Password func() string
	From     string         // the sender's address
	RootCAs  *x509.CertPool // of the mail server's certificate; nil: the machine's
	Timeout  time.Duration  // of an attempt; 0 is Timeout
	// Dial connects; nil is a net.Dialer's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Sender sends mail. It is safe for use by many goroutines.
type Sender struct {
	cfg     Config
	host    string
	user    string
	from    *mail.Address
	isTLS   bool // from the first byte
	tls     *tls.Config
	options []gomail.Option
}

// Message is one mail. ID is the same in every attempt to send it.
type Message struct{ ID, To, Subject, Text string }

// New returns a Sender. An error says which value is wrong, and what to write.
func New(cfg Config) (*Sender, error) {
	u, err := url.Parse(cfg.Server)
	if err != nil || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.Scheme != schemeSMTP && u.Scheme != schemeSMTPS {
		return nil, errors.New("the mail server is no address: write smtps://host:465, or smtp://host:587")
	}
	if _, hasPassword := u.User.Password(); hasPassword {
		return nil, errors.New("the mail server's address has a password: write it to a file, and leave the user's name alone")
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = Timeout
	}
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	s := &Sender{cfg: cfg, host: u.Hostname(), user: u.User.Username()}
	if s.user != "" && (cfg.Password == nil || cfg.Password() == "") {
		return nil, errors.New("the mail server's user has no password: write the file of it, or leave the user out")
	}
	if s.from, err = mail.ParseAddress(cfg.From); err != nil {
		return nil, errors.New("the sender is no mail address: write one, like parley@example.org")
	}
	s.tls = &tls.Config{ServerName: s.host, RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12}
	s.options = []gomail.Option{gomail.WithTimeout(cfg.Timeout), gomail.WithoutNoop(), gomail.WithTLSConfig(s.tls)}
	port := portSubmission
	switch {
	case u.Scheme == schemeSMTPS:
		port, s.isTLS = portSubmissions, true
		s.options = append(s.options, gomail.WithSSL())
	case isLoopback(s.host):
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	default:
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil || port < 1 || port > 65535 {
			return nil, errors.New("the mail server's port is none: write 1 to 65535")
		}
	}
	s.options = append(s.options, gomail.WithPort(port))
	return s, nil
}

// isLoopback reports whether a mail server is on this machine, which a mail reaches
// without a network.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Kinds of refusals, for errors.Is. An error that is none of them is of the way there: no
// address, no answer, no certificate that holds.
var (
	ErrNoTLS       = errors.New("the mail server offers no TLS")
	ErrCredentials = errors.New("the mail server does not take the user and password")
	ErrRecipient   = errors.New("the mail server does not take mail for this address")
	// ErrMessage is every other answer that is no yes, and a message that can't be written.
	ErrMessage = errors.New("the mail server does not take the mail")
)

// Error is why a mail was not taken.
type Error struct {
	Reply   int  // of the mail server (RFC 5321 §4.2); 0 if none came
	IsFinal bool // another attempt would not change it
	err     error
}

// Error implements error.
func (e *Error) Error() string { return "mail: " + e.err.Error() }

// Unwrap gives the underlying errors.
func (e *Error) Unwrap() error { return e.err }

// Send hands one message over; any error is an *Error.
func (s *Sender) Send(ctx context.Context, m Message) error {
	to, err := ParseAddress(m.To)
	if err != nil {
		return &Error{IsFinal: true, err: fmt.Errorf("%w: %w", ErrRecipient, err)}
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	client, err := s.newClient(ctx)
	if err != nil {
		return &Error{err: err}
	}
	if err := client.DialAndSendWithContext(ctx, s.newMessage(m, to)); err != nil {
		return classify(errors.Join(err, ctx.Err()))
	}
	return nil
}

func (s *Sender) newMessage(m Message, to string) *gomail.Msg {
	msg := gomail.NewMsg()
	msg.FromMailAddress(s.from)
	msg.ToMailAddress(&mail.Address{Address: to})
	msg.Subject(oneLine(m.Subject))
	msg.SetDate()
	msg.SetMessageIDWithValue(m.ID + "@" + domainOf(s.from.Address))
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's absence is answered
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	return msg
}

// newClient returns a client of one mail, whose connection ends with ctx: go-mail's own
// waits for an answer as long as it may take, a stop of the server or not.
func (s *Sender) newClient(ctx context.Context) (*gomail.Client, error) {
	options := append(s.options[:len(s.options):len(s.options)], gomail.WithDialContextFunc(func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := s.dial(dialing, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = conn.Close() })
		}
		return conn, err
	}))
	if s.user != "" {
		options = append(options, gomail.WithSMTPAuthCustom(&passwordAuth{user: s.user, password: s.cfg.Password(), host: s.host}))
	}
	return gomail.NewClient(s.host, options...)
}

func (s *Sender) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := s.cfg.Dial(ctx, network, address)
	if err != nil || !s.isTLS {
		return conn, err
	}
	secure := tls.Client(conn, s.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// passwordAuth signs in by PLAIN (RFC 4616), or by LOGIN where a server knows nothing else;
// both refuse to tell a password without TLS, but to this machine.
type passwordAuth struct {
	user, password, host string
	smtp.Auth
}

// Start implements smtp.Auth.
func (a *passwordAuth) Start(server *smtp.ServerInfo) (string, []byte, error) {
	switch {
	case slices.Contains(server.Auth, "PLAIN"):
		a.Auth = smtp.PlainAuth("", a.user, a.password, a.host, false)
	case slices.Contains(server.Auth, "LOGIN"):
		a.Auth = smtp.LoginAuth(a.user, a.password, a.host, false)
	default:
		return "", nil, errNoSignIn
	}
	return a.Auth.Start(server)
}

var errNoSignIn = errors.New("it offers neither PLAIN nor LOGIN")

// Replies of RFC 5321 §4.2.1 and RFC 4954 §6.
const (
	replyPermanent   = 500 // and above: no, for good
	replySignInFirst = 530
	replyCredentials = 535
)

// classify makes an *Error of what go-mail says. What is wrong with user and password is
// not for good: the file of the password may be mended.
func classify(err error) *Error {
	e := &Error{err: err}
	var answer *gomail.SendError
	var reply *textproto.Error
	if errors.As(err, &answer) {
		e.Reply = answer.ErrorCode()
	} else if errors.As(err, &reply) {
		e.Reply = reply.Code
	}
	kind := error(nil)
	switch {
	case e.Reply == replySignInFirst, e.Reply == replyCredentials, errors.Is(err, errNoSignIn):
		kind = ErrCredentials
	case e.Reply > 0 && answer != nil:
		kind, e.IsFinal = ErrMessage, e.Reply >= replyPermanent
		if answer.Reason == gomail.ErrSMTPRcptTo {
			kind = ErrRecipient
		}
	case e.Reply > 0:
		kind = ErrMessage
	case strings.Contains(err.Error(), "does not support STARTTLS"): // go-mail has no type for it
		kind = ErrNoTLS
	}
	if kind != nil {
		e.err = fmt.Errorf("%w: %w", kind, err)
	}
	return e
}

// ParseAddress reads the address of who gets mail, alone: ann@example.org.
func ParseAddress(text string) (string, error) {
	a, err := mail.ParseAddress(text)
	if err != nil || a.Name != "" || a.Address != text || strings.ContainsAny(text, "\r\n<>") || net.ParseIP(domainOf(text)) != nil {
		return "", errors.New("not a mail address: write one alone, like ops@example.org")
	}
	return a.Address, nil
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// oneLine keeps what somebody wrote from becoming a header of its own.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
