package agent_test

import (
	"testing"
	"time"

	"parley/server/agent"
)

// Durations by RFC 6716 §3.1 and §3.2.
func TestDurationOfOpusPackets(t *testing.T) {
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		packet []byte
		want   time.Duration
	}{
		"no packet":                     {nil, 0},
		"SILK, 10 ms":                   {[]byte{0 << 3}, 10 * ms},
		"SILK, 60 ms":                   {[]byte{3 << 3}, 60 * ms},
		"SILK wideband, 20 ms":          {[]byte{9 << 3}, 20 * ms},
		"hybrid, 20 ms":                 {[]byte{15 << 3}, 20 * ms},
		"CELT, 2.5 ms":                  {[]byte{16 << 3}, 2500 * time.Microsecond},
		"CELT, 20 ms":                   {[]byte{31 << 3}, 20 * ms},
		"two frames of one size":        {[]byte{31<<3 | 1}, 40 * ms},
		"two frames of two sizes":       {[]byte{31<<3 | 2}, 40 * ms},
		"five frames by count":          {[]byte{31<<3 | 3, 5}, 100 * ms},
		"a count without its byte":      {[]byte{31<<3 | 3}, 0},
		"six frames, the most there is": {[]byte{31<<3 | 3, 6}, 120 * ms},
		"more than there may be":        {[]byte{31<<3 | 3, 7}, 0},
		"of what Chromium sends":        {speech(t)[100].opus, 20 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			if got := agent.PacketDuration(test.packet); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
