package settings

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// Render draws the page.
func (p *Page) Render() app.UI {
	return p.resource.UI(load.Page{Title: "Settings", Class: "settings", View: load.View{
		Skeleton: ui.Skeleton(ui.SkeletonCard, 3), Count: 1, Content: p.content,
	}})
}

func (p *Page) content() app.UI {
	body := []app.UI{load.Slot("banner-slot", p.conflict())}
	for _, s := range sections() {
		body = append(body, p.section(s))
	}
	return app.Div().Class("settings-body").Body(append(body, p.privacy(), load.Slot("settings-fixed", p.fixedUI()), p.bar(), load.Slot("dialogs", p.dialogUI()))...)
}

// conflict tells that somebody else changed something; nil if nobody did.
func (p *Page) conflict() app.UI {
	if len(p.theirs) == 0 {
		return nil
	}
	return ui.Banner{Tone: ui.ToneWarning, Title: "Someone changed this since you opened it.",
		Text:    "What you typed is still here, and isn't saved.",
		Actions: []app.UI{ui.Button(ui.Plain, "", "See their change").OnClick(p.seeTheirs)}}.UI()
}

func (p *Page) section(s section) app.UI {
	form := ui.Form{OnEdit: p.edit, OnLeave: p.leave, IsReadOnly: ui.IsReadOnly()}
	for _, f := range s.fields {
		if setting, known := p.draft.saved.Settings[f.name]; known {
			form.Fields = append(form.Fields, p.field(f, setting))
		}
	}
	return app.Section().Class("card", "form-card").Body(app.H2().Class("card-title").Text(s.title), form.UI())
}

func (p *Page) field(f field, s rest.Setting) ui.FormField {
	out := ui.FormField{
		ID: f.name, Label: f.label, Kind: kindOf(s), Value: p.draft.text(f.name), Unit: s.Unit,
		Hint: f.does, Note: p.facts(f.name, s), Problem: p.draft.told(f.name), Changed: p.draft.isChanged(f.name),
	}
	switch f.name {
	case rest.SettingIdleTimeout:
		out.Note = strings.TrimSuffix(out.Note+" · "+p.note, " · ")
	case rest.SettingAdminAllow:
		out.Note = strings.TrimPrefix(p.ownAddress()+" · "+out.Note, " · ")
	}
	return out
}

// kindOf is how a setting is entered.
func kindOf(s rest.Setting) ui.InputKind {
	switch s.Value.(type) {
	case bool:
		return ui.InputSwitch
	case string:
		return ui.InputText
	}
	return ui.InputNumber
}

// facts are what one has to know of a setting before one changes it: what is
// saved, where that differs, the default, the range, and when a change holds.
func (p *Page) facts(name string, s rest.Setting) string {
	facts := []string{"Default " + shown(s, textOf(s.Default))}
	if p.draft.isChanged(name) {
		facts = append([]string{"Now " + shown(s, textOf(s.Value))}, facts...)
	}
	if s.Min != nil && s.Max != nil {
		facts = append(facts, rangeFact(s))
	}
	if s.Applies == "new_calls" {
		return strings.Join(append(facts, "applies to new calls"), " · ")
	}
	return strings.Join(append(facts, "applies now"), " · ")
}

func rangeFact(s rest.Setting) string {
	return strings.TrimSuffix(strings.TrimPrefix(rangeText(s), "Use "), ".")
}

// privacy leads to the page where privacy is looked at and turned off.
func (p *Page) privacy() app.UI {
	state, icon := "Privacy mode is on.", ui.IconShield
	if p.draft.saved.Settings[rest.SettingPrivacy].Value == false {
		state, icon = "Privacy mode is off.", ui.IconAlert
	}
	return app.Section().Class("card", "form-card").Body(
		app.H2().Class("card-title").Text("Privacy"),
		app.Div().Class("form-link").Body(ui.Icon(icon), app.Span().Text(state), load.Link("Privacy and its evidence", "/admin/privacy")))
}

// fixedUI is what the server was started with, each with the flag that sets it; nil where
// nobody tells.
func (p *Page) fixedUI() app.UI {
	if len(p.fixed) == 0 {
		return nil
	}
	values := map[string]string{}
	for _, f := range p.fixed {
		values[f.Flag] = f.Value
	}
	rows := []ui.Row{}
	for _, f := range fixedFields() {
		by := app.UI(ui.NoData())
		if f.flag != "" {
			by, f.value = app.Code().Text("--"+f.flag), values[f.flag]
		}
		rows = append(rows, ui.Row{ID: f.label, Cells: []app.UI{app.Span().Text(f.label), app.Span().Text(f.value), by}})
	}
	return app.Section().Class("card", "form-card").Body(app.H2().Class("card-title").Text("Set when the server starts"), ui.Table{
		Label: "Set when the server starts", Rows: rows, Columns: []ui.Column{
			{Key: "what", Title: "What", Card: ui.PlaceLead}, {Key: "is", Title: "Is"}, {Key: "flag", Title: "By"}},
	}.UI())
}

// ownAddress is what one has to know before one says where admins may come from. Who
// sees this page is in the list that is saved.
func (p *Page) ownAddress() string {
	switch list := p.draft.saved.Settings[rest.SettingAdminAllow].Value; {
	case p.address == "":
		return ""
	case list == "" || p.draft.isChanged(rest.SettingAdminAllow):
		return "Your address is " + p.address
	}
	return "Your address " + p.address + " is in the list ✓"
}

func (p *Page) bar() app.UI {
	return ui.ChangeBar{Changes: len(p.draft.changedNames()), Problems: p.draft.problems(), OnReview: p.review, OnDiscard: p.discard}.UI()
}

func (p *Page) dialogUI() app.UI {
	switch p.dialog {
	case reviewDialog:
		return &ui.ConfirmWithReason{
			Title: "Save these changes?", Text: p.draft.warning() + "They are on record in the audit log, with your name.",
			Content: func() []app.UI { return []app.UI{ui.Diff(p.draft.changes())} },
			Confirm: "Save", Kind: ui.Primary, Optional: true, Max: rest.MaxReason, Busy: p.busy, Problem: p.problem,
			OnConfirm: p.save, OnCancel: p.closeDialog,
		}
	case theirsDialog:
		return &ui.Dialog{Title: "Their change", OnClose: p.closeDialog,
			Content: func() []app.UI { return []app.UI{ui.Diff(p.theirs)} }}
	}
	return nil
}
