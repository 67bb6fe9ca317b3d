package transport_test

import (
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"parley/server/relay/transport"
)

// Each silence is one at its bound, and none a nanosecond before.
func TestHowLongACallerMayBeSilent(t *testing.T) {
	const checking, connected = webrtc.ICETransportStateChecking, webrtc.ICETransportStateConnected
	const disconnected, failed = webrtc.ICETransportStateDisconnected, webrtc.ICETransportStateFailed
	for name, c := range map[string]struct {
		hasPath                    bool
		silent, unchecked, looking time.Duration
		want                       webrtc.ICETransportState
	}{
		"fine":                        {true, 0, 0, time.Minute, connected},
		"nearly silent":               {true, transport.DisconnectedAfter - 1, time.Second, 0, connected},
		"silent":                      {true, transport.DisconnectedAfter, time.Second, 0, disconnected},
		"audio without checks":        {true, 0, transport.ConsentExpires - 1, 0, connected},
		"audio without consent":       {true, 0, transport.ConsentExpires, 0, failed},
		"silent for long":             {true, transport.ConsentExpires - 1, transport.ConsentExpires - 1, 0, disconnected},
		"gone":                        {true, transport.ConsentExpires, transport.ConsentExpires, 0, failed},
		"looking for a path":          {false, 0, 0, transport.PathTimeout - 1, checking},
		"looking for a path too long": {false, 0, 0, transport.PathTimeout, failed},
	} {
		if got := transport.Age(c.hasPath, c.silent, c.unchecked, c.looking); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
