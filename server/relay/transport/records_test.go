package transport_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/ciphersuite"
	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/dtls/v3/pkg/protocol"
	"github.com/pion/dtls/v3/pkg/protocol/alert"
	"github.com/pion/dtls/v3/pkg/protocol/recordlayer"
	"github.com/pion/logging"
	"github.com/pion/sctp"
	"github.com/pion/webrtc/v4"

	"parley/server/relay/transport"
)

// records returns our end of DTLS after a handshake, the far end's cipher as pion has it, and
// what was sent.
func records(t *testing.T, number uint64) (transport.Records, *ciphersuite.GCM, *[][]byte) {
	t.Helper()
	key := func(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }
	far, err := ciphersuite.NewGCM(key(1, 16), key(2, 4), key(3, 16), key(4, 4))
	if err != nil {
		t.Fatal(err)
	}
	sent := &[][]byte{}
	r, err := transport.NewRecords(&prf.EncryptionKeys{
		ClientWriteKey: key(1, 16), ClientWriteIV: key(2, 4), ServerWriteKey: key(3, 16), ServerWriteIV: key(4, 4),
	}, number, func(packet []byte) { *sent = append(*sent, bytes.Clone(packet)) })
	if err != nil {
		t.Fatal(err)
	}
	return r, far, sent
}

// seal makes a record as pion does.
func seal(t *testing.T, far *ciphersuite.GCM, epoch uint16, number uint64, content protocol.Content) []byte {
	t.Helper()
	record := &recordlayer.RecordLayer{Header: recordlayer.Header{Version: protocol.Version1_2, Epoch: epoch, SequenceNumber: number}, Content: content}
	raw, err := record.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := far.Encrypt(record, raw)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func text(s string) protocol.Content { return &protocol.ApplicationData{Data: []byte(s)} }

// readAll reads what came, without waiting for more.
func readAll(r transport.Records) (all []string) {
	b := make([]byte, 1500)
	for r.Unread() > 0 {
		n, err := r.Read(b)
		if err != nil {
			return append(all, err.Error())
		}
		all = append(all, string(b[:n]))
	}
	return all
}

// A record is taken once, if it verifies and is of this connection; several may come in one
// packet, and late.
func TestWhichRecordsAreTaken(t *testing.T) {
	r, far, _ := records(t, 0)
	one, three := seal(t, far, 1, 1, text("one")), seal(t, far, 1, 3, text("three"))
	forged, cut, longer := bytes.Clone(one), one[:len(one)-1], bytes.Clone(three)
	forged[len(forged)-1] ^= 1
	longer[12]++
	other := bytes.Clone(seal(t, far, 1, 9, text("of another version")))
	other[2] = 0xff
	for name, packet := range map[string][]byte{
		"forged": forged, "cut": cut, "with a longer length": longer, "nothing": nil, "a header": one[:13],
		"of the handshake's epoch": seal(t, far, 0, 8, text("zero")), "of another version": other,
		"of no length": append(slices.Clone(one[:11]), 0, 0),
	} {
		if r.Receive(packet) || readAll(r) != nil {
			t.Errorf("a record that is %s was taken", name)
		}
	}
	for i, c := range []struct {
		packet []byte
		want   []string
	}{
		{three, []string{"three"}}, {three, nil},
		{slices.Concat(one, seal(t, far, 1, 2, text("two"))), []string{"one", "two"}},
		{slices.Concat(one, seal(t, far, 1, 4, text("")), seal(t, far, 1, 5, text("five")), cut), []string{"five"}},
		{seal(t, far, 1, 1000, text("late")), []string{"late"}}, {seal(t, far, 1, 100, text("too late")), nil},
	} {
		if r.Receive(c.packet); !slices.Equal(readAll(r), c.want) {
			t.Errorf("packet %d: want %q", i, c.want)
		}
	}
}

// What is sent is opened by pion; its numbers go on from the first, and it is not sent once
// there are no more.
func TestHowRecordsAreSealed(t *testing.T) {
	r, far, sent := records(t, recordlayer.MaxSequenceNumber-1)
	for _, s := range []string{"one", "two"} {
		if n, err := r.Write([]byte(s)); n != len(s) || err != nil {
			t.Fatal(n, err)
		}
	}
	if _, err := r.Write([]byte("three")); err == nil || len(*sent) != 2 {
		t.Fatalf("%d records were sent, %v", len(*sent), err)
	}
	for i, want := range []string{"one", "two"} {
		packet := (*sent)[i]
		if number := binary.BigEndian.Uint64(packet[3:]); number != 1<<48|recordlayer.MaxSequenceNumber-1+uint64(i) || number != binary.BigEndian.Uint64(packet[13:]) {
			t.Errorf("the number is %x", number)
		}
		plain, err := far.Decrypt(recordlayer.Header{}, packet)
		if err != nil || string(plain[13:]) != want {
			t.Errorf("%q, %v", plain, err)
		}
	}
	if _, err := r.Write(make([]byte, 1600)); err == nil {
		t.Error("a record that is too long was sent")
	}
}

// A goodbye of the far end, or an error, is answered by one and ends what reads; a warning
// ends nothing.
func TestGoodbyes(t *testing.T) {
	for name, c := range map[string]struct {
		alert alert.Alert
		isEnd bool
	}{
		"goodbye": {alert.Alert{Level: alert.Warning, Description: alert.CloseNotify}, true},
		"error":   {alert.Alert{Level: alert.Fatal, Description: alert.InternalError}, true},
		"warning": {alert.Alert{Level: alert.Warning, Description: alert.NoRenegotiation}, false},
	} {
		r, far, sent := records(t, 7)
		r.Receive(seal(t, far, 1, 1, &c.alert))
		if r.IsClosed() != c.isEnd || len(*sent) == 1 != c.isEnd {
			t.Errorf("%s: closed %v, %d sent", name, r.IsClosed(), len(*sent))
		}
		if !c.isEnd {
			continue
		}
		if plain, err := far.Decrypt(recordlayer.Header{}, (*sent)[0]); err != nil || !bytes.Equal(plain[13:], []byte{byte(alert.Warning), byte(alert.CloseNotify)}) {
			t.Errorf("%s: the answer is %x, %v", name, plain, err)
		}
		_, readErr := r.Read(make([]byte, 10))
		if _, err := r.Write([]byte("more")); !errors.Is(err, net.ErrClosed) || !errors.Is(readErr, io.EOF) || r.Close() != nil || len(*sent) != 1 {
			t.Errorf("%s: after the end %v, %v, %d sent", name, readErr, err, len(*sent))
		}
	}
}

// line is a caller's socket as its DTLS sees it.
type line struct {
	*net.UDPConn
	to   net.Addr
	lose func(packet []byte) bool // of what comes; nil: nothing

	mu   sync.Mutex
	came [][]byte
}

func (l *line) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := l.UDPConn.ReadFrom(b)
		if err != nil || b[0] > 3 && (l.lose == nil || !l.lose(b[:n])) {
			l.mu.Lock()
			l.came = append(l.came, bytes.Clone(b[:max(n, 0)]))
			l.mu.Unlock()
			return n, from, err
		}
	}
}

func (l *line) WriteTo(b []byte, _ net.Addr) (int, error) { return l.UDPConn.WriteTo(b, l.to) }

// numbers are those of the records after the handshake that came.
func (l *line) numbers() (all []uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, packet := range l.came {
		for len(packet) > 13 {
			if number := binary.BigEndian.Uint64(packet[3:]); number>>48 == 1 {
				all = append(all, number)
			}
			packet = packet[13+int(binary.BigEndian.Uint16(packet[11:])):]
		}
	}
	return all
}

// secure connects a caller by ICE and DTLS.
func secure(t *testing.T, isServer bool, lose func([]byte) bool, suites ...dtls.CipherSuiteID) (*transport.Transport, *handled, *dtls.Conn, *line) {
	t.Helper()
	p, at := port(t, anywhere)
	cert, fingerprint := certificate(t)
	h := &handled{}
	l, err := p.Open(transport.Config{Certificate: cert, Fingerprint: fingerprint, IsClient: isServer, Log: logging.NewDefaultLoggerFactory(), MaxReceived: 64 << 10},
		func(*transport.Transport) transport.Handler { return h })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	c := newClient(t, at)
	c.isAnswered(c.check(l.Credentials()))
	_ = c.conn.SetReadDeadline(time.Time{}) // never fails
	way := &line{UDPConn: c.conn, to: at, lose: lose}
	both := []dtls.Option{
		dtls.WithCertificates(cert), dtls.WithInsecureSkipVerify(true), dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM),
		dtls.WithFlightInterval(50 * time.Millisecond), dtls.WithCipherSuites(append(suites, dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)...),
	}
	var conn *dtls.Conn
	if isServer {
		options := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerifyHello(true)}
		for _, o := range both {
			options = append(options, o)
		}
		conn, err = dtls.ServerWithOptions(way, at, options...)
	} else {
		options := []dtls.ClientOption{}
		for _, o := range both {
			options = append(options, o)
		}
		conn, err = dtls.ClientWithOptions(way, at, options...)
	}
	if err == nil {
		err = conn.HandshakeContext(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return l, h, conn, way
}

// A caller's data channel works with either role of DTLS, with a cipher suite that is left to
// dtls, and after the last part of the handshake was lost; no number is used twice.
func TestDataGoesByRecords(t *testing.T) {
	for name, c := range map[string]struct {
		isServer, isLost bool
		suites           []dtls.CipherSuiteID
		isOurs           bool
	}{
		"a client": {isOurs: true}, "a server": {isServer: true, isOurs: true}, "after a loss": {isLost: true, isOurs: true},
		"another suite": {suites: []dtls.CipherSuiteID{dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}},
	} {
		t.Run(name, func(t *testing.T) {
			lost := 0
			l, h, conn, way := secure(t, c.isServer, func(packet []byte) bool {
				isLast := packet[0] == byte(protocol.ContentTypeChangeCipherSpec)
				if isLast {
					lost++
				}
				return isLast && c.isLost && lost < 3
			}, c.suites...)
			l.ServeChannels(64 << 10)
			echoed(t, h, conn, c.isServer)
			if l.HasTakenOver() != c.isOurs {
				t.Errorf("taken over from dtls: %v", !c.isOurs)
			}
			if c.isLost && lost < 3 {
				t.Errorf("the last flight came %d times", lost)
			}
			numbers := way.numbers()
			if sorted := slices.Sorted(slices.Values(numbers)); len(numbers) < 4 || len(slices.Compact(sorted)) != len(numbers) {
				t.Errorf("numbers %x", numbers)
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			until(t, "the caller's goodbye is heard", func() bool { _, state := l.State(); return state == webrtc.DTLSTransportStateClosed })
		})
	}
}

// until waits until ok holds.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// echoed has a message go there and back by a data channel of the caller's.
func echoed(t *testing.T, h *handled, conn *dtls.Conn, isServer bool) {
	t.Helper()
	association, err := sctp.ClientWithOptions(sctp.WithNetConn(conn), sctp.WithLoggerFactory(logging.NewDefaultLoggerFactory()))
	if err != nil {
		t.Fatal(err)
	}
	id := uint16(0) // RFC 8832 §6: even ones are the DTLS client's
	if isServer {
		id = 1
	}
	mine, err := datachannel.Dial(association, id, &datachannel.Config{Label: "x", LoggerFactory: logging.NewDefaultLoggerFactory()})
	if err != nil {
		t.Fatal(err)
	}
	var theirs *datachannel.DataChannel
	until(t, "the channel opens", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.channels) > 0 {
			theirs = h.channels[0]
		}
		return theirs != nil
	})
	b := make([]byte, 100)
	for _, way := range [][2]*datachannel.DataChannel{{mine, theirs}, {theirs, mine}} {
		if _, err := way[0].Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if n, err := way[1].Read(b); err != nil || string(b[:n]) != "hello" {
			t.Fatalf("%q, %v", b[:n], err)
		}
	}
}

// Who is hung up on hears a goodbye.
func TestACallerHearsAGoodbye(t *testing.T) {
	for name, isTalking := range map[string]bool{"with data": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			l, h, conn, _ := secure(t, false, nil)
			if isTalking {
				l.ServeChannels(64 << 10)
				echoed(t, h, conn, false)
			}
			l.Close()
			if !isTalking {
				if n, err := conn.Read(make([]byte, 10)); err == nil {
					t.Errorf("%d bytes", n)
				}
				return
			}
			until(t, "the goodbye comes", func() bool { _, err := conn.Write(nil); return err != nil })
		})
	}
}
