package upstream

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/transport/v4/packetio"
	"github.com/pion/webrtc/v4"

	"parley/server/leg/peerconn"
	"parley/shared/wire"
)

// How a service's connection is held.
const (
	disconnectedAfter = 5 * time.Second
	failedAfter       = 10 * time.Second // after disconnected: servers don't go through tunnels
	keepAliveEach     = 2 * time.Second
	gatherTimeout     = 5 * time.Second
	receiveMTU        = 1500
	// maxBindingRequests bounds the checks sent to one candidate: a service's answer must
	// not have this server flood somebody.
	maxBindingRequests = 7
	// maxStreams bounds the SSRCs of a service: one for audio and the reports, and room
	// for one that gives each answer its own.
	maxStreams = 1024
	// maxEvent is the largest event that is taken. The largest documented ones hold a
	// whole session with its tools, or a conversation's item.
	maxEvent = 4 << 20
	// maxUnsentEvents bounds what waits for a service that takes nothing more.
	maxUnsentEvents = 1 << 20
	// maxWaitingEvents is what callers may say before the service is there.
	maxWaitingEvents, maxWaitingEventBytes = 64, 512 << 10
)

func newEventChannel() *peerconn.Channel {
	return peerconn.NewChannel(peerconn.ChannelLimits{
		MaxSent: maxEvent, MaxReceived: maxEvent, MaxUnsent: maxUnsentEvents,
		MaxWaiting: maxWaitingEvents, MaxWaitingBytes: maxWaitingEventBytes,
	})
}

// newSettings are those of a client that gathers on a port of its own, TCP included:
// networks that let no UDP out let that out.
func (l *upstreamLeg) newSettings() webrtc.SettingEngine {
	e := webrtc.SettingEngine{LoggerFactory: peerconn.Mute{}, BufferFactory: l.buffer}
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6})
	e.SetIncludeLoopbackCandidate(l.agent.cfg.AllowPrivate)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetRemoteIPFilter(l.mayReach)
	e.SetICEMaxBindingRequests(maxBindingRequests)
	e.SetICETimeouts(disconnectedAfter, failedAfter, keepAliveEach)
	e.SetReceiveMTU(receiveMTU)
	e.SetSCTPMaxMessageSize(maxEvent)
	e.SetSCTPMaxReceiveBufferSize(maxEvent + 1<<20)
	e.DetachDataChannels()
	e.SetFireOnTrackBeforeFirstRTP(true) // or a goroutine per track waits for a packet that goes elsewhere
	return e
}

// mayReach reports whether media may be sent to an address that a service named: what
// holds for requests to it holds for its media.
func (l *upstreamLeg) mayReach(ip net.IP) bool {
	a, ok := netip.AddrFromSlice(ip)
	return ok && l.agent.reach.CheckIP(a) == nil
}

// connect makes the connection, not yet with anybody. Without interceptors: reports
// are the leg's own.
func (l *upstreamLeg) connect() error {
	media, err := peerconn.NewMediaEngine()
	if err != nil {
		return err
	}
	api := webrtc.NewAPI(webrtc.WithSettingEngine(l.newSettings()), webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	if l.pc, err = api.NewPeerConnection(webrtc.Configuration{}); err != nil {
		return err
	}
	if _, err = l.pc.AddTrack(peerconn.Track{Streams: l.streams, Name: "caller", Stream: "parley"}); err != nil {
		return err
	}
	events, err := l.pc.CreateDataChannel(wire.EventChannel, nil)
	if err != nil {
		return err
	}
	events.OnOpen(func() { l.start(func() { l.serveEvents(events) }) })
	l.pc.OnConnectionStateChange(func(webrtc.PeerConnectionState) { l.stateChanged() })
	return nil
}

// buffer takes the packets of one of the service's SSRCs.
func (l *upstreamLeg) buffer(kind packetio.BufferPacketType, ssrc uint32) io.ReadWriteCloser {
	if l.ssrcs.Add(1) > maxStreams {
		l.fail(l.agent.problem(Flooding, fmt.Sprintf("it uses more than %d streams", maxStreams)))
	}
	return peerconn.Receive(kind, ssrc, l.streams, fromService{l})
}

// offer is the description for the service, with all candidates in it: the exchange is
// one request.
func (l *upstreamLeg) offer(ctx context.Context) (string, error) {
	offer, err := l.pc.CreateOffer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(l.pc)
	if err := l.pc.SetLocalDescription(offer); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, gatherTimeout)
	defer cancel()
	select {
	case <-gathered:
		return l.pc.LocalDescription().SDP, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// accept takes the service's description.
func (l *upstreamLeg) accept(text string) error {
	answer, mapping, err := readAnswer(text)
	if err != nil {
		return l.agent.problem(BadAnswer, err.Error())
	}
	l.streams.Agree(mapping)
	if err := l.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return l.agent.problem(BadAnswer, "the description doesn't answer the offer")
	}
	return nil
}
