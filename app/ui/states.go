package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// PageHead is the head of a page: its h1, which takes the focus on navigation,
// and what stands beside it.
func PageHead(title string, beside ...app.UI) app.UI {
	return app.Div().Class("page-head").Body(
		Heading(title),
		app.Div().Class("page-beside").Body(beside...),
	)
}

// Heading is a page's h1. There is one a page; FocusHeading goes to it.
func Heading(title string) app.UI {
	return app.H1().ID(headingID).Class("page-title").TabIndex(-1).Text(title)
}

// EmptyState says that there is nothing yet, and what to do.
type EmptyState struct {
	Icon   IconName
	Title  string // one line of fact
	Text   string // one line of what to do
	Action app.UI
}

// UI draws the state.
func (s EmptyState) UI() app.UI { return state("state-empty", s.Icon, s.Title, s.Text, s.Action, nil) }

// ErrorState says that something could not be loaded.
type ErrorState struct {
	Title     string // "We couldn't load sessions."
	Text      string // "This is on our side."
	RequestID string // copyable, when there is one
	Retry     app.EventHandler
}

// UI draws the state.
func (s ErrorState) UI() app.UI {
	var action, foot app.UI
	if s.Retry != nil {
		action = Button(Plain, IconRefresh, "Try again").OnClick(s.Retry)
	}
	if s.RequestID != "" {
		foot = app.P().Class("state-foot").Body(app.Text("Request "), &Copyable{Value: s.RequestID})
	}
	return state("state-error", IconAlert, s.Title, s.Text, action, foot)
}

// Page is a state that fills a page: 404, 403. Its title is the page's h1.
type Page struct {
	Icon   IconName
	Title  string
	Text   string
	Action app.UI
}

// UI draws the page.
func (p Page) UI() app.UI {
	body := []app.UI{Icon(p.Icon), Heading(p.Title), app.P().Class("state-text").Text(p.Text)}
	if p.Action != nil {
		body = append(body, app.Div().Class("state-action").Body(p.Action))
	}
	return app.Div().Class("state", "state-page").Body(body...)
}

func state(class string, icon IconName, title, text string, action, foot app.UI) app.UI {
	body := []app.UI{Icon(icon), app.P().Class("state-title").Text(title)}
	if text != "" {
		body = append(body, app.P().Class("state-text").Text(text))
	}
	if action != nil {
		body = append(body, app.Div().Class("state-action").Body(action))
	}
	if foot != nil {
		body = append(body, foot)
	}
	return app.Div().Class("state", class).Body(body...)
}

// SkeletonKind is the geometry of what is loading.
type SkeletonKind string

// The kinds of skeleton.
const (
	SkeletonTiles SkeletonKind = "tiles"
	SkeletonRows  SkeletonKind = "rows"
	SkeletonText  SkeletonKind = "text"
	SkeletonCard  SkeletonKind = "card"
)

// Skeleton holds the place of n things that load. It shows after 150 ms, and
// after 8 s says that the server is slow; both are the style sheet's work.
func Skeleton(kind SkeletonKind, n int) app.UI {
	parts := make([]app.UI, 0, n)
	for range n {
		parts = append(parts, app.Span().Class("skeleton-part"))
	}
	return app.Div().Class("skeleton", "skeleton-"+string(kind)).
		Role("group").Aria("label", "Loading").Aria("busy", true).
		Body(
			app.Div().Class("skeleton-parts").Body(parts...),
			app.P().Class("skeleton-slow").Text("Still loading. The server is slow to answer."),
		)
}
