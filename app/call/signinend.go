package call

import (
	"context"
	"time"
)

const (
	// warnSignIn is how long before the end of a sign-in its call says so: as long as
	// before the other ends.
	warnSignIn = 2 * time.Minute
	// askSignIn is how often it is asked then whether the caller signed in anew, which
	// they do in another tab.
	askSignIn = 5 * time.Second
)

// isSignInEnding reports whether the call is about to end with the caller's sign-in.
func (p Picture) isSignInEnding() bool {
	return p.Phase == Live && !p.Talk.SignInEnds.IsZero() && !p.Now.Before(p.Talk.SignInEnds.Add(-warnSignIn))
}

// watchSignIn keeps when the sign-in of a call ends, until ctx does. A newer one is taken
// up by the call.
func (e *Engine) watchSignIn(ctx context.Context, attempt int) {
	if e.client == nil {
		return
	}
	var ends time.Time
	for {
		if me, err := e.client.Me(ctx); err == nil {
			isNewer := !ends.IsZero() && me.ExpiresAt.After(ends)
			ends = me.ExpiresAt
			e.updateCall(attempt, func(p Picture) Picture { return applySignIn(p, ends, isNewer) })
			if isNewer {
				e.withLine(Line.Renew)
				e.tell(Notice{Code: noticeRenewed})
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(time.Until(ends)-warnSignIn, askSignIn)):
		}
	}
}

func applySignIn(p Picture, ends time.Time, isNewer bool) Picture {
	p.Talk.SignInEnds = ends
	p.Talk.SignInHidden = p.Talk.SignInHidden && !isNewer
	return p
}

// HideSignInWarning puts the warning away; the end stays.
func (e *Engine) HideSignInWarning() {
	e.updatePicture(func(p Picture) Picture { p.Talk.SignInHidden = true; return p })
}
