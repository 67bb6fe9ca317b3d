package double

import (
	_ "embed" // speech.packets
	"encoding/binary"
	"math/rand/v2"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// recorded is half a second of a room's noise, 2.7 s of a sentence by espeak-ng, 1.5 s
// of noise; libopus at 32 kbit/s. Each packet is its level, its length (16 bit) and
// its bytes.
//
//go:embed speech.packets
var recorded []byte

// frame is 20 ms of Opus and its RFC 6464 level.
type frame struct {
	level uint8
	opus  []byte
}

// Where the sentence begins and ends in what is recorded.
const sentenceFrom, sentenceTo = 25, 165

// speech returns the sentence.
func speech() (all []frame) {
	for raw := recorded; len(raw) > 0; {
		n := int(binary.BigEndian.Uint16(raw[1:]))
		all = append(all, frame{raw[0], raw[3 : 3+n]})
		raw = raw[3+n:]
	}
	return all[sentenceFrom:sentenceTo]
}

// reports are pion's own: a service tells of the audio that it gets.
func reports() *interceptor.Registry {
	registry := &interceptor.Registry{}
	if err := webrtc.ConfigureRTCPReports(registry); err != nil {
		panic(err) // it has no options that could be wrong
	}
	return registry
}

// talkspurts sends frames; each answer is one talkspurt (RFC 3551 §4.1).
type talkspurts struct {
	track *webrtc.TrackLocalStaticRTP
	seq   uint16
	stamp uint32
}

// samplesPerFrame is 20 ms at Opus's clock.
const samplesPerFrame = 960

func newTalkspurts() (*talkspurts, error) {
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "voice", "service")
	return &talkspurts{track: track, seq: uint16(rand.Uint32()), stamp: rand.Uint32()}, err
}

// jump goes on from other numbers, as a service does whose voice comes from another
// of its machines. A jump of half the numbers would be beyond what SRTP can follow
// (RFC 3711 §3.3.1).
func (t *talkspurts) jump() { t.seq, t.stamp = t.seq+jump, rand.Uint32() }

// jump is more than a receiver takes for loss (RFC 3550 appendix A.1).
const jump = 5000

// pass lets the clock go on by one frame without sending any.
func (t *talkspurts) pass() { t.stamp += samplesPerFrame }

// say sends one frame. What the connection can't send is lost.
func (t *talkspurts) say(f frame, isFirst bool) {
	t.seq++
	t.stamp += samplesPerFrame
	_ = t.track.WriteRTP(&rtp.Packet{
		Header:  rtp.Header{Version: 2, Marker: isFirst, SequenceNumber: t.seq, Timestamp: t.stamp},
		Payload: f.opus,
	})
}

// echo sends a packet of the caller's back, as it is numbered.
func (t *talkspurts) echo(p *rtp.Packet) {
	_ = t.track.WriteRTP(&rtp.Packet{
		Header:  rtp.Header{Version: 2, Marker: p.Marker, SequenceNumber: p.SequenceNumber, Timestamp: p.Timestamp},
		Payload: p.Payload,
	})
}
