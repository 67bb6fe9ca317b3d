package admin

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

const menuID = "session-menu"

// menu is the one menu of the table; it opens beside the row it is for.
type menu struct {
	id      string
	copying ui.Copying
}

// openMenu shows the menu for a session below its button.
func (s *Sessions) openMenu(ctx app.Context, id string, button app.Value) {
	s.menu.id = id
	ctx.Defer(func(app.Context) { ui.OpenMenu(menuID, button) })
}

func (s *Sessions) closeMenu() {
	ui.CloseMenu(menuID)
}

func (s *Sessions) menuUI() app.UI {
	return app.Div().ID(menuID).Class("popover-menu").Attr("popover", "auto").Role("group").Aria("label", "Session").Body(
		ui.Button(ui.Quiet, ui.IconCopy, "Copy id").OnClick(s.copyID),
		ui.Button(ui.Quiet, ui.IconLink, "Copy link").OnClick(s.copyLink),
		ui.Act(ui.Button(ui.Quiet, ui.IconClock, "Extend time")).OnClick(s.extend),
		ui.Act(ui.Button(ui.Quiet, ui.IconPhoneOff, "End call…")).Class("menu-danger").OnClick(s.menuEnd),
	)
}

func (s *Sessions) copyID(ctx app.Context, _ app.Event) {
	s.closeMenu()
	s.menu.copying.Start(ctx, s.menu.id, "Session id copied.")
}

func (s *Sessions) menuEnd(app.Context, app.Event) {
	s.closeMenu()
	s.askEnd(s.menu.id)
}

// menuButton is the last cell of a row.
func (s *Sessions) menuButton(one session) app.UI {
	if !one.live() {
		return app.Span().Class("row-menu")
	}
	return ui.IconButton(ui.IconMore, menuLabel(one.ID)).Class("row-menu").DataSet("live", "aria-label title").
		Aria("haspopup", "true").
		OnClick(func(ctx app.Context, _ app.Event) { s.openMenu(ctx, idOfRow(ctx.JSSrc()), ctx.JSSrc()) })
}

func menuLabel(id string) string { return "Actions for " + ui.ShortID(id) }
