package main

import (
	"fmt"
	"io"
	"net"

	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
)

// newTunedReflector makes one as who knows pion would: one socket for all calls, ICE-lite,
// and no interceptors, so that there are no reports either.
func newTunedReflector() (*reflector, error) {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("tuned reflector: %w", err)
	}
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(net.IP.IsLoopback)
	settings.SetLite(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	quiet := logging.NewDefaultLoggerFactory()
	quiet.Writer = io.Discard // it calls the end of its socket an error
	settings.SetICEUDPMux(webrtc.NewICEUDPMux(quiet.NewLogger("ice"), socket))
	connect := func(options ...func(*webrtc.API)) (*webrtc.PeerConnection, error) {
		var media webrtc.MediaEngine
		if err := media.RegisterDefaultCodecs(); err != nil {
			return nil, err
		}
		all := append(options, webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(&media), webrtc.WithInterceptorRegistry(new(interceptor.Registry)))
		return webrtc.NewAPI(all...).NewPeerConnection(webrtc.Configuration{})
	}
	return &reflector{connect: connect, socket: socket}, nil
}
