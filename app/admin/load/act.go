package load

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/rest"
)

// Act does something on the server, outside of the UI goroutine, and then done,
// within it. ctx is the page's: go-app drops what an element asked for that is
// gone by then. What was asked for is not taken back when the page is left.
func Act(ctx app.Context, do func(context.Context) error, done func(ctx app.Context, err error)) {
	if !isSet(ctx) {
		return
	}
	ctx.Async(func() {
		stop, cancel := context.WithTimeout(context.Background(), actTimeout)
		defer cancel()
		err := do(stop)
		ctx.Dispatch(func(ctx app.Context) { done(ctx, err) })
	})
}

// SettingsChanged is the action by which one part of a page tells the others that
// it has changed settings of the server.
const SettingsChanged = "settings-changed"

// actTimeout is longer than the trial call of an agent may take, the slowest of
// all acts.
const actTimeout = 2 * answerTimeout

// Refused is the server's answer to an act that it refused, or nil.
func Refused(err error) *rest.Problem {
	var p *rest.Problem
	errors.As(err, &p)
	return p
}

// Words say why an act was not done, and what to do; "" for no error.
func Words(err error) string {
	p := Refused(err)
	switch {
	case err == nil:
		return ""
	case p == nil:
		return "We can't reach the server. Check your connection, then try again."
	case p.Status == 401:
		return "Your sign-in is over. Sign in again."
	case p.Code == rest.CodeReadOnly:
		return ui.Copy("read_only").Text
	case p.Status == 403:
		return "Your account may not do this on this server."
	case p.Status == 404:
		return "There is no such thing any more."
	case p.Status == 429 && p.RetryAfterS > 0:
		return "Too many requests. You can try again in " + strconv.Itoa(p.RetryAfterS) + " s."
	case p.Status == 422 && p.Detail != "":
		return p.Detail
	case p.Code == rest.CodeNodeUnreachable:
		return nodeWords(p)
	case p.Code == rest.CodeAudit:
		return "It can't be put on record just now, so it isn't done. Try again."
	}
	return "This is on our side. Request " + p.RequestID
}

// nodeWords say what is so where another server of the cluster was to do something.
func nodeWords(p *rest.Problem) string {
	if p.Status == 504 {
		return "The server that was asked didn't answer in time. Look whether it is done."
	}
	return "The server that was to do it can't be reached, so it isn't done. If it is dead, its calls end by themselves."
}

// CallAct is an act on one call, by the words in which one differs from the other.
type CallAct struct {
	Unanswered string // a sentence: what may be so when no answer came
	SignIn     string // what one signs in again for: "end it"
	Forbidden  string // what the account can't do: "end calls"
}

// Words say why the act was not done.
func (a CallAct) Words(err error) string {
	p := Refused(err)
	if p == nil {
		return "The server didn't answer. " + a.Unanswered
	}
	switch p.Status {
	case 404:
		return "This call is already over."
	case 401:
		return ui.Copy("unauthorized").Title + ". Sign in again to " + a.SignIn + "."
	case 403:
		return "Your account can't " + a.Forbidden + "."
	case 422:
		return "Use a reason of 1 to " + ui.Count(rest.MaxReason) + " characters."
	case 429:
		return "Too many requests. Try again in " + Wait(time.Duration(max(p.RetryAfterS, 1))*time.Second) + "."
	}
	if p.Code == rest.CodeNodeUnreachable {
		return nodeWords(p)
	}
	text := "Something broke on our side."
	if p.RequestID != "" {
		text += " Request " + p.RequestID + "."
	}
	return text
}
