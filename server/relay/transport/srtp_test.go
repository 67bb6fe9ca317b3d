package transport_test

import (
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"parley/server/relay/transport"
)

// handled keeps what a transport hands on.
type handled struct {
	mu       sync.Mutex
	numbers  []uint16    // of RTP
	came     []time.Time // those packets
	reports  int
	channels []*datachannel.DataChannel
	pairs    []transport.Pair
}

func (h *handled) HandleRTP(packet []byte, came time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.numbers, h.came = append(h.numbers, binary.BigEndian.Uint16(packet[2:])), append(h.came, came)
}

func (h *handled) HandleRTCP([]byte, time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reports++
}

func (h *handled) HandleChannel(d *datachannel.DataChannel) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.channels = append(h.channels, d)
}

func (h *handled) HandlePair(p transport.Pair) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pairs = append(h.pairs, p)
}

func (*handled) HandleState() {}

func (h *handled) paired() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.pairs)
}

func (h *handled) seen() ([]uint16, int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.numbers), h.reports
}

// profiles are those that are taken, with the lengths of their keys.
var profiles = map[string]struct {
	profile   srtp.ProtectionProfile
	key, salt int
}{
	"GCM":   {srtp.ProtectionProfileAeadAes128Gcm, 16, 12},
	"SHA-1": {srtp.ProtectionProfileAes128CmHmacSha1_80, 16, 14},
}

// sealed returns a far end that seals packets, and what opens them here.
func sealed(t *testing.T, name string) (*srtp.Context, transport.Media, *handled) {
	t.Helper()
	p, h := profiles[name], &handled{}
	key, salt := make([]byte, p.key), make([]byte, p.salt)
	far, err := srtp.CreateContext(key, salt, p.profile)
	if err != nil {
		t.Fatal(err)
	}
	m, err := transport.NewMedia(key, salt, p.profile, h)
	if err != nil {
		t.Fatal(err)
	}
	return far, m, h
}

func sealRTP(t *testing.T, far *srtp.Context, n uint16) []byte {
	t.Helper()
	plain, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SSRC: 7, SequenceNumber: n}, Payload: []byte{1, 2, 3}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	packet, err := far.EncryptRTP(nil, plain, nil)
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// Each packet is handed on once, late ones too, and nothing that was forged or cut.
func TestWhatIsOpened(t *testing.T) {
	for name := range profiles {
		t.Run(name, func(t *testing.T) {
			far, m, h := sealed(t, name)
			m.Open()
			var all [][]byte
			for n := range uint16(100) {
				all = append(all, sealRTP(t, far, n))
			}
			forged := slices.Clone(all[50])
			forged[len(forged)-1] ^= 1
			m.Receive(all[0])
			m.Receive(all[2])
			m.Receive(all[1]) // late
			m.Receive(all[2]) // again
			m.Receive(forged)
			m.Receive(all[50][:20])
			m.Receive(all[50])
			m.Receive(all[99])
			m.Receive(all[98])
			m.Receive(all[20]) // too late to be told from a replay
			if numbers, _ := h.seen(); !slices.Equal(numbers, []uint16{0, 2, 1, 50, 99, 98}) {
				t.Errorf("%v were handed on", numbers)
			}
		})
	}
}

// A stream of 24 hours at 50 packets a second has its sequence numbers wrap 65 times, at
// whichever of them packets are lost.
func TestAStreamOfADay(t *testing.T) {
	const packets, step = 24 * 60 * 60 * 50, 1000
	for name := range profiles {
		far, m, h := sealed(t, name)
		m.Open()
		for n := 0; n < packets; n += step {
			m.Receive(sealRTP(t, far, uint16(n)))
		}
		if numbers, _ := h.seen(); len(numbers) != packets/step {
			t.Errorf("%s: %d of %d were opened", name, len(numbers), packets/step)
		}
	}
}

// What comes before the keys waits for them, as far as there is room; what comes after
// the end goes nowhere.
func TestEarlyAndLatePackets(t *testing.T) {
	far, m, h := sealed(t, "GCM")
	for n := range uint16(transport.MaxEarly + 1) {
		m.Receive(sealRTP(t, far, n))
	}
	if numbers, _ := h.seen(); len(numbers) > 0 {
		t.Fatalf("%v before the keys", numbers)
	}
	open := time.Now()
	m.Open()
	m.Receive(sealRTP(t, far, 99))
	numbers, _ := h.seen()
	if first, last := h.came[0], h.came[len(h.came)-1]; !first.Before(open) || last.Before(open) {
		t.Errorf("the first packet is said to have come %v before the keys, the last one %v after", open.Sub(first), last.Sub(open))
	}
	if len(numbers) != transport.MaxEarly+1 || !slices.IsSorted(numbers) || numbers[transport.MaxEarly] != 99 {
		t.Errorf("%v were handed on", numbers)
	}
	m.Close()
	m.Receive(sealRTP(t, far, 100))
	if after, _ := h.seen(); len(after) != len(numbers) {
		t.Error("one was handed on after the end")
	}
}

// Reports are opened once, too.
func TestReportsAreOpened(t *testing.T) {
	for name := range profiles {
		far, m, h := sealed(t, name)
		m.Open()
		plain, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 7}})
		if err != nil {
			t.Fatal(err)
		}
		packet, err := far.EncryptRTCP(nil, plain, nil)
		if err != nil {
			t.Fatal(err)
		}
		m.Receive(packet)
		m.Receive(packet)
		m.Receive(packet[:12])
		if numbers, reports := h.seen(); reports != 1 || len(numbers) > 0 {
			t.Errorf("%s: %d reports, %v", name, reports, numbers)
		}
	}
}

// FuzzMedia: what nobody sealed is not handed on.
func FuzzMedia(f *testing.F) {
	f.Add([]byte{0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17})
	f.Add([]byte{0x80, 200, 0, 1, 0, 0, 0, 7})
	f.Fuzz(func(t *testing.T, packet []byte) {
		for _, p := range profiles {
			h := &handled{}
			m, err := transport.NewMedia([]byte("0123456789abcdef"[:p.key]), make([]byte, p.salt), p.profile, h)
			if err != nil {
				t.Fatal(err)
			}
			m.Open()
			m.Receive(packet)
			if numbers, reports := h.seen(); len(numbers) > 0 || reports > 0 {
				t.Fatalf("%x was handed on", packet)
			}
		}
	})
}
