package people

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// Render draws the page.
func (p *Page) Render() app.UI {
	return p.resource.UI(load.Page{Title: "People", Class: "people", View: load.View{
		Skeleton: ui.Skeleton(ui.SkeletonRows, 5), Above: p.form(), Content: p.table, Count: len(p.list),
		Empty: ui.EmptyState{Icon: ui.IconUsers, Title: "Nobody's access is withdrawn.", Text: "Whoever you revoke is listed here, and can be restored."},
	}})
}

// form withdraws somebody's access.
func (p *Page) form() app.UI {
	user := ui.FormField{ID: userID, Label: "User id", Kind: ui.InputText, Value: p.user, Max: 255, Hint: "As their token has it. Where you see only a mask, revoke from the session's page."}
	if p.isLeft && p.user != "" {
		user.Problem = userProblem(p.user)
	}
	form := ui.Form{OnEdit: p.edit, OnLeave: p.leave, Fields: []ui.FormField{user,
		{ID: blockID, Label: "Refuse later tokens, too", Kind: ui.InputSwitch, Value: strconv.FormatBool(p.isBlock), Hint: "Off: who gets a new token is let in again."}}}
	return app.Section().Class("card", "form-card", "act").Body(
		app.H2().Class("card-title").Text("Withdraw access"),
		app.P().Class("card-text").Text("Ends the user's calls within 2 s and refuses the tokens they have."),
		form.UI(),
		app.Div().Class("form-foot").Body(ui.Disabled(ui.Button(ui.Danger, "", "Revoke…"), p.user == "").OnClick(p.askRevoke)),
		app.P().Class("card-text").Text("What is kept of them is handed out as a file, or erased. The audit log keeps its lines."),
		app.Div().Class("form-foot").Body(p.handOut(), ui.Disabled(ui.Button(ui.Plain, "", "Erase data…"), p.user == "").OnClick(p.askErase)),
		load.Slot("dialogs", p.dialogUI()))
}

// handOut is a link once there is somebody to hand out.
func (p *Page) handOut() app.UI {
	if userProblem(p.user) != "" {
		return ui.Button(ui.Plain, ui.IconDownload, "Hand out data").Disabled(true)
	}
	return app.A().Class("button", "button-plain").Href(p.dataPath()).Download("").
		Body(ui.Icon(ui.IconDownload), app.Span().Class("button-label").Text("Hand out data"))
}

func (p *Page) table() app.UI {
	rows := make([]ui.Row, len(p.list))
	for i, r := range p.list {
		tokens, reason := "those until then", app.UI(app.Span().Text(r.Reason))
		if r.Block {
			tokens = "all of them"
		}
		if r.Reason == "" {
			reason = ui.NoData()
		}
		rows[i] = ui.Row{ID: strconv.FormatInt(r.ID, 10), Cells: []app.UI{
			app.Span().Text(r.User), app.Span().Text(tokens), &ui.RelTime{At: r.Since, Suffix: " ago"}, app.Span().Text(r.By), reason,
			ui.Act(ui.Button(ui.Plain, "", "Restore")).OnClick(p.askRestore(r.ID), app.EventScope("restore", r.ID)).Aria("label", "Restore "+r.User),
		}}
	}
	body := []app.UI{ui.Table{Label: "Revocations", Rows: rows, Columns: []ui.Column{
		{Key: "user", Title: "User", Card: ui.PlaceLead}, {Key: "tokens", Title: "Tokens refused"}, {Key: "since", Title: "Since"},
		{Key: "by", Title: "By"}, {Key: "reason", Title: "Reason"}, {Key: "restore", Title: "Restore", Hidden: true, Card: ui.PlaceSide},
	}}.UI()}
	if p.next != "" {
		body = append(body, ui.Button(ui.Plain, "", "Load older").OnClick(p.more))
	}
	return app.Div().Class("people-list").Body(body...)
}

func (p *Page) dialogUI() app.UI {
	switch {
	case p.revoking:
		text := "Their calls end at once and the tokens they have are refused."
		if p.isBlock {
			text = "Their calls end at once and they are refused until somebody restores them."
		}
		return &ui.ConfirmWithReason{Title: "Revoke " + p.user + "?", Text: text, Confirm: "Revoke",
			Presets: []string{"Left the company", "Misuse", "Lost device"}, Max: rest.MaxReason, Busy: p.busy, Problem: p.problem,
			OnConfirm: p.revoke, OnCancel: p.closeDialog}
	case p.erasing:
		return &ui.ConfirmWithReason{Title: "Erase what is kept of " + p.user + "?", Text: "Calls, quality, turns, requests and activities go for good. Sums of usage stay, without them; so do revocations and the audit log.", Confirm: "Erase",
			Presets: []string{"Asked for it"}, Max: rest.MaxReason, Busy: p.busy, Problem: p.problem, OnConfirm: p.erase, OnCancel: p.closeDialog}
	case p.restoring != 0:
		return &ui.ConfirmWithReason{Title: "Restore access?", Text: "Tokens that were refused are taken again, as long as they last.", Confirm: "Restore",
			Kind: ui.Primary, NoReason: true, Busy: p.busy, Problem: p.problem, OnConfirm: p.restore, OnCancel: p.closeDialog}
	}
	return nil
}
