package alerts

import (
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// Render draws the page.
func (p *Rules) Render() app.UI {
	return p.resource.UI(load.Page{Title: "Alerts", Class: "alerts", View: load.View{
		Skeleton: ui.Skeleton(ui.SkeletonCard, 4), Count: 1, Above: tabs("Rules"), Content: p.content,
	}})
}

func (p *Rules) content() app.UI {
	rules := make([]app.UI, len(p.draft.rules))
	for i, r := range p.draft.rules {
		rules[i] = p.rule(r)
	}
	_, problems := p.draft.result()
	return app.Div().Class("settings-body").Body(
		load.Slot("banner-slot", p.notice()),
		app.Ul().Class("rule-list").Body(rules...),
		app.Div().Class("form-foot").Body(ui.Act(ui.Button(ui.Plain, "", "Add a rule")).OnClick(p.add)),
		p.webhooks(),
		ui.ChangeBar{Changes: len(p.draft.changes()), Problems: problems, OnReview: p.review, OnDiscard: p.discard}.UI(),
		load.Slot("dialogs", p.dialogUI()),
	)
}

// notice is the one banner: somebody else's change, or what was not done.
func (p *Rules) notice() app.UI {
	if len(p.theirs) == 0 {
		if p.dialog == reviewDialog {
			return nil // the dialog tells it
		}
		return problemBanner(p.problem)
	}
	return ui.Banner{Tone: ui.ToneWarning, Title: "Someone changed this since you opened it.",
		Text:    "What you typed is still here, and isn't saved.",
		Actions: []app.UI{ui.Button(ui.Plain, "", "See their change").OnClick(p.seeTheirs)}}.UI()
}

// rule is a rule as its sentence, with fields in it.
func (p *Rules) rule(r ruleText) app.UI {
	_, problems := r.rule()
	form := ui.Form{OnEdit: p.edit, OnLeave: p.leave, IsReadOnly: ui.IsReadOnly()}
	words := []app.UI{}
	var told []app.UI
	for _, part := range r.sentence() {
		if part.field == "" {
			words = append(words, app.Span().Text(part.words))
			continue
		}
		field := r.field(part.field)
		if problem := problems[part.field]; problem != "" && r.left[part.field] {
			field.Problem = problem
			told = append(told, app.P().Class("field-problem").ID(field.ID+"-problem").Role("alert").
				Body(ui.Icon(ui.IconAlert), app.Span().Text(problem)))
		}
		control := app.UI(form.Control(field))
		if last := len(words) - 1; part.field == fieldNotify { // and what it is for stay together
			control, words = app.Span().Class("rule-then").Body(words[last], control), words[:last]
		}
		words = append(words, control)
	}
	class := "rule card"
	if !r.enabled {
		class += " is-off"
	}
	scope := app.EventScope("rule", r.id)
	return app.Li().Class(class).DataSet("rule", r.id).Body(
		app.Div().Class("rule-head").Body(
			form.Control(r.field(fieldEnabled)), form.Control(r.field(fieldTitle)),
			ui.Act(ui.IconButton(ui.IconClose, "Remove the rule")).OnClick(p.remove(r.id), scope)),
		app.P().Class("rule-sentence").Body(words...),
		app.Div().Class("rule-problems").Body(told...),
		app.P().Class("card-text", "rule-preview").Text(p.recordOf(r.id)),
	)
}

// recordOf is what a rule that was changed would have done, or what one that is saved did.
func (p *Rules) recordOf(id string) string {
	if preview := p.previews[id]; preview != "" || p.draft.savedRule(id) == nil {
		return preview
	}
	return firedWords(p.draft.saved, id, time.Now())
}

// field describes a field of a rule.
func (r ruleText) field(name string) ui.FormField {
	f := ui.FormField{ID: r.id + "/" + name, Kind: ui.InputText, Max: 20}
	switch name {
	case fieldTitle:
		f.Label, f.Value, f.Max = "Title", r.title, maxTitle
	case fieldMetric:
		f.Label, f.Value, f.Kind = "What", r.metric, ui.InputSelect
		for _, m := range measures() {
			f.Options = append(f.Options, ui.Option{Value: m.metric, Label: m.when})
		}
	case fieldAbove:
		f.Label, f.Value = "Limit", r.above
	case fieldFor:
		f.Label, f.Value = "For how long", r.span
	case fieldLeast:
		f.Label, f.Value = "At least how many", r.least
	case fieldNotify:
		f.Label, f.Value, f.Kind = "Whom to notify", strconv.FormatBool(r.notify), ui.InputSelect
		f.Options = []ui.Option{{Value: "true", Label: "admins here and the webhooks"}, {Value: "false", Label: "admins here"}}
	case fieldEnabled:
		f.Label, f.Value, f.Kind = "Rule is on: "+r.title, strconv.FormatBool(r.enabled), ui.InputSwitch
	}
	return f
}

func (p *Rules) webhooks() app.UI {
	form := ui.Form{OnEdit: p.editHook, IsReadOnly: ui.IsReadOnly()}
	body := []app.UI{app.H2().Class("card-title").Text("Webhooks"),
		app.P().Class("card-text").Text("Each is told of alerts as signed JSON, or, at mailto:, by mail. A secret is taken and never shown again.")}
	for i, h := range p.draft.hooks {
		hint := "Signs what is sent. At least 16 characters."
		if h.HasSecret {
			hint = "One is set. Type another to replace it."
		}
		url := ui.FormField{ID: hookID(i) + "/url", Label: "Address", Kind: ui.InputText, Value: h.URL, Max: 2048}
		secret := ui.FormField{ID: hookID(i) + "/secret", Label: "Secret", Kind: ui.InputSecret, Value: h.Secret, Hint: hint, Max: 256}
		if problem := hookProblem(h); problem != "" && h.URL != "" {
			secret.Problem = problem
		}
		rows := []app.UI{form.Row(url)}
		if !isMailbox(h.URL) {
			rows = append(rows, form.Row(secret))
		}
		body = append(body, app.Div().Class("webhook").Body(append(rows,
			ui.Act(ui.IconButton(ui.IconClose, "Remove the webhook")).OnClick(p.removeHook(i), app.EventScope("hook", i)))...))
	}
	body = append(body, app.Div().Class("form-foot").Body(
		ui.Act(ui.Disabled(ui.Button(ui.Plain, "", "Add a webhook"), len(p.draft.hooks) >= maxWebhooks)).OnClick(p.addHook),
		ui.Act(ui.Disabled(ui.Button(ui.Plain, ui.IconBell, "Send a test"), p.busy || len(p.draft.saved.Webhooks) == 0)).OnClick(p.test)))
	if len(p.deliveries) > 0 {
		body = append(body, app.H3().Class("card-subtitle").Text("Deliveries of late"), deliveryTable(p.deliveries))
	}
	return app.Section().Class("card", "form-card").Body(body...)
}

// maxWebhooks is the server's bound.
const maxWebhooks = 10

func deliveryTable(sent []rest.WebhookDelivery) app.UI {
	rows := make([]ui.Row, len(sent))
	for i, d := range sent {
		answer := app.UI(ui.Blank())
		if d.Status > 0 {
			answer = app.Span().Class("num").Text(strconv.Itoa(d.Status))
		} else if d.Error != "" {
			answer = app.Span().Text(d.Error)
		}
		rows[i] = ui.Row{ID: d.ID, Cells: []app.UI{
			app.Span().Text(d.Webhook), app.Span().Class("delivery-" + d.State).Text(d.State), app.Span().Text(eventWord(d.Event)),
			ui.ClockTime(d.At), answer, app.Span().Class("num").Text(strconv.Itoa(d.Attempts)),
			app.Span().Class("num").Text(ui.Millis(d.TookMS)),
		}}
	}
	return ui.Table{Label: "Deliveries to webhooks", Rows: rows, Columns: []ui.Column{
		{Key: "webhook", Title: "Webhook", Card: ui.PlaceLead}, {Key: "state", Title: "State", Card: ui.PlaceSide}, {Key: "event", Title: "Event"},
		{Key: "at", Title: "At"}, {Key: "answer", Title: "Answer"}, {Key: "attempts", Title: "Attempts", Number: true}, {Key: "took", Title: "Took", Number: true},
	}}.UI()
}

func eventWord(event string) string {
	switch event {
	case "alert.firing":
		return "fires"
	case "alert.resolved":
		return "is over"
	case "alert.test":
		return "test"
	}
	return event
}

func (p *Rules) dialogUI() app.UI {
	switch p.dialog {
	case reviewDialog:
		return &ui.ConfirmWithReason{
			Title: "Save these rules?", Text: "An alert that fires by a rule that changes is over when you save.",
			Content: func() []app.UI { return []app.UI{ui.Diff(p.draft.changes())} },
			Confirm: "Save", Kind: ui.Primary, NoReason: true, Busy: p.busy, Problem: p.problem,
			OnConfirm: p.save, OnCancel: p.closeDialog,
		}
	case theirsDialog:
		return &ui.Dialog{Title: "Their change", OnClose: p.closeDialog,
			Content: func() []app.UI { return []app.UI{ui.Diff(p.theirs)} }}
	}
	return nil
}
