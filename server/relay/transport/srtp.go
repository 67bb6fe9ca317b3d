package transport

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// inbound opens what a caller sends by SRTP.
type inbound struct {
	isReady   atomic.Bool  // the keys are there
	handshake atomic.Int64 // bytes of DTLS before that

	mu           sync.Mutex // one packet at a time, from whichever path
	isClosed     bool
	context      *srtp.Context
	records      *recordConn // opens what comes by DTLS; nil: dtls does
	early        []earlyPacket
	earlyRecords [][]byte
	header       rtp.Header
	opened       [receiveMTU]byte
}

// earlyPacket came before the keys.
type earlyPacket struct {
	packet []byte
	came   time.Time
}

// newInbound makes what opens a far end's packets, each of them once.
func newInbound(key, salt []byte, profile srtp.ProtectionProfile) (*srtp.Context, error) {
	return srtp.CreateContext(key, salt, profile, srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
}

// receiveMedia opens a packet of SRTP or SRTCP and hands it on. One that comes before
// the keys are there waits for them: the caller has them some moments before.
func (t *Transport) receiveMedia(packet []byte, way *path, came time.Time) {
	in := &t.in
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.isClosed:
	case in.isReady.Load():
		if t.openLocked(packet, came) {
			t.noteUse(way, came)
		}
	case len(in.early) < maxEarly:
		in.early = append(in.early, earlyPacket{append([]byte(nil), packet...), came})
	}
}

// openLocked hands on one packet, if it verifies and is new, and reports whether it is.
// in.mu must be held.
func (t *Transport) openLocked(packet []byte, came time.Time) bool {
	in := &t.in
	if len(packet) > receiveMTU {
		return false
	}
	open, hand := in.openRTP, t.handler.HandleRTP
	if isRTCP(packet) {
		open, hand = in.openRTCP, t.handler.HandleRTCP
	}
	plain, err := open(packet)
	if err != nil {
		return false
	}
	t.noteReceived(came)
	t.noteFinished()
	hand(plain, came)
	return true
}

func (in *inbound) openRTP(packet []byte) ([]byte, error) {
	return in.context.DecryptRTP(in.opened[:0], packet, &in.header)
}

func (in *inbound) openRTCP(packet []byte) ([]byte, error) {
	return in.context.DecryptRTCP(in.opened[:0], packet, nil)
}

// open begins to open packets, those first that came early.
func (in *inbound) open(t *Transport) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.isClosed {
		return
	}
	in.isReady.Store(true)
	for _, p := range in.early {
		t.openLocked(p.packet, p.came)
	}
	for _, packet := range in.earlyRecords {
		t.openRecordsLocked(packet)
	}
	in.early, in.earlyRecords = nil, nil
}

// close waits until no packet is handed on, and hands on no more.
func (in *inbound) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.isClosed, in.context, in.records, in.early, in.earlyRecords = true, nil, nil, nil, nil
}

// outbound seals what is sent by SRTP.
type outbound struct {
	ssrc uint32

	mu      sync.Mutex // one packet at a time
	isOpen  bool
	context *srtp.Context
	header  rtp.Header
	plain   [receiveMTU]byte
	sealed  [receiveMTU + maxOverhead]byte
}

// maxOverhead is what SRTP and SRTCP add to a packet at most: a tag of 16 bytes, an
// index of four.
const maxOverhead = 20

func (out *outbound) open() {
	out.mu.Lock()
	defer out.mu.Unlock()
	out.isOpen = true
}

func (out *outbound) close() {
	out.mu.Lock()
	defer out.mu.Unlock()
	out.isOpen, out.context = false, nil
}

// WriteRTP implements leg.PacketWriter: it seals one packet and sends it.
func (t *Transport) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	out := &t.out
	out.mu.Lock()
	defer out.mu.Unlock()
	way := t.sendingPath()
	if !out.isOpen || way == nil {
		return 0, nil
	}
	n, err := h.MarshalTo(out.plain[:])
	if err != nil || n+len(payload) > len(out.plain) {
		return 0, errTooLong
	}
	n += copy(out.plain[n:], payload)
	sealed, err := out.context.EncryptRTP(out.sealed[:0], out.plain[:n], &out.header)
	if err != nil {
		return 0, err
	}
	way.send(sealed)
	return len(sealed), nil
}

// WriteRTCP seals a compound packet and sends it.
func (t *Transport) WriteRTCP(packets []rtcp.Packet) error {
	plain, err := rtcp.Marshal(packets)
	if err != nil {
		return err
	}
	out := &t.out
	out.mu.Lock()
	defer out.mu.Unlock()
	way := t.sendingPath()
	if !out.isOpen || way == nil {
		return nil
	}
	sealed, err := out.context.EncryptRTCP(nil, plain, nil)
	if err != nil {
		return err
	}
	way.send(sealed)
	return nil
}
