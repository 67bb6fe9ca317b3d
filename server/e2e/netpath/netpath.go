// Package netpath joins two network namespaces by a path of known delay,
// jitter, loss and rate, and counts what the path really did, so that what a
// program reports of a network can be held against the network itself.
//
// It forwards IP packets between two TUN devices and never changes one. It
// needs root and /dev/net/tun; Open says so where they are missing.
package netpath

import (
	"errors"
	"slices"
	"time"
)

// ErrNotAllowed is why there is no path: this process may not make namespaces
// or TUN devices here.
var ErrNotAllowed = errors.New("namespaces and TUN devices may not be made here")

// Conditions are what one direction of a path does to packets. The zero value
// passes all of them on at once.
type Conditions struct {
	// Delay is added to each packet.
	Delay time.Duration
	// Jitter is the standard deviation of a normal distribution around Delay. A
	// path keeps its order, so a late packet holds up those behind it.
	Jitter time.Duration
	// Loss is the chance, 0 to 1, that a packet is dropped; each on its own.
	Loss float64
	// Rate limits the direction, in bits per second; 0 is no limit.
	Rate float64
	// Cut drops everything.
	Cut bool
}

// Truth is what one direction really did since it was made or last reset.
type Truth struct {
	All   Counts `json:"all"`
	RTP   Counts `json:"rtp"` // those that carry RTP over UDP, by RFC 7983 and RFC 5761
	Bytes int64  `json:"bytes"`
	// Delays of the packets that were delivered, from arrival at one device to
	// the write to the other, waiting for the CPU included.
	MeanDelay time.Duration `json:"mean_delay_ns"`
	P50Delay  time.Duration `json:"p50_delay_ns"`
	P99Delay  time.Duration `json:"p99_delay_ns"`
}

// Counts are packets.
type Counts struct {
	Packets int `json:"packets"`
	Dropped int `json:"dropped"`
}

// LossRatio is the share of packets that was dropped, 0 to 1.
func (c Counts) LossRatio() float64 {
	if c.Packets == 0 {
		return 0
	}
	return float64(c.Dropped) / float64(c.Packets)
}

func (c *Counts) add(dropped bool) {
	c.Packets++
	if dropped {
		c.Dropped++
	}
}

// tally is a Truth in the making.
type tally struct {
	all, rtp Counts
	bytes    int64
	delays   []time.Duration
}

func (t *tally) seen(packet []byte, dropped bool) {
	t.all.add(dropped)
	t.bytes += int64(len(packet))
	if carriesRTP(packet) {
		t.rtp.add(dropped)
	}
}

func (t *tally) truth() Truth {
	out := Truth{All: t.all, RTP: t.rtp, Bytes: t.bytes}
	n := len(t.delays)
	if n == 0 {
		return out
	}
	sorted := slices.Sorted(slices.Values(t.delays))
	var sum time.Duration
	for _, d := range sorted {
		sum += d
	}
	out.MeanDelay, out.P50Delay, out.P99Delay = sum/time.Duration(n), sorted[n/2], sorted[n*99/100]
	return out
}

// Offsets and numbers of IPv4 (RFC 791) and UDP (RFC 768).
const (
	ipv4Version    = 4
	ipv4Protocol   = 9
	ipv4MinHeader  = 20
	udpHeader      = 8
	protocolUDP    = 17
	rtpFirstLowest = 128 // RFC 7983: 128 to 191 is RTP or RTCP
	rtpFirstHigh   = 191
	rtcpLowest     = 192 // RFC 5761: these packet types are RTCP
	rtcpHighest    = 223
)

// carriesRTP tells media from everything else on the same port. SRTP leaves
// the header in the clear.
func carriesRTP(packet []byte) bool {
	if len(packet) < ipv4MinHeader || packet[0]>>4 != ipv4Version || packet[ipv4Protocol] != protocolUDP {
		return false
	}
	payload := int(packet[0]&0x0f)*4 + udpHeader
	if len(packet) < payload+2 {
		return false
	}
	first, second := packet[payload], packet[payload+1]
	return first >= rtpFirstLowest && first <= rtpFirstHigh && (second < rtcpLowest || second > rtcpHighest)
}
