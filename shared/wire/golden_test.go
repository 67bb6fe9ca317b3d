package wire_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden is a frame as it stands in its file, and the message it is.
type golden struct {
	from    wire.Side
	message wire.Message
}

// decode reads a frame of either side.
func decode(from wire.Side, frame []byte) (wire.Message, error) {
	if from == wire.Client {
		return wire.DecodeClient(frame)
	}
	return wire.DecodeServer(frame)
}

// goldens holds one of each message of each side, with every field filled, and
// the shapes that have two.
func goldens(t testing.TB) map[string]golden {
	t.Helper()
	ends := time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)
	return map[string]golden{
		"server-hello": {wire.Server, wire.Hello{
			SessionID: "s_0123456789abcdefghijkl", ResumeToken: "r_0123456789abcdefghijkl", Agent: "parrot",
			ICEServers:      []wire.ICEServer{{URLs: []string{"turn:turn.example:3478"}, Username: "u", Credential: "c"}, {URLs: []string{"stun:stun.example"}}},
			Limits:          wire.Limits{IdleTimeoutS: 1800, IdleWarningS: 120, MaxDurationS: 3600, ReconnectGraceS: 30},
			StatsIntervalMS: 1000, Node: "n1",
		}},
		"server-answer":    {wire.Server, wire.Answer{SDP: "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"}},
		"server-candidate": {wire.Server, candidate()},
		"server-state": {wire.Server, wire.State{Session: wire.StateActive, Agent: wire.AgentSpeaking, Quality: &quality.Verdict{
			Level: "fair", R: 66.5, MOS: 3.43, Cause: "loss", Direction: "to_agent", Value: 4.2, Quiet: true,
		}}},
		"server-state-answered": {wire.Server, wire.State{Session: wire.StateActive, Agent: wire.AgentSpeaking, Turn: &wire.AgentTurn{
			Number: 3, WaitMS: 820.5, SilenceWindowMS: 300, NetworkMS: 40.5, ToolsMS: 120, ModelMS: 360,
		}}},
		"server-state-unrated": {wire.Server, wire.State{Session: wire.StateConnecting, Agent: wire.AgentConnecting}},
		"server-warning":       {wire.Server, wire.Warning{Code: wire.WarnIdle, EndsAt: ends}},
		"server-warning-back":  {wire.Server, wire.Warning{Code: wire.WarnIdle}},
		"server-ended":         {wire.Server, wire.Ended{Cause: wire.AdminEnded, Message: "maintenance"}},
		"server-error":         {wire.Server, wire.Error{Code: wire.ErrBadOffer, Field: "sdp", Reason: "m=audio (section 2 of 2): no Opus (opus/48000/2)"}},
		"server-pong":          {wire.Server, wire.Pong{ID: 7}},
		"client-offer":         {wire.Client, wire.Offer{SDP: "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"}},
		"client-candidate":     {wire.Client, candidate()},
		"client-candidate-end": {wire.Client, wire.Candidate{}},
		"client-report":        {wire.Client, wire.Report{Samples: []rtcstats.Sample{browserSample(t, "chromium-1"), browserSample(t, "firefox-1")}}},
		"client-activity":      {wire.Client, wire.Activity{Kind: wire.ActivityKeepAlive}},
		"client-resume":        {wire.Client, wire.Resume{SessionID: "s_0123456789abcdefghijkl", ResumeToken: "r_0123456789abcdefghijkl"}},
		"client-ping":          {wire.Client, wire.Ping{ID: 7}},
		"client-bye":           {wire.Client, wire.Bye{}},
	}
}

func candidate() wire.Candidate {
	return wire.Candidate{Candidate: wire.CandidateInit{
		Candidate: "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host", SDPMid: new("0"), SDPMLineIndex: new(uint16(0)), UsernameFragment: new("abcd"),
	}}
}

// browserSample is what a real browser reported, and two pings.
func browserSample(t testing.TB, name string) rtcstats.Sample {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "rtcstats", "testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := rtcstats.FromReports(raw)
	if err != nil {
		t.Fatal(err)
	}
	s.Ping = &rtcstats.Ping{RequestsSent: 14, ResponsesReceived: 13, CurrentRoundTripTime: 0.041, TotalRoundTripTime: 0.6}
	return s
}

func goldenPath(name string) string { return filepath.Join("testdata", name+".json") }

func frame(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(goldenPath(name))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.TrimSuffix(string(raw), "\n"))
}

func TestGoldenFrames(t *testing.T) {
	for name, g := range goldens(t) {
		t.Run(name, func(t *testing.T) {
			encoded, err := wire.Encode(g.message)
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(goldenPath(name), append(encoded, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := frame(t, name)
			if string(encoded) != string(want) {
				t.Errorf("encoded %s\nthe file %s", encoded, want)
			}
			decoded, err := decode(g.from, want)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(decoded, g.message) {
				t.Errorf("decoded %#v\nwant    %#v", decoded, g.message)
			}
		})
	}
}

func TestEveryGoldenFileIsAMessage(t *testing.T) {
	known := goldens(t)
	files, err := filepath.Glob(goldenPath("*"))
	if err != nil || len(files) != len(known) {
		t.Errorf("%d files, %d messages (%v)", len(files), len(known), err)
	}
}

// Each type that a side may send has a golden frame, and no type of the other's
// is read from it.
func TestTheSetIsClosed(t *testing.T) {
	sent := map[wire.Side]map[wire.Type]bool{wire.Client: {}, wire.Server: {}}
	for _, g := range goldens(t) {
		sent[g.from][g.message.Type()] = true
	}
	if len(sent[wire.Client]) != 7 || len(sent[wire.Server]) != 8 {
		t.Fatalf("%d types from the client, %d from the server", len(sent[wire.Client]), len(sent[wire.Server]))
	}
	for name, g := range goldens(t) {
		other := wire.Client + wire.Server - g.from
		_, err := decode(other, frame(t, name))
		if sent[other][g.message.Type()] != (err == nil) {
			t.Errorf("%s read as the other side's: %v", name, err)
		}
	}
}

func TestAFullReportFitsAFrame(t *testing.T) {
	s := browserSample(t, "chromium-5")
	r := wire.Report{}
	for range wire.MaxSamples {
		r.Samples = append(r.Samples, s)
	}
	encoded, err := wire.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(encoded) > wire.MaxFrame/2 {
		t.Errorf("%d bytes: little room for longer ids", len(encoded))
	}
	if _, err := decode(wire.Client, encoded); err != nil {
		t.Error(err)
	}
	var loose map[string]any
	if err := json.Unmarshal(encoded, &loose); err != nil || loose["type"] != "report" {
		t.Errorf("not flat JSON with its type: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for name, g := range goldens(f) {
		f.Add(g.from == wire.Server, frame(f, name))
	}
	f.Fuzz(func(t *testing.T, server bool, data []byte) {
		side := wire.Client
		if server {
			side = wire.Server
		}
		m, err := decode(side, data)
		if err != nil {
			return
		}
		// What was read can be written, and reads the same again.
		encoded, err := wire.Encode(m)
		if err != nil {
			t.Fatalf("%#v can't be written: %v", m, err)
		}
		again, err := decode(side, encoded)
		if err != nil {
			t.Fatalf("%s can't be read: %v", encoded, err)
		}
		if twice, err := wire.Encode(again); err != nil || string(twice) != string(encoded) {
			t.Fatalf("%s\nbecame %s (%v)", encoded, twice, err)
		}
	})
}
