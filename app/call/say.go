package call

import (
	"time"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/wire"
)

// How often screen readers may be spoken to of what changes often.
const (
	agentEvery = 4 * time.Second
	levelEvery = 30 * time.Second
)

// countdownMarks are when the time that is left is said aloud, latest first.
func countdownMarks() []time.Duration {
	return []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute}
}

// narrator decides what of a call is said to screen readers, and when: what
// the eye may skip, the ear can't.
type narrator struct {
	agentAt time.Time
	levelAt time.Time
	level   quality.Level // last one said
}

// narrate compares two pictures. Urgent text interrupts.
func (n *narrator) narrate(before, after Picture) (text string, urgent bool) {
	switch {
	case before.Phase != after.Phase:
		return n.textForPhase(after)
	case after.Phase == Ready:
		return readyText(before, after)
	case after.Phase == Connecting:
		if before.Setup.Step != after.Setup.Step {
			return stepWord(after.Setup.Step), false
		}
		return "", false
	case after.Phase == Live:
		return n.textForLive(before, after)
	}
	return "", false
}

func (n *narrator) textForPhase(after Picture) (string, bool) {
	switch after.Phase {
	case Connecting:
		return stepWord(after.Setup.Step), false
	case Live:
		n.agentAt, n.levelAt, n.level = after.Now, after.Now, quality.Excellent
		return "Connected. The call has begun.", false
	case Over:
		w := endWords(after)
		return w.Title + ". " + w.Text, after.End.Ended.Cause != wire.CallerLeft
	}
	if after.Refusal != nil {
		w := refusalWords(after)
		return w.Title + ". " + w.Text, true
	}
	return readyText(Picture{}, after)
}

func readyText(before, after Picture) (string, bool) {
	if after.Mic.State != before.Mic.State && after.Mic.State == MicFailed {
		w := ui.Copy(after.Mic.Problem)
		return w.Title + ". " + w.Text, true
	}
	switch {
	case after.Mic.Heard && !before.Mic.Heard:
		return ui.Copy("mic_heard").Text, false
	case after.Mic.Silent && !before.Mic.Silent:
		return ui.Copy("mic_silent").Text, false
	case after.Way != before.Way && wayText(after.Way) != "":
		return wayText(after.Way), false
	case after.Admission.Offline && !before.Admission.Offline:
		return ui.Copy("offline").Title + ".", false
	case before.Admission.Offline && !after.Admission.Offline:
		return "You're back online.", false
	}
	return "", false
}

func (n *narrator) textForLive(before, after Picture) (string, bool) {
	was, is := before.Talk, after.Talk
	switch {
	case is.IsDropped() && !was.IsDropped():
		w := dropWords(after)
		return w.Title + " " + w.Text, true
	case was.IsDropped() && !is.IsDropped():
		return "Connected again.", false
	case is.Notice.Code != was.Notice.Code && is.Notice.Code != "":
		return noticeText(is.Notice)
	case !is.PausedAt.IsZero() && was.PausedAt.IsZero():
		w := ui.Copy("mic_paused_now")
		return w.Title + ". " + w.Text, true
	case after.isSignInEnding() && !before.isSignInEnding():
		w := signInEndWords(after)
		return w.Title + ". " + w.Text, true
	case is.Blocked && !was.Blocked:
		w := ui.Copy("audio_blocked")
		return w.Title + ". " + w.Text, true
	case is.Muted != was.Muted:
		return map[bool]string{true: "Muted.", false: "Unmuted."}[is.Muted], false
	case is.Shouting && !was.Shouting:
		return mutedText(after.Choice, ui.HasKeys()), false
	case was.Thanks != is.Thanks:
		return ui.Copy("timeout_thanks").Text, false
	}
	if text := countdownText(before, after); text != "" {
		return text, true
	}
	if text := n.textForLine(after); text != "" {
		return text, false
	}
	if after.Choice.ReadsCaptions && after.showsCaptions() {
		if text := wholeTurns(was.Captions, is.Captions); text != "" {
			return text, false
		}
	}
	return n.textForAgent(was, after)
}

// noticeText is a notice for the ear. That a microphone is gone can't wait.
func noticeText(n Notice) (string, bool) {
	w := n.words()
	if w.Title == "" {
		return w.Text, false
	}
	return w.Title + ". " + w.Text, true
}

// countdownText says the time that is left when a warning comes and at its marks.
func countdownText(before, after Picture) string {
	if after.Talk.Warning.EndsAt.IsZero() {
		return ""
	}
	left := after.Talk.Warning.EndsAt.Sub(after.Now)
	if before.Talk.Warning.Code != after.Talk.Warning.Code || before.Talk.Warning.EndsAt.IsZero() {
		w := warningWords(after)
		return w.Title + " " + w.Text
	}
	earlier := before.Talk.Warning.EndsAt.Sub(before.Now)
	for _, mark := range countdownMarks() {
		if earlier > mark && left <= mark {
			return "This call ends in " + ui.DurationWords(mark) + "."
		}
	}
	return ""
}

// textForLine says when the quality falls to fair or poor, and when it is well again.
func (n *narrator) textForLine(after Picture) string {
	v := after.Talk.Verdict()
	bad := v.Level == quality.Fair || v.Level == quality.Poor
	wasBad := n.level == quality.Fair || n.level == quality.Poor
	if v.Level == n.level || v.Level == quality.None || !bad && !wasBad {
		return ""
	}
	if after.Now.Sub(n.levelAt) < levelEvery {
		return ""
	}
	n.level, n.levelAt = v.Level, after.Now
	if !bad {
		return "The line is " + lowerFirst(ui.LevelWord(v.Level)) + " again."
	}
	return "The line is " + lowerFirst(ui.LevelWord(v.Level)) + ". " + ui.Advice(v)
}

// textForAgent says what the agent does. That it speaks is not said: it would talk
// over the agent.
func (n *narrator) textForAgent(was Talk, after Picture) (string, bool) {
	state := after.Talk.State.Agent
	if state == was.State.Agent || state == wire.AgentSpeaking || state == "" || after.Now.Sub(n.agentAt) < agentEvery {
		return "", false
	}
	n.agentAt = after.Now
	return ui.AgentWord(string(state)) + ".", false
}
