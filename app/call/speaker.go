package call

import "context"

// SpeakerState is how far the test of the speaker is.
type SpeakerState int

// The states of the speaker.
const (
	SpeakerUntested SpeakerState = iota
	SpeakerPlaying
	SpeakerPlayed
	SpeakerUnheard // it was played, and the caller says that nothing was heard
	SpeakerFailed
)

// SpeakerCheck is what is known of the speaker before a call.
type SpeakerCheck struct {
	State     SpeakerState
	CanChoose bool     // the browser lets a page choose
	Devices   []Device // audio outputs, once their labels are known
}

// PlayTestSound plays a sound for the caller to hear. It has to run in their click.
func (e *Engine) PlayTestSound() {
	if e.peer == nil {
		return
	}
	e.setSpeaker(SpeakerPlaying)
	e.runInBackground(func(ctx context.Context) {
		choice := e.Picture().Choice
		if err := e.peer.PlaySound(ctx, chimeTest.wav(), choice.SpeakerID, choice.volume()); err != nil {
			e.setSpeaker(SpeakerFailed)
			return
		}
		e.setSpeaker(SpeakerPlayed)
	})
}

// HeardNothing says that the test sound was not heard.
func (e *Engine) HeardNothing() { e.setSpeaker(SpeakerUnheard) }

func (e *Engine) setSpeaker(s SpeakerState) {
	e.updatePicture(func(p Picture) Picture { p.Speaker.State = s; return p })
}

// ChooseSpeaker changes to another speaker, for the call that is up, and for the next
// sound and call.
func (e *Engine) ChooseSpeaker(deviceID string) {
	e.Choose(func(c Choice) Choice { c.SpeakerID = deviceID; return c })
	e.withLine(func(l Line) { l.UseSpeaker(deviceID) })
	e.setSpeaker(SpeakerUntested)
}

// play sounds a chime; one that can't be heard has its visible counterpart.
func (e *Engine) play(c chime) {
	if c == noChime || e.peer == nil {
		return
	}
	e.runInBackground(func(ctx context.Context) {
		choice := e.Picture().Choice
		_ = e.peer.PlaySound(ctx, c.wav(), choice.SpeakerID, choice.volume())
	})
}
