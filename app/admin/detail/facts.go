package detail

import (
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// facts are who, with what, from where and when; the person is masked. A live call has
// all of them from the start, known or not: each keeps its place.
func (p *Page) facts() app.UI {
	return app.Div().Class("panel detail-facts").Body(p.personUI(), factList(p.shown.facts()...),
		app.Div().Class("detail-acts").Body(p.revealButton(),
			ui.Act(ui.Button(ui.Quiet, ui.IconLock, "Withdraw access…")).OnClick(p.openAct(p.revokeAct))))
}

func (p picture) facts() []fact {
	r := p.record
	out := []fact{{"User", who(r)}, {"Agent", orDash(r.Agent)}}
	if p.isLive() {
		out = append(out, p.liveFacts()...)
	} else {
		out = append(out, p.pastFacts()...)
	}
	if r.Org != "" {
		out = append(out, fact{"Organization", r.Org})
	}
	if r.EndReason != "" {
		out = append(out, fact{"Reason", r.EndReason})
	}
	return out
}

// liveFacts say how the call is now.
func (p picture) liveFacts() []fact {
	state, ends, path := ui.Missing, ui.Missing, ui.Missing
	if row := p.row; row != nil {
		state = orDash(string(row.AgentState))
		if row.EndsAt != nil {
			ends = ui.Clock(*row.EndsAt)
		}
	}
	if p.quality.Path != nil {
		path = pathText(p.quality.Path)
	}
	return []fact{{"Agent is", state}, {"Node", orDash(p.record.Node)}, {"From", orDash(p.record.Remote)},
		{"Started", ui.Clock(p.record.StartedAt)}, {"Ends at", ends}, {"Path", path},
		{"Browser", orDash(browserOf(p.logs))}, usageFact(p.usage)}
}

// pastFacts say how it was.
func (p picture) pastFacts() []fact {
	r, now := p.record, time.Now()
	out := []fact{{"Node", orDash(r.Node)}, {"From", orDash(r.Remote)}, {"Started", ui.DayClock(r.StartedAt, now)}}
	if r.EndedAt != nil {
		out = append(out, fact{"Ended", ui.DayClock(*r.EndedAt, now)}, fact{"Length", ui.Duration(lengthOf(r, now))})
	}
	return append(out, fact{"Browser", orDash(browserOf(p.logs))}, usageFact(p.usage))
}

// usageFact is what the agent used, and what that costs where prices are known.
func usageFact(u *rest.Usage) fact {
	switch {
	case u == nil:
		return fact{"Tokens, cost", ui.Missing}
	case u.Currency == "":
		return fact{"Tokens", ui.CountShort(u.Tokens.Sum())}
	}
	return fact{"Tokens, cost", ui.CountShort(u.Tokens.Sum()) + ", " + strconv.FormatFloat(float64(u.CostMicros)/1e6, 'f', 2, 64) + " " + u.Currency}
}

// revealButton tells who calls, for a minute, if the server still knows.
func (p *Page) revealButton() app.UI {
	if !p.shown.isLive() || p.acts.revealed(time.Now()) != nil {
		return load.Slot("detail-reveal", nil)
	}
	return ui.Act(ui.Button(ui.Quiet, ui.IconEye, "Reveal…")).OnClick(p.openAct(p.revealAct))
}

// personUI is who calls while that is not masked.
func (p *Page) personUI() app.UI {
	person := p.acts.revealed(time.Now())
	if person == nil {
		return load.Slot("detail-person", nil)
	}
	left := load.CeilSeconds(time.Until(p.acts.until))
	facts := []fact{{"User", person.Subject}}
	for _, f := range []fact{{"Name", person.Name}, {"Phone", person.Phone}, {"E-mail", person.Email}, {"Address", person.Remote}} {
		if f.value != "" {
			facts = append(facts, f)
		}
	}
	return app.Div().Class("detail-person is-revealed").Body(factList(facts...),
		ui.Button(ui.Plain, ui.IconEye, "Mask again ("+strconv.Itoa(int(left.Seconds()))+" s)").
			OnClick(func(app.Context, app.Event) { p.hide() }))
}
