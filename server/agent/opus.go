package agent

import (
	"time"

	"parley/server/leg"
)

// samples is how long an Opus packet plays, in RTP clock units, read from its
// first byte or two (RFC 6716 §3.1) without decoding. 0: it is no packet.
func samples(packet []byte) uint32 {
	if len(packet) == 0 {
		return 0
	}
	frame := frameSamples(packet[0] >> 3)
	switch packet[0] & 3 {
	case 0:
		return frame
	case 1, 2:
		return 2 * frame
	}
	if len(packet) < 2 {
		return 0
	}
	const longest = leg.ClockRate * 120 / 1000 // RFC 6716 §3.2.5: 120 ms at most
	if n := uint32(packet[1]&0x3f) * frame; n <= longest {
		return n
	}
	return 0
}

// frameSamples is the frame size of a configuration number (RFC 6716 table 2).
func frameSamples(config byte) uint32 {
	const ms = leg.ClockRate / 1000
	switch {
	case config < 12: // SILK
		return [...]uint32{10 * ms, 20 * ms, 40 * ms, 60 * ms}[config%4]
	case config < 16: // hybrid
		return [...]uint32{10 * ms, 20 * ms}[config%2]
	}
	return [...]uint32{ms * 5 / 2, 5 * ms, 10 * ms, 20 * ms}[config%4] // CELT
}

// duration is n RTP clock units as time.
func duration(n uint32) time.Duration { return time.Duration(n) * time.Second / leg.ClockRate }

// ticks is a time in RTP clock units.
func ticks(d time.Duration) uint32 { return uint32(d * leg.ClockRate / time.Second) }
