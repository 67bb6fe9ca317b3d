// Package demux tells TURN (RFC 8656) from what shares a port with it: from ICE,
// DTLS and SRTP on the media port, by the first bytes of a packet or a connection,
// and from HTTPS by the first bytes after TLS. It reads nothing more than it needs
// to tell, and answers nobody.
package demux

import (
	"encoding/binary"
)

// STUN's header and attributes (RFC 8489 §5, §14; methods: RFC 8656 §17).
const (
	headerSize        = 20
	magicCookie       = 0x2112A442
	attributeUsername = 0x0006

	bindingRequest   = 0x0001
	methodAllocate   = 0x003
	methodConnection = 0x00C // ConnectionAttempt, the last of TURN's (RFC 6062)
)

// IsTURN reports whether a packet is for a TURN server: a request or an indication
// of TURN's own methods, channel data, or a binding request that names no user.
// One that does is a connectivity check (RFC 8445 §7.2.2) and goes to a call.
func IsTURN(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	if b[0]>>4 == 4 { // channel data: RFC 7983 gives it 64 to 79
		return true
	}
	if !isMessage(b) || b[0]&0x01 != 0 { // a response is of what was asked, and a server asks nothing
		return false
	}
	kind := binary.BigEndian.Uint16(b)
	if kind == bindingRequest {
		return !hasUsername(b)
	}
	method := kind&0x000F | kind&0x00E0>>1 | kind&0x3E00>>2
	return method >= methodAllocate && method <= methodConnection
}

// IsStream reports whether a connection that begins with b is a TURN client's, whose
// messages stand there unframed. ICE over TCP puts a length before each (RFC 4571).
// b has PeekSize bytes.
func IsStream(b []byte) bool { return len(b) >= PeekSize && isMessageType(b) && hasCookie(b) }

// PeekSize is how many of its first bytes tell what a connection is: STUN's cookie
// ends there.
const PeekSize = 8

func isMessage(b []byte) bool { return len(b) >= headerSize && isMessageType(b) && hasCookie(b) }

func isMessageType(b []byte) bool { return b[0]>>6 == 0 }

func hasCookie(b []byte) bool { return binary.BigEndian.Uint32(b[4:]) == magicCookie }

// hasUsername looks for USERNAME among the attributes of a message.
func hasUsername(b []byte) bool {
	for rest := b[headerSize:]; len(rest) >= 4; {
		if binary.BigEndian.Uint16(rest) == attributeUsername {
			return true
		}
		size := 4 + (int(binary.BigEndian.Uint16(rest[2:]))+3)&^3 // padded to 32 bits
		if size > len(rest) {
			return false
		}
		rest = rest[size:]
	}
	return false
}
