package upstream

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"sync"
	"time"

	"parley/server/agent"
	"parley/server/agent/realtime"
	"parley/server/outbound"
)

// Sideband lets the operator's own backends steer an agent's calls: they see the
// service's events, and send their own, within an allow-list.
type Sideband struct {
	Token  Key              // that a backend shows
	Grants []realtime.Grant // what a backend may do; nil: all that can be granted
	Words  bool             // a backend sees what is said, if the privacy guard lets it
}

// maxSidebands bounds the backends of one call: one that steers, one that looks on, and
// those that come back before their last connection is known to be lost.
const maxSidebands = 4

var errManySidebands = errors.New("upstream: the call has all the sidebands that it may have")

// IsSteeredBy implements agent.Steered.
func (a *Agent) IsSteeredBy(token string) bool {
	if a.cfg.Sideband == nil {
		return false
	}
	has, is := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(a.cfg.Sideband.Token))
	return subtle.ConstantTimeCompare(has[:], is[:]) == 1
}

// sidebands are the backends that steer one call.
type sidebands struct {
	mu      sync.Mutex // events are told under it, so that they come in order
	all     map[*sideband]struct{}
	session []byte // the service's newest event that tells of the session
	closed  bool
}

// sideband is one backend.
type sideband struct {
	leg      *upstreamLeg
	firewall *realtime.Firewall
	write    func(text []byte) error
	ended    func()
	service  *outbound.Socket // the service's own sideband; nil: the call's channel serves
}

// Steer implements agent.SteeredLeg. Where the service has a sideband of its own, the
// backend is joined to that. Else it is told first what the session is, as a service tells
// who connects, and the call's channel of events serves.
func (l *upstreamLeg) Steer(ctx context.Context, token string, write func([]byte) error, ended func()) (func([]byte), error) {
	if !l.agent.IsSteeredBy(token) {
		return nil, agent.ErrNotSteered
	}
	grants := l.agent.cfg.Sideband.Grants
	if grants == nil {
		grants = realtime.AllGrants()
	}
	policy := realtime.Policy{Operator: true, ToolCalls: true, Captions: l.maySidebandSeeWords(), Grants: grants}
	s := &sideband{leg: l, firewall: realtime.NewFirewall(policy), write: write, ended: ended}
	if l.sidebands.isFull() {
		return nil, errManySidebands
	}
	s.service = l.dialSideband(ctx)
	if !l.sidebands.add(s) {
		s.closeService()
		return nil, errManySidebands
	}
	context.AfterFunc(ctx, func() { l.sidebands.remove(s) })
	return s.handle, nil
}

// isFull reports whether no more backend may join.
func (of *sidebands) isFull() bool {
	of.mu.Lock()
	defer of.mu.Unlock()
	return of.closed || len(of.all) >= maxSidebands
}

// add joins a backend, if there is room.
func (of *sidebands) add(s *sideband) bool {
	of.mu.Lock()
	defer of.mu.Unlock()
	if of.closed || len(of.all) >= maxSidebands {
		return false
	}
	if of.all == nil {
		of.all = map[*sideband]struct{}{}
	}
	of.all[s] = struct{}{}
	if socket := s.service; socket != nil {
		s.leg.start(func() { s.readService(socket) })
	} else if of.session != nil {
		s.tellLocked(of.session)
	}
	return true
}

// remove lets go of a backend that has gone.
func (of *sidebands) remove(s *sideband) {
	of.mu.Lock()
	defer of.mu.Unlock()
	delete(of.all, s)
	s.closeService()
}

// closeService ends the connection to the service's sideband. readService notices.
func (s *sideband) closeService() {
	if s.service != nil {
		_ = s.service.Close() // there is nothing left to lose
	}
}

// maySidebandSeeWords asks the guard for it where the configuration wants it. What it
// refuses is counted, shown and alerted there; the sideband goes without words.
func (l *upstreamLeg) maySidebandSeeWords() bool {
	if !l.agent.cfg.Sideband.Words {
		return false
	}
	return l.call.Words == nil || l.call.Words.Tap(l.agent.cfg.Name, l.call.Session) == nil
}

// tell passes an event of the service on to all backends.
func (of *sidebands) tell(text []byte, e *realtime.Event) {
	of.mu.Lock()
	defer of.mu.Unlock()
	if e != nil && (e.Type == realtime.SessionCreated || e.Type == realtime.SessionUpdated) {
		of.session = append([]byte(nil), text...)
	}
	for s := range of.all {
		if s.service == nil {
			s.tellLocked(text)
		}
	}
}

// close ends all sidebands with the call.
func (of *sidebands) close() {
	of.mu.Lock()
	defer of.mu.Unlock()
	of.closed = true
	for s := range of.all {
		of.endLocked(s)
	}
}

// endLocked ends one. mu must be held.
func (of *sidebands) endLocked(s *sideband) {
	if _, is := of.all[s]; is {
		delete(of.all, s)
		s.closeService()
		s.ended()
	}
}

// tellLocked passes an event of the service on. The sidebands' mu must be held.
func (s *sideband) tellLocked(text []byte) {
	s.answerLocked(s.firewall.FromAgent(time.Now(), text).ToBrowser)
}

// answerLocked writes to the backend; one that takes nothing more has lost the thread.
// The sidebands' mu must be held.
func (s *sideband) answerLocked(all [][]byte) {
	for _, text := range all {
		if s.write(text) != nil {
			s.leg.sidebands.endLocked(s)
			return
		}
	}
}

// handle takes an event of the backend.
func (s *sideband) handle(text []byte) {
	v := s.firewall.FromBrowser(time.Now(), text)
	if v.Refusal != nil {
		refusal := *v.Refusal
		refusal.Direction = realtime.FromSideband
		s.leg.measures.refused(refusal)
	}
	for _, out := range v.ToAgent {
		s.toService(out)
	}
	s.leg.sidebands.mu.Lock()
	defer s.leg.sidebands.mu.Unlock()
	s.answerLocked(v.ToBrowser)
	if v.IsFlood {
		s.leg.sidebands.endLocked(s)
	}
}
