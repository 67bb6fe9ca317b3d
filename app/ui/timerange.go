package ui

import (
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// The parameters of the address that a TimeRange keeps: a span until now, or
// two moments in RFC 3339.
const (
	KeySince = "since"
	KeyFrom  = "from"
	KeyTo    = "to"
)

// spans are the choices of a TimeRange.
func spans() []Option {
	return []Option{{"15m", "Last 15 min"}, {"1h", "Last hour"}, {"6h", "Last 6 h"}, {"24h", "Last 24 h"},
		{"7d", "Last 7 days"}, {"30d", "Last 30 days"}, {customSpan, "Custom…"}}
}

const (
	timeRangeID = "time-range"
	customSpan  = "custom"
	localLayout = "2006-01-02T15:04:05" // of a datetime-local field
)

// TimeRange chooses from when things are shown: a span until now, or two
// moments in the viewer's zone.
type TimeRange struct {
	Values FilterValues
	Usual  string // the span that holds without a choice: "24h"
}

// UI draws the range.
func (t TimeRange) UI() app.UI {
	body := []app.UI{Select(timeRangeID, t.chosen(), spans()).Aria("label", "Time").OnChange(t.choose)}
	if t.chosen() == customSpan {
		body = append(body, t.moment(KeyFrom, "From"), t.moment(KeyTo, "To"))
	}
	return app.Div().Class("time-range").Body(body...)
}

func (t TimeRange) chosen() string {
	since := t.Values.Get(KeySince)
	switch {
	case t.Values.Get(KeyFrom) != "" || t.Values.Get(KeyTo) != "":
		return customSpan
	case since == "":
		return t.Usual
	}
	return since
}

func (t TimeRange) choose(ctx app.Context, _ app.Event) {
	since := ctx.JSSrc().Get("value").String()
	switch since {
	case customSpan: // begins as what is shown
		from, to := Range(t.Values, t.Usual, time.Now())
		if to.IsZero() {
			to = time.Now()
		}
		t.Values.Set(KeySince, "", KeyFrom, wire(from), KeyTo, wire(to))
		return
	case t.Usual:
		since = ""
	}
	t.Values.Set(KeySince, since, KeyFrom, "", KeyTo, "")
}

func (t TimeRange) moment(key, label string) app.UI {
	return app.Input().Class("input", "time-moment").ID("time-"+key).Type("datetime-local").Step(1).Aria("label", label+", "+Zone(time.Now())).
		Value(localMoment(t.Values.Get(key))).OnChange(func(ctx app.Context, _ app.Event) {
		t.Values.Set(key, momentOf(ctx.JSSrc().Get("value").String()))
	}, app.EventScope("moment", key))
}

// localMoment writes a moment for a datetime-local field; "" for none.
func localMoment(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return ""
	}
	return at.Local().Format(localLayout)
}

// momentOf reads a datetime-local field, which leaves out seconds of 0.
func momentOf(value string) string {
	if len(value) == len(localLayout)-3 {
		value += ":00"
	}
	at, err := time.ParseInLocation(localLayout, value, time.Local)
	if err != nil {
		return ""
	}
	return wire(at)
}

func wire(at time.Time) string { return at.UTC().Truncate(time.Second).Format(time.RFC3339) }

// Range is the time that values stand for; a zero to is now and later. usual
// holds where nothing, or nothing readable, is set.
func Range(values FilterValues, usual string, now time.Time) (from, to time.Time) {
	from, _ = time.Parse(time.RFC3339, values.Get(KeyFrom))
	to, _ = time.Parse(time.RFC3339, values.Get(KeyTo))
	if !from.IsZero() || !to.IsZero() {
		return from, to
	}
	span, ok := spanOf(values.Get(KeySince))
	if !ok {
		span, _ = spanOf(usual)
	}
	return now.Add(-span), to
}

func spanOf(text string) (time.Duration, bool) {
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		d, err := time.ParseDuration(days + "h")
		return d * 24, err == nil && d > 0
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d > 0
}
