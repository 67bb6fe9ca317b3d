package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/quality"
)

// Tile is one figure of an overview.
type Tile struct {
	Label string
	Value string // Missing when there is none
	Unit  string // such as "of 100"
	Note  string // a line below
	Level quality.Level
	Extra app.UI // a spark or bars, below
	Href  string // the page behind the figure
}

// UI draws the tile; one with Href is a link as a whole.
func (t Tile) UI() app.UI {
	value := app.Span().Class("tile-value num").Text(t.Value)
	if t.Value == Missing || t.Value == "" {
		value = app.Span().Class("tile-value num nodata").Role("img").Aria("label", "no data").Text(Missing)
	}
	body := []app.UI{
		app.Span().Class("tile-label").Text(t.Label),
		app.Span().Class("tile-figure").Body(value, optional("tile-unit", t.Unit)),
		optional("tile-note", t.Note),
	}
	if t.Extra != nil {
		body = append(body, app.Span().Class("tile-extra").Body(t.Extra))
	}
	class := "tile"
	if t.Level != "" && t.Level != quality.None {
		class += " tile-marked " + levelClass(t.Level)
	}
	if t.Href != "" {
		return app.A().Class(class, "tile-link").Href(t.Href).Body(body...)
	}
	return app.Div().Class(class).Body(body...)
}

// optional is a span, empty and unseen without text: an element that always
// stands keeps its neighbours' places.
func optional(class, text string) app.UI {
	if text == "" {
		return app.Span().Class(class, "is-empty")
	}
	return app.Span().Class(class).Text(text)
}
