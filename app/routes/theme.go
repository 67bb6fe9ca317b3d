package routes

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

// theme is the colour scheme: "" is the device's.
type theme string

const (
	themeDevice theme = ""
	themeLight  theme = "light"
	themeDark   theme = "dark"

	themeKey = "theme" // in the browser's local storage
)

func readTheme(ctx app.Context) theme {
	var t theme
	if err := ctx.LocalStorage().Get(themeKey, &t); err != nil {
		return themeDevice // unreadable: as if never chosen
	}
	if t != themeLight && t != themeDark {
		return themeDevice
	}
	return t
}

func (t theme) keep(ctx app.Context) {
	if t == themeDevice {
		ctx.LocalStorage().Del(themeKey)
		return
	}
	if err := ctx.LocalStorage().Set(themeKey, t); err != nil {
		app.Log(err) // full or forbidden: the theme lasts as long as the page
	}
}

func (t theme) next() theme {
	switch t {
	case themeDevice:
		return themeLight
	case themeLight:
		return themeDark
	}
	return themeDevice
}

// show sets the scheme on the document, for the style sheet.
func (t theme) show() {
	if app.IsServer {
		return
	}
	root := app.Window().Get("document").Get("documentElement")
	if t == themeDevice {
		root.Call("removeAttribute", "data-theme")
		return
	}
	root.Call("setAttribute", "data-theme", string(t))
}

func (t theme) label() string {
	switch t {
	case themeLight:
		return "Theme: light"
	case themeDark:
		return "Theme: dark"
	}
	return "Theme: as the device"
}

func (t theme) icon() ui.IconName {
	switch t {
	case themeLight:
		return ui.IconSun
	case themeDark:
		return ui.IconMoon
	}
	return ui.IconContrast
}
