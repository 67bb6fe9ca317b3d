package routes

import (
	"slices"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/call"
	"parley/app/ui"
)

// goWithin is how long the second key of "g o" may take.
const goWithin = 1500 * time.Millisecond

// opened is the dialog over the page.
type opened int

const (
	openNothing opened = iota
	openMore
	openPalette
	openShortcuts
)

func (s *shell) dialog() app.UI {
	switch s.open {
	case openMore:
		return &ui.Dialog{Title: "More", Content: s.more, OnClose: s.close}
	case openPalette:
		return &ui.Dialog{Title: "Go to or do", Content: s.paletteUI, OnClose: s.close}
	case openShortcuts:
		return &ui.Dialog{Title: "Keyboard", Content: s.shortcuts, OnClose: s.close}
	}
	return app.Div().Class("is-empty")
}

// keyDown runs inside the browser's event, so that it can keep the browser from
// doing its own with a key.
func (s *shell) keyDown(ctx app.Context, e app.Event) {
	key := e.Get("key")
	if !key.Truthy() {
		return
	}
	if name := key.String(); (name == "k" || name == "K") && (e.Get("ctrlKey").Truthy() || e.Get("metaKey").Truthy()) {
		e.PreventDefault()
		ctx.Dispatch(s.openPalette)
		return
	}
	if isOfPalette(e) {
		e.PreventDefault() // else Enter presses what has the focus by then, in the dialog that it opens
		return
	}
	if ui.Typing(e) || e.Get("defaultPrevented").Truthy() {
		return
	}
	if call.HasNoShortcuts(s.services.deps.Settings) {
		e.Call("stopImmediatePropagation") // the page's own keys are off with it
		return
	}
	name := key.String()
	ctx.Dispatch(func(ctx app.Context) { s.shortcut(ctx, name, time.Now()) })
}

// isOfPalette reports whether a key chooses among what the palette has found.
func isOfPalette(e app.Event) bool {
	target := e.Get("target")
	return target.Truthy() && target.Get("id").Truthy() && target.Get("id").String() == paletteInputID &&
		slices.Contains([]string{"Enter", "ArrowDown", "ArrowUp"}, e.Get("key").String())
}

// shortcut does what a single key is for.
func (s *shell) shortcut(ctx app.Context, key string, now time.Time) {
	if s.open != openNothing {
		return
	}
	pressedG := s.pressedG
	s.pressedG = time.Time{}
	switch to, ok := placeFor(entries(s.me), key); {
	case ok && now.Sub(pressedG) <= goWithin:
		s.services.open(ctx, to)
	case key == "g":
		s.pressedG = now
	case key == "?" && s.Path != "/call": // a call has a list of its own
		s.open = openShortcuts
	}
}

// placeFor is the address behind a key after g.
func placeFor(among []entry, key string) (path string, ok bool) {
	for _, e := range among {
		if e.key == key {
			return e.path, true
		}
	}
	return "", false
}

// shortcuts lists the keys that work everywhere, then those of admin pages.
func (s *shell) shortcuts() []app.UI {
	keys := [][2]string{{"Ctrl K", "Search pages and actions (⌘ K)"}, {"?", "This list"}}
	for _, e := range entries(s.me) {
		keys = append(keys, [2]string{"g " + e.key, e.label})
	}
	if s.services.program == Admins {
		keys = append(keys, [][2]string{{"/", "Filter"}, {"Space", "Pause or go on with live updates"}, {"j", "Next row"}, {"k", "Row before"},
			{"Enter", "Open a row"}, {"x", "Select a session"}, {".", "What can be done with a row"}, {"]", "Next session of the list"}, {"[", "Session before"},
			{"e", "Open a line of a log"}, {"f", "Filter a log on what a line has"}}...)
	}
	rows := []app.UI{}
	for _, k := range keys {
		rows = append(rows, app.Dt().Body(ui.Key(k[0])), app.Dd().Text(k[1]))
	}
	return []app.UI{app.Dl().Class("shortcuts").Body(rows...)}
}
