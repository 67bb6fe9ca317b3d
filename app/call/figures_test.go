package call_test

import (
	"testing"

	"parley/app/call"
	"parley/shared/quality"
	"parley/shared/rtcstats"
	"parley/wasm/peer"
)

func TestMetricsOfASample(t *testing.T) {
	got := call.MetricsOf(peer.SampleMeasured{Ratings: map[quality.Direction]peer.Rating{
		quality.ToAgent:  {Figures: rtcstats.Figures{LossRatio: ptr(.01), EffectiveLossRatio: ptr(.02)}, Score: quality.Score{R: 72, MOS: 3.7}},
		quality.ToCaller: {Figures: rtcstats.Figures{RTTMS: ptr(80), Quiet: true}, Score: quality.Score{R: 90, MOS: 4.3}},
	}})
	if m := got[quality.ToAgent]; *m.LossRatio != .02 || *m.MOS != 3.7 || *m.R != 72 {
		t.Errorf("to the agent: %+v", m)
	}
	if m := got[quality.ToCaller]; m.MOS != nil || m.R != nil || *m.RTTMS != 80 {
		t.Errorf("too little audio to rate, and a rating: %+v", m)
	}
}

func TestPathOfASample(t *testing.T) {
	for name, c := range map[string]struct {
		pair           *rtcstats.CandidatePair
		path, protocol string
	}{
		"none yet":        {},
		"direct":          {&rtcstats.CandidatePair{LocalCandidateType: "host", RemoteCandidateType: "prflx", Protocol: "udp"}, "direct", "udp"},
		"our relay":       {&rtcstats.CandidatePair{LocalCandidateType: "relay", Protocol: "udp"}, "relay", "udp"},
		"it, over TLS":    {&rtcstats.CandidatePair{LocalCandidateType: "relay", Protocol: "udp", RelayProtocol: "tls"}, "relay", "tls"},
		"the far end's":   {&rtcstats.CandidatePair{RemoteCandidateType: "relay", Protocol: "tcp"}, "relay", "tcp"},
		"unknown, by TCP": {&rtcstats.CandidatePair{Protocol: "tcp"}, "direct", "tcp"},
	} {
		t.Run(name, func(t *testing.T) {
			path, protocol := call.PathOf(peer.SampleMeasured{Sample: rtcstats.Sample{CandidatePair: c.pair}})
			if path != c.path || protocol != c.protocol {
				t.Errorf("got %q %q, want %q %q", path, protocol, c.path, c.protocol)
			}
		})
	}
}
