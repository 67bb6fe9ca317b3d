package privacy

import (
	"fmt"
	"slices"
	"time"

	"parley/shared/rest"
)

// MaxHold is how much of a call's audio may be in memory at once: one turn, for
// an agent that answers when it is over.
const MaxHold = 30 * time.Second

// maxCountedSessions bounds the sessions whose refusals are counted one by one: as many
// as the largest server holds, and those that have just ended.
const maxCountedSessions = 20_000

// audioHold is audio in memory: who holds it, and of which call.
type audioHold struct{ session, by string }

// callAudio is what was asked for of a live call's audio.
type callAudio struct {
	refused int64
	uses    []string // allowed, each once
}

// Ask is what a component that would record, persist, tap, transcribe or hand out
// audio has to call first. It refuses, counts, remembers and tells, whatever the
// mode.
func (p *Privacy) Ask(op Operation, by, session string) error {
	p.mu.Lock()
	blocked := p.blockLocked(op, by, session)
	p.mu.Unlock()
	return p.reportRefusal(blocked)
}

// Hold asks to keep that length of a call's audio in memory, until Release and no
// longer than the call. Up to MaxHold it is allowed; more is refused as Ask does,
// and what was allowed before stays allowed.
func (p *Privacy) Hold(by, session string, length time.Duration) error {
	p.mu.Lock()
	if length <= MaxHold {
		p.allowLocked(Buffer, session)
		p.holds[audioHold{session, by}] = false
		p.mu.Unlock()
		return nil
	}
	blocked := p.blockLocked(Buffer, by, session)
	p.mu.Unlock()
	return p.reportRefusal(blocked)
}

// Caption asks to show what is said in a call, as text, on the caller's own screen.
// It is allowed, and stands on the receipt.
func (p *Privacy) Caption(_, session string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allowLocked(Caption, session)
	return nil
}

// Transcribe asks to have a service turn what the caller says into text. That is
// allowed only for the caller to see; else it is refused as Ask does.
func (p *Privacy) Transcribe(by, session string, isShown bool) error {
	if !isShown {
		return p.Ask(Transcribe, by, session)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allowLocked(TranscribeInCall, session)
	return nil
}

// Tap says that a third party is given what is said in a call, such as a service's
// own traces. It is refused as Ask does.
func (p *Privacy) Tap(by, session string) error { return p.Ask(Tap, by, session) }

// allowLocked counts what is allowed, and notes it for the call's receipt. mu must
// be held.
func (p *Privacy) allowLocked(op Operation, session string) {
	p.allowed++
	if c := p.callLocked(session); c != nil && !slices.Contains(c.uses, string(op)) {
		c.uses = append(c.uses, string(op))
		slices.Sort(c.uses)
	}
}

// callLocked is what is remembered of a call, nil if it is none or there are too
// many. mu must be held.
func (p *Privacy) callLocked(session string) *callAudio {
	c := p.bySession[session]
	if c == nil && session != "" && len(p.bySession) < maxCountedSessions {
		c = &callAudio{}
		p.bySession[session] = c
	}
	return c
}

// Uses are what a live call's audio was used for within the call: by word, in order.
func (p *Privacy) Uses(session string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.bySession[session]; c != nil {
		return slices.Clone(c.uses)
	}
	return nil
}

// Release says that what Hold allowed is forgotten.
func (p *Privacy) Release(by, session string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.holds, audioHold{session, by})
}

// EndCall says that a call is over and everything of it closed. Audio that is
// held all the same is audio that was kept: it counts as refused, and ends
// protection until a check finds that it is gone.
func (p *Privacy) EndCall(session string) {
	var kept []rest.BlockedOperation
	p.mu.Lock()
	for h := range p.holds {
		if h.session == session {
			p.holds[h] = true
			kept = append(kept, p.blockLocked(Persist, h.by, session))
		}
	}
	if len(kept) > 0 {
		p.failure = p.leftoverAudioLocked()
	}
	delete(p.bySession, session)
	p.mu.Unlock()
	for _, b := range kept {
		_ = p.reportRefusal(b) // told; there is nobody to answer
	}
}

// leftoverAudioLocked says whose audio outlived its call. mu must be held.
func (p *Privacy) leftoverAudioLocked() error {
	for h, isOver := range p.holds {
		if isOver {
			return fmt.Errorf("%w: %s holds audio of a call that is over", ErrUnprotected, h.by)
		}
	}
	return nil
}

// blockLocked counts a refusal and remembers it. mu must be held.
func (p *Privacy) blockLocked(op Operation, by, session string) rest.BlockedOperation {
	blocked := rest.BlockedOperation{At: p.cfg.Now().UTC(), Operation: string(op), By: by, Session: session}
	p.byKind[string(op)]++
	if c := p.callLocked(session); c != nil {
		c.refused++
	}
	p.blocked = append(p.blocked, blocked)
	if extra := len(p.blocked) - MaxBlocked; extra > 0 {
		p.blocked = append([]rest.BlockedOperation(nil), p.blocked[extra:]...)
	}
	return blocked
}

// reportRefusal tells of a refusal and returns it as an error.
func (p *Privacy) reportRefusal(b rest.BlockedOperation) error {
	if p.cfg.OnBlocked != nil {
		p.cfg.OnBlocked(b)
	}
	return fmt.Errorf("%w: %s", ErrRefused, b.Operation)
}

// StorageAttempts is how many operations on a live call's audio were refused.
func (p *Privacy) StorageAttempts(session string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.bySession[session]; c != nil {
		return c.refused
	}
	return 0
}

// Refused is how many operations on audio were refused.
func (p *Privacy) Refused() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refusedLocked()
}

// refusedLocked adds refusals of all kinds up. mu must be held.
func (p *Privacy) refusedLocked() int64 {
	var n int64
	for _, of := range p.byKind {
		n += of
	}
	return n
}
