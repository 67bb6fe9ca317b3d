package routes

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/call"
	"parley/app/ui"
)

// theme is the colour scheme: "" is the device's.
type theme string

const (
	themeDevice theme = ""
	themeLight  theme = "light"
	themeDark   theme = "dark"

	themeChanged = "theme-changed" // an action: the settings page has changed it

	themeKey = "theme" // in the settings that the browser keeps
)

// readTheme gives the theme that was chosen in this browser before.
func readTheme(settings call.Storage) theme {
	if settings == nil {
		return themeDevice
	}
	if t := theme(settings.Load(themeKey)); t == themeLight || t == themeDark {
		return t
	}
	return themeDevice
}

func (t theme) keep(settings call.Storage) {
	if settings != nil {
		settings.Save(themeKey, string(t))
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
