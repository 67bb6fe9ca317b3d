package turn

import (
	"sync/atomic"

	"parley/server/metrics"
)

// Why something was refused.
const (
	RefusedCredentials = "credentials" // wrong, expired, or of a session that has ended
	RefusedQuota       = "quota"
	RefusedPeer        = "peer"
	RefusedRate        = "rate"
)

type counter = atomic.Int64

// figures counts what the server does.
type figures struct {
	allocations              atomic.Int64 // right now
	udp, tcp, tls            counter      // opened since the start
	credentials, quota, peer counter
	rate                     counter
	received, sent, dropped  counter
}

func (f *figures) opened(transport string) {
	switch transport {
	case TransportTCP:
		f.tcp.Add(1)
	case TransportTLS:
		f.tls.Add(1)
	default:
		f.udp.Add(1)
	}
}

func (f *figures) refused(why string) {
	switch why {
	case RefusedCredentials:
		f.credentials.Add(1)
	case RefusedQuota:
		f.quota.Add(1)
	case RefusedPeer:
		f.peer.Add(1)
	case RefusedRate:
		f.rate.Add(1)
	}
}

// Figures returns what the server did.
func (s *Server) Figures() metrics.Relayed {
	f := &s.figures
	return metrics.Relayed{
		Allocations: f.allocations.Load(),
		Opened:      map[string]int64{TransportUDP: f.udp.Load(), TransportTCP: f.tcp.Load(), TransportTLS: f.tls.Load()},
		Refused: map[string]int64{
			RefusedCredentials: f.credentials.Load(), RefusedQuota: f.quota.Load(), RefusedPeer: f.peer.Load(), RefusedRate: f.rate.Load(),
		},
		Received: f.received.Load(), Sent: f.sent.Load(), Dropped: f.dropped.Load(),
	}
}
