package transport

// A packetKind is a protocol of the port.
type packetKind int

const (
	unknownPacket packetKind = iota
	stunPacket
	dtlsPacket
	mediaPacket // RTP or RTCP
)

// kindOf tells a packet's protocol by its first byte (RFC 9443 §3).
func kindOf(packet []byte) packetKind {
	if len(packet) == 0 {
		return unknownPacket
	}
	switch first := packet[0]; {
	case first <= 3:
		return stunPacket
	case 20 <= first && first <= 63:
		return dtlsPacket
	case 128 <= first && first <= 191:
		return mediaPacket
	}
	return unknownPacket
}

// isRTCP tells RTCP from RTP on one port (RFC 5761 §4).
func isRTCP(packet []byte) bool {
	return len(packet) > 1 && 192 <= packet[1] && packet[1] <= 223
}
