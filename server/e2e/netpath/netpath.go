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
	// Bursts are times in which everything is dropped; the zero value is none.
	Bursts Bursts
	// Rate limits the direction, in bits per second; 0 is no limit.
	Rate float64
	// Cut drops everything.
	Cut bool
}

// Bursts are times in which a path drops everything: for Length at the end of each Each,
// counted from when the path got its conditions.
type Bursts struct{ Length, Each time.Duration }

// drops reports whether a packet is dropped that comes so long after the conditions.
func (b Bursts) drops(after time.Duration) bool {
	return b.Length > 0 && b.Each > 0 && after%b.Each >= b.Each-b.Length
}

// Truth is what one direction really did since it was made or last reset.
type Truth struct {
	All   Class `json:"all"`
	RTP   Class `json:"rtp"`  // audio
	RTCP  Class `json:"rtcp"` // reports about it
	Data  Class `json:"data"` // data channels: SCTP in DTLS
	Bytes int64 `json:"bytes"`
}

// Class is what happened to one kind of packet.
type Class struct {
	Counts
	// Delays of the packets that were delivered, from arrival at one device to
	// the write to the other, waiting for the CPU included.
	MeanDelay time.Duration `json:"mean_delay_ns"`
	P50Delay  time.Duration `json:"p50_delay_ns"`
	P99Delay  time.Duration `json:"p99_delay_ns"`
	// Jitter is the mean difference between the delays of one packet and the next, about
	// which the estimate of RFC 3550 §6.4.1 moves.
	Jitter time.Duration `json:"jitter_ns"`
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

// passage is what happened to one packet.
type passage struct {
	came        time.Time
	kind        kind
	size        int
	isDropped   bool
	isDelivered bool
	delay       time.Duration // if it is delivered
}

// truthOf adds up.
func truthOf(all []*passage) Truth {
	var out Truth
	for _, p := range all {
		out.Bytes += int64(p.size)
	}
	isOf := func(k kind) func(*passage) bool { return func(p *passage) bool { return p.kind == k } }
	out.All = classOf(all, func(*passage) bool { return true })
	out.RTP, out.RTCP, out.Data = classOf(all, isOf(audio)), classOf(all, isOf(report)), classOf(all, isOf(data))
	return out
}

func classOf(all []*passage, isOfIt func(*passage) bool) Class {
	var out Class
	var delays []time.Duration
	var sum, change time.Duration
	for _, p := range all {
		if !isOfIt(p) {
			continue
		}
		out.add(p.isDropped)
		if !p.isDelivered {
			continue
		}
		if n := len(delays); n > 0 {
			change += (p.delay - delays[n-1]).Abs()
		}
		sum += p.delay
		delays = append(delays, p.delay)
	}
	n := len(delays)
	if n == 0 {
		return out
	}
	slices.Sort(delays)
	out.MeanDelay, out.P50Delay, out.P99Delay = sum/time.Duration(n), delays[n/2], delays[n*99/100]
	out.Jitter = change / time.Duration(max(1, n-1))
	return out
}

// A kind is what a packet carries, as far as the truth tells kinds apart.
type kind int

const (
	other kind = iota
	audio
	report
	data
)

// Offsets and numbers of IPv4 (RFC 791) and UDP (RFC 768), and how what shares
// a port with media is told apart: RFC 7983 for DTLS and RTP, RFC 5761 for RTCP.
const (
	ipv4Version   = 4
	ipv4Protocol  = 9
	ipv4MinHeader = 20
	udpHeader     = 8
	protocolUDP   = 17

	dtlsLowest, dtlsHighest = 20, 63
	rtpLowest, rtpHighest   = 128, 191
	rtcpLowest, rtcpHighest = 192, 223 // of the second byte
)

// kindOf looks into a packet. SRTP leaves the RTP header in the clear.
func kindOf(packet []byte) kind {
	if len(packet) < ipv4MinHeader || packet[0]>>4 != ipv4Version || packet[ipv4Protocol] != protocolUDP {
		return other
	}
	payload := int(packet[0]&0x0f)*4 + udpHeader
	if len(packet) < payload+2 {
		return other
	}
	first, second := packet[payload], packet[payload+1]
	switch {
	case first >= dtlsLowest && first <= dtlsHighest:
		return data
	case first >= rtpLowest && first <= rtpHighest && second >= rtcpLowest && second <= rtcpHighest:
		return report
	case first >= rtpLowest && first <= rtpHighest:
		return audio
	}
	return other
}
