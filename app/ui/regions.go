package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

const (
	statusID  = "status"
	alertID   = "alert"
	headingID = "page-title"
	mainID    = "main"
)

// Regions are the page's two live regions. They stand empty at load, because a
// region that comes with its text is not read; the shell has them once.
func Regions() []app.UI {
	return []app.UI{
		app.Div().ID(statusID).Class("sr-only").Role("status").Aria("live", "polite").Aria("atomic", true),
		app.Div().ID(alertID).Class("sr-only").Role("alert").Aria("live", "assertive").Aria("atomic", true),
	}
}

// Announce says text to screen readers when they have finished what they say.
// It must run on the UI goroutine, like all that touches the page.
func Announce(text string) { announceIn(statusID, text) }

// Alert says text to screen readers at once: microphone lost, reconnecting, the
// end is near, ended by another.
func Alert(text string) { announceIn(alertID, text) }

// announcedFor is how long a live region keeps its text: until it was read, and
// no longer, because who goes through the page must not come upon what is over.
const announcedFor = 8 * time.Second

func announceIn(id, text string) {
	if app.IsServer {
		return
	}
	region := app.Window().GetElementByID(id)
	if !region.Truthy() {
		return
	}
	// A node of its own for each text: the newest stays when an older one goes.
	node := app.Window().Get("document").Call("createTextNode", text)
	if Call(region, "replaceChildren", node).Failed() {
		region.Set("textContent", text)
		return
	}
	time.AfterFunc(announcedFor, func() { Call(node, "remove") })
}

// SkipLink is the first thing the Tab key reaches.
func SkipLink() app.UI {
	return app.Button().Type("button").Class("skip-link").
		OnClick(func(ctx app.Context, e app.Event) { focusElement(mainID) }).
		Text("Skip to main content")
}

// Main is the page's main landmark.
func Main(body ...app.UI) app.UI {
	return app.Main().ID(mainID).Class("main").TabIndex(-1).Body(body...)
}

// HeadingHasFocus reports whether the focus is on the page's h1, so that whoever
// draws another h1 in its place can put the focus there again.
func HeadingHasFocus() bool {
	if app.IsServer {
		return false
	}
	active := app.Window().Get("document").Get("activeElement")
	return active.Truthy() && active.Get("id").String() == headingID
}

// FocusHeading moves the focus to the page's h1, as after navigation.
func FocusHeading() { focusElement(headingID) }

// focusSettles is how long after an act the page has drawn what came of it.
const focusSettles = 200 * time.Millisecond

// KeepFocus gives the focus to the page's h1 if what has it goes away with what was
// done, such as the button that was pressed: from nowhere, Tab would begin anew.
func KeepFocus() {
	if app.IsServer {
		return
	}
	time.AfterFunc(focusSettles, func() {
		document := app.Window().Get("document")
		if active := document.Get("activeElement"); !active.Truthy() || active.Equal(document.Get("body")) {
			FocusHeading()
		}
	})
}

// Focus moves the focus to the element of that id, if it is there.
func Focus(id string) { focusElement(id) }

func focusElement(id string) {
	if app.IsServer {
		return
	}
	Call(app.Window().GetElementByID(id), "focus")
}

// Typing reports whether a key press belongs to a field, an open dialog or a
// control that uses keys itself, so that shortcuts keep off.
func Typing(e app.Event) bool {
	// Not every keydown is a key press: what fills in forms sends some without
	// these fields.
	if e.Get("ctrlKey").Truthy() || e.Get("metaKey").Truthy() || e.Get("altKey").Truthy() {
		return true
	}
	target := e.Get("target")
	if !target.Truthy() || !target.Get("closest").Truthy() {
		return false
	}
	return target.Call("closest", "input,textarea,select,[contenteditable],dialog").Truthy()
}
