package call

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// stepWord names a step of setting up.
func stepWord(s peer.Step) string {
	switch s {
	case peer.StepServer:
		return "Asking the server…"
	case peer.StepPath:
		return "Finding a path…"
	case peer.StepSecure:
		return "Securing the line…"
	}
	return "Waiting for the agent…"
}

// orbWord is the truth under the orb.
func orbWord(p Picture) string {
	switch {
	case p.Phase == Ready:
		return micWord(p.Mic)
	case p.Phase == Connecting:
		return "Connecting…"
	case p.Phase == Over:
		return ""
	case p.Talk.IsDropped():
		return ui.Copy("ice_disconnected").Title
	case p.Talk.Quiet():
		return "You're muted"
	}
	if slowAgentText(p) != "" {
		return ui.Copy("agent_slow").Title
	}
	return ui.AgentWord(string(p.Talk.State.Agent))
}

// slowAgentText says that the agent takes long, and that the line isn't to blame; "" while
// it doesn't.
func slowAgentText(p Picture) string {
	v := p.Talk.Verdict()
	if p.Phase != Live || p.Talk.IsDropped() || p.Talk.State.Agent != wire.AgentThinking || v.Cause != quality.CauseAgentSlow {
		return ""
	}
	return ui.Copy("agent_slow").With("seconds", ui.Age(time.Duration(v.Value*float64(time.Millisecond)).Round(time.Second))).Text
}

// mutedText says to who speaks while muted how to be heard, and names no key that does
// nothing.
func mutedText(c Choice, hasKeys bool) string {
	if c.KeysOff || !hasKeys {
		return ui.Copy("muted_speaking_at").Text
	}
	return ui.Copy("muted_speaking").Text
}

func micWord(m MicCheck) string {
	switch {
	case m.State != MicOpen || m.NoLevel:
		return ""
	case m.Heard:
		return ui.Copy("mic_heard").Text
	case m.Silent:
		return ui.Copy("mic_unheard").Text
	}
	return ui.Copy("mic_listening").Text
}

// refusalWords say why the last try got no line.
func refusalWords(p Picture) ui.Words {
	r := p.Refusal
	code := string(r.Problem.Code)
	switch {
	case r.Problem.Code == rest.CodeCapReached && r.RetryAt.IsZero():
		code = "cap_stopped"
	case r.Problem.Code == rest.CodeOrgCap && r.RetryAt.IsZero():
		code = "org_stopped"
	case r.Problem.Code == rest.CodeDraining && !r.RetryAt.IsZero():
		code = "draining_wait"
	}
	return problemWords(code, &r.Problem, p)
}

// problemWords fills in what a problem carries.
func problemWords(code string, problem *rest.Problem, p Picture) ui.Words {
	wait := time.Duration(problem.RetryAfterS) * time.Second
	if p.Refusal != nil && !p.Refusal.until().IsZero() {
		wait = ceilSeconds(p.Refusal.until().Sub(p.Now))
	}
	w := ui.Copy(code).With("seconds", ui.Age(wait), "lines", linesInUse(problem.Limit), "since", heldSince(p.Admission))
	if code == string(rest.CodeServerError) && problem.RequestID != "" {
		w.Text += " Request " + problem.RequestID + "."
	}
	return w
}

// heldSince says since when the caller has been in a call elsewhere.
func heldSince(a Admission) string {
	if a.HeldSince.IsZero() {
		return ""
	}
	return ", since " + a.HeldSince.Local().Format("15:04")
}

// linesInUse says that none of so many lines is free; 0 isn't known.
func linesInUse(n int) string {
	switch n {
	case 0:
		return "All lines are in use"
	case 1:
		return "The only line is in use"
	}
	return "All " + ui.Count(int64(n)) + " lines are in use"
}

// dropWords count down the grace of a dropped call.
func dropWords(p Picture) ui.Words {
	return ui.Copy("ice_disconnected").With("seconds", ui.Age(ceilSeconds(p.Talk.Until.Sub(p.Now))))
}

// warningWords say which end is near.
func warningWords(p Picture) ui.Words {
	code := "end_near"
	switch p.Talk.Warning.Code {
	case wire.WarnIdle:
		code = "timeout_warn"
	case wire.WarnMaxDuration:
		code = "max_length"
	case wire.WarnDraining:
		code = "draining_call"
		if p.Talk.Node != "" {
			code = "draining_moves"
		}
	case wire.WarnBudget:
		code = "budget_warn"
	case wire.WarnAgentStuck:
		code = "agent_stuck_warn"
	}
	return ui.Copy(code).With(
		"left", ui.Duration(ceilSeconds(p.Talk.Warning.EndsAt.Sub(p.Now))),
		"max", durationText(p.Talk.Limits.MaxDurationS),
	)
}

// signInEndWords say that the call ends with the sign-in.
func signInEndWords(p Picture) ui.Words {
	return ui.Copy("sign_in_ends").With("left", ui.Duration(ceilSeconds(p.Talk.SignInEnds.Sub(p.Now))))
}

// endWords say why a call ended.
func endWords(p Picture) ui.Words {
	w := ui.EndCopy(string(p.End.Ended.Cause))
	if p.End.Failure != "" {
		w = ui.Copy(string(p.End.Failure))
	}
	reason := strings.TrimRight(strings.TrimSpace(p.End.Ended.Message), ".")
	if p.End.Ended.Cause == wire.AdminEnded && reason == "" {
		w.Text = "No reason was given."
	}
	switch { // of the record, or of a server that told no limits
	case p.End.Ended.Cause == wire.ConnectionLost && p.End.Failure == "" && p.End.Tried == 0:
		w.Text = "It couldn't be put together again."
	case p.End.Ended.Cause == wire.MaxDuration && p.Talk.Limits.MaxDurationS <= 0:
		w.Text = "It lasted as long as a call may on this server."
	}
	if message := p.End.Ended.Message; message != "" { // what the server knows to be the matter
		switch p.End.Ended.Cause {
		case wire.AgentLeft:
			w.Text = message
		case wire.AgentUnavailable:
			w.Text += " " + message
		case wire.Revoked: // by no admin
			w = ui.EndCopy("signed_out")
			w.Text = message
		}
	}
	return w.With(
		"idle", durationText(p.Talk.Limits.IdleTimeoutS),
		"max", durationText(p.Talk.Limits.MaxDurationS),
		"grace", triedFor(p.End.Tried),
		"reason", reason+".",
	)
}

// triedFor writes for how long a call was being put together again; a server
// may refuse it at once.
func triedFor(d time.Duration) string {
	if d = d.Round(time.Second); d < time.Second {
		return "a moment"
	}
	return ui.Age(d)
}

// durationText writes a limit; a limit that the page was never told is left vague.
func durationText(seconds int) string {
	if seconds <= 0 {
		return "a while"
	}
	return ui.Span(time.Duration(seconds) * time.Second)
}

// agentTitle is the agent's name for people.
func agentTitle(p Picture, name string) string {
	if name == "" {
		name = p.agentToCall()
	}
	if a, ok := p.agent(name); ok {
		return cmp.Or(a.Title, a.Name)
	}
	if name == "" {
		return "Agent"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// ribbonSentence is the ribbon for those who don't see it.
func ribbonSentence(t Talk) string {
	you, agent, bad, muted := 0, 0, 0, 0
	for _, s := range t.Seconds {
		if s.You > 0 {
			you++
		}
		if s.Agent > 0 {
			agent++
		}
		if s.Muted {
			muted++
		}
		if s.Level == quality.Fair || s.Level == quality.Poor {
			bad++
		}
	}
	out := "Last " + ui.Plural(len(t.Seconds), "second") + ": you spoke for " + strconv.Itoa(you) +
		", the agent for " + strconv.Itoa(agent) + "."
	if muted > 0 {
		out += " You were muted for " + strconv.Itoa(muted) + "."
	}
	if n := len(t.Answers); n > 0 {
		out += " The agent's latest answer began after " + ui.Millis(t.Answers[n-1].WaitMS) + "."
	}
	if bad > 0 {
		return out + " The line was fair or poor for " + strconv.Itoa(bad) + "."
	}
	return out
}

// title is the page's title; a running call shows its clock in the tab.
func title(p Picture) string {
	switch p.Phase {
	case Connecting:
		return "Connecting… · Parley"
	case Live:
		sign := "● "
		if p.Talk.Quiet() {
			sign = "🔇 "
		}
		return sign + tabClock(p.Length()) + " Call · Parley"
	case Over:
		return "Call ended · Parley"
	}
	return "Ready to call · Parley"
}

// tabClock is a duration that keeps its width: 04:12.
func tabClock(d time.Duration) string {
	s := ui.Duration(d)
	if len(s) < len("00:00") {
		return "0" + s
	}
	return s
}

// ceilSeconds rounds up to whole seconds: a countdown must not say 0 s while there is
// time left.
func ceilSeconds(d time.Duration) time.Duration {
	return max(d+time.Second-1, 0).Truncate(time.Second)
}

func lowerFirst(s string) string { return strings.ToLower(s) }
