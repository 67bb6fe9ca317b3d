package transport

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/dtls/v3/pkg/protocol"
	"github.com/pion/dtls/v3/pkg/protocol/alert"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/dtls/v3/pkg/protocol/recordlayer"
	"github.com/pion/transport/v4/packetio"
	"github.com/pion/transport/v4/replaydetector"
)

// A record of DTLS 1.2 (RFC 6347 §4.1) that AES-GCM seals (RFC 5288 §3).
const (
	recordHeader = recordlayer.FixedHeaderSize
	// dataEpoch is that of all records after the one handshake that a call has.
	dataEpoch     = 1
	implicitNonce = 4
	explicitNonce = 8
	// recordOverhead is what a record has beside its content.
	recordOverhead = recordHeader + explicitNonce + 16
)

// recordConn is DTLS once its handshake is over: what SCTP reads and writes. Records are
// opened in the goroutine that read the packet, and sealed in the one that writes. A dtls.Conn
// does the same by two goroutines of its own, one for each packet that it reads, and two for
// each that it writes, and keeps all of the handshake.
type recordConn struct {
	transport *Transport
	unread    *packetio.Buffer
	once      sync.Once
	closed    chan struct{} // either end said goodbye

	// The transport's in.mu must be held for these.
	opening  recordCipher
	received replaydetector.CheckAccepter

	// The transport's out.mu must be held for these.
	sealing recordCipher
	number  uint64 // of the next record; before begin there is none to be had
}

// recordCipher is AES-GCM with a nonce and the additional data of the record at hand.
type recordCipher struct {
	cipher.AEAD
	nonce [implicitNonce + explicitNonce]byte
	data  [recordHeader]byte
}

// dtlsState is what [dtls.State.MarshalBinary] has of a handshake, as far as keys are made
// of it.
type dtlsState struct {
	LocalRandom, RemoteRandom [handshake.RandomLength]byte
	MasterSecret              []byte
}

// newRecords makes what takes over from a handshake that is done. It is nil where AES-GCM of
// 128 bits, which every browser offers first, was not agreed on.
func newRecords(t *Transport, state *dtls.State) (*recordConn, error) {
	if state.CipherSuiteID != dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 {
		return nil, nil
	}
	keys, err := recordKeys(state, t.cfg.IsClient)
	if err != nil {
		return nil, fmt.Errorf("transport: DTLS's keys: %w", err)
	}
	return newRecordConn(t, keys)
}

// recordKeys makes the keys of records (RFC 5246 §6.3).
func recordKeys(state *dtls.State, isClient bool) (*prf.EncryptionKeys, error) {
	text, err := state.MarshalBinary()
	if err != nil {
		return nil, err
	}
	defer clear(text)
	var s dtlsState
	if err := gob.NewDecoder(bytes.NewReader(text)).Decode(&s); err != nil {
		return nil, err
	}
	defer clear(s.MasterSecret)
	client, server := s.RemoteRandom[:], s.LocalRandom[:]
	if isClient {
		client, server = server, client
	}
	return prf.GenerateEncryptionKeys(s.MasterSecret, client, server, 0, 16, implicitNonce, sha256.New)
}

// newRecordConn makes one that opens records, and sends some from begin on.
func newRecordConn(t *Transport, keys *prf.EncryptionKeys) (*recordConn, error) {
	r := &recordConn{
		transport: t, unread: newUnread(), closed: make(chan struct{}), number: recordlayer.MaxSequenceNumber + 1,
		received: replaydetector.New(replayWindow, recordlayer.MaxSequenceNumber).(replaydetector.CheckAccepter),
	}
	client, server := &r.opening, &r.sealing
	if t.cfg.IsClient {
		client, server = server, client
	}
	if err := client.init(keys.ClientWriteKey, keys.ClientWriteIV); err != nil {
		return nil, err
	}
	return r, server.init(keys.ServerWriteKey, keys.ServerWriteIV)
}

func (c *recordCipher) init(key, iv []byte) error {
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err == nil {
		c.AEAD, err = cipher.NewGCM(block)
	}
	copy(c.nonce[:], iv)
	if err != nil {
		return fmt.Errorf("transport: DTLS's keys: %w", err)
	}
	return nil
}

// use has the cipher be that of a record by its header, of so many bytes of content.
func (c *recordCipher) use(header, explicit []byte, length int) (nonce, data []byte) {
	copy(c.nonce[implicitNonce:], explicit)
	copy(c.data[:], header[3:11]) // epoch and number
	copy(c.data[8:], header[:3])  // type and version
	binary.BigEndian.PutUint16(c.data[11:], uint16(length))
	return c.nonce[:], c.data[:]
}

// receiveLocked takes the records of a packet, and reports whether one of them verified.
// The transport's in.mu must be held.
func (r *recordConn) receiveLocked(packet []byte) (isVerified bool) {
	for len(packet) >= recordOverhead {
		n := recordHeader + int(binary.BigEndian.Uint16(packet[recordHeader-2:]))
		if n > len(packet) {
			break
		}
		if content, ok := r.openLocked(packet[:n]); ok {
			isVerified = true
			r.take(protocol.ContentType(packet[0]), content)
		}
		packet = packet[n:]
	}
	return isVerified
}

// openLocked opens a record that is new. The transport's in.mu must be held.
func (r *recordConn) openLocked(record []byte) (content []byte, ok bool) {
	header, length := record[:recordHeader], len(record)-recordOverhead
	isOurs := header[1] == protocol.Version1_2.Major && header[2] == protocol.Version1_2.Minor && binary.BigEndian.Uint16(header[3:]) == dataEpoch
	number := r.received.CheckSeq(binary.BigEndian.Uint64(header[3:]) & recordlayer.MaxSequenceNumber)
	if length < 0 || !isOurs || !number.Passed() {
		return nil, false
	}
	sealed := record[recordHeader+explicitNonce:]
	nonce, data := r.opening.use(header, record[recordHeader:], length)
	content, err := r.opening.Open(r.transport.in.opened[:0], nonce, sealed, data)
	if err != nil {
		return nil, false
	}
	r.received.Accept(number)
	return content, true
}

// take takes the content of a record. An alert but a warning is the end.
func (r *recordConn) take(kind protocol.ContentType, content []byte) {
	switch kind {
	case protocol.ContentTypeApplicationData:
		if len(content) > 0 {
			_, _ = r.unread.Write(content) // what finds no room is lost, as on any line
		}
	case protocol.ContentTypeAlert:
		var a alert.Alert
		if a.Unmarshal(content) == nil && (a.Level == alert.Fatal || a.Description == alert.CloseNotify) {
			r.Close()
		}
	}
}

// begin has records sent, the first one with a number that none has had.
func (r *recordConn) begin(number uint64) {
	out := &r.transport.out
	out.mu.Lock()
	defer out.mu.Unlock()
	r.number = number
}

// send seals a record and sends it. What has nowhere to go is lost.
func (r *recordConn) send(kind protocol.ContentType, content []byte) error {
	out := &r.transport.out
	out.mu.Lock()
	defer out.mu.Unlock()
	if len(content)+recordOverhead > len(out.sealed) || r.number > recordlayer.MaxSequenceNumber {
		return errTooLong
	}
	way := r.transport.sendingPath()
	if way == nil {
		return nil
	}
	record := out.sealed[:recordHeader+explicitNonce]
	record[0], record[1], record[2] = byte(kind), protocol.Version1_2.Major, protocol.Version1_2.Minor
	binary.BigEndian.PutUint64(record[3:], dataEpoch<<48|r.number)
	copy(record[recordHeader:], record[3:11]) // the explicit nonce is epoch and number (RFC 9325 §7.2.1)
	r.number++
	nonce, data := r.sealing.use(record, record[recordHeader:], len(content))
	record = r.sealing.Seal(record, nonce, content, data)
	binary.BigEndian.PutUint16(record[recordHeader-2:], uint16(len(record)-recordHeader))
	way.send(record)
	return nil
}

// Read implements net.Conn.
func (r *recordConn) Read(b []byte) (int, error) { return r.unread.Read(b) }

// Write implements net.Conn: it sends one record.
func (r *recordConn) Write(b []byte) (int, error) {
	select {
	case <-r.closed:
		return 0, net.ErrClosed
	default:
		return len(b), r.send(protocol.ContentTypeApplicationData, b)
	}
}

// Close implements net.Conn. It says goodbye, once.
func (r *recordConn) Close() error {
	r.once.Do(func() {
		close(r.closed)
		_ = r.send(protocol.ContentTypeAlert, []byte{byte(alert.Warning), byte(alert.CloseNotify)}) // lost like any packet
		_ = r.unread.Close()                                                                        // never fails
	})
	return nil
}

// LocalAddr implements net.Conn.
func (*recordConn) LocalAddr() net.Addr { return callAddr{} }

// RemoteAddr implements net.Conn.
func (*recordConn) RemoteAddr() net.Addr { return callAddr{} }

// SetDeadline implements net.Conn.
func (r *recordConn) SetDeadline(t time.Time) error { return r.unread.SetReadDeadline(t) }

// SetReadDeadline implements net.Conn.
func (r *recordConn) SetReadDeadline(t time.Time) error { return r.unread.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn: a write waits for nothing.
func (*recordConn) SetWriteDeadline(time.Time) error { return nil }
