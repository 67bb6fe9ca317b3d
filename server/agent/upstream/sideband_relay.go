package upstream

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"parley/server/outbound"
)

const (
	// sidebandDial bounds one try to reach a service's own sideband; a backend waits for it.
	sidebandDial = 2 * time.Second
	// firstSidebandRetry is the wait before the second of sidebandTries, and half of the one
	// before the third: a service may know a new call a moment late.
	firstSidebandRetry, sidebandTries = 200 * time.Millisecond, 3
)

// sidebandURL is where OpenAI has a call steered: beside where calls are asked for.
func (openAI) sidebandURL(to *url.URL, ref string) string {
	at := *to
	path, isCalls := strings.CutSuffix(at.Path, "/calls")
	if !isCalls || ref == "" {
		return ""
	}
	query := at.Query()
	query.Set("call_id", ref)
	at.Path, at.RawPath, at.RawQuery = path, "", query.Encode()
	at.Scheme = strings.Replace(at.Scheme, "http", "ws", 1)
	return at.String()
}

func (rawSDP) sidebandURL(*url.URL, string) string { return "" }

func (jsonSDP) sidebandURL(*url.URL, string) string { return "" }

// dialSideband connects to the service's own sideband, with the service's key; nil if it
// has none, or doesn't know the call there. The call's channel of events serves then.
func (l *upstreamLeg) dialSideband(ctx context.Context) *outbound.Socket {
	l.mu.Lock()
	at := l.agent.dialect.sidebandURL(l.agent.url, l.reference)
	l.mu.Unlock()
	if at == "" {
		return nil
	}
	wait := firstSidebandRetry
	for try := 1; ; try++ {
		socket, err := outbound.DialSocket(ctx, l.agent.reach, at, l.agent.credentials(), sidebandDial, maxEvent)
		if err == nil {
			return socket
		}
		status := outbound.StatusError(0)
		if mayKnowLater := errors.As(err, &status) && status == http.StatusNotFound; !mayKnowLater || try == sidebandTries {
			l.agent.log.Warn("a backend steers by the call's own channel: the service's sideband is not there",
				"session", l.call.Session, "event", "sideband", "err", err)
			return nil
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
			return nil
		}
	}
}

// readService passes on what the service's sideband tells. Once that is gone, the call's
// channel of events serves.
func (s *sideband) readService(socket *outbound.Socket) {
	defer socket.Close()
	of := &s.leg.sidebands
	for {
		text, err := socket.Read()
		of.mu.Lock()
		if err != nil {
			s.service = nil
			of.mu.Unlock()
			return
		}
		s.tellLocked(text)
		of.mu.Unlock()
	}
}

// toService sends a backend's event: by the service's sideband, or by the call's channel.
func (s *sideband) toService(text []byte) {
	s.leg.sidebands.mu.Lock()
	socket := s.service
	s.leg.sidebands.mu.Unlock()
	if socket == nil || socket.Write(text) != nil {
		s.leg.toAgent(text)
	}
}
