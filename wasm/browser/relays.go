//go:build js

package browser

import (
	"context"
	"fmt"
	"strings"
	"syscall/js"

	"github.com/pion/webrtc/v4"

	"parley/shared/wire"
)

// FindRelays asks the TURN servers among servers for a relay each, and gives the ways by
// which any of them answered: "udp", "tcp", "tls". It waits until UDP did, until all have
// answered or given up, or until ctx ends: what doesn't get through is met with silence,
// so ctx decides how much silence is enough.
func FindRelays(ctx context.Context, servers []wire.ICEServer) (ways map[string]bool, err error) {
	defer recoverJSError(&err)
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{
		ICEServers: iceServers(servers), ICETransportPolicy: webrtc.ICETransportPolicyRelay,
	})
	if err != nil {
		return nil, fmt.Errorf("browser: look for relays: %w", err)
	}
	defer pc.Close()
	found := make(chan string, 64) // many networks times many servers; what is more is left out
	tell := func(way string) {
		select {
		case found <- way:
		default:
		}
	}
	var listeners cleanups
	defer func() { listeners.runAll() }()
	listeners.add(listen(pc.JSValue(), "icecandidate", func(ev js.Value) {
		switch c := ev.Get("candidate"); {
		case !isPresent(c):
			tell("")
		case property(c, "relayProtocol").Truthy():
			tell(c.Get("relayProtocol").String())
		}
	}))
	listeners.add(listen(pc.JSValue(), "icecandidateerror", func(ev js.Value) {
		if code := property(ev, "errorCode"); code.Type() == js.TypeNumber && code.Int() < unreachable {
			tell(wayOf(property(ev, "url").String()))
		}
	}))
	if _, err := pc.CreateDataChannel("look", nil); err != nil {
		return nil, err
	}
	offer, err := pc.CreateOffer(nil)
	if err == nil {
		err = pc.SetLocalDescription(offer)
	}
	if err != nil {
		return nil, fmt.Errorf("browser: look for relays: %w", err)
	}
	ways = make(map[string]bool)
	for !ways["udp"] {
		select {
		case way := <-found:
			if way == "" {
				return ways, nil
			}
			ways[way] = true
		case <-ctx.Done():
			return ways, nil
		}
	}
	return ways, nil
}

// unreachable is the code for a server that didn't answer (W3C webrtc,
// RTCPeerConnectionIceErrorEvent); lower ones are what a server said, so that it was met.
const unreachable = 700

// wayOf is what a TURN server's URL (RFC 7065) leads over.
func wayOf(url string) string {
	switch {
	case strings.HasPrefix(url, "turns:"):
		return "tls"
	case strings.Contains(url, "transport=tcp"):
		return "tcp"
	}
	return "udp"
}
