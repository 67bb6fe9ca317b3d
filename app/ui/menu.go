package ui

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Menu is a popover of things to do or to fetch. OpenMenu shows it beside the
// button it belongs to; Escape and a press elsewhere close it.
func Menu(id, label string, items ...app.UI) app.UI {
	return app.Div().ID(id).Class("popover-menu").Attr("popover", "auto").Role("group").Aria("label", label).Body(items...)
}

// OpenMenu shows a menu at a button, and moves the focus into it.
func OpenMenu(id string, button app.Value) {
	box := app.Window().GetElementByID(id)
	if app.IsServer || !box.Truthy() || !button.Truthy() {
		return
	}
	Call(button, "focus") // where the focus comes back to
	if Call(box, "showPopover").Failed() {
		return // it stands in the page, as a browser without popovers shows it
	}
	place(box, button)
	Call(box.Call("querySelector", "button,a"), "focus")
}

// CloseMenu hides a menu.
func CloseMenu(id string) { Call(app.Window().GetElementByID(id), "hidePopover") }

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

func pixels(v float64) string { return strconv.Itoa(int(v)) + "px" }
