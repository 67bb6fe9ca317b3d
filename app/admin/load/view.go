package load

import (
	"cmp"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

// Page is a page around one resource.
type Page struct {
	Title  string   // its h1
	Class  string   // of the page
	Beside []app.UI // in the head, at its end
	View   View
}

// View is how a resource is shown, in a page or in a part of one.
type View struct {
	Skeleton app.UI // of the size that the content will have
	// Count is how many items there are: with none, Empty stands there, or the way
	// out of the filters. What is no list has Count 1.
	Count   int
	Empty   ui.EmptyState
	Items   string   // what they are where no filter lets any pass; "" for the resource's Name
	Filters *Filters // nil where nothing is filtered
	// Above stands over the content in every state, such as the filters; nil for
	// nothing.
	Above   app.UI
	Content func() app.UI
	// Lost is shown for an id that the server doesn't have; without a title, that
	// is an error like others.
	Lost ui.EmptyState
}

// UI draws a page: head, one banner, and the content or what stands in its
// place.
func (r *Resource) UI(p Page) app.UI {
	if r.isDenied() {
		return app.Div().Class("page", p.Class).Body(Refusal(r.problem, r.back))
	}
	return app.Div().Class("page", p.Class).Body(ui.PageHead(p.Title, p.Beside...), r.Part(p.View))
}

// Part draws the resource within a page that has others, too.
func (r *Resource) Part(v View) app.UI {
	if r.isDenied() {
		return Refusal(r.problem, r.back)
	}
	class := "load"
	if r.known && r.cut {
		class = "load load-old"
	}
	return app.Div().Class(class).Aria("busy", strconv.FormatBool(r.busy)).Body(
		Slot("load-above", v.Above),
		Slot("banner-slot", r.banner()),
		app.Div().Class("load-body").Body(r.body(v)),
	)
}

// body is the content, or why there is none.
func (r *Resource) body(v View) app.UI {
	switch {
	case r.isLost() && v.Lost.Title != "":
		return v.Lost.UI()
	case !r.known && r.isBadFilter():
		return r.badFilter(v)
	case !r.known && (r.problem != nil || r.cut):
		return r.trouble()
	case !r.known:
		return v.Skeleton
	case v.Count == 0 && v.Filters != nil && !v.Filters.IsEmpty():
		return ui.EmptyState{Icon: ui.IconFilter, Title: "No " + cmp.Or(v.Items, r.Name) + " match these filters.",
			Action: clearFilters(v.Filters)}.UI()
	case v.Count == 0:
		return v.Empty.UI()
	}
	return v.Content()
}

func (r *Resource) isLost() bool { return r.problem != nil && r.problem.Status == 404 }

func (r *Resource) isBadFilter() bool {
	return r.problem != nil && (r.problem.Status == 422 || r.problem.Status == 400)
}

// badFilter stands there for an address that asks for what can't be asked for.
func (r *Resource) badFilter(v View) app.UI {
	what := "a filter"
	if r.problem.Field != "" {
		what = r.problem.Field
	}
	s := ui.EmptyState{Icon: ui.IconFilter, Title: "These filters can't be used.",
		Text: "The value of " + what + " is out of range."}
	if v.Filters != nil {
		s.Action = clearFilters(v.Filters)
	}
	return s.UI()
}

func clearFilters(f *Filters) app.UI {
	return ui.Button(ui.Plain, "", "Clear filters").OnClick(func(app.Context, app.Event) {
		f.Clear()
		ui.Focus(ui.FilterTextID)
	})
}

// trouble says why nothing came, where nothing is shown yet.
func (r *Resource) trouble() app.UI {
	switch {
	case r.offline:
		return ui.ErrorState{Title: "You're offline.", Text: r.retryWords(), Retry: r.retry}.UI()
	case r.cut:
		return ui.ErrorState{Title: "We can't reach the server.",
			Text: "Check your connection. " + r.retryWords(), Retry: r.retry}.UI()
	case r.problem.Status == 429:
		return ui.ErrorState{Title: "Too many requests.", Text: r.retryWords()}.UI()
	}
	return ui.ErrorState{Title: "We couldn't load " + r.Name + ".", Text: "This is on our side. " + r.retryWords(),
		RequestID: r.problem.RequestID, Retry: r.retry}.UI()
}

// banner says, over what is shown, why it isn't newer; nil for nothing to say.
func (r *Resource) banner() app.UI {
	if !r.known {
		return nil
	}
	again := []app.UI{ui.Button(ui.Plain, ui.IconRefresh, "Try again").OnClick(r.retry)}
	from := " Showing data from " + ui.Clock(r.at) + "."
	switch {
	case r.offline:
		return ui.Banner{Tone: ui.ToneWarning, Text: "You're offline." + from, Actions: again}.UI()
	case r.cut:
		return ui.Banner{Tone: ui.ToneWarning, Text: "We can't reach the server." + from, Actions: again}.UI()
	case r.problem == nil:
		return nil
	case r.problem.Status == 429:
		return ui.Banner{Tone: ui.ToneWarning, Text: "Too many requests. " + r.retryWords()}.UI()
	case r.isBadFilter():
		return ui.Banner{Tone: ui.ToneWarning, Text: "These filters can't be used." + from}.UI()
	}
	if r.problem.RequestID != "" {
		again = append(again, &ui.Copyable{Value: r.problem.RequestID, Label: "request id"})
	}
	return ui.Banner{Tone: ui.ToneDanger, Text: "We couldn't load " + r.Name + ". This is on our side." + from, Actions: again}.UI()
}

// retryWords say when the next try is, where one comes by itself.
func (r *Resource) retryWords() string {
	if r.busy {
		return "Trying again now."
	}
	if r.until.IsZero() {
		return ""
	}
	return TryingAgain(r.until, r.now)
}

func (r *Resource) retry(app.Context, app.Event) { r.Reload() }

// TryingAgain says when something is tried again, as it is told at now.
func TryingAgain(until, now time.Time) string {
	left := until.Sub(now)
	if left <= 0 {
		return "Trying again now."
	}
	return "Trying again in " + Wait(left) + "."
}

// Wait writes a countdown, which ends at 1 s.
func Wait(d time.Duration) string { return ui.Age(CeilSeconds(d)) }

// CeilSeconds rounds up to whole seconds.
func CeilSeconds(d time.Duration) time.Duration {
	return max(d+time.Second-1, 0).Truncate(time.Second)
}

// Slot is an element that always stands, so that what comes and goes in it
// doesn't move its neighbours from their places.
func Slot(class string, body app.UI) app.UI {
	if body == nil {
		return app.Div().Class(class, "is-empty")
	}
	return app.Div().Class(class).Body(body)
}
