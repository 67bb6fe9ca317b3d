package call

import (
	"time"

	"parley/app/ui"
)

// toldFor is how long a call's page tells by itself what needs no act: as long as its
// two lines take to read twice.
const toldFor = 10 * time.Second

// The codes of notices, keys of the copy file.
const (
	noticeLost      = "mic_lost"      // and there is no other
	noticeSwitched  = "mic_switched"  // the one before was lost
	noticeUnchanged = "mic_unchanged" // the one that was chosen can't be opened
	noticePlugged   = "mic_plugged"
	noticeUnplugged = "mic_unplugged"
	noticePaused    = "mic_paused"      // in the background, and is back
	noticeHeld      = "mic_held"        // by the device, and is back
	noticeDims      = "screen_dims"     // the browser doesn't keep the screen on
	noticeRenewed   = "sign_in_renewed" // before it ended
)

// Notice is what there is to tell in a call beside its warnings.
type Notice struct {
	Code  string // of the copy file; "" is none
	Name  string // of a device
	ID    string // of a device that may be chosen
	For   time.Duration
	Until time.Time // zero: until something is done about it
}

// IsShown reports whether the notice is to be seen at a time.
func (n Notice) IsShown(at time.Time) bool {
	return n.Code != "" && (n.Until.IsZero() || at.Before(n.Until))
}

// isOfPlug reports whether the notice is of a device that came or went, which the next
// of its kind makes old.
func (n Notice) isOfPlug() bool { return n.Code == noticePlugged || n.Code == noticeUnplugged }

func (n Notice) words() ui.Words {
	return ui.Copy(n.Code).With("name", n.Name, "time", ui.Duration(n.For))
}

// tell shows a notice: one that offers something until the caller has chosen, others for
// a while.
func (e *Engine) tell(n Notice) {
	if len(n.words().Actions) == 0 {
		n.Until = time.Now().Add(toldFor)
	}
	e.updatePicture(func(p Picture) Picture {
		if p.isUp() && !p.Talk.MicLost {
			p.Talk.Notice = n
		}
		return p
	})
}

// HideNotice puts a notice away.
func (e *Engine) HideNotice() {
	e.updatePicture(func(p Picture) Picture { p.Talk.Notice = Notice{}; return p })
}
