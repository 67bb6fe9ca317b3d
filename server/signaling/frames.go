package signaling

import (
	"errors"
	"net/netip"
	"strings"

	"parley/server/session"
	"parley/shared/wire"
)

// takeFrame decodes one frame, handles it, and sends back the refusal if there is
// one. Too many refusals in a row close the socket.
func (s *socket) takeFrame(frame []byte) {
	first := s.first
	s.first = false
	if s.passOn(frame) {
		return
	}
	m, err := wire.DecodeClient(frame)
	var refused *wire.Error
	var wrong *wire.DecodeError
	switch {
	case errors.As(err, &wrong):
		refused = &wire.Error{Code: wrong.Code, Field: wrong.Field}
	case err != nil:
		refused = &wire.Error{Code: wire.ErrMalformed}
	default:
		refused = s.handleMessage(m, first)
	}
	if refused == nil {
		return
	}
	s.reply(*refused)
	if !isTolerable(refused.Code) && !s.bad.Allow() {
		s.closeForViolation(wire.ClosePolicyViolation, "too many bad frames")
	}
}

// isTolerable refusals are no client's fault: its browser made what was refused,
// or the session is over. Offers are counted where the session refuses them.
func isTolerable(code wire.ErrorCode) bool {
	switch code {
	case wire.ErrBadOffer, wire.ErrBadCandidate, wire.ErrBadReport, wire.ErrUnknownResume:
		return true
	}
	return false
}

// handleMessage does what one message asks for. All but resume need a session: a
// socket that was opened without one gets it now.
func (s *socket) handleMessage(m wire.Message, first bool) *wire.Error {
	if m, ok := m.(wire.Resume); ok {
		return s.resume(m, first)
	}
	l := s.ensureLink()
	if l == nil {
		return nil // no place: the socket is closing
	}
	switch m := m.(type) {
	case wire.Offer:
		return l.Offer(m)
	case wire.Candidate:
		return candidate(l, m)
	case wire.Report:
		return l.Report(m)
	case wire.Activity:
		return l.Activity(m)
	case wire.Ping:
		s.reply(wire.Pong(m))
	case wire.Bye:
		l.End(wire.CallerLeft)
	}
	return nil
}

// candidate passes on a candidate whose address is one: a name would have to
// be looked up, and the server looks up nothing for callers. Names under .local
// (RFC 8828) are ignored: browsers send them beside addresses.
func candidate(l *session.Link, m wire.Candidate) *wire.Error {
	line := m.Candidate.Candidate
	switch host := hostOf(line); {
	case line == "":
	case strings.HasSuffix(strings.ToLower(host), ".local"):
		return nil
	case !isLiteral(host):
		return &wire.Error{Code: wire.ErrBadCandidate, Field: "candidate"}
	}
	return l.Candidate(m)
}

// hostOf returns the address of a candidate line (RFC 8839 §5.1), its fifth word.
func hostOf(line string) string {
	words := strings.Fields(line)
	if len(words) < 8 {
		return ""
	}
	return words[4]
}

func isLiteral(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// reply sends an answer of the socket's own. Where no more may wait, reading
// does: what a caller sent within its limits never ends its call, however
// slowly it takes the answers. One that takes none at all is the writer's to end.
func (s *socket) reply(m wire.Message) {
	l := s.current()
	if l == nil {
		select {
		case s.replies <- m:
		default: // more than the bucket of bad frames lets through
		}
		return
	}
	for !l.Send(m) {
		select {
		case <-s.written:
		case <-s.unwritable:
			return
		}
	}
}
