package call

import (
	"errors"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/rest"
)

// loadFailure draws why something of the caller's could not be loaded: what is "your
// calls", or the like.
func loadFailure(err error, what string, again app.EventHandler) app.UI {
	var problem *rest.Problem
	switch {
	case errors.Is(err, client.ErrNetwork) && !ui.IsOnline():
		w := ui.Copy("offline")
		return ui.ErrorState{Title: w.Title, Text: w.Text, Retry: again}.UI()
	case errors.Is(err, client.ErrNetwork):
		w := ui.Copy("unreachable")
		return ui.ErrorState{Title: w.Title, Text: w.Text, Retry: again}.UI()
	case errors.As(err, &problem) && problem.Code == rest.CodeNotFound:
		w := ui.Copy("call_not_found")
		return ui.EmptyState{Icon: ui.IconSearch, Title: w.Title, Text: w.Text, Action: linkButton("/history", w.Action(0))}.UI()
	case errors.As(err, &problem) && problem.Code == rest.CodeUnauthorized:
		w := ui.Copy("unauthorized")
		return ui.EmptyState{Icon: ui.IconLock, Title: w.Title, Text: w.Text, Action: linkButton("/sign-in", w.Action(0))}.UI()
	case errors.As(err, &problem) && problem.Code == rest.CodeRateLimited:
		w := ui.Copy("rate_limited").With("seconds", ui.Age(time.Duration(max(problem.RetryAfterS, 1))*time.Second))
		return ui.ErrorState{Title: w.Title, Text: w.Text, Retry: again}.UI()
	}
	state := ui.ErrorState{Title: "We couldn't load " + what + ".", Text: "This is on our side.", Retry: again}
	if problem != nil {
		state.RequestID = problem.RequestID
	}
	return state.UI()
}

func linkButton(href, label string) app.UI {
	return app.A().Class("button", "button-plain").Href(href).Body(app.Span().Class("button-label").Text(label))
}
