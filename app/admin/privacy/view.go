package privacy

import (
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// Render draws the page.
func (p *Page) Render() app.UI {
	return p.resource.UI(load.Page{Title: "Privacy", Class: "privacy", View: load.View{
		Skeleton: ui.Skeleton(ui.SkeletonCard, 3), Count: 1, Content: p.content,
	}})
}

func (p *Page) content() app.UI {
	rows := []app.UI{}
	for _, e := range evidence(p.status) {
		rows = append(rows, e.row())
	}
	return app.Div().Class("settings-body").Body(
		p.statement(),
		app.Section().Class("card", "form-card").Body(app.H2().Class("card-title").Text("Evidence"), app.Ul().Class("evidence").Body(rows...)),
		p.blocked(),
		p.kept(),
		app.Div().Class("form-foot").Body(app.A().Class("button", "button-plain").Href(rest.PathPrivacy).Download("parley-privacy.json").
			Body(ui.Icon(ui.IconDownload), app.Span().Class("button-label").Text("Export report"))),
		load.Slot("dialogs", p.dialogUI()),
	)
}

// statement says in large letters whether it is on.
func (p *Page) statement() app.UI {
	s := p.status
	icon, class, words := ui.IconShield, "statement is-good", "Privacy mode is on"
	button := ui.Act(ui.Button(ui.Plain, "", "Turn off…")).OnClick(p.askOff)
	switch {
	case s.Protection != "active":
		icon, class, words = ui.IconAlert, "statement is-bad", "Calls are blocked: privacy protection isn't active."
	case !s.PrivacyMode:
		icon, class, words = ui.IconAlert, "statement is-warning", "Privacy mode is off"
	}
	if !s.PrivacyMode {
		button = ui.Act(ui.Disabled(ui.Button(ui.Primary, "", "Turn on"), p.busy)).OnClick(p.turnOn)
	}
	problem := app.UI(nil)
	if !p.asking && p.problem != "" {
		problem = ui.Banner{Tone: ui.ToneDanger, Text: p.problem}.UI()
	}
	return app.Div().Body(load.Slot("banner-slot", problem),
		app.Div().Class("card", class).Body(ui.Icon(icon), app.P().Class("statement-words").Text(words), button))
}

// fact is a piece of evidence: what holds, and what shows that it does.
type fact struct {
	holds  bool
	what   string
	proofs []string
}

func evidence(s rest.Privacy) []fact {
	masking := fact{holds: s.PrivacyMode, what: "Addresses, e-mail and phone numbers are masked before they are written"}
	if !s.PrivacyMode {
		masking.what = "Addresses, e-mail and phone numbers are written as they are"
	}
	for _, m := range s.Masking {
		masking.proofs = append(masking.proofs, m.Before+" → "+m.After)
	}
	out := []fact{
		{holds: s.Audio.Stored == 0 && s.Protection == "active", what: "No audio is written to disk", proofs: []string{
			ui.Plural(int(s.Audio.Attempts), "attempt") + ", " + ui.Count(s.Audio.Stored) + " stored",
			ui.Count(s.Audio.Blocked) + " blocked, " + ui.Count(s.Audio.Allowed) + " in memory within a call", "last check " + ui.Clock(s.CheckedAt)}},
		masking,
		retention(s),
	}
	if s.Confinement != "" {
		out = append(out, fact{holds: !strings.HasPrefix(s.Confinement, "none"), what: "The process is confined", proofs: []string{s.Confinement}})
	}
	return out
}

// retention says when what is kept goes, and what went.
func retention(s rest.Privacy) fact {
	proofs := []string{"access log after " + ui.Plural(int(s.LogRetentionDays), "day"), "audit log after " + ui.Plural(int(s.AuditRetentionDays), "day")}
	if at := s.Deletion.CheckedAt; !at.IsZero() {
		proofs = append(proofs, ui.Plural(int(s.Deletion.Lines), "line")+" deleted in 24 h", "last look at "+ui.Clock(at))
	}
	return fact{holds: true, what: "What is kept is deleted in time", proofs: proofs}
}

func (e fact) row() app.UI {
	icon, class, says := ui.IconCheck, "evidence-row is-good", "Holds: "
	if !e.holds {
		icon, class, says = ui.IconAlert, "evidence-row is-warning", "Does not hold: "
	}
	proofs := make([]app.UI, len(e.proofs))
	for i, proof := range e.proofs {
		proofs[i] = app.Span().Text(proof)
	}
	return app.Li().Class(class).Body(ui.Icon(icon), app.Div().Body(
		app.P().Body(app.Span().Class("sr-only").Text(says), app.Span().Class("evidence-what").Text(e.what)),
		app.P().Class("card-text", "proofs").Body(proofs...)))
}

// blocked lists what was refused.
func (p *Page) blocked() app.UI {
	body := []app.UI{app.H2().Class("card-title").Text("Blocked operations")}
	if len(p.status.Blocked) == 0 {
		body = append(body, app.P().Class("card-text").Text("Nothing has asked to keep audio since the server started."))
		return app.Section().Class("card", "form-card").Body(body...)
	}
	rows := make([]ui.Row, len(p.status.Blocked))
	for i, b := range p.status.Blocked {
		rows[i] = ui.Row{ID: strconv.Itoa(i), Cells: []app.UI{ui.ClockTime(b.At), app.Span().Text(b.Operation), app.Span().Text(b.By), app.Span().Text("refused")}}
	}
	return app.Section().Class("card", "form-card").Body(append(body, ui.Table{Label: "Blocked operations", Rows: rows, Columns: []ui.Column{
		{Key: "at", Title: "Time", Card: ui.PlaceLead}, {Key: "what", Title: "Operation", Card: ui.PlaceSide}, {Key: "by", Title: "Asked by"}, {Key: "result", Title: "Result"},
	}}.UI())...)
}

// kept says what is kept, for how long and who sees it.
func (p *Page) kept() app.UI {
	masked := "Admins, masked"
	if !p.status.PrivacyMode {
		masked = "Admins, as it is"
	}
	logs, audit := ui.Plural(int(p.status.LogRetentionDays), "day"), ui.Plural(int(p.status.AuditRetentionDays), "day")
	rows := []ui.Row{}
	for _, k := range [][3]string{
		{"Sound and what was said", "Never kept", "Nobody"},
		{"Access log, activities, quality by the second", logs, masked},
		{"Calls, what they used, alerts", audit, masked + "; callers their own"},
		{"Audit log", audit, masked},
		{"Who a live caller is", "Until the call ends", "Admins who say why, on record"},
	} {
		rows = append(rows, ui.Row{ID: k[0], Cells: []app.UI{app.Span().Text(k[0]), app.Span().Text(k[1]), app.Span().Text(k[2])}})
	}
	return app.Section().Class("card", "form-card").Body(app.H2().Class("card-title").Text("What we keep"), ui.Table{
		Label: "What we keep", Rows: rows, Columns: []ui.Column{
			{Key: "what", Title: "What", Card: ui.PlaceLead}, {Key: "long", Title: "For how long"}, {Key: "who", Title: "Who can see it"}},
	}.UI())
}

func (p *Page) dialogUI() app.UI {
	if !p.asking {
		return nil
	}
	return &ui.ConfirmWithReason{
		Title:   "Turn privacy mode off?",
		Text:    "Addresses, e-mail and phone numbers will be written as they are. Admins and callers see that it is off. It is on record, with your name. Audio is never kept, in either mode.",
		Confirm: "Turn off", Phrase: rest.PrivacyOffPhrase, Max: rest.MaxReason, Busy: p.busy, Problem: p.problem,
		OnConfirm: p.turnOff, OnCancel: p.keepOn,
	}
}
