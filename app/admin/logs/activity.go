package logs

import (
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/client"
	"parley/app/ui"
	"parley/shared/rest"
)

// Stream is what the feed needs of the server. *client.Client is one.
type Stream interface {
	Watch(on func([]client.Frame)) *client.Watch
}

const (
	mostActivities = 1000 // kept, as the server keeps them
	drawnAtOnce    = 200
	// announceEvery is how often what is new is said, where that is wished for.
	announceEvery = 10 * time.Second
	feedID        = "activity-feed"
	// atEnd is how near its end the feed has to be scrolled to follow it, in pixels.
	atEnd = 24
)

// activityKinds are what the feed may be narrowed to.
func activityKinds() []ui.Option {
	return []ui.Option{{Value: rest.ActivitySignIn, Label: "Sign-in"}, {Value: rest.ActivityCall, Label: "Call"},
		{Value: rest.ActivityQuality, Label: "Quality"}, {Value: rest.ActivityTimeout, Label: "Timeout"},
		{Value: rest.ActivityAdmin, Label: "Admin"}, {Value: rest.ActivityPrivacy, Label: "Privacy"}, {Value: rest.ActivityError, Label: "Error"}}
}

// Activity is the page of the feed: what happens, the newest last, as in a log.
type Activity struct {
	app.Compo

	stream  Stream
	watch   *client.Watch
	filters load.Filters
	live    load.Live
	denied  *rest.Problem
	back    string

	kept    []rest.Activity // the newest last
	drawn   int             // of kept, from the oldest on: fewer while it is paused
	paused  bool
	missed  missed
	tally   load.Tally
	say     bool // new ones are announced
	unsaid  int
	stop    []func()
	ctx     app.Context
	stopped bool
}

// NewActivity makes the page. Without a stream it shows its skeleton.
func NewActivity(s Stream) *Activity {
	a := &Activity{stream: s, filters: load.Filters{Keys: []string{"kind", "q"}}}
	a.live.Retry = func(app.Context, app.Event) { a.watch.Retry() }
	return a
}

// OnMount follows the stream.
func (a *Activity) OnMount(ctx app.Context) {
	a.ctx, a.live.Now = ctx, time.Now()
	a.filters.Read(ctx)
	a.back = "/admin/activity"
	if a.stream == nil {
		return
	}
	ctx.Handle(ui.ZoneChanged, func(app.Context, app.Action) {})
	ctx.ObserveState(load.MonitoringOff, &a.live.IsOff)
	a.watch = a.stream.Watch(func(frames []client.Frame) {
		ctx.Dispatch(func(ctx app.Context) {
			a.tally.Take(ctx, frames)
			a.take(frames, time.Now())
			a.follow(ctx)
		})
	})
	a.stop = append(a.stop,
		load.Follow(ctx, a.watch, func(_ app.Context, p *rest.Problem) { a.denied = p }),
		load.Keys(ctx, []string{"/", " "}, a.key))
	a.tick()
}

// OnNav takes the filters from the address.
func (a *Activity) OnNav(ctx app.Context) { a.filters.Read(ctx) }

// OnDismount ends what OnMount began.
func (a *Activity) OnDismount() {
	a.stopped = true
	a.tally.Stop(a.ctx)
	for _, stop := range a.stop {
		stop()
	}
	a.stop = nil
}

// tick says what is new, and moves countdowns on.
func (a *Activity) tick() {
	timer := time.AfterFunc(announceEvery, func() {
		a.ctx.Dispatch(func(app.Context) {
			if a.stopped {
				return
			}
			if a.unsaid > 0 && a.say {
				ui.Announce(newActivities(a.unsaid))
			}
			a.unsaid, a.live.Now = 0, time.Now()
			a.tick()
		})
	})
	a.stop = append(a.stop[:min(len(a.stop), 2)], func() { timer.Stop() })
}

func newActivities(n int) string {
	if n == 1 {
		return "1 new activity."
	}
	return ui.Count(int64(n)) + " new activities."
}

// take applies frames that came together.
func (a *Activity) take(frames []client.Frame, now time.Time) {
	a.live.Now = now
	for _, frame := range frames {
		switch f := frame.(type) {
		case client.Status:
			if a.live.Status = f; f.Renewed {
				ui.Announce("Live connection renewed.")
			}
			a.missed.isReconnected = a.live.Known
			continue
		case client.Snapshot:
			a.replace(f)
		case client.Activities:
			a.missed.count(f.ActivityCount, len(f.Items))
			a.kept = append(a.kept, f.Items...)
			a.unsaid += len(f.Items)
		}
		a.live.Known, a.live.Heard = true, now
	}
	if extra := len(a.kept) - mostActivities; extra > 0 {
		a.kept, a.drawn = a.kept[extra:], max(a.drawn-extra, 0)
	}
	if !a.paused {
		a.drawn = len(a.kept)
	}
}

// follow keeps the end of the feed in view while it isn't paused.
func (a *Activity) follow(ctx app.Context) {
	if !a.paused {
		ctx.Defer(func(app.Context) { scrollToEnd() })
	}
}

// replace takes the whole picture. One that doesn't reach back to what is known
// has a gap before it. What was asked for in place of a stream has no activities.
func (a *Activity) replace(s client.Snapshot) {
	if s.Polled {
		return
	}
	a.missed.compare(a.kept, s)
	if a.kept = s.Activities; a.drawn > len(a.kept) {
		a.drawn = len(a.kept)
	}
}

func (a *Activity) key(ctx app.Context, key string, _ app.Value) {
	if key == "/" {
		ui.Focus(ui.FilterTextID)
		return
	}
	a.toggle(ctx, app.Event{})
}

// toggle pauses the feed, or shows what has come meanwhile.
func (a *Activity) toggle(ctx app.Context, _ app.Event) {
	if a.paused = !a.paused; !a.paused {
		a.drawn = len(a.kept)
		a.follow(ctx)
	}
}

// showNew goes on, and leads the keys from the button, which is gone then, to the feed.
func (a *Activity) showNew(ctx app.Context, e app.Event) {
	a.toggle(ctx, e)
	ctx.Defer(func(app.Context) { ui.Focus(feedID) })
}

// scrolled pauses the feed for who reads back, and goes on at its end.
func (a *Activity) scrolled(ctx app.Context, _ app.Event) {
	box := ctx.JSSrc()
	left := box.Get("scrollHeight").Float() - box.Get("scrollTop").Float() - box.Get("clientHeight").Float()
	if isAtEnd := left <= atEnd; isAtEnd == a.paused {
		if a.paused = !isAtEnd; !a.paused {
			a.drawn = len(a.kept)
		}
		return
	}
	ctx.PreventUpdate()
}

func scrollToEnd() {
	if box := app.Window().GetElementByID(feedID); app.IsClient && box.Truthy() {
		box.Set("scrollTop", box.Get("scrollHeight"))
	}
}

// query is what the filters ask for.
func (a *Activity) query() rest.ActivityQuery {
	return rest.ActivityQuery{Kind: a.filters.Get("kind"), Q: strings.TrimSpace(a.filters.Get("q"))}
}

// tools are the bar's end: the file and the command of what passes.
func (a *Activity) tools() []app.UI {
	address := func(format string) string { return client.ExportPath("activities", format, a.query()) }
	return append(ui.Export(address), &ui.CopyButton{Label: "Copy curl", Said: "Command copied.", Text: func() string {
		return ui.Curl(app.Window().URL().Scheme+"://"+app.Window().URL().Host, address("ndjson"))
	}})
}

// passing are those of the drawn ones that pass the filters, the newest last.
func (a *Activity) passing() []rest.Activity {
	var found []rest.Activity
	q := a.query()
	for _, one := range a.kept[:a.drawn] {
		if q.Passes(&one) {
			found = append(found, one)
		}
	}
	return found[max(len(found)-drawnAtOnce, 0):]
}

// Render draws the page.
func (a *Activity) Render() app.UI {
	if a.denied != nil {
		return app.Div().Class("page").Body(load.Refusal(a.denied, a.back))
	}
	behind := len(a.kept) - a.drawn
	return app.Div().Class("page", "activity").Body(
		ui.PageHead("Activity", a.live.Pill(a.paused, behind, a.toggle)),
		&ui.FilterBar{Label: "Filter activities", Values: &a.filters, Fields: []ui.Filter{
			{Key: "q", Label: "Who, session, what…", Kind: ui.FilterText, Max: 100},
			{Key: "kind", Label: "Show only", Kind: ui.FilterMany, Options: activityKinds()},
		}, Beside: append([]app.UI{ui.Check("announce-new", "Announce new items", a.say, a.toggleSay)}, a.tools()...)},
		load.Slot("banner-slot", a.live.Banner()),
		load.Slot("activity-lost", a.missed.banner()),
		app.Div().Class("load-body").Body(a.body(behind)),
	)
}

func (a *Activity) toggleSay(ctx app.Context, _ app.Event) {
	a.say, a.unsaid = ctx.JSSrc().Get("checked").Bool(), 0
}

func (a *Activity) body(behind int) app.UI {
	if !a.live.Known {
		return a.live.Placeholder("activity", ui.Skeleton(ui.SkeletonRows, 12))
	}
	found := a.passing()
	switch {
	case len(a.kept) == 0:
		return ui.EmptyState{Icon: ui.IconActivity, Title: "Nothing has happened yet."}.UI()
	case len(found) == 0 && !a.filters.IsEmpty():
		return ui.EmptyState{Icon: ui.IconFilter, Title: "No activities match these filters.",
			Action: ui.Button(ui.Plain, "", "Clear filters").OnClick(func(app.Context, app.Event) { a.filters.Clear() })}.UI()
	}
	newer := app.UI(app.Div().Class("activity-newer", "is-empty"))
	if behind > 0 {
		newer = app.Div().Class("activity-newer").Body(ui.Button(ui.Primary, "", ui.Count(int64(behind))+" new ↓").OnClick(a.showNew))
	}
	return app.Div().Class("activity-box").Body(activityHead(), a.feed(found), newer)
}

// feed is the log itself. It says nothing by itself: who wishes to hear it is told
// how many are new.
func (a *Activity) feed(found []rest.Activity) app.UI {
	rows := []app.UI{}
	day := ""
	for _, one := range found {
		if d := one.At.Local().Format(dayLayout); d != day {
			day = d
			rows = append(rows, app.Div().Class("activity-day").Text(d))
		}
		rows = append(rows, activityRow(one))
	}
	return app.Div().ID(feedID).Class("activity-feed").Role("log").Aria("live", "off").Aria("label", "Activity").TabIndex(0).
		OnScroll(a.scrolled).Body(rows...)
}

// activityHead names the columns of a wide feed.
func activityHead() app.UI {
	var names []app.UI
	for _, name := range []string{"Time", "Who", "What", "Session", "From"} {
		names = append(names, app.Span().Text(name))
	}
	return app.Div().Class("activity-row", "activity-head").Aria("hidden", true).Body(names...)
}

func activityRow(one rest.Activity) app.UI {
	who := one.Name
	if who == "" {
		who = one.User
	}
	session := app.UI(app.Span().Class("activity-session"))
	if one.Session != "" {
		session = app.A().Class("activity-session").Href("/admin/sessions/" + one.Session).Text(ui.ShortID(one.Session))
	}
	return app.Div().Class("activity-row", "activity-"+one.Kind).Body(
		ui.TimeElement(one.At, one.At.Local().Format("15:04:05")),
		app.Span().Class("activity-who").Title(one.User).Text(who),
		app.Span().Class("activity-what").Body(ui.Icon(kindIcon(one.Kind)), app.Span().Text(whatWords(one))),
		session,
		app.Span().Class("activity-from", "num").Text(one.Remote),
	)
}

func kindIcon(kind string) ui.IconName {
	switch kind {
	case rest.ActivitySignIn:
		return ui.IconLock
	case rest.ActivityCall:
		return ui.IconPhone
	case rest.ActivityQuality:
		return ui.IconGauge
	case rest.ActivityTimeout:
		return ui.IconClock
	case rest.ActivityAdmin:
		return ui.IconShield
	case rest.ActivityPrivacy:
		return ui.IconEye
	}
	return ui.IconAlert
}

// whatWords tells an activity in words.
func whatWords(one rest.Activity) string {
	switch one.What {
	case rest.SignedIn:
		return "Signed in"
	case rest.SignedOut:
		return "Signed out"
	case rest.CallStarted:
		return "Call started"
	case rest.CallEnded:
		return "Call ended: " + ui.EndWord(one.Detail)
	case rest.CallReconnecting:
		return "Call reconnecting"
	case rest.CallResumed:
		return "Call resumed"
	case rest.CallTimedOut:
		return "Call timed out: " + ui.EndWord(one.Detail)
	case rest.CallFailed:
		return "Call failed: " + ui.EndWord(one.Detail)
	case rest.QualityFell:
		return "Quality fell to " + one.Detail
	case rest.QualityRose:
		return "Quality rose to " + one.Detail
	case rest.AdminEndedCall:
		return "An admin ended the call: " + strconv.Quote(one.Detail)
	case rest.SettingsChanged:
		return "Settings changed: " + strings.ReplaceAll(one.Detail, "_", " ")
	case rest.PersonRevealed:
		return "Looked at who calls"
	case rest.PrivacyTurnedOn:
		return "Privacy mode turned on"
	case rest.PrivacyTurnedOff:
		return "Privacy mode turned off"
	}
	return strings.ReplaceAll(one.What, "_", " ")
}
