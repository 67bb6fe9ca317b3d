package transport

import "time"

// How long a caller may be silent. The times are those of RFC 7675 and of pion:
// shorter ones would cut callers off in a lift, longer ones hide a dead line.
const (
	// disconnectedAfter is how long no packet of any kind may come.
	disconnectedAfter = 5 * time.Second
	// consentExpires is how long no check may verify: after that nothing is sent.
	consentExpires = 25 * time.Second
	// pathTimeout is how long a caller may take to find a first path.
	pathTimeout = 30 * time.Second
	// idlePath is how long the path in use may bring nothing but checks while another brings
	// media: that one is then where the caller sends, and wants to be
	// sent to.
	idlePath = 400 * time.Millisecond
	// tickInterval is how often these are looked at, for all calls at once.
	tickInterval = 250 * time.Millisecond
)

// Bounds of one call.
const (
	// receiveMTU bounds one packet: no browser sends more than 1,280 bytes.
	receiveMTU = 1500
	// maxPaths bounds the addresses and connections that a caller's checks may verify
	// from at a time: a browser has a handful, and as many again after a change of network.
	maxPaths = 16
	// maxRemotes bounds the signaled candidates that are remembered: those of an offer and
	// of some more.
	maxRemotes = 64
	// maxEarly bounds the packets that are kept while DTLS is not done: a quarter of a
	// second of audio.
	maxEarly = 16
	// maxUnreadDTLS bounds the packets that wait for DTLS or SCTP to read them.
	maxUnreadDTLS, maxUnreadDTLSBytes = 256, 512 << 10
	// maxHandshakeBytes bounds what a handshake may take: certificates have 1 KB, and
	// each flight may come some times over.
	maxHandshakeBytes = 64 << 10
	// handshakeTimeout is how long a handshake may take.
	handshakeTimeout = 30 * time.Second
	// replayWindow is how far back a packet is still told from one that came before
	// (RFC 3711 §3.3.2), in packets.
	replayWindow = 64
)

// Bounds of all calls.
const (
	// maxHandshakes bounds the handshakes under way, and maxHandshakesPerAddress those
	// of one address: one takes 60 KB and a millisecond of a core. What waits is taken up
	// again by the caller's next packet.
	maxHandshakes, maxHandshakesPerAddress = 2048, 512
	// maxReaders bounds the sockets of UDP, each with its goroutine and the kernel's buffer of
	// 4 MiB: one carries a thousand calls, and beyond so many the cores are wanted for all
	// else that calls take.
	maxReaders = 8
	// batchSize is how many packets are taken from the kernel at once, if so many wait:
	// what 1,200 calls send in a millisecond.
	batchSize = 64
	// maxUnsent bounds the packets that wait while the kernel takes no more of a socket: what
	// 1,000 calls send in 80 ms, 6 MB.
	maxUnsent = 4096
	// maxStampAge is how long a packet may have waited to be read by the kernel's clock:
	// after more than that the clock was set, rather.
	maxStampAge = time.Second
	// faultPause is between two reads that fail: should a fault last, it must not keep a
	// core busy.
	faultPause = 2 * time.Millisecond
)

// Bounds of TCP.
const (
	// tcpFirstCheck is how long a TCP connection may stay without a check that verifies.
	tcpFirstCheck = 10 * time.Second
	// tcpUnsent bounds what a stalled TCP caller keeps in memory: five seconds.
	tcpUnsent = 64 << 10
	// tcpWriteTimeout is how long one write to a TCP caller may take.
	tcpWriteTimeout = 10 * time.Second
)
