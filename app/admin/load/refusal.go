package load

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/rest"
)

// Refusal is the whole page for a user whom the server lets see nothing (401 or
// 403). back is the address to return to after a sign-in, escaped for a query.
func Refusal(p *rest.Problem, back string) app.UI {
	code, href := "admins_only", "/call"
	switch {
	case p.Status == 401:
		code, href = "unauthorized", "/sign-in?next="+back
	case p.Code == rest.CodeNetwork:
		code = "address_forbidden"
	}
	w := ui.Copy(code)
	page := ui.Page{Icon: ui.IconLock, Title: w.Title, Text: w.Text}
	if label := w.Action(0); label != "" {
		page.Action = Link(label, href)
	}
	return page.UI()
}

// Link is a link that looks like a button.
func Link(label, href string) app.UI {
	return app.A().Class("button", "button-plain").Href(href).
		Body(app.Span().Class("button-label").Text(label))
}
