package rtcstats_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/shared/rtcstats"
)

func reports(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func sample(t testing.TB, name string) rtcstats.Sample {
	t.Helper()
	s, err := rtcstats.FromReports(reports(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

func TestReportsOfRealBrowsersAreRead(t *testing.T) {
	for _, browser := range []string{"chromium", "firefox"} {
		for look := 1; look <= 5; look++ {
			name := fmt.Sprintf("%s-%d", browser, look)
			t.Run(name, func(t *testing.T) {
				s := sample(t, name)
				if s.Inbound == nil || s.Outbound == nil || s.RemoteInbound == nil || s.CandidatePair == nil ||
					s.Transport == nil || s.MediaSource == nil || s.Codec == nil {
					t.Fatalf("a part is missing: %+v", s)
				}
				if s.Inbound.PacketsReceived < 300 || s.Outbound.PacketsSent < 300 {
					t.Errorf("%d packets in, %d out; seven seconds are 350", s.Inbound.PacketsReceived, s.Outbound.PacketsSent)
				}
				if s.RemoteInbound.SSRC != s.Outbound.SSRC {
					t.Errorf("the far end speaks of %d, this end sends %d", s.RemoteInbound.SSRC, s.Outbound.SSRC)
				}
				if s.Codec.MimeType != "audio/opus" || s.CandidatePair.State != "succeeded" ||
					s.CandidatePair.LocalCandidateType != "host" || s.CandidatePair.Protocol != "udp" {
					t.Errorf("codec %+v, pair %+v", s.Codec, s.CandidatePair)
				}
				if (s.MediaPlayout != nil) != (browser == "chromium") {
					t.Errorf("media-playout is %+v", s.MediaPlayout)
				}
			})
		}
	}
}

func TestNoAddressIsRead(t *testing.T) {
	for _, name := range []string{"chromium-1", "chromium-restarted", "firefox-1", "firefox-restarted"} {
		raw := string(reports(t, name))
		if !strings.Contains(raw, "192.0.2.1") {
			t.Fatalf("%s holds no address: nothing is proved", name)
		}
		s, err := json.Marshal(sample(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(s), "192.0.2.1") || strings.Contains(string(s), "2001:db8") {
			t.Errorf("%s: an address came through: %s", name, s)
		}
	}
}

func TestBeforeNegotiationThereIsATimeAndNoStream(t *testing.T) {
	for _, name := range []string{"chromium-early", "firefox-early"} {
		if s := sample(t, name); s.Timestamp == 0 || s.Inbound != nil || s.CandidatePair != nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestPairInUse(t *testing.T) {
	const (
		stream    = `{"id":"I","type":"inbound-rtp","kind":"audio","timestamp":5}`
		old       = `{"id":"old","type":"candidate-pair","state":"succeeded","nominated":true,"lastPacketReceivedTimestamp":1,"timestamp":5}`
		used      = `{"id":"used","type":"candidate-pair","state":"succeeded","nominated":true,"lastPacketReceivedTimestamp":2,"timestamp":5}`
		marked    = `{"id":"marked","type":"candidate-pair","state":"succeeded","nominated":true,"selected":true,"timestamp":5}`
		waiting   = `{"id":"waiting","type":"candidate-pair","state":"waiting","nominated":false,"lastPacketReceivedTimestamp":9,"timestamp":5}`
		transport = `{"id":"T","type":"transport","selectedCandidatePairId":"old","timestamp":5}`
		silent    = `{"id":"T","type":"transport","timestamp":5}`
	)
	cases := map[string]struct {
		reports []string
		want    string
	}{
		"the transport names it":           {[]string{used, marked, old, transport}, "old"},
		"the pair is marked":               {[]string{used, marked, old, silent}, "marked"},
		"the one that got a packet last":   {[]string{old, used, waiting, silent}, "used"},
		"none has succeeded":               {[]string{waiting, silent}, ""},
		"the transport names a lost thing": {[]string{used, `{"id":"T","type":"transport","selectedCandidatePairId":"gone","timestamp":5}`}, "used"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, err := rtcstats.FromReports([]byte("[" + strings.Join(append(c.reports, stream), ",") + "]"))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if s.CandidatePair != nil {
				got = s.CandidatePair.ID
			}
			if got != c.want {
				t.Errorf("pair %q, want %q", got, c.want)
			}
		})
	}
}

func TestRestartKeepsTheStream(t *testing.T) {
	for _, browser := range []string{"chromium", "firefox"} {
		before, after := sample(t, browser+"-5"), sample(t, browser+"-restarted")
		if before.CandidatePair.ID == after.CandidatePair.ID {
			t.Errorf("%s: the pair is still %s", browser, before.CandidatePair.ID)
		}
		if before.Inbound.ID != after.Inbound.ID || before.Inbound.SSRC != after.Inbound.SSRC {
			t.Errorf("%s: the stream became another", browser)
		}
	}
}

// A browser that counts one thing wrong is believed in all others.
func TestReportsWithOneBadFigure(t *testing.T) {
	s, err := rtcstats.FromReports([]byte(`[
		{"id":"I","type":"inbound-rtp","kind":"audio","timestamp":5,"packetsReceived":-1},
		{"id":"O","type":"outbound-rtp","kind":"audio","timestamp":5,"packetsSent":7,"targetBitrate":-1}]`))
	if err != nil || s.Inbound != nil || s.Outbound == nil || s.Outbound.PacketsSent != 7 || s.Outbound.TargetBitrate != nil {
		t.Errorf("read as %+v and %+v, %v", s.Inbound, s.Outbound, err)
	}
}

func TestReportsThatAreNone(t *testing.T) {
	cases := map[string]string{
		"nothing":        ``,
		"no array":       `{}`,
		"an empty array": `[]`,
		"no objects":     `[1]`,
		"no time":        `[{"id":"I","type":"inbound-rtp","kind":"audio"}]`,
		"trailing":       `[] []`,
		"a time below 0": `[{"id":"I","type":"inbound-rtp","kind":"audio","timestamp":-5,"packetsReceived":1}]`,
		"too many":       "[" + strings.Repeat(`{"timestamp":1},`, rtcstats.MaxReports) + `{"timestamp":1}]`,
	}
	for name, in := range cases {
		if s, err := rtcstats.FromReports([]byte(in)); err == nil {
			t.Errorf("%s was read as %+v", name, s)
		}
	}
}

func TestVideoIsNotRead(t *testing.T) {
	s, err := rtcstats.FromReports([]byte(`[{"id":"V","type":"inbound-rtp","kind":"video","timestamp":5,"packetsReceived":7}]`))
	if err != nil || s.Inbound != nil {
		t.Errorf("%+v, %v", s.Inbound, err)
	}
}

func FuzzFromReports(f *testing.F) {
	for _, browser := range []string{"chromium", "firefox"} {
		for _, look := range []string{"early", "1", "restarted"} {
			f.Add(reports(f, browser+"-"+look))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := rtcstats.FromReports(data)
		if err != nil {
			return
		}
		if err := s.Check(); err != nil {
			t.Fatalf("given out, and yet: %v", err)
		}
	})
}
