package agent

import (
	"time"

	"github.com/pion/rtp"

	"parley/server/leg"
	"parley/shared/rtcstats"
)

// How voice is told from silence without decoding.
const (
	// A level is voice when it stands out of the line's own noise by marginDB,
	// and is no quieter than quietest dBov (a distant whisper is about -55).
	marginDB = 10
	quietest = -58
	// The noise floor follows a quieter packet at once and a louder one by
	// floorRise dB a second, so that a hum stops being voice after a while but a
	// sentence, with its pauses, doesn't; above floorMax nothing passes for noise.
	floorRise = 1.0
	floorMax  = -35

	// Without levels, the size of packets speaks: Opus at a variable rate spends
	// more on voice than on a room's noise, and with DTX (RFC 7587 §3.1.3) next
	// to nothing on silence. Sizes are per 20 ms, smoothed over about five
	// packets. It is voice when that is sizeMargin times the smallest of late,
	// and sizeLeast bytes more. Measured with libopus: at 16 to 32 kbit/s it
	// finds 50 to 95 % of the packets of speech, the more the quieter the room,
	// and none in noise; at 64 kbit/s in a noisy room or at a constant rate all
	// packets are alike, and such a caller isn't heard.
	sizeMargin = 1.12
	sizeLeast  = 2
	sizeSmooth = 0.2
	sizeRise   = 0.05 // of the floor, a second
	sizeDTX    = 3    // a packet of so few bytes is silence (RFC 6716 §2.1.9)
)

// voice tells for one caller which packets carry speech. The zero value is ready.
type voice struct {
	leveled bool
	floorDB float64

	sized     bool
	sizesTell bool    // speech or silence was told by its size once
	size      float64 // smoothed
	floorSize float64
}

// heardIn says whether a packet that plays for n clock units carries speech.
func (v *voice) heardIn(packet []byte, n uint32, level *rtp.AudioLevelExtension) bool {
	if level != nil {
		return v.byLevel(-float64(level.Level), n)
	}
	return v.bySize(len(packet), n)
}

// byLevel judges by the level of RFC 6464. The voice bit is left aside:
// browsers set it by rules of their own, and some not at all.
func (v *voice) byLevel(db float64, n uint32) bool {
	if !v.leveled {
		v.leveled, v.floorDB = true, min(db, floorMax)
	}
	v.floorDB = min(db, floorMax, v.floorDB+floorRise*float64(n)/leg.ClockRate)
	return db >= quietest && db >= v.floorDB+marginDB
}

func (v *voice) bySize(size int, n uint32) bool {
	if n == 0 || size <= sizeDTX {
		v.sizesTell = true
		return false
	}
	now := float64(size) * (leg.ClockRate / 50) / float64(n)
	if !v.sized {
		v.sized, v.size, v.floorSize = true, now, now
	}
	v.size += sizeSmooth * (now - v.size)
	v.floorSize = min(v.size, v.floorSize*(1+sizeRise*float64(n)/leg.ClockRate))
	isVoice := v.size >= v.floorSize*sizeMargin+sizeLeast
	v.sizesTell = v.sizesTell || isVoice
	return isVoice
}

// mayBeHeardIn reports whether a packet is a sign of its caller's life: it carries
// speech, or nothing tells whether it does. A caller at a constant rate and without
// levels can talk for an hour and isn't measured; that isn't idleness.
func (v *voice) mayBeHeardIn(packet []byte, level *rtp.AudioLevelExtension, isVoice bool) bool {
	return isVoice || level == nil && !v.sizesTell && len(packet) > sizeDTX
}

// SpeechDetector tells which packets of one end of a call carry speech, and passes on
// that someone is heard.
type SpeechDetector struct {
	voice  voice
	spoken spoken
}

// NewSpeechDetector returns a detector for one end of a call, that tells on.
func NewSpeechDetector(on Events, by rtcstats.Leg) *SpeechDetector {
	return &SpeechDetector{spoken: spoken{on: on, by: by}}
}

// Heard takes a packet that came at now, and reports whether it carries speech.
func (d *SpeechDetector) Heard(payload []byte, level *rtp.AudioLevelExtension, now time.Time) bool {
	isVoice := d.voice.heardIn(payload, samples(payload), level)
	if d.voice.mayBeHeardIn(payload, level, isVoice) {
		d.spoken.now(now)
	}
	return isVoice
}
