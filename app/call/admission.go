package call

import (
	"context"
	"errors"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/rest"
)

// RefreshAdmission asks the server whether a call may start now.
func (e *Engine) RefreshAdmission() {
	if e.client == nil {
		return
	}
	e.runInBackground(func(ctx context.Context) {
		admission, err := e.client.Admission(ctx)
		var limited *Refusal
		e.updatePicture(func(p Picture) Picture {
			p.Admission = admissionOf(p.Admission, admission, err)
			p.Admission.ServerDown = p.Admission.Offline && app.IsClient && ui.IsOnline()
			if told := p.Admission.Problem; told != nil && told.Code == rest.CodeRateLimited && p.Refusal == nil {
				p.Now = time.Now()
				limited = refusal(*told, p.Now)
				p.Refusal = limited
			}
			return p
		})
		if err == nil {
			e.findWay(ctx, admission.ICEServers)
		}
		e.findHeldCall(ctx)
		if limited == nil {
			return
		}
		e.waitForRetry(ctx)
		if !time.Now().Before(limited.OpenAt) && e.Picture().Phase == Ready {
			e.RefreshAdmission()
		}
	})
}

func admissionOf(before Admission, admission rest.Admission, err error) Admission {
	var problem *rest.Problem
	switch {
	case err == nil:
		return Admission{Answer: &admission}
	case errors.As(err, &problem):
		return Admission{Answer: before.Answer, Problem: problem}
	case errors.Is(err, client.ErrNetwork):
		return Admission{Answer: before.Answer, Offline: true}
	}
	return before
}

// recentSessions is how many of the caller's newest sessions are looked through
// for the one that holds their place: callers have few at the same time.
const recentSessions = 20

// findHeldCall asks since when the caller has been in a call elsewhere, if that
// is why none can start here.
func (e *Engine) findHeldCall(ctx context.Context) {
	if e.client == nil || !isHeldElsewhere(e.Picture()) {
		return
	}
	page, err := e.client.OwnSessions(ctx, rest.SessionQuery{Limit: recentSessions})
	if err != nil {
		return // the banner does without
	}
	e.updatePicture(func(p Picture) Picture {
		for _, s := range page.Items { // the last begun first: the oldest is what a takeover ends
			if s.EndedAt == nil {
				p.Admission.HeldSince = s.StartedAt
			}
		}
		return p
	})
}

func isHeldElsewhere(p Picture) bool {
	refused, told := p.Refusal, p.Admission.Problem
	return p.Phase == Ready &&
		(refused != nil && refused.Problem.Code == rest.CodeUserCap || told != nil && told.Code == rest.CodeUserCap)
}

// DismissRefusal puts away why no call can start.
func (e *Engine) DismissRefusal() {
	e.updatePicture(func(p Picture) Picture {
		p.Refusal, p.Admission.Problem = nil, nil
		return p
	})
}
