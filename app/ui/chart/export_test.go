package chart

// What the tests read of the inside.

// LinePath draws a series.
func LinePath(s Series, over Span, low, high float64, buckets int, longest int64) string {
	var p path
	p.line(s, over, newAxis(low, high), buckets, longest)
	return p.String()
}

// AreaPath draws the area between a series and the one below it.
func AreaPath(s Series, below *Series, over Span, low, high float64, longest int64) string {
	var p path
	p.area(s, below, over, newAxis(low, high), longest)
	return p.String()
}

// Stack puts series upon each other.
func Stack(all []Series) []Series { return stack(all) }

// AxisTicks are the ticks of a vertical axis, and how they are written.
func AxisTicks(low, high float64) (ticks []float64, labels []string) {
	a := newAxis(low, high)
	for _, v := range a.ticks() {
		labels = append(labels, a.label(v))
	}
	return a.ticks(), labels
}

// TimeTicks are those of a time axis.
func TimeTicks(s Span, most int, offset int64) ([]int64, int64) { return timeTicks(s, most, offset) }

// Window is which part of the time is shown.
type Window = window

// Extend, ZoomTo, ZoomBy, Reset and GoLive are what happens to it.
func (w window) Extend(s Span) window                   { return w.extend(s) }
func (w window) ZoomTo(s Span) window                   { return w.zoomTo(s) }
func (w window) ZoomBy(by float64, around int64) window { return w.zoomBy(by, around) }
func (w window) Reset() window                          { return w.reset() }
func (w window) GoLive() window                         { return w.live() }
func (w window) Hold(held bool) window                  { w.held = held; return w }
func (w window) State() (shown Span, zoomed, frozen bool) {
	return w.shown, w.zoomed, w.isFrozen()
}

// KeyTarget is where a key takes the cursor; handled is false of other keys.
func KeyTarget(key string, shift bool, times []int64, cursor int64, shown Span) (at int64, handled bool) {
	a, known := actOf(key, shift)
	if !known || a.zoom != 0 || a.resets || a.toggles {
		return cursor, known
	}
	return target(a, times, cursor, shown), true
}

// Spread, Rows and EventNear are parts of a chart.
func Spread(places []int, gap, most int) []int { return spread(places, gap, most) }
func Rows(all []Series, over Span, write func(float64) string) (at []int64, cells [][]string) {
	for _, r := range rows(all, over, write) {
		at, cells = append(at, r.at), append(cells, r.cells)
	}
	return at, cells
}
func EventNear(events []Event, at int64, over Span) (Event, bool) {
	return eventNear(events, at, over)
}
