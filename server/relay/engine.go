package relay

import (
	"net"
	"net/netip"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/elliptic"
	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
)

// How a leg's connection is held. ICE times are those of pion and of RFC 7675:
// shorter ones would cut callers off in a lift, longer ones hide a dead line.
const (
	disconnectedAfter = 5 * time.Second
	failedAfter       = 25 * time.Second // after disconnected
	keepAliveEach     = 2 * time.Second

	// receiveMTU bounds one packet: no browser sends more than 1,280 bytes.
	receiveMTU = 1500
	// maxAssociationBuffer bounds what a caller's data channels may leave unread: the
	// largest message, and pings beside it.
	maxAssociationBuffer = maxMessage + 64<<10
	// maxBindingRequests bounds the checks sent to one candidate before it is
	// given up, so that a candidate can't be used to flood its address.
	maxBindingRequests = 7
)

// newSettingEngine returns what is the same for every leg.
func (r *Relay) newSettingEngine() webrtc.SettingEngine {
	e := webrtc.SettingEngine{}
	e.SetICEUDPMux(udpMux{r.port.udp, r.port})
	e.SetICETCPMux(tcpMux{r.port.tcp, r.port})
	e.SetNet(network{r.port.net, r.port.nominal})
	e.SetNetworkTypes(r.port.networkTypes())
	e.SetIncludeLoopbackCandidate(true) // what is offered is ours to say, see answer
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.DisableActiveTCP(true) // the server dials nobody
	e.SetRemoteIPFilter(r.isReachable)
	e.SetICEMaxBindingRequests(maxBindingRequests)
	e.SetICETimeouts(disconnectedAfter, failedAfter, keepAliveEach)
	e.SetReceiveMTU(receiveMTU)
	e.SetSCTPMaxReceiveBufferSize(maxAssociationBuffer)
	e.SetSCTPMaxMessageSize(maxMessage)
	e.DetachDataChannels()
	e.SetFireOnTrackBeforeFirstRTP(true)                    // or a goroutine per track waits for a packet that goes elsewhere
	e.SetDTLSEllipticCurves(elliptic.P256, elliptic.X25519) // as safe as each other; the first costs 5 % less of a set-up
	e.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	return e
}

// isReachable is the second wall behind the check of signaled candidates: it also
// holds for addresses that a caller's own packets come from. Those of TURN clients are
// this server's own, of whatever network.
func (r *Relay) isReachable(ip net.IP) bool {
	a, ok := netip.AddrFromSlice(ip)
	a = a.Unmap()
	return ok && (r.port.isRelayed(a) || checkIP(a, r.cfg.AllowPrivate) == nil)
}
