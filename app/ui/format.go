package ui

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Missing is what stands where nothing was measured. It is never 0.
const Missing = "–"

// thinSpace groups digits and does not break a line.
const thinSpace = "\u202f"

// Millis writes a latency: whole milliseconds below 10 s, then seconds.
func Millis(ms float64) string {
	if !isFinite(ms) {
		return Missing
	}
	if math.Abs(ms) < 9999.5 {
		return grouped(ms, 0) + " ms"
	}
	return grouped(ms/1000, 1) + " s"
}

// Seconds writes a latency of milliseconds as seconds with one decimal.
func Seconds(ms float64) string {
	if !isFinite(ms) {
		return Missing
	}
	return grouped(ms/1000, 1) + " s"
}

// Percent writes a percentage that is given in percent.
func Percent(p float64) string {
	switch {
	case !isFinite(p):
		return Missing
	case p == 0:
		return "0 %"
	case p > 0 && p < 0.05:
		return "< 0.1 %"
	case math.Abs(p) < 9.95:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + " %"
}

// Ratio writes a ratio of 0–1 as a percentage.
func Ratio(r float64) string { return Percent(r * 100) }

// MOS writes an estimated MOS with one decimal.
func MOS(v float64) string {
	if !isFinite(v) || v == 0 {
		return Missing
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// MOSExact writes an estimated MOS with two decimals, for tooltips.
func MOSExact(v float64) string {
	if !isFinite(v) || v == 0 {
		return Missing
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// Bitrate writes bit/s as kbit/s.
func Bitrate(bps float64) string {
	if !isFinite(bps) {
		return Missing
	}
	return grouped(bps/1000, 0) + " kbit/s"
}

// Bytes writes a size in decimal kB or MB.
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 999_950:
		return strconv.FormatFloat(float64(n)/1e3, 'f', 1, 64) + " kB"
	}
	return grouped(float64(n)/1e6, 1) + " MB"
}

// Count writes a whole number in groups of three digits.
func Count(n int64) string { return group(strconv.FormatInt(n, 10)) }

// grouped writes a number with so many decimals, in groups of three digits.
func grouped(v float64, decimals int) string {
	return group(strconv.FormatFloat(v, 'f', decimals, 64))
}

// group sets the digits before the point of a number apart, by threes.
func group(number string) string {
	digits, isNegative := strings.CutPrefix(number, "-")
	whole := len(digits)
	if point := strings.IndexByte(digits, '.'); point >= 0 {
		whole = point
	}
	var b strings.Builder
	if isNegative {
		b.WriteString("−")
	}
	for i, r := range digits {
		if i > 0 && i < whole && (whole-i)%3 == 0 {
			b.WriteString(thinSpace)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Day names a day, with its year where that is another one than now's.
func Day(at, now time.Time) string {
	if at, now = at.Local(), now.Local(); at.Year() != now.Year() {
		return at.Format("2 Jan 2006")
	}
	return at.Format("2 Jan")
}

// CountShort is Count for tiles: from 10 000 on in thousands.
func CountShort(n int64) string {
	if n < 10_000 {
		return Count(n)
	}
	return strconv.FormatFloat(float64(n)/1000, 'f', 1, 64) + " k"
}

// Duration writes 4:12 or 1:04:12.
func Duration(d time.Duration) string {
	s := int(max(d, 0) / time.Second)
	h, m, s := s/3600, s/60%60, s%60
	if h > 0 {
		return strconv.Itoa(h) + ":" + two(m) + ":" + two(s)
	}
	return strconv.Itoa(m) + ":" + two(s)
}

// DurationWords writes a duration as it is spoken: 4 minutes 12 seconds.
func DurationWords(d time.Duration) string {
	s := int(max(d, 0) / time.Second)
	var parts []string
	for _, u := range []struct {
		n    int
		word string
	}{{s / 3600, "hour"}, {s / 60 % 60, "minute"}, {s % 60, "second"}} {
		if u.n > 0 {
			parts = append(parts, Plural(u.n, u.word))
		}
	}
	if len(parts) == 0 {
		return "0 seconds"
	}
	return strings.Join(parts, " ")
}

// Span writes a limit in whole words: 30 minutes, 1 hour, 45 seconds.
func Span(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0 && d > time.Hour:
		return Plural(int(d/time.Hour), "hour")
	case d >= time.Minute && d%time.Minute == 0:
		return Plural(int(d/time.Minute), "minute")
	}
	return DurationWords(d)
}

// Age writes how long ago something was, for tables: 12 s, 4 min, 3 h, 2 d.
func Age(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < 24*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + " d"
}

// Clock writes the time of day in the viewer's zone.
func Clock(t time.Time) string { return t.Local().Format("15:04:05") }

// DayClock is Clock, with the day before it where that isn't now's.
func DayClock(at, now time.Time) string {
	if day := Day(at, now); day != Day(now, now) {
		return day + ", " + Clock(at)
	}
	return Clock(at)
}

// Moment writes date and time with milliseconds in the viewer's zone and in
// UTC, for tooltips.
func Moment(t time.Time) string {
	return t.Local().Format("2006-01-02 15:04:05.000") + " " + Zone(t.Local()) +
		" · " + t.UTC().Format("15:04:05.000") + " UTC"
}

// Zone writes the offset of t's zone: UTC, UTC+2, UTC+5:30.
func Zone(t time.Time) string {
	_, offset := t.Zone()
	if offset == 0 {
		return "UTC"
	}
	sign := "+"
	if offset < 0 {
		sign, offset = "−", -offset
	}
	out := "UTC" + sign + strconv.Itoa(offset/3600)
	if m := offset / 60 % 60; m != 0 {
		out += ":" + two(m)
	}
	return out
}

// ShortID cuts an id so that it can still be told from others.
func ShortID(id string) string {
	const keep = 9 // sess_ and four characters
	if len(id) <= keep+1 {
		return id
	}
	return id[:keep] + "…"
}

// Number shows a figure, or that there is none.
func Number(v *float64, write func(float64) string) app.UI {
	if v == nil || !isFinite(*v) {
		return NoData()
	}
	return app.Span().Class("num").Text(write(*v))
}

// NoData is the dash of a missing value.
func NoData() app.UI {
	return app.Span().Class("num nodata").Role("img").Aria("label", "no data").Text(Missing)
}

// Timer shows a running or finished duration, with its spoken form.
func Timer(d time.Duration) app.UI {
	return app.Span().Class("num").Role("img").Aria("label", DurationWords(d)).Text(Duration(d))
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func two(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// Plural writes a number of things: 1 call, 2 calls.
func Plural(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return Count(int64(n)) + " " + word
}
