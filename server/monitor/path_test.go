package monitor

import (
	"testing"

	"parley/shared/rest"
	"parley/shared/rtcstats"
)

func TestPaths(t *testing.T) {
	for name, test := range map[string]struct {
		pair *rtcstats.CandidatePair
		want rest.MediaPath // zero: none
	}{
		"nothing told":       {nil, rest.MediaPath{}},
		"nothing known":      {&rtcstats.CandidatePair{}, rest.MediaPath{}},
		"direct":             {&rtcstats.CandidatePair{Protocol: "udp", LocalCandidateType: "prflx"}, rest.MediaPath{Protocol: "udp"}},
		"direct, by TCP":     {&rtcstats.CandidatePair{Protocol: "tcp", LocalCandidateType: "host"}, rest.MediaPath{Protocol: "tcp"}},
		"by a relay":         {&rtcstats.CandidatePair{Protocol: "udp", LocalCandidateType: "relay", RelayProtocol: "tls"}, rest.MediaPath{Protocol: "udp", Relay: "tls"}},
		"words of their own": {&rtcstats.CandidatePair{Protocol: "call me at +1 415 555 2671"}, rest.MediaPath{}},
		"a relay of theirs":  {&rtcstats.CandidatePair{Protocol: "udp", LocalCandidateType: "relay", RelayProtocol: "ada@example.org"}, rest.MediaPath{Protocol: "udp"}},
	} {
		got := newPath(test.pair)
		if test.want == (rest.MediaPath{}) && got != nil || test.want != (rest.MediaPath{}) && (got == nil || *got != test.want) {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}
