package agent_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"parley/server/agent"
	"parley/server/privacy"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

const frame = 20 * time.Millisecond

// said is a packet that an agent sent, and when.
type said struct {
	at      time.Duration
	header  rtp.Header
	payload []byte
}

// book takes turns and interruptions.
type book struct {
	agent.Measures // no parrot has more to tell

	mu            sync.Mutex
	turns         []rest.Turn
	ended         []rest.Turn
	interruptions []rest.Interruption
}

func (b *book) TurnsEnded(turns []rest.Turn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = append(b.ended, turns...)
}

func (b *book) TurnsMeasured(turns []rest.Turn, interruptions []rest.Interruption) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turns, b.interruptions = append(b.turns, turns...), append(b.interruptions, interruptions...)
}

// line is both what an agent speaks into and whom it tells.
type line struct {
	mu     sync.Mutex
	begin  time.Time
	said   []said
	states []wire.AgentState
	speech map[rtcstats.Leg]int
	book   book
	stall  time.Duration // how long the next packet takes to go
}

func newLine() *line { return &line{begin: time.Now(), speech: map[rtcstats.Leg]int{}} }

func (l *line) WriteRTP(h *rtp.Header, payload []byte, _ *rtp.AudioLevelExtension) error {
	l.mu.Lock()
	stall := l.stall
	l.stall = 0
	l.said = append(l.said, said{time.Since(l.begin), *h, bytes.Clone(payload)})
	l.mu.Unlock()
	time.Sleep(stall)
	return nil
}

func (l *line) AgentState(s wire.AgentState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.states = append(l.states, s)
}

func (l *line) Speech(by rtcstats.Leg) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.speech[by]++
}

func (*line) Sampled(rtcstats.Leg, rtcstats.Sample) {}

func (*line) AgentStuck(wire.EndCause, time.Time) {}

func (*line) AgentLeft(error) {}

func (l *line) told() []wire.AgentState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.states)
}

func (l *line) heard(by rtcstats.Leg) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.speech[by]
}

func (l *line) all() []said {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.said)
}

func (l *line) state() wire.AgentState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.states[len(l.states)-1]
}

// A spoken packet is 20 ms of Opus and its RFC 6464 level.
type spoken struct {
	level uint8
	opus  []byte
}

// speech reads a sentence: half a second of room noise, 2.7 s of speech by
// espeak-ng, 1.5 s of noise; libopus at 32 kbit/s. Each packet is its level,
// its length (16 bit) and its bytes.
func speech(t testing.TB) []spoken {
	t.Helper()
	raw, err := os.ReadFile("double/speech.packets")
	if err != nil {
		t.Fatal(err)
	}
	var all []spoken
	for len(raw) > 0 {
		n := int(binary.BigEndian.Uint16(raw[1:]))
		all = append(all, spoken{raw[0], raw[3 : 3+n]})
		raw = raw[3+n:]
	}
	return all
}

// mouth is a caller who talks to a leg, a packet each 20 ms.
type mouth struct {
	leg      agent.Leg
	noLevels bool
	seq      uint16
	stamp    uint32
}

func (m *mouth) say(all ...spoken) {
	for _, s := range all {
		m.one(s)
		time.Sleep(frame)
	}
}

func (m *mouth) one(s spoken) {
	h := &rtp.Header{Version: 2, SequenceNumber: m.seq, Timestamp: m.stamp}
	level := &rtp.AudioLevelExtension{Level: s.level}
	if m.noLevels {
		level = nil
	}
	payload := bytes.Clone(s.opus)
	m.leg.HandleRTP(h, payload, level)
	*h = rtp.Header{} // nothing of it may be used afterwards
	clear(payload)
	if level != nil {
		level.Level = 127
	}
	m.seq++
	m.stamp += 960
}

// tone is n packets of one level, each with its number inside. Their first byte
// says 20 ms.
func tone(level uint8, n int) []spoken {
	all := make([]spoken, n)
	for i := range all {
		all[i] = spoken{level, []byte{0x78, byte(i >> 8), byte(i), level}}
	}
	return all
}

const (
	loud  = 20
	quiet = 80
)

// newGuard is the real one, which knows of no call yet.
func newGuard(t testing.TB) *privacy.Privacy {
	t.Helper()
	p, err := privacy.New(privacy.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// talk runs f in a bubble with an open parrot, which has heard a second of quiet.
func talk(t *testing.T, f func(m *mouth, l *line)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		leg, err := agent.Parrot{Guard: newGuard(t)}.Open(context.Background(), agent.Call{Session: "s1", Audio: l, Measures: &l.book}, l)
		if err != nil {
			t.Fatal(err)
		}
		m := &mouth{leg: leg, seq: 65530}
		m.say(tone(quiet, 50)...)
		f(m, l)
		if err := leg.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}
