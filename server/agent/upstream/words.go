package upstream

import (
	"parley/server/agent"
	"parley/server/agent/realtime"
)

// askGuard asks for what the configuration has done with what is said. It is asked
// before the service is: what is refused never begins.
func (a *Agent) askGuard(call agent.Call) error {
	if call.Words == nil {
		return nil
	}
	isShown := a.cfg.Policy.Captions
	if isShown {
		if err := call.Words.Caption(a.cfg.Name, call.Session); err != nil {
			return err
		}
	}
	if a.cfg.Session.Transcription == "" {
		return nil
	}
	return call.Words.Transcribe(a.cfg.Name, call.Session, isShown)
}

// words watch what the service says that it does with what is said, beyond what it
// was asked for.
type words struct {
	isTraced, isTranscribed bool // told to the guard
}

// observe takes an event of the service. What it does unasked can't be refused any
// more: the guard counts it, shows it and alerts.
func (w *words) observe(e *realtime.Event, l *upstreamLeg) {
	guard := l.call.Words
	if e.Session == nil || guard == nil {
		return
	}
	if e.Session.Tracing && !w.isTraced {
		w.isTraced = true
		_ = guard.Tap(l.agent.cfg.Name, l.call.Session)
	}
	if e.Session.Transcription && l.agent.cfg.Session.Transcription == "" && !w.isTranscribed {
		w.isTranscribed = true
		_ = guard.Transcribe(l.agent.cfg.Name, l.call.Session, false)
	}
}
