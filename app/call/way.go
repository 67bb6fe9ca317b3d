package call

import (
	"context"
	"strings"
	"time"

	"parley/app/ui"
	"parley/shared/wire"
)

// wayTimeout is how long a relay may take to answer before its way counts as closed: some
// round trips of the slowest line, and no longer than the line check beside it.
const wayTimeout = 4 * time.Second

// Way is by what the sound of a call can come from here to the server. The media port
// takes TURN beside the calls, so that a relay that answers over UDP or TCP proves the
// direct way, too.
type Way string

// The ways, best first.
const (
	WayUnknown Way = "" // not looked for, or the server has no relay to ask
	WayUDP     Way = "udp"
	WayTCP     Way = "tcp"
	WayTLS     Way = "tls" // through a relay, beside the pages
	WayNone    Way = "none"
)

// findWay looks by what calls can go, before one.
func (e *Engine) findWay(ctx context.Context, servers []wire.ICEServer) {
	if e.peer == nil || !canTellWay(servers) || e.Picture().Phase != Ready {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wayTimeout)
	defer cancel()
	ways, err := e.peer.FindRelays(ctx, servers)
	if err != nil {
		return // a call will tell
	}
	e.updatePicture(func(p Picture) Picture { p.Way = bestWay(ways); return p })
}

// canTellWay reports whether silence of the servers says something: there has to be one
// to ask over UDP, and some browsers send nothing to their own machine.
func canTellWay(servers []wire.ICEServer) bool {
	for _, s := range servers {
		for _, url := range s.URLs {
			if strings.HasSuffix(url, "?transport=udp") && !strings.HasPrefix(url, "turn:127.") && !strings.HasPrefix(url, "turn:[::1]") {
				return true
			}
		}
	}
	return false
}

func bestWay(open map[string]bool) Way {
	for _, way := range []Way{WayUDP, WayTCP, WayTLS} {
		if open[string(way)] {
			return way
		}
	}
	return WayNone
}

// wayText says what a way means for the call; "" where there is nothing to say.
func wayText(w Way) string {
	switch w {
	case WayTCP, WayTLS, WayNone:
		return ui.Copy("way_" + string(w)).Text
	}
	return ""
}
