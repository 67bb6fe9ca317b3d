package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// Tone is how serious a message is.
type Tone string

// The tones.
const (
	ToneInfo    Tone = "info"
	ToneGood    Tone = "good"
	ToneWarning Tone = "warning"
	ToneDanger  Tone = "danger"
)

// Banner is a message across a page. Announce it with Announce or Alert; the
// banner itself is no live region.
type Banner struct {
	Tone    Tone
	Title   string
	Text    string
	Actions []app.UI
}

// UI draws the banner.
func (b Banner) UI() app.UI {
	body := []app.UI{toneIcon(b.Tone)}
	text := []app.UI{}
	if b.Title != "" {
		text = append(text, app.Strong().Class("banner-title").Text(b.Title))
	}
	if b.Text != "" {
		text = append(text, app.Span().Class("banner-text").Text(b.Text))
	}
	body = append(body, app.Div().Class("banner-words").Body(text...))
	if len(b.Actions) > 0 {
		body = append(body, app.Div().Class("banner-actions").Body(b.Actions...))
	}
	return app.Div().Class("banner", "tone-"+string(b.Tone)).Body(body...)
}

func toneIcon(t Tone) app.UI {
	switch t {
	case ToneGood:
		return Icon(IconCheck)
	case ToneWarning, ToneDanger:
		return Icon(IconAlert)
	}
	return Icon(IconInfo)
}
