package call

import (
	"math"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/wire"
)

// afterCall are what to do after the call that this page has just made: first what most
// want, if there is such a thing.
func (s *Summary) afterCall() (first, others []app.UI) {
	w, cause := endWords(s.Just), s.Just.End.Ended.Cause
	if s.Just.End.Failure == "" && (cause == wire.TokenExpired || cause == wire.Revoked) {
		return []app.UI{app.A().Class("button", "button-primary", "button-big").Href("/sign-in?next=/call").Text("Sign in")}, nil
	}
	again := s.start
	if cause == wire.Replaced { // it goes on elsewhere
		again = s.takeOver
	}
	if label := w.Action(0); label != "" {
		first = append(first, ui.Button(ui.Primary, ui.IconPhone, label).Class("button-big").ID("start-again").OnClick(again))
	}
	return first, []app.UI{ui.Button(ui.Plain, "", "Check first").OnClick(s.checkFirst)}
}

func (s *Summary) takeOver(ctx app.Context, e app.Event) { s.Engine.TakeOver() }

func (s *Summary) checkFirst(ctx app.Context, e app.Event) { s.Engine.checkAgain() }

// leaveEnd is checkAgain where a call is over.
func (e *Engine) leaveEnd() {
	if e.Picture().Phase == Over {
		e.checkAgain()
	}
}

// checkAgain leaves a call that is over behind, and looks around for the next one.
func (e *Engine) checkAgain() {
	e.Reset()
	e.RefreshAdmission() // not before: the server may still be ending this call
	e.CheckLine()
}

func mosWords(r review) string {
	if r.Rated < tooShort || r.MOS == 0 {
		return ""
	}
	return ui.MOS(r.MOS) + ", lowest " + ui.MOS(r.MOSLowest)
}

// percentOf writes a share of a call in whole percent; almost all is not all. The
// fraction makes good what a division of seconds by seconds lacks of a whole percent,
// and is far below what a second is of any call.
func percentOf(share float64) string {
	p := int(math.Floor(share*100 + 1e-9))
	return strconv.Itoa(p) + " %"
}
