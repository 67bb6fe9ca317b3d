package transport

import (
	"net"
	"net/netip"
	"time"

	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/srtp/v3"
	"github.com/pion/webrtc/v4"
)

// Bounds that tests stand at.
const (
	DisconnectedAfter = disconnectedAfter
	ConsentExpires    = consentExpires
	PathTimeout       = pathTimeout

	MaxStampAge = maxStampAge

	MaxPaths                = maxPaths
	MaxEarly                = maxEarly
	MaxHandshakeBytes       = maxHandshakeBytes
	MaxHandshakes           = maxHandshakes
	MaxHandshakesPerAddress = maxHandshakesPerAddress
	TCPUnsent               = tcpUnsent
)

// KindOf says what a packet is taken for.
func KindOf(packet []byte) string {
	switch kind := kindOf(packet); {
	case kind == stunPacket:
		return "STUN"
	case kind == dtlsPacket:
		return "DTLS"
	case kind == mediaPacket && isRTCP(packet):
		return "RTCP"
	case kind == mediaPacket:
		return "RTP"
	}
	return "nothing"
}

// AnswerCheck returns the answer to a check that was made with the password; nil if it is
// none, or has none.
func AnswerCheck(packet []byte, from netip.AddrPort, pwd string) []byte {
	c, err := readCheck(packet)
	if err != nil || !c.verify(pwd) {
		return nil
	}
	return c.answer(from, pwd)
}

// ReadFrame reads a packet from a stream.
var ReadFrame = readFrame

// Age returns the state of ICE after a silence: of all packets, of checks, and since ICE
// began to look for a path; hasPath: it has found one.
func Age(hasPath bool, silent, unchecked, looking time.Duration) webrtc.ICETransportState {
	const now = time.Hour
	t := &Transport{ice: webrtc.ICETransportStateChecking, since: now - looking}
	if hasPath {
		t.selected.Store(&path{transport: t})
	}
	t.heard.Store(int64(now - silent))
	t.checked.Store(int64(now - unchecked))
	t.ageLocked(now)
	return t.ice
}

// Batch reads and writes packets of a socket.
type Batch struct{ b *batch }

// NewBatch makes one.
func NewBatch(socket *net.UDPConn) Batch { return Batch{newBatch(socket)} }

// Read returns copies of the packets that were read at once.
func (b Batch) Read() (packets [][]byte, err error) {
	n, err := b.b.read()
	for i := range n {
		packet, _ := b.b.packet(i)
		packets = append(packets, append([]byte(nil), packet...))
	}
	return packets, err
}

// Came returns when packets came that the kernel stamped.
func (b Batch) Came(readAt time.Time, stamps ...time.Time) (came []time.Time) {
	b.b.readAt, b.b.stamps = readAt, stamps
	for i := range stamps {
		came = append(came, b.b.came(i))
	}
	return came
}

// Send sends a packet, Hold has those that are sent wait, and Release lets them go.
func (b Batch) Send(packet []byte, to *net.UDPAddr) { b.b.send(packet, to) }

// Hold has what is sent wait.
func (b Batch) Hold() { b.b.hold() }

// Release sends what waits.
func (b Batch) Release() { b.b.release() }

// MaxUnsent bounds what waits to be sent.
const MaxUnsent = maxUnsent

// Unsent is how many packets wait to be sent.
func (b Batch) Unsent() int {
	b.b.mu.Lock()
	defer b.b.mu.Unlock()
	return len(b.b.out)
}

// EnterHandshake takes a place for a handshake of an address.
func (p *Port) EnterHandshake(address string) (leave func(), ok bool) {
	return p.enterHandshake(address)
}

// Media is a transport whose keys are there, without a network.
type Media struct {
	t   *Transport
	way *path
}

// NewMedia makes one that hands on to h what a far end seals with the keys.
func NewMedia(key, salt []byte, profile srtp.ProtectionProfile, h Handler) (Media, error) {
	t := &Transport{handler: h, born: time.Now(), finished: make(chan struct{})}
	var err error
	t.in.context, err = newInbound(key, salt, profile)
	return Media{t, &path{transport: t}}, err
}

// Receive takes a packet, Open begins to open them.
func (m Media) Receive(packet []byte) { m.t.receiveMedia(packet, m.way, time.Now()) }

// Open begins to open packets.
func (m Media) Open() { m.t.in.open(m.t) }

// Close opens no more.
func (m Media) Close() { m.t.in.close() }

// Delays is delays, for tests of it alone.
type Delays struct{ delays }

func (d *Delays) Add(stamps []time.Time, now time.Time) { d.add(stamps, now) }
func (d *Delays) Take() (time.Duration, bool)           { return d.take() }

// ListenSockets opens as many sockets of an address.
var ListenSockets = listenUDP

// CanShareAddress: there are several.
const CanShareAddress = canShareAddress

// MaxReaders bounds them.
const MaxReaders = maxReaders

// SocketsInUse is by how many sockets the calls' checks came.
func (p *Port) SocketsInUse() int {
	p.table.mu.RLock()
	defer p.table.mu.RUnlock()
	used := make(map[*batch]struct{})
	for _, way := range p.table.byPeer {
		used[way.socket.Load()] = struct{}{}
	}
	return len(used)
}

// Records is the server's end of DTLS after a handshake, without a network.
type Records struct{ *recordConn }

// NewRecords makes one, whose first record has a number. sent is told of each.
func NewRecords(keys *prf.EncryptionKeys, number uint64, sent func(packet []byte)) (Records, error) {
	t := &Transport{born: time.Now(), port: &Port{cfg: PortConfig{SendRelayed: func(packet []byte, _ netip.AddrPort) bool {
		sent(packet)
		return true
	}}}}
	t.selected.Store(&path{transport: t})
	r, err := newRecordConn(t, keys)
	if err == nil {
		r.begin(number)
	}
	return Records{r}, err
}

// Receive takes a packet, and reports whether a record of it verified.
func (r Records) Receive(packet []byte) bool {
	r.transport.in.mu.Lock()
	defer r.transport.in.mu.Unlock()
	return r.receiveLocked(packet)
}

// Unread is how many records wait to be read.
func (r Records) Unread() int { return r.unread.Count() }

// IsClosed reports whether either end said goodbye.
func (r Records) IsClosed() bool {
	select {
	case <-r.closed:
		return true
	default:
		return false
	}
}

// HasTakenOver reports whether DTLS is served without a dtls.Conn.
func (t *Transport) HasTakenOver() bool { return t.packets.unread.Load() == nil }
