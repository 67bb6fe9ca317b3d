package logexport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// severity is how serious a line is (RFC 5424 §6.2.1).
type severity int

const (
	warning       severity = 4
	notice        severity = 5
	informational severity = 6
)

// The facilities of the two logs (RFC 5424 §6.2.1).
const (
	facilityAudit  = 13 // log audit
	facilityLocal0 = 16
)

// closePatience is how long a collector has to read what was sent and close.
const closePatience = 10 * time.Second

// syslogSender speaks syslog (RFC 5424) over TLS (RFC 5425) or TCP, with the length
// before each message (RFC 6587 §3.4.1).
//
// Neither has a word for "I have it". So each batch has a connection of its own, and
// counts once the collector, after our end of it, closes its own: a collector that ends
// with something unread, or breaks, resets the connection instead.
type syslogSender struct {
	address string
	tls     *tls.Config // nil: plain TCP
	version string
	node    string
	process string
}

func newSyslogSender(cfg Config) *syslogSender {
	s := &syslogSender{address: syslogAddress(cfg.Destination), version: cfg.Version, node: cfg.Node, process: strconv.Itoa(os.Getpid())}
	if cfg.Destination.Scheme == schemeSyslogTLS {
		s.tls = &tls.Config{
			ServerName: cfg.Destination.Hostname(), RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12,
			ClientSessionCache: tls.NewLRUClientSessionCache(1), // a batch a second costs no full handshake each
		}
	}
	return s
}

// send writes a batch, ends our side and waits for the other's end.
func (s *syslogSender) send(ctx context.Context, batch []line) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	var frames []byte
	for i := range batch {
		message := s.appendMessage(nil, &batch[i])
		frames = append(strconv.AppendInt(frames, int64(len(message)), 10), ' ')
		frames = append(frames, message...)
	}
	if _, err := conn.Write(frames); err != nil {
		return err
	}
	return finish(ctx, conn)
}

func (s *syslogSender) dial(ctx context.Context) (net.Conn, error) {
	var plain net.Dialer
	if s.tls == nil {
		return plain.DialContext(ctx, "tcp", s.address)
	}
	return (&tls.Dialer{NetDialer: &plain, Config: s.tls}).DialContext(ctx, "tcp", s.address)
}

// finish says that nothing more comes, and returns nil once the other side has all of it
// and has ended in order, too.
func finish(ctx context.Context, conn net.Conn) error {
	if err := conn.SetReadDeadline(time.Now().Add(closePatience)); err != nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	plain := conn
	if secure, is := conn.(*tls.Conn); is {
		if err := secure.CloseWrite(); err != nil {
			return err
		}
		plain = secure.NetConn()
	}
	tcp, is := plain.(*net.TCPConn)
	if !is {
		return fmt.Errorf("a connection of %T can't be ended in order", plain)
	}
	if err := tcp.CloseWrite(); err != nil { // for those, too, who wait for no close_notify
		return err
	}
	return waitForEnd(conn, tcp)
}

// waitForEnd reads up to the other's end: its close_notify, and then TCP's own, for a
// reset may follow the first.
func waitForEnd(conn net.Conn, tcp *net.TCPConn) error {
	for _, from := range []net.Conn{conn, tcp} {
		if _, err := io.Copy(io.Discard, from); errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("the collector did not close the connection within %v of our end, so it may not have the lines", closePatience)
		} else if err != nil {
			return err
		}
	}
	return waitForAcknowledgement(tcp)
}

// timeFormat is RFC 3339 with milliseconds, as RFC 5424 §6.2.3 has it.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// Lengths that RFC 5424 §6.2 allows for names.
const (
	maxHostname = 255
	maxParam    = 300 // ours: no value of the server's own comes near
)

// appendMessage writes a line as a SYSLOG-MSG.
func (s *syslogSender) appendMessage(to []byte, l *line) []byte {
	facility := facilityLocal0
	if l.log == "audit" {
		facility = facilityAudit
	}
	node := l.node
	if node == "" {
		node = s.node
	}
	to = fmt.Appendf(to, `<%d>1 %s %s parley %s %s [origin software="Parley" swVersion="%s"] `,
		facility*8+int(l.severity), l.at.UTC().Format(timeFormat), headerName(node, maxHostname), s.process, l.log, escapeParam(s.version))
	if !isASCII(l.body) { // MSG-UTF8 begins with a byte order mark; what has none is of no encoding that we name
		to = append(to, "\ufeff"...)
	}
	return append(to, l.body...)
}

// headerName makes a text a field of a header: printable ASCII without spaces, "-" for
// nothing.
func headerName(text string, most int) string {
	name := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	if name == "" {
		return "-"
	}
	return name[:min(len(name), most)]
}

// escapeParam makes a text the value of a parameter of structured data (RFC 5424
// §6.3.3): UTF-8, with a backslash before what would end it.
func escapeParam(text string) string {
	if len(text) > maxParam {
		text = text[:maxParam]
	}
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(strings.ToValidUTF8(text, "?"))
}

func isASCII(text []byte) bool {
	for _, b := range text {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
