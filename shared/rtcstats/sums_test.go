package rtcstats_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"parley/shared/rtcstats"
)

// timed is a flow and when it ended.
type timed struct {
	at float64 // ms
	rtcstats.Flow
}

// randomFlow is a second of a line without silence, of which some of everything was
// counted.
func randomFlow(random *rand.Rand) rtcstats.Flow {
	n := func(most int) int64 { return int64(random.IntN(most + 1)) }
	packets, lost := n(60), n(5)
	return rtcstats.Flow{
		Seconds: 1, Packets: packets, Bytes: 80 * packets, Expected: packets + lost, Lost: lost, Discarded: n(2),
		Jitter: float64(n(30)) / 1000, JitterTime: 1, BufferDelay: float64(n(4000)), BufferCount: n(48000),
		Samples: 48000, Concealed: n(900), Concealments: n(3), PlayoutDelay: float64(n(2000)), PlayoutCount: n(48000),
		Pings: rtcstats.RoundTrips{Total: float64(n(200)) / 1000, Count: n(2)}, PingsSent: 2,
	}
}

// sumOf adds up by hand what a window of ten seconds holds at a time.
func sumOf(flows []timed, now float64) (sum rtcstats.Flow, heard struct{ expected, lost, late int64 }) {
	for _, f := range flows {
		if f.at <= now-rtcstats.WindowLength {
			continue
		}
		sum.Seconds, sum.Bytes = sum.Seconds+f.Seconds, sum.Bytes+f.Bytes
		sum.Expected, sum.Lost = sum.Expected+f.Expected, sum.Lost+f.Lost
		sum.Jitter, sum.JitterTime = sum.Jitter+f.Jitter, sum.JitterTime+f.JitterTime
		sum.BufferDelay, sum.BufferCount = sum.BufferDelay+f.BufferDelay, sum.BufferCount+f.BufferCount
		sum.PlayoutDelay, sum.PlayoutCount = sum.PlayoutDelay+f.PlayoutDelay, sum.PlayoutCount+f.PlayoutCount
		sum.Samples, sum.Concealed = sum.Samples+f.Samples, sum.Concealed+f.Concealed
		sum.Pings.Total, sum.Pings.Count = sum.Pings.Total+f.Pings.Total, sum.Pings.Count+f.Pings.Count
		if f.Expected >= rtcstats.QuietRate {
			heard.expected, heard.lost, heard.late = heard.expected+f.Expected, heard.lost+f.Lost, heard.late+f.Discarded
		}
	}
	return sum, heard
}

// share is part of whole as a window has it.
func share(part, whole float64) *float64 {
	if whole == 0 {
		return nil
	}
	return new(part / whole)
}

func same(a, b *float64) bool {
	return a == nil && b == nil || a != nil && b != nil && math.Abs(*a-*b) < 1e-9
}

// TestTheFiguresAreTheSumsOfTenSeconds, added up by hand, on lines of every kind and
// with holes in them.
func TestTheFiguresAreTheSumsOfTenSeconds(t *testing.T) {
	random := rand.New(rand.NewPCG(19, 20))
	for range 20 {
		var w rtcstats.Window
		var flows []timed
		at := float64(1000 * random.IntN(100_000))
		for range 60 {
			at += 1000
			if random.IntN(10) == 0 {
				at += float64(1000 * random.IntN(12)) // nobody looked
			}
			f := randomFlow(random)
			flows = append(flows, timed{at, f})
			if counted := w.Add(at, f); counted != f {
				t.Fatalf("%+v is counted as %+v", f, counted)
			}
			sum, heard := sumOf(flows, at)
			got := w.Figures()
			if got.At != at || got.Seconds != sum.Seconds || got.Expected != sum.Expected || got.Lost != sum.Lost || got.Quiet != (heard.expected == 0) {
				t.Fatalf("at %v: %+v, by hand %+v", at, got, sum)
			}
			for name, pair := range map[string][2]*float64{
				"loss":       {got.LossRatio, share(float64(heard.lost), float64(heard.expected))},
				"with late":  {got.EffectiveLossRatio, share(float64(heard.lost+heard.late), float64(heard.expected))},
				"concealed":  {got.ConcealedRatio, share(float64(sum.Concealed), float64(sum.Samples))},
				"jitter":     {got.JitterMS, share(1000*sum.Jitter, sum.JitterTime)},
				"buffer":     {got.BufferMS, share(1000*sum.BufferDelay, float64(sum.BufferCount))},
				"playout":    {got.PlayoutMS, share(1000*sum.PlayoutDelay, float64(sum.PlayoutCount))},
				"round trip": {got.RTTMS, share(1000*sum.Pings.Total, float64(sum.Pings.Count))},
				"bitrate":    {got.BitrateBPS, share(8*float64(sum.Bytes), sum.Seconds)},
			} {
				if !same(pair[0], pair[1]) {
					t.Fatalf("at %v: %s is %v, by hand %v", at, name, show(pair[0]), show(pair[1]))
				}
			}
		}
	}
}

// TestOneReportThatCantBeReadIsLeftOut, alone: whatever it refers to, and whatever
// refers to it, is read without it.
func TestOneReportThatCantBeReadIsLeftOut(t *testing.T) {
	whole := []string{
		`{"id":"I","type":"inbound-rtp","kind":"audio","timestamp":5,"codecId":"C","playoutId":"P"}`,
		`{"id":"O","type":"outbound-rtp","kind":"audio","timestamp":5,"codecId":"C","mediaSourceId":"S"}`,
		`{"id":"R","type":"remote-inbound-rtp","kind":"audio","timestamp":5,"localId":"O"}`,
		`{"id":"T","type":"transport","timestamp":5,"selectedCandidatePairId":"X"}`,
		`{"id":"X","type":"candidate-pair","timestamp":5,"localCandidateId":"L"}`,
		`{"id":"L","type":"local-candidate","timestamp":5,"candidateType":"relay","protocol":"udp"}`,
		`{"id":"S","type":"media-source","kind":"audio","timestamp":5}`,
		`{"id":"P","type":"media-playout","kind":"audio","timestamp":5}`,
		`{"id":"C","type":"codec","timestamp":5,"mimeType":"audio/opus"}`,
	}
	parts := func(s rtcstats.Sample) string {
		letters := ""
		for _, part := range []struct {
			letter string
			isHere bool
		}{
			{"I", s.Inbound != nil}, {"O", s.Outbound != nil}, {"R", s.RemoteInbound != nil}, {"T", s.Transport != nil}, {"X", s.CandidatePair != nil},
			{"L", s.CandidatePair != nil && s.CandidatePair.LocalCandidateType == "relay"},
			{"S", s.MediaSource != nil}, {"P", s.MediaPlayout != nil}, {"C", s.Codec != nil},
		} {
			if part.isHere {
				letters += part.letter
			}
		}
		return letters
	}
	spoilt := map[string]string{ // a value of another type, by the letter of the report
		"I": `"jitter":"x"`, "O": `"packetsSent":"x"`, "R": `"jitter":"x"`, "T": `"iceState":1`, "X": `"currentRoundTripTime":"x"`,
		"L": `"candidateType":1`, "S": `"audioLevel":"x"`, "P": `"totalPlayoutDelay":"x"`, "C": `"mimeType":1`,
	}
	for i, letter := range strings.Split("I O R T X L S P C", " ") {
		some := append([]string{}, whole...)
		some[i] = strings.Replace(strings.TrimSuffix(some[i], "}"), `"candidateType":"relay",`, "", 1) + "," + spoilt[letter] + "}"
		want := strings.ReplaceAll("IORTXLSPC", letter, "")
		if letter == "X" {
			want = strings.ReplaceAll(want, "L", "")
		}
		s, err := rtcstats.FromReports([]byte("[" + strings.Join(some, ",") + "]"))
		if err != nil || parts(s) != want {
			t.Errorf("%s can't be read: %q are, want %q (%v)", letter, parts(s), want, err)
		}
	}
}

// TestASampleIsReadAsItWasWritten, as every browser gave it, with the pings beside it:
// none of its fields has a name that another has, or none.
func TestASampleIsReadAsItWasWritten(t *testing.T) {
	for _, name := range []string{"chromium-1", "chromium-5", "chromium-restarted", "chromium-early", "firefox-1", "firefox-5", "firefox-restarted", "firefox-early"} {
		first := sample(t, name)
		first.Ping = &rtcstats.Ping{RequestsSent: 14, ResponsesReceived: 13, RequestsReceived: 12, CurrentRoundTripTime: 0.041, TotalRoundTripTime: 0.6}
		text, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		var back rtcstats.Sample
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, first) {
			t.Errorf("%s: %s is read as %+v (%v)", name, text, back, err)
		}
		if i := rtcstats.Rates(first, back); i.In.Gap == rtcstats.NoGap || i.Out.Gap == rtcstats.NoGap {
			t.Errorf("%s: no time went by, and yet something is counted: %+v", name, i)
		}
	}
}
