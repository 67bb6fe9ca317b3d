package chart

// Span is a stretch of time, in milliseconds since the Unix epoch.
type Span struct{ From, To int64 }

// Len is how long the span is.
func (s Span) Len() int64 { return s.To - s.From }

// IsEmpty reports whether there is no time in it.
func (s Span) IsEmpty() bool { return s.To <= s.From }

// Share is where a moment lies: 0 at the beginning, 1 at the end.
func (s Span) Share(at int64) float64 {
	if s.IsEmpty() {
		return 0
	}
	return float64(at-s.From) / float64(s.Len())
}

// At is the moment at a share.
func (s Span) At(share float64) int64 { return s.From + int64(share*float64(s.Len())+0.5) }

// Contains reports whether a moment lies in the span.
func (s Span) Contains(at int64) bool { return s.From <= at && at <= s.To }

// within moves the span into limits, and cuts it where it is longer.
func (s Span) within(limits Span) Span {
	switch {
	case s.Len() >= limits.Len():
		return limits
	case s.From < limits.From:
		return Span{limits.From, limits.From + s.Len()}
	case s.To > limits.To:
		return Span{limits.To - s.Len(), limits.To}
	}
	return s
}

// MinSpan is the shortest stretch that can be zoomed to: some samples are in it.
const MinSpan = 5000

// window is which part of the whole time is shown.
type window struct {
	whole   Span
	shown   Span
	zoomed  bool
	follows bool // its end is the end of the whole, and moves on with it
	held    bool // somebody looks at it: it stays where it is
}

// extend tells that there is more time, or other time.
func (w window) extend(whole Span) window {
	first := w.whole.IsEmpty()
	w.whole = whole
	switch {
	case first && !w.zoomed:
		w.shown, w.follows = whole, true
	case first: // what a link asked for, before anything was known
		w = w.zoomTo(w.shown)
	case w.held || !w.follows:
	case w.zoomed:
		w.shown = Span{whole.To - w.shown.Len(), whole.To}
	default:
		w.shown = whole
	}
	return w
}

// zoomTo shows a stretch.
func (w window) zoomTo(s Span) window {
	if w.whole.IsEmpty() {
		w.shown, w.zoomed, w.follows = s, !s.IsEmpty(), false
		return w
	}
	if s.Len() < MinSpan {
		middle := s.From + s.Len()/2
		s = Span{middle - MinSpan/2, middle + MinSpan/2}
	}
	s = s.within(w.whole)
	w.shown = s
	w.zoomed = s != w.whole
	w.follows = !w.zoomed
	return w
}

// zoomBy shows factor times as much time; around stays where it is.
func (w window) zoomBy(factor float64, around int64) window {
	if !w.shown.Contains(around) {
		around = w.shown.At(0.5)
	}
	share := w.shown.Share(around)
	length := float64(w.shown.Len()) * factor
	from := around - int64(share*length)
	return w.zoomTo(Span{from, from + int64(length)})
}

// reset shows all there is.
func (w window) reset() window {
	w.shown, w.zoomed, w.follows, w.held = w.whole, false, true, false
	return w
}

// live goes to the end of the time, and stays there, as closely as it is zoomed.
func (w window) live() window {
	w.follows, w.held = true, false
	return w.extend(w.whole)
}

// isFrozen reports whether the end of the time isn't shown or doesn't move on.
func (w window) isFrozen() bool { return w.held || !w.follows }
