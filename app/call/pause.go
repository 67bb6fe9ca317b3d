package call

import (
	"time"

	"parley/app/ui"
)

// leastSleep is the step of the page's clock from which on the page slept: timers of a
// page in the background may come a second late, and a busy machine adds to it.
const leastSleep = 5 * time.Second

// handleMicrophonePaused is told that the device pauses the microphone, and that it goes on.
func (e *Engine) handleMicrophonePaused(mic *openedMic, on bool) {
	if !e.isInUse(mic) {
		return
	}
	e.updatePicture(func(p Picture) Picture {
		if p.Phase == Live {
			return applyMicPause(p, on, !ui.IsVisible(), time.Now())
		}
		return p
	})
}

// applyMicPause notes since when the microphone is paused, and tells for how long it was.
func applyMicPause(p Picture, on, isHidden bool, now time.Time) Picture {
	if on {
		if p.Talk.PausedAt.IsZero() {
			p.Talk.PausedAt, p.Talk.PausedHidden = now, isHidden
		}
		return p
	}
	if p.Talk.PausedAt.IsZero() {
		return p
	}
	code := noticeHeld
	if p.Talk.PausedHidden {
		code = noticePaused
	}
	p.Talk.Notice = Notice{Code: code, For: now.Sub(p.Talk.PausedAt), Until: now.Add(toldFor)}
	p.Talk.PausedAt, p.Talk.PausedHidden = time.Time{}, false
	return p
}

// applyTick is a second of the page's clock. A page that slept has a gap in its ribbon,
// and says so: neither was the caller heard in it.
func applyTick(p Picture, now time.Time) Picture {
	slept := now.Round(0).Sub(p.Now.Round(0)) // by the wall: other clocks stand still in a sleep
	p.Now = now
	if p.Phase != Live || slept < leastSleep {
		return p
	}
	for range min(int(slept/time.Second)-1, maxWhole-len(p.Talk.Whole)) {
		p.Talk = p.Talk.addSecond(ui.RibbonSecond{Gap: true, Paused: true})
	}
	if p.Talk.PausedAt.IsZero() { // else it is told when the microphone goes on
		p.Talk.Notice = Notice{Code: noticePaused, For: slept, Until: now.Add(toldFor)}
	}
	return p
}
