package call

// Mute turns the microphone off or on.
func (e *Engine) Mute(on bool) {
	e.updateTalk(func(t Talk) Talk { t.Muted, t.Held, t.Shouting = on, false, false; return t })
}

// Hold lets a muted caller talk for as long as it lasts.
func (e *Engine) Hold(on bool) {
	if p := e.Picture(); p.Phase != Live || !p.Talk.Muted || p.Talk.Held == on {
		return
	}
	e.updateTalk(func(t Talk) Talk { t.Held, t.Shouting = on, false; return t })
}

// updateTalk changes what the caller does in a call and tells the line.
func (e *Engine) updateTalk(next func(Talk) Talk) {
	e.updatePicture(func(p Picture) Picture {
		if p.Phase == Live || p.Phase == Connecting {
			p.Talk = next(p.Talk)
		}
		return p
	})
	e.mu.Lock()
	line, quiet := e.line, e.picture.Talk.Quiet()
	e.mu.Unlock()
	if line != nil {
		line.Mute(quiet)
	}
}

// KeepTalking says that the caller is still there.
func (e *Engine) KeepTalking() {
	e.withLine(Line.KeepAlive)
	e.HideWarning()
}

// HideWarning puts the warning away; its end stays.
func (e *Engine) HideWarning() {
	e.updatePicture(func(p Picture) Picture { p.Talk.Hidden = true; return p })
}

// PlaySound starts the agent's voice after the browser held it back. It has to
// run in the caller's click.
func (e *Engine) PlaySound() { e.withLine(Line.PlaySound) }

func (e *Engine) withLine(do func(Line)) {
	e.mu.Lock()
	line := e.line
	e.mu.Unlock()
	if line != nil {
		do(line)
	}
}
