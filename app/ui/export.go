package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

const exportMenuID = "export-menu"

// Export is the button that offers what a page shows as a file, and its menu. address
// is where the file of a format comes from. A page has one.
func Export(address func(format string) string) []app.UI {
	items := []app.UI{}
	for _, f := range [...][2]string{{"csv", "CSV"}, {"ndjson", "NDJSON"}, {"json", "JSON"}} {
		items = append(items, app.A().Class("button", "button-quiet").Href(address(f[0])).Download("").
			OnClick(func(app.Context, app.Event) { CloseMenu(exportMenuID) }).
			Body(Icon(IconDownload), app.Span().Class("button-label").Text(f[1])))
	}
	return []app.UI{
		Button(Plain, IconDownload, "Export").Aria("haspopup", "true").
			OnClick(func(ctx app.Context, _ app.Event) { OpenMenu(exportMenuID, ctx.JSSrc()) }),
		Menu(exportMenuID, "Export what is filtered", items...),
	}
}
