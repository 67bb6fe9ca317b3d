package peer

import (
	"errors"
	"time"

	"parley/shared/wire"
)

// handleFrame takes one frame of the server.
func (cs *callState) handleFrame(k *link, m wire.Message, err error) {
	if k != cs.link {
		return
	}
	cs.noteSocketSign(k)
	if err != nil {
		cs.handleDecodeError(err)
		return
	}
	switch m := m.(type) {
	case wire.Hello:
		cs.handleHello(m)
	case wire.Answer:
		cs.handleAnswer(m.SDP)
	case wire.Candidate:
		cs.addRemoteCandidate(m.Candidate)
	case wire.State:
		cs.handleState(m)
	case wire.Warning:
		cs.emit(WarningReceived{Warning: m})
	case wire.Ended:
		cs.end(cs.endedByServer(m))
	case wire.Error:
		cs.handleServerError(m)
	}
}

// garbled: a message of a newer server is none of ours; one that is none at
// all means that this isn't Parley.
func (cs *callState) handleDecodeError(err error) {
	var d *wire.DecodeError
	if errors.As(err, &d) && d.Code == wire.ErrUnknownType {
		return
	}
	cs.end(CallEnded{Ended: wire.Ended{Cause: wire.ProtocolError}, Failure: ServerError, Err: err})
}

// handleHello takes the place, or takes it up again. A hello of another session
// is to a socket that the server doesn't yet know for one that resumes: the
// answer to the resume follows.
func (cs *callState) handleHello(h wire.Hello) {
	if held := cs.session.SessionID; held != "" && h.SessionID != held {
		return
	}
	first := !cs.isAccepted
	cs.session, cs.isAccepted = h, true
	cs.link.ready = true
	cs.retries = 0
	cs.deadlines.clear(deadlineHello)
	cs.deadlines.set(deadlineSocketPing, wire.SocketPing)
	if first {
		cs.endGrace()
		cs.emit(CallAccepted{Hello: h})
		cs.tellStepsUpTo(StepPath)
		cs.deadlines.set(deadlineSetup, SetupTimeout)
		cs.connectMedia()
		return
	}
	cs.emit(SessionResumed{Hello: h})
	cs.sendMute()
	cs.sendReport()
	switch {
	case cs.conn == nil:
	case !cs.everConnected || cs.isOfferOpen || cs.state == ConnectionFailed:
		cs.negotiate()
	case cs.isSilent:
		cs.restartSoon()
	}
	cs.recoverIfWhole()
}

func (cs *callState) handleState(s wire.State) {
	cs.agent = s.Agent
	cs.emit(StateReceived{State: s})
	cs.tellConnected()
}

// tellConnected tells CallConnected once: the path is up and the agent is there. A server
// that never speaks of an agent is taken at its answer.
func (cs *callState) tellConnected() {
	if cs.connectedTold || !cs.everConnected || cs.agent == wire.AgentConnecting {
		return
	}
	cs.connectedTold = true
	cs.emit(CallConnected{Setup: time.Since(cs.cfg.Start)})
}

func (cs *callState) handleServerError(e wire.Error) {
	cs.emit(FrameRefused{Error: e})
	switch e.Code {
	case wire.ErrUnknownResume:
		cs.end(CallEnded{Ended: wire.Ended{Cause: wire.ConnectionLost}, Failure: Lost, Err: errors.New("the place is gone")})
	case wire.ErrBadOffer:
		cs.isNegotiating, cs.isOfferOpen = false, false
		cs.deadlines.clear(deadlineAnswer)
		if !cs.everConnected {
			cs.end(CallEnded{Ended: wire.Ended{Cause: wire.ProtocolError}, Failure: ServerError, Err: errors.New("the offer was refused")})
		}
	}
}

// endedByServer adds what broke to what the server said.
func (cs *callState) endedByServer(e wire.Ended) CallEnded {
	end := CallEnded{Ended: e}
	switch e.Cause {
	case wire.MediaFailed:
		end.Failure = Lost
		if !cs.everConnected {
			end.Failure = ICEFailed
		}
	case wire.ConnectionLost:
		end.Failure = Lost
	case wire.ProtocolError:
		end.Failure = ServerError
	}
	return end
}

// UnknownCause is the cause of an end that only a newer server has a name for.
const UnknownCause wire.EndCause = "unknown"

const firstOwnCloseCode wire.CloseCode = 4000

// endCause reads the close code of a socket whose last words got lost. Codes
// that leave the session open (RFC 6455 §7.4.1: 1001, 1006, 1011, 1013) are none.
func endCause(code wire.CloseCode) (wire.EndCause, bool) {
	switch code {
	case wire.CloseGoingAway:
		return "", false
	case wire.CloseUnsupportedData, wire.CloseInvalidFramePayloadData, wire.CloseMessageTooBig:
		return wire.ProtocolError, true
	}
	for _, cause := range wire.EndCauses() {
		if cause.CloseCode() == code {
			return cause, true
		}
	}
	// RFC 6455 §7.4.2 leaves these to applications: all of ours are ends, also a newer server's.
	return UnknownCause, code >= firstOwnCloseCode
}
