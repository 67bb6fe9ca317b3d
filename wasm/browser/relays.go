//go:build js

package browser

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall/js"

	"github.com/pion/webrtc/v4"

	"parley/shared/wire"
)

// FindRelays asks the TURN servers among servers for a relay each, and gives the ways by
// which any of them answered: "udp", "tcp", "tls". It waits until UDP did, until all have
// answered or given up, or until ctx ends: what doesn't get through is met with silence,
// so ctx decides how much silence is enough.
func FindRelays(ctx context.Context, servers []wire.ICEServer) (ways map[string]bool, err error) {
	ctx, stop := context.WithCancel(ctx)
	var looking sync.WaitGroup
	defer looking.Wait()
	defer stop()
	type answer struct {
		way  string
		open bool
		err  error
	}
	byWay := splitByWay(servers)
	answers := make(chan answer, len(byWay))
	for way, of := range byWay {
		looking.Go(func() {
			open, err := isRelayMet(ctx, of)
			answers <- answer{way, open, err}
		})
	}
	ways = make(map[string]bool)
	for range byWay {
		a := <-answers
		if a.err != nil {
			return nil, fmt.Errorf("browser: look for relays: %w", a.err)
		}
		if a.open {
			ways[a.way] = true
		}
		if ways["udp"] {
			break
		}
	}
	return ways, nil
}

// isRelayMet gathers a relay of the servers, and reports whether any of them answered.
func isRelayMet(ctx context.Context, servers []wire.ICEServer) (isMet bool, err error) {
	defer recoverJSError(&err)
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{
		ICEServers: iceServers(servers), ICETransportPolicy: webrtc.ICETransportPolicyRelay,
	})
	if err != nil {
		return false, err
	}
	defer pc.Close()
	found := make(chan bool, 64) // many networks times many servers; what is more is left out
	tell := func(isMet bool) {
		select {
		case found <- isMet:
		default:
		}
	}
	var listeners cleanups
	defer func() { listeners.runAll() }()
	listeners.add(listen(pc.JSValue(), "icecandidate", func(ev js.Value) {
		switch c := ev.Get("candidate"); {
		case !isPresent(c):
			tell(false) // that was all
		case property(c, "candidate").String() != "": // of Firefox one is empty at the end
			tell(true)
		}
	}))
	listeners.add(listen(pc.JSValue(), "icecandidateerror", func(ev js.Value) {
		if code := property(ev, "errorCode"); code.Type() == js.TypeNumber && code.Int() < unreachable {
			tell(true)
		}
	}))
	if _, err := pc.CreateDataChannel("look", nil); err != nil {
		return false, err
	}
	offer, err := pc.CreateOffer(nil)
	if err == nil {
		err = pc.SetLocalDescription(offer)
	}
	if err != nil {
		return false, err
	}
	select {
	case isMet := <-found:
		return isMet, nil
	case <-ctx.Done():
		return false, nil
	}
}

// unreachable is the code for a server that didn't answer (W3C webrtc,
// RTCPeerConnectionIceErrorEvent); lower ones are what a server said, so that it was met.
const unreachable = 700

// splitByWay parts servers by what leads to them. Each way is asked by itself, because
// Firefox doesn't tell of a relay by which it was reached.
func splitByWay(servers []wire.ICEServer) map[string][]wire.ICEServer {
	out := make(map[string][]wire.ICEServer)
	for _, s := range servers {
		urls := make(map[string][]string)
		for _, url := range s.URLs {
			urls[wayOf(url)] = append(urls[wayOf(url)], url)
		}
		for way, of := range urls {
			s.URLs = of
			out[way] = append(out[way], s)
		}
	}
	return out
}

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
