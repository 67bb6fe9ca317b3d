package caller

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// maxPacket is more than any packet has.
const maxPacket = 1500

// frameSamples are those of a packet: 20 ms at 48 kHz.
const frameSamples = 960

// voice is the level of what is sent, as RFC 6464 has it: speech at −30 dBov.
const voice = 0x80 | 30

// media is the two streams.
type media struct {
	ssrc    uint32
	isReady atomic.Bool

	in       *srtp.Context
	opened   [maxPacket]byte
	heard    rtp.Header
	received atomic.Uint32 // highest sequence number
	remote   atomic.Uint32 // SSRC

	mu     sync.Mutex
	out    *srtp.Context
	number uint16
	sent   uint32
	plain  [maxPacket]byte
	sealed [maxPacket]byte
}

func (m *media) takeKeys(conn *dtls.Conn, isClient bool) error {
	profile, _ := conn.SelectedSRTPProtectionProfile()
	state, isKnown := conn.ConnectionState()
	if !isKnown {
		return fmt.Errorf("caller: DTLS tells no keys")
	}
	keys := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := keys.ExtractSessionKeysFromDTLS(&state, isClient); err != nil {
		return fmt.Errorf("caller: SRTP's keys: %w", err)
	}
	k := keys.Keys
	var err error
	if m.out, err = srtp.CreateContext(k.LocalMasterKey, k.LocalMasterSalt, keys.Profile); err != nil {
		return fmt.Errorf("caller: SRTP: %w", err)
	}
	if m.in, err = srtp.CreateContext(k.RemoteMasterKey, k.RemoteMasterSalt, keys.Profile); err != nil {
		return fmt.Errorf("caller: SRTP: %w", err)
	}
	m.isReady.Store(true)
	return nil
}

// open returns the payload of a packet of audio; nil: it is none. It is called from one
// goroutine at a time.
func (m *media) open(packet []byte) []byte {
	if !m.isReady.Load() || len(packet) < 12 || 192 <= packet[1] && packet[1] <= 223 {
		return nil // reports are not read
	}
	plain, err := m.in.DecryptRTP(m.opened[:0], packet, &m.heard)
	if err != nil {
		return nil
	}
	m.received.Store(uint32(m.heard.SequenceNumber))
	m.remote.Store(m.heard.SSRC)
	return plain[m.heard.MarshalSize():]
}

// SendAudio sends the next 20 ms.
func (c *Caller) SendAudio(payload []byte) error {
	m := &c.media
	m.mu.Lock()
	defer m.mu.Unlock()
	m.number++
	m.sent++
	h := rtp.Header{Version: 2, PayloadType: payloadType, SSRC: m.ssrc, SequenceNumber: m.number, Timestamp: m.sent * frameSamples}
	if err := h.SetExtension(levelID, []byte{voice}); err != nil {
		return fmt.Errorf("caller: level: %w", err)
	}
	n, err := h.MarshalTo(m.plain[:])
	if err != nil {
		return fmt.Errorf("caller: audio: %w", err)
	}
	n += copy(m.plain[n:], payload)
	sealed, err := m.out.EncryptRTP(m.sealed[:0], m.plain[:n], nil)
	if err != nil {
		return fmt.Errorf("caller: audio: %w", err)
	}
	return c.write(sealed)
}

// SendReport sends what RFC 3550 §6.4 asks for, of a line without loss.
func (c *Caller) SendReport(now time.Time) error {
	m := &c.media
	m.mu.Lock()
	defer m.mu.Unlock()
	report := &rtcp.SenderReport{SSRC: m.ssrc, NTPTime: ntp(now), RTPTime: m.sent * frameSamples, PacketCount: m.sent}
	if remote := m.remote.Load(); remote != 0 {
		report.Reports = []rtcp.ReceptionReport{{SSRC: remote, LastSequenceNumber: m.received.Load()}}
	}
	plain, err := report.Marshal()
	if err != nil {
		return fmt.Errorf("caller: report: %w", err)
	}
	sealed, err := m.out.EncryptRTCP(nil, plain, nil)
	if err != nil {
		return fmt.Errorf("caller: report: %w", err)
	}
	return c.write(sealed)
}

// ntp is a time as RFC 3550 §4 has it: seconds since 1900, and their fraction.
func ntp(at time.Time) uint64 {
	const since1900 = 2208988800
	return uint64(at.Unix()+since1900)<<32 | uint64(at.Nanosecond())<<32/1e9
}
