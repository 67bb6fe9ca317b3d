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
	ctx.Defer(func(app.Context) {
		box := app.Window().GetElementByID(menuID)
		if !box.Truthy() || !button.Truthy() {
			return
		}
		ui.Call(button, "focus") // where the focus comes back to
		if ui.Call(box, "showPopover").Failed() {
			return // it stands in the page, as a browser without popovers shows it
		}
		place(box, button)
		ui.Call(box.Call("querySelector", "button"), "focus")
	})
}

// place puts the menu's right edge to the button's, below it, or above where
// there is no room below. Its position is set on the element itself: the page's
// policy forbids style attributes, not styles.
func place(box, button app.Value) {
	at, size := button.Call("getBoundingClientRect"), box.Call("getBoundingClientRect")
	left := max(at.Get("right").Float()-size.Get("width").Float(), 8)
	top := at.Get("bottom").Float() + 4
	if height := size.Get("height").Float(); top+height > app.Window().Get("innerHeight").Float()-8 {
		top = max(at.Get("top").Float()-height-4, 8)
	}
	style := box.Get("style")
	style.Set("left", pixels(left))
	style.Set("top", pixels(top))
}

func (s *Sessions) closeMenu() {
	ui.Call(app.Window().GetElementByID(menuID), "hidePopover")
}

func (s *Sessions) menuUI() app.UI {
	return app.Div().ID(menuID).Class("popover-menu").Attr("popover", "auto").Role("group").Aria("label", "Session").Body(
		ui.Button(ui.Quiet, ui.IconCopy, "Copy id").OnClick(s.copyID),
		ui.Button(ui.Quiet, ui.IconPhoneOff, "End call…").Class("menu-danger").OnClick(s.menuEnd),
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
	id := one.ID
	return ui.IconButton(ui.IconMore, "Actions for "+ui.ShortID(id)).Class("row-menu").
		Aria("haspopup", "true").
		OnClick(func(ctx app.Context, _ app.Event) { s.openMenu(ctx, id, ctx.JSSrc()) }, app.EventScope("menu", id))
}
