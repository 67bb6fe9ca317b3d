package relay

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// clockRate is Opus's RTP clock, whatever the audio's own rate (RFC 7587 §4.1).
const clockRate = 48000

// This file is the packet's whole way through the relay, in both directions:
//
//	pion's SRTP goroutine → packet → Ear.Hear → (agent) → WriteRTP → SRTP → socket
//
// It is synchronous, decodes nothing, and allocates nothing.

// path is what packets of one leg meet. It is also the track that pion sends.
type path struct {
	born time.Time // arrival times count from here, by the monotonic clock

	opus, levelID atomic.Uint32 // as agreed

	// Reused for each packet: the first two by pion's SRTP goroutine alone, the
	// third by whoever speaks for the agent.
	header rtp.Header
	level  rtp.AudioLevelExtension
	answer rtp.Header

	mouth atomic.Pointer[mouth] // nil until the connection may send

	in struct {
		sync.Mutex
		inbound
	}
	out struct {
		sync.Mutex
		outbound
	}
}

// mouth is where the agent's packets go out.
type mouth struct {
	ssrc   uint32
	writer webrtc.TrackLocalWriter
}

func (p *path) agree(c chosen) {
	p.opus.Store(uint32(c.opus))
	p.levelID.Store(uint32(c.level))
}

// packet takes one decrypted RTP packet from the caller.
func (l *Leg) packet(raw []byte) {
	p := &l.path
	h := &p.header
	n, err := h.Unmarshal(raw)
	if err != nil || uint32(h.PayloadType) != p.opus.Load() {
		return
	}
	payload := raw[n:]
	if h.Padding && len(payload) > 0 { // RFC 3550 §5.1: the last byte counts the padding
		payload = payload[:max(0, len(payload)-int(payload[len(payload)-1]))]
	}
	at := time.Since(p.born)
	p.in.Lock()
	fresh := p.in.count(h.SSRC, h.SequenceNumber, h.Timestamp, len(payload), at)
	p.in.Unlock()
	if fresh && len(payload) > 0 {
		l.ear.Hear(h, payload, p.audioLevel(h))
	}
}

// audioLevel is the RFC 6464 level of a packet, or nil.
func (p *path) audioLevel(h *rtp.Header) *rtp.AudioLevelExtension {
	id := uint8(p.levelID.Load())
	if id == 0 {
		return nil
	}
	if b := h.GetExtension(id); b == nil || p.level.Unmarshal(b) != nil {
		return nil
	}
	return &p.level
}

// WriteRTP sends the caller one packet of the agent's. Sequence number,
// timestamp and marker are the agent's; the rest of the header is the relay's.
// Before the connection stands, packets go nowhere without an error. Calls must
// come one at a time.
func (l *Leg) WriteRTP(h *rtp.Header, payload []byte) error {
	p := &l.path
	m := p.mouth.Load()
	if m == nil {
		return nil
	}
	p.answer = rtp.Header{
		Version: 2, Marker: h.Marker, PayloadType: uint8(p.opus.Load()),
		SequenceNumber: h.SequenceNumber, Timestamp: h.Timestamp, SSRC: m.ssrc,
	}
	n, err := m.writer.WriteRTP(&p.answer, payload)
	if err != nil {
		return fmt.Errorf("relay: send: %w", err)
	}
	if n > 0 {
		p.out.Lock()
		p.out.count(m.ssrc, h.Timestamp, len(payload), time.Since(p.born))
		p.out.Unlock()
	}
	return nil
}

// Bind implements webrtc.TrackLocal.
func (p *path) Bind(t webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codecs := t.CodecParameters()
	if len(codecs) == 0 {
		return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
	}
	p.mouth.Store(&mouth{ssrc: uint32(t.SSRC()), writer: t.WriteStream()})
	return codecs[0], nil
}

// Unbind implements webrtc.TrackLocal.
func (p *path) Unbind(webrtc.TrackLocalContext) error {
	p.mouth.Store(nil)
	return nil
}

// ID implements webrtc.TrackLocal.
func (*path) ID() string { return "agent" }

// RID implements webrtc.TrackLocal.
func (*path) RID() string { return "" }

// StreamID implements webrtc.TrackLocal.
func (*path) StreamID() string { return "parley" }

// Kind implements webrtc.TrackLocal.
func (*path) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeAudio }

// deaf hears for a leg that no agent is connected to.
type deaf struct{}

func (deaf) Hear(*rtp.Header, []byte, *rtp.AudioLevelExtension) {}
