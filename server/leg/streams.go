// Package leg owns what both legs of a call share, whatever connection carries
// them: the two RTP streams with their counters, the RTCP reports about them,
// which payload type and header extension mean what, and the sample that all of
// it makes. It opens no connection, decodes no audio and keeps none.
package leg

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
)

// ClockRate is Opus's RTP clock, whatever the audio's own rate (RFC 7587 §4.1).
const ClockRate = 48000

// RTPHandler takes the packets of a leg. HandleRTP is called from one goroutine
// at a time, in order of arrival. Header, payload (an Opus packet) and level
// (RFC 6464; nil if the far end sends none) are only good until it returns, and
// it must not wait.
type RTPHandler interface {
	HandleRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension)
}

// Discard handles packets and messages by dropping them.
var Discard Handler = discard{}

type discard struct{}

func (discard) HandleRTP(*rtp.Header, []byte, *rtp.AudioLevelExtension) {}

// RTPWriter sends packets on a leg. Sequence number, timestamp and marker of
// the header count; the level (nil: none) goes along where the far end takes
// levels. It must not keep header, payload or level.
type RTPWriter interface {
	WriteRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) error
}

// PacketWriter is the connection below a leg: it encrypts and sends one packet,
// and returns how many bytes went, 0 while it can't send.
type PacketWriter interface {
	WriteRTP(h *rtp.Header, payload []byte) (int, error)
}

// maxShortID is the highest id of a one-byte header extension (RFC 8285 §4.2).
const maxShortID = 14

// Mapping is what a negotiation agreed on: the payload type of Opus, and the id
// of the audio level's header extension (0: none).
type Mapping struct{ PayloadType, AudioLevelID uint8 }

// Streams are the two RTP streams of one leg. A packet's whole way through it is
// synchronous, decodes nothing, and allocates nothing:
//
//	connection → ReceiveRTP → RTPHandler.HandleRTP → the other leg's WriteRTP → connection
//
// All methods may be called at the same time, but for ReceiveRTP and WriteRTP,
// each of which is called from one goroutine at a time.
type Streams struct {
	born time.Time // arrival times count from here, by the monotonic clock

	payloadType, audioLevelID atomic.Uint32 // as agreed

	// Reused for each packet: the first two by ReceiveRTP, the others by WriteRTP.
	header    rtp.Header
	level     rtp.AudioLevelExtension
	sent      rtp.Header
	sentLevel [1]byte

	binding atomic.Pointer[binding] // nil until the connection may send

	in struct {
		sync.Mutex
		inbound
		first time.Duration // arrival of the first packet of all; 0: none came
	}
	out struct {
		sync.Mutex
		outbound
	}
}

// binding is where packets go out.
type binding struct {
	ssrc   uint32
	writer PacketWriter
}

// NewStreams returns the streams of a new leg. They take nothing until Agree
// and send nothing until Bind.
func NewStreams() *Streams { return &Streams{born: time.Now()} }

// Agree sets what the newest negotiation agreed on.
func (s *Streams) Agree(m Mapping) {
	s.payloadType.Store(uint32(m.PayloadType))
	s.audioLevelID.Store(uint32(m.AudioLevelID))
}

// Bind starts sending through w, as ssrc.
func (s *Streams) Bind(ssrc uint32, w PacketWriter) { s.binding.Store(&binding{ssrc, w}) }

// Unbind stops sending.
func (s *Streams) Unbind() { s.binding.Store(nil) }

// ReceiveRTP counts one decrypted packet from the far end and hands it to the
// handler, unless it is not of the agreed type, came before, or holds no audio.
func (s *Streams) ReceiveRTP(raw []byte, came time.Time, to RTPHandler) {
	h := &s.header
	n, err := h.Unmarshal(raw)
	if err != nil || uint32(h.PayloadType) != s.payloadType.Load() {
		return
	}
	payload := raw[n:]
	if h.Padding && len(payload) > 0 { // RFC 3550 §5.1: the last byte counts the padding
		payload = payload[:max(0, len(payload)-int(payload[len(payload)-1]))]
	}
	at := max(0, came.Sub(s.born))
	s.in.Lock()
	isNew := s.in.count(h.SSRC, h.SequenceNumber, h.Timestamp, len(payload), at)
	if s.in.first == 0 {
		s.in.first = at
	}
	s.in.Unlock()
	if isNew && len(payload) > 0 {
		to.HandleRTP(h, payload, s.audioLevel(h))
	}
}

// FirstReceived returns when the first packet came; the zero time: none did.
func (s *Streams) FirstReceived() time.Time {
	s.in.Lock()
	defer s.in.Unlock()
	if s.in.first == 0 {
		return time.Time{}
	}
	return s.born.Add(s.in.first)
}

// audioLevel returns the RFC 6464 level of a packet, or nil.
func (s *Streams) audioLevel(h *rtp.Header) *rtp.AudioLevelExtension {
	id := uint8(s.audioLevelID.Load())
	if id == 0 {
		return nil
	}
	if b := h.GetExtension(id); b == nil || s.level.Unmarshal(b) != nil {
		return nil
	}
	return &s.level
}

// WriteRTP implements RTPWriter: it sends one packet to the far end. Sequence
// number, timestamp and marker are the caller's; the rest of the header is this
// leg's. While nothing is bound, packets go nowhere without an error.
func (s *Streams) WriteRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) error {
	b := s.binding.Load()
	if b == nil {
		return nil
	}
	s.sent = rtp.Header{
		Version: 2, Marker: h.Marker, PayloadType: uint8(s.payloadType.Load()),
		SequenceNumber: h.SequenceNumber, Timestamp: h.Timestamp, SSRC: b.ssrc,
		Extensions: s.sent.Extensions[:0],
	}
	s.addLevel(level)
	n, err := b.writer.WriteRTP(&s.sent, payload)
	if err != nil {
		return fmt.Errorf("leg: send: %w", err)
	}
	if n > 0 {
		s.out.Lock()
		s.out.count(b.ssrc, h.Timestamp, len(payload), time.Since(s.born))
		s.out.Unlock()
	}
	return nil
}

// addLevel puts a level into the packet that is sent (RFC 6464 §3, one byte),
// if the far end takes levels.
func (s *Streams) addLevel(level *rtp.AudioLevelExtension) {
	id := uint8(s.audioLevelID.Load())
	if id == 0 || id > maxShortID || level == nil {
		return
	}
	s.sentLevel[0] = level.Level & 0x7f
	if level.Voice {
		s.sentLevel[0] |= 0x80
	}
	_ = s.sent.SetExtension(id, s.sentLevel[:]) // the first extension of a packet always finds its place
}
