package peer

import (
	"errors"
	"time"

	"parley/shared/wire"
)

// receive takes one frame of the server.
func (l *line) receive(k *link, m wire.Message, err error) {
	if k != l.link {
		return
	}
	k.heard = time.Now()
	if err != nil {
		l.garbled(err)
		return
	}
	switch m := m.(type) {
	case wire.Hello:
		l.hello(m)
	case wire.Answer:
		l.answer(m.SDP)
	case wire.Candidate:
		l.remoteCandidate(m.Candidate)
	case wire.State:
		l.stated(m)
	case wire.Warning:
		l.tell(WarningReceived{Warning: m})
	case wire.Ended:
		l.end(l.ended(m))
	case wire.Error:
		l.refusedFrame(m)
	}
}

// garbled: a message of a newer server is none of ours; one that is none at
// all means that this isn't Parley.
func (l *line) garbled(err error) {
	var d *wire.DecodeError
	if errors.As(err, &d) && d.Code == wire.ErrUnknownType {
		return
	}
	l.end(CallEnded{Ended: wire.Ended{Cause: wire.ProtocolError}, Failure: ServerError, Err: err})
}

func (l *line) hello(h wire.Hello) {
	first := l.session.SessionID == ""
	l.session = h
	l.link.ready = true
	l.retries = 0
	l.clock.clear(alarmHello)
	l.clock.after(alarmSocket, wire.SocketPing)
	if first {
		l.tell(CallAccepted{Hello: h})
		l.reach(StepPath)
		l.clock.after(alarmSetup, SetupTimeout)
		l.connect()
		return
	}
	l.tellMute()
	l.report()
	if l.conn != nil && (!l.upOnce || l.silent || l.state == ConnectionFailed) {
		l.negotiate()
	}
	l.settle()
}

func (l *line) stated(s wire.State) {
	l.agent = s.Agent
	l.tell(StateReceived{State: s})
	l.greet()
}

// greet tells CallConnected once: the path is up and the agent is there. A server
// that never speaks of an agent is taken at its answer.
func (l *line) greet() {
	if l.connected || !l.upOnce || l.agent == wire.AgentConnecting {
		return
	}
	l.connected = true
	l.tell(CallConnected{Setup: time.Since(l.cfg.Start)})
}

func (l *line) refusedFrame(e wire.Error) {
	l.tell(FrameRefused{Error: e})
	switch e.Code {
	case wire.ErrUnknownResume:
		l.end(CallEnded{Ended: wire.Ended{Cause: wire.ConnectionLost}, Failure: Lost, Err: errors.New("the place is gone")})
	case wire.ErrBadOffer:
		l.negotiating = false
		l.clock.clear(alarmAnswer)
		if !l.upOnce {
			l.end(CallEnded{Ended: wire.Ended{Cause: wire.ProtocolError}, Failure: ServerError, Err: errors.New("the offer was refused")})
		}
	}
}

// ended adds what broke to what the server said.
func (l *line) ended(e wire.Ended) CallEnded {
	end := CallEnded{Ended: e}
	switch e.Cause {
	case wire.MediaFailed:
		end.Failure = Lost
		if !l.upOnce {
			end.Failure = ICEFailed
		}
	case wire.ConnectionLost:
		end.Failure = Lost
	case wire.ProtocolError:
		end.Failure = ServerError
	}
	return end
}

// endCause reads the close code of a socket whose last words got lost. Codes
// that leave the session open (RFC 6455 §7.4.1: 1001, 1006, 1011, 1013) are none.
func endCause(code wire.CloseCode) (wire.EndCause, bool) {
	switch code {
	case wire.CloseGoingAway:
		return "", false
	case wire.CloseKind, wire.CloseInvalidUTF8, wire.CloseTooBig:
		return wire.ProtocolError, true
	}
	for _, cause := range wire.EndCauses() {
		if cause.CloseCode() == code {
			return cause, true
		}
	}
	return "", false
}
