package leg_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"parley/server/leg"
)

// opus is what the two ends of the tests agree on.
var opus = leg.Mapping{PayloadType: 111, AudioLevelID: 1}

// heard keeps what a leg handed on.
type heard struct {
	headers  []rtp.Header
	payloads []string
	levels   []int // -1: none
}

func (h *heard) HandleRTP(header *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) {
	h.headers, h.payloads = append(h.headers, *header), append(h.payloads, string(payload))
	if level == nil {
		h.levels = append(h.levels, -1)
		return
	}
	h.levels = append(h.levels, int(level.Level))
}

// wire carries what one leg sends to another, and loses what it is told to.
type wire struct {
	t    *testing.T
	to   *leg.Streams
	next leg.RTPHandler
	lose bool
	err  error
}

func (w *wire) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	if w.err != nil || w.lose {
		return len(payload), w.err
	}
	raw, err := (&rtp.Packet{Header: *h, Payload: payload}).Marshal()
	if err != nil {
		w.t.Error(err)
	}
	w.to.ReceiveRTP(raw, time.Now(), w.next)
	return len(raw), nil
}

// report carries the reports of one leg to the other, as a connection does: once
// for each of the SSRCs.
func report(t *testing.T, from, to *leg.Streams, ssrcs ...uint32) {
	t.Helper()
	raw, err := rtcp.Marshal(from.Reports(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	for _, ssrc := range ssrcs {
		to.ReceiveRTCP(raw, time.Now(), ssrc)
	}
}

// pair is two legs, each at the far end of the other.
func pair(t *testing.T) (a, b *leg.Streams, there *wire, got *heard) {
	a, b, got = leg.NewStreams(), leg.NewStreams(), &heard{}
	a.Agree(opus)
	b.Agree(opus)
	there = &wire{t: t, to: b, next: got}
	a.Bind(1, there)
	b.Bind(2, &wire{t: t, to: a, next: leg.Discard})
	return a, b, there, got
}

func send(t *testing.T, s *leg.Streams, i int) {
	t.Helper()
	if err := s.WriteRTP(&rtp.Header{SequenceNumber: uint16(i), Timestamp: uint32(i) * 960, SSRC: 77, PayloadType: 5}, []byte{0x78, 1}, nil); err != nil {
		t.Fatal(err)
	}
}

// Loss, round trip and counters come out on both ends as what happened between.
func TestTwoLegsMeasureEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, there, got := pair(t)
		for i := range 100 {
			there.lose = i == 50 || i == 51
			send(t, a, i)
			send(t, b, i)
			time.Sleep(20 * time.Millisecond)
		}
		report(t, a, b, 1, 2) // a's sender report, which b answers 100 ms later
		time.Sleep(100 * time.Millisecond)
		report(t, b, a, 2, 1)

		if n := len(got.headers); n != 98 || got.headers[0].SSRC != 1 || got.headers[0].PayloadType != 111 {
			t.Fatalf("%d packets came, the first as %+v", n, got.headers[0])
		}
		here, far := a.Sample(time.Now()), b.Sample(time.Now())
		if o := here.Outbound; o == nil || o.PacketsSent != 100 || o.BytesSent != 200 || o.SSRC != 1 {
			t.Errorf("outbound %+v", o)
		}
		in := far.Inbound
		if in == nil || in.PacketsReceived != 98 || in.PacketsLost != 2 || *in.LossRuns != 0 || in.Jitter != 0 {
			t.Errorf("inbound %+v", in)
		}
		r := here.RemoteInbound
		if r == nil || r.PacketsLost != 2 || r.SSRC != 1 || r.RoundTripTime == nil || *r.RoundTripTime > 0.001 || *r.RoundTripTimeMeasurements != 1 {
			t.Errorf("remote inbound %+v", r)
		}
		if *r.FractionLost != 5.0/256 { // 2 of 100 in 1/256
			t.Errorf("fraction %v", *r.FractionLost)
		}
	})
}

// A report that answers none of ours has its round-trip time made up.
func TestOnlyAnAnswerTellsTheRoundTrip(t *testing.T) {
	for name, test := range map[string]struct {
		lsr  func(mine uint32) uint32
		wait time.Duration
		want bool
	}{
		"an answer":                {func(mine uint32) uint32 { return mine }, 300 * time.Millisecond, true},
		"an answer to another":     {func(mine uint32) uint32 { return mine + 1 }, 300 * time.Millisecond, false},
		"none yet":                 {func(uint32) uint32 { return 0 }, 300 * time.Millisecond, false},
		"before it could come":     {func(mine uint32) uint32 { return mine }, 0, false},
		"within the clocks' grain": {func(mine uint32) uint32 { return mine }, 92 * time.Millisecond, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, _, _, _ := pair(t)
				send(t, a, 0)
				sr, ok := a.Reports(time.Now())[0].(*rtcp.SenderReport)
				if !ok {
					t.Fatal("no sender report after a packet")
				}
				time.Sleep(test.wait)
				raw, _ := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 2, Reports: []rtcp.ReceptionReport{{
					SSRC: 1, LastSenderReport: test.lsr(uint32(sr.NTPTime >> 16)), Delay: 65536 / 10,
				}}}})
				a.ReceiveRTCP(raw, time.Now(), 1)
				r := a.Sample(time.Now()).RemoteInbound
				if r == nil || (r.RoundTripTime != nil) != test.want {
					t.Fatalf("%+v", r)
				}
				if want := max(0, test.wait-100*time.Millisecond).Seconds(); test.want && (*r.RoundTripTime < want-0.001 || *r.RoundTripTime > want+0.001) {
					t.Errorf("round trip of %v s, want %v", *r.RoundTripTime, want)
				}
			})
		})
	}
}

// The newest sixteen sender reports may be answered: what answers an older one comes
// too late to be an answer.
func TestAnAnswerToAnOldReportTellsNothing(t *testing.T) {
	for name, test := range map[string]struct {
		newer int
		want  bool
	}{
		"the oldest that counts": {15, true},
		"one older":              {16, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, _, _, _ := pair(t)
				send(t, a, 0)
				var first uint32
				for i := range 1 + test.newer {
					sr := a.Reports(time.Now())[0].(*rtcp.SenderReport)
					if i == 0 {
						first = uint32(sr.NTPTime >> 16)
					}
					time.Sleep(time.Second)
				}
				raw, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 2, Reports: []rtcp.ReceptionReport{{SSRC: 1, LastSenderReport: first}}}})
				if err != nil {
					t.Fatal(err)
				}
				a.ReceiveRTCP(raw, time.Now(), 1)
				if r := a.Sample(time.Now()).RemoteInbound; r == nil || (r.RoundTripTime != nil) != test.want {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

// A machine under load comes to its reports late, with a time that lies before
// the newest report of the far end: that one waited for no time, not for 18
// hours, by which the far end would reckon its round-trip time.
func TestTheDelayOfAReportIsNeverBelowZero(t *testing.T) {
	for name, test := range map[string]struct {
		late time.Duration
		want uint32
	}{
		"in time":             {-500 * time.Millisecond, 1 << 15},
		"in the same moment":  {0, 0},
		"a nanosecond before": {1, 0},
		"a second before":     {time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b, _, _ := pair(t)
				send(t, a, 0)
				time.Sleep(2 * time.Second)
				report(t, a, b, 1)
				blocks := b.Reports(time.Now().Add(-test.late))[0].(*rtcp.ReceiverReport).Reports
				if len(blocks) != 1 || blocks[0].LastSenderReport == 0 || blocks[0].Delay != test.want {
					t.Errorf("%+v, want a delay of %d", blocks, test.want)
				}
			})
		})
	}
}

// What isn't agreed on, or says nothing new, is not handed on.
func TestReceiveRTP(t *testing.T) {
	packet := func(pt uint8, seq uint16, level byte, payload ...byte) []byte {
		p := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: pt, SSRC: 7, SequenceNumber: seq}, Payload: payload}
		if level > 0 {
			if err := p.SetExtension(1, []byte{level}); err != nil {
				t.Fatal(err)
			}
		}
		raw, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for name, test := range map[string]struct {
		mapping leg.Mapping
		raw     [][]byte
		levels  []int
	}{
		"with a level":            {opus, [][]byte{packet(111, 1, 20, 1)}, []int{20}},
		"without":                 {opus, [][]byte{packet(111, 1, 0, 1)}, []int{-1}},
		"a level not agreed on":   {leg.Mapping{PayloadType: 111}, [][]byte{packet(111, 1, 20, 1)}, []int{-1}},
		"another id":              {leg.Mapping{PayloadType: 111, AudioLevelID: 2}, [][]byte{packet(111, 1, 20, 1)}, []int{-1}},
		"another payload type":    {opus, [][]byte{packet(110, 1, 20, 1)}, nil},
		"the same twice":          {opus, [][]byte{packet(111, 1, 0, 1), packet(111, 1, 0, 1)}, []int{-1}},
		"no audio in it":          {opus, [][]byte{packet(111, 1, 0)}, nil},
		"cut":                     {opus, [][]byte{packet(111, 1, 0, 1)[:11], {}, nil}, nil},
		"before anything is told": {leg.Mapping{}, [][]byte{packet(111, 1, 0, 1)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s, got := leg.NewStreams(), &heard{}
			s.Agree(test.mapping)
			for _, raw := range test.raw {
				s.ReceiveRTP(raw, time.Now(), got)
			}
			if len(got.levels) != len(test.levels) || len(test.levels) > 0 && got.levels[0] != test.levels[0] {
				t.Errorf("handed on with levels %v, want %v", got.levels, test.levels)
			}
		})
	}
}

// Packets before the connection stands go nowhere and count for nothing; one
// that the connection refuses is an error and counts for nothing either.
func TestWriteRTP(t *testing.T) {
	a, _, there, got := pair(t)
	a.Unbind()
	send(t, a, 1)
	if pkts := a.Reports(time.Now()); pkts != nil {
		t.Errorf("reports without a connection: %v", pkts)
	}
	a.Bind(1, there)
	there.err = errors.New("broken")
	if err := a.WriteRTP(&rtp.Header{}, []byte{1}, nil); !errors.Is(err, there.err) {
		t.Errorf("the connection's error became %v", err)
	}
	if s := a.Sample(time.Now()); s.Outbound != nil || len(got.headers) != 0 {
		t.Errorf("counted %+v", s.Outbound)
	}
	if _, ok := a.Reports(time.Now())[0].(*rtcp.ReceiverReport); !ok {
		t.Error("a sender report though nothing was sent")
	}
	there.err = nil
	send(t, a, 2)
	if s := a.Sample(time.Now()); s.Outbound == nil || s.Outbound.PacketsSent != 1 {
		t.Errorf("counted %+v", s.Outbound)
	}
}

// A level goes along if the negotiation had one, in each packet its own, and costs
// nothing to carry.
func TestWriteRTPCarriesLevels(t *testing.T) {
	for name, c := range map[string]struct {
		id   uint8
		want []int
	}{
		"agreed on":               {1, []int{-1, 30, -1, 127}},
		"the highest id there is": {14, []int{-1, 30, -1, 127}},
		"not agreed on":           {0, []int{-1, -1, -1, -1}},
		"an id of two bytes":      {15, []int{-1, -1, -1, -1}},
	} {
		t.Run(name, func(t *testing.T) {
			a, b, _, got := pair(t)
			mapping := leg.Mapping{PayloadType: opus.PayloadType, AudioLevelID: c.id}
			a.Agree(mapping)
			b.Agree(mapping)
			for i, level := range []*rtp.AudioLevelExtension{nil, {Level: 30, Voice: true}, nil, {Level: 127}} {
				if err := a.WriteRTP(&rtp.Header{SequenceNumber: uint16(i)}, []byte{0x78, 1}, level); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(got.levels, c.want) {
				t.Errorf("levels %v, want %v", got.levels, c.want)
			}
		})
	}
}

// FuzzReceive: whatever the far end sends, the sample is one that can be.
func FuzzReceive(f *testing.F) {
	f.Add([]byte{0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0x78}, uint32(7))
	f.Add([]byte{0x81, 201, 0, 7, 0, 0, 0, 2, 0, 0, 0, 1, 255, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0}, uint32(1))
	f.Fuzz(func(t *testing.T, raw []byte, about uint32) {
		s := leg.NewStreams()
		s.Agree(opus)
		s.ReceiveRTP(raw, time.Now(), leg.Discard)
		s.ReceiveRTCP(raw, time.Now(), about)
		if err := s.Sample(time.Now()).Check(); err != nil {
			t.Fatal(err)
		}
	})
}
