package detail

import (
	"context"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

const (
	// revealedFor is how long a person is shown unmasked.
	revealedFor = 60 * time.Second
	// actTimeout is how long an answer may take before the dialog says so: the
	// server ends both legs within 2 s.
	actTimeout = 10 * time.Second
)

// acts are what an admin is about to do, and what they got to see.
type acts struct {
	open    *act // its dialog; nil: none
	busy    bool
	problem string
	person  *rest.Person // revealed, until then
	until   time.Time
}

// act is one thing that an admin can do, for a reason.
type act struct {
	title, text, confirm string
	kind                 ui.Kind
	presets              []string
	optional             bool
	said                 string // when it is done
	do                   func(ctx context.Context, reason string) (done func(), err error)
}

// The acts of the page.
func (p *Page) endAct() *act {
	return &act{
		title: "End this call?", text: "The call of " + who(p.shown.record) + " ends at once. The caller sees your reason.",
		confirm: "End call", presets: []string{"Maintenance", "Caller asked for it", "Misuse", "Test call"}, said: "Call ended.",
		do: func(ctx context.Context, reason string) (func(), error) {
			return func() {}, p.operator.EndSession(ctx, p.id, reason)
		},
	}
}

func (p *Page) revealAct() *act {
	return &act{
		title: "Reveal who this is?", text: "Name, phone, e-mail and address are shown for 60 seconds. That you looked, and why, is recorded.",
		confirm: "Reveal", kind: ui.Primary, presets: []string{"Caller asked for help", "Misuse", "Legal request"}, said: "Revealed for 60 seconds.",
		do: func(ctx context.Context, reason string) (func(), error) {
			person, err := p.operator.RevealPerson(ctx, p.id, reason)
			return func() { p.acts.reveal(person, time.Now()); p.countDown() }, err
		},
	}
}

func (p *Page) revokeAct() *act {
	return &act{
		title: "Withdraw access?", text: "All live calls of " + who(p.shown.record) + " end, and every sign-in until now stops working.",
		confirm: "Withdraw access", presets: []string{"Misuse", "Device lost", "Left the organization"}, optional: true, said: "Access withdrawn.",
		do: func(ctx context.Context, reason string) (func(), error) {
			_, err := p.operator.RevokeSession(ctx, p.id, rest.RevokeRequest{Reason: reason})
			return func() {}, err
		},
	}
}

// openAct opens an act's dialog.
func (p *Page) openAct(a func() *act) app.EventHandler {
	return func(app.Context, app.Event) { p.acts.open, p.acts.busy, p.acts.problem = a(), false, "" }
}

func (p *Page) actDialog() app.UI {
	a := p.acts.open
	if a == nil {
		return nil
	}
	return &ui.ConfirmWithReason{
		Title: a.title, Text: a.text, Confirm: a.confirm, Kind: a.kind, Presets: a.presets, Max: rest.MaxReason,
		Optional: a.optional, Busy: p.acts.busy, Problem: p.acts.problem,
		OnConfirm: func(_ app.Context, reason string) { p.perform(a, reason) },
		OnCancel: func(app.Context) {
			if !p.acts.busy {
				p.acts.open = nil
			}
		},
	}
}

// perform does it, and keeps the dialog open to say why it could not be done.
func (p *Page) perform(a *act, reason string) {
	p.acts.busy, p.acts.problem = true, ""
	p.ctx.Async(func() {
		limited, cancel := context.WithTimeout(context.Background(), actTimeout)
		defer cancel()
		done, err := a.do(limited, reason)
		p.ctx.Dispatch(func(app.Context) {
			p.acts.busy = false
			if err != nil {
				p.acts.problem = actingOnCall.Words(err)
				if p.acts.open == nil {
					ui.Alert(p.acts.problem)
				}
				return
			}
			done()
			if p.acts.open == a {
				p.acts.open = nil
			}
			ui.Announce(a.said)
		})
	})
}

// extendCall begins the idle time anew. Nothing is lost by it, so nothing is asked.
func (p *Page) extendCall(app.Context, app.Event) {
	p.perform(&act{said: "The call's quiet time begins anew.", do: func(ctx context.Context, _ string) (func(), error) {
		return func() {}, p.operator.ExtendSession(ctx, p.id)
	}}, "")
}

// reveal shows a person for a minute.
func (a *acts) reveal(person rest.Person, now time.Time) {
	a.person, a.until = &person, now.Add(revealedFor)
}

// revealed is who is shown unmasked at a moment; nil: nobody.
func (a *acts) revealed(now time.Time) *rest.Person {
	if !now.Before(a.until) {
		return nil
	}
	return a.person
}

// countDown hides the person when the time is over, and moves the seconds on.
func (p *Page) countDown() {
	p.ctx.After(time.Second, func(app.Context) {
		switch {
		case p.acts.person == nil:
		case p.acts.revealed(time.Now()) != nil:
			p.countDown()
		default:
			p.hide()
			ui.Announce("Masked again.")
		}
	})
}

func (p *Page) hide() { p.acts.person, p.acts.until = nil, time.Time{} }

// actingOnCall says why something could not be done.
var actingOnCall = load.CallAct{Unanswered: "Look whether it was done before you try again.", SignIn: "do this", Forbidden: "do this"}

// who is what a person is called, masked.
func who(r rest.SessionRecord) string {
	for _, name := range []string{r.Name, r.Phone, r.Email, r.User} {
		if strings.TrimSpace(name) != "" {
			return name
		}
	}
	return ui.Missing
}
