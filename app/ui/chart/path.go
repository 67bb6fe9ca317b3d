package chart

import (
	"math"
	"strconv"
)

// A plot's coordinates: whole numbers, as fine as a tenth of a pixel.
const (
	plotWidth  = 10000
	plotHeight = 1000
)

// path writes path data into a buffer that is kept from drawing to drawing:
// making the strings is what a chart costs.
type path struct{ b []byte }

func (p *path) reset() { p.b = p.b[:0] }

func (p *path) to(command byte, x, y int) {
	p.b = append(p.b, command)
	p.b = strconv.AppendInt(p.b, int64(x), 10)
	p.b = append(p.b, ' ')
	p.b = strconv.AppendInt(p.b, int64(y), 10)
}

// by is a relative step along one axis: h or v.
func (p *path) by(command byte, n int) {
	p.b = append(p.b, command)
	p.b = strconv.AppendInt(p.b, int64(n), 10)
}

// box is a rectangle from its top left corner.
func (p *path) box(x, y, width, height int) {
	p.to('M', x, y)
	p.by('h', width)
	p.by('v', height)
	p.by('h', -width)
	p.b = append(p.b, 'z')
}

// dot is a line of no length: with round ends it is a circle that no scaling
// makes an ellipse of.
func (p *path) dot(x, y int) {
	p.to('M', x, y)
	p.by('h', 0)
}

func (p *path) String() string { return string(p.b) }

// isGap reports whether nothing was measured.
func isGap(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

// line draws a series over a span into at most buckets places along the way: of
// more samples than that, each bucket keeps its lowest and its highest, so that
// no spike is lost. What was not measured, and samples further apart than
// longest, break the line.
func (p *path) line(s Series, over Span, a axis, buckets int, longest int64) {
	d := drawer{path: p, over: over, axis: a, command: 'M', bucket: -1, last: math.MinInt64}
	first, last := s.visible(over)
	perBucket := float64(buckets)
	if last-first <= buckets {
		perBucket = 0 // each sample for itself
	}
	for i := first; i < last; i++ {
		at, v := s.At[i], s.Values[i]
		if isGap(v) || d.last != math.MinInt64 && longest > 0 && at-d.last > longest {
			d.breakLine()
		}
		if isGap(v) {
			continue
		}
		bucket := i
		if perBucket > 0 {
			bucket = int(over.Share(at) * perBucket)
		}
		d.add(bucket, at, v)
	}
	d.breakLine()
}

// area fills what is between a series and the one below it, or the axis. What breaks
// the line breaks the area.
func (p *path) area(s Series, below *Series, over Span, a axis, longest int64) {
	first, last := s.visible(over)
	for from := first; from < last; {
		to := from
		for to < last && !isGap(s.Values[to]) && (to == from || longest <= 0 || s.At[to]-s.At[to-1] <= longest) {
			to++
		}
		if to > from+1 {
			p.strip(s, below, over, a, from, to)
		}
		from = max(to, from+1)
	}
}

// strip is the area of the samples from ≤ i < to: there above, and back below.
func (p *path) strip(s Series, below *Series, over Span, a axis, from, to int) {
	command := byte('M')
	for i := from; i < to; i++ {
		p.to(command, xOf(over, s.At[i]), yOf(a, s.Values[i]))
		command = 'L'
	}
	for i := to - 1; i >= from; i-- {
		foot := 0.0
		if below != nil {
			foot = below.Values[i]
		}
		p.to('L', xOf(over, s.At[i]), yOf(a, foot))
	}
	p.b = append(p.b, 'z')
}

// drawer gathers the samples of one bucket.
type drawer struct {
	path      *path
	over      Span
	axis      axis
	command   byte
	bucket    int
	last      int64 // of the newest sample
	low, high sample
	drawn     int // of the line that is being drawn
	lastX     int // where the line is
	lastY     int
	has       bool // something is in the bucket
}

type sample struct {
	at int64
	v  float64
}

func (d *drawer) add(bucket int, at int64, v float64) {
	if bucket != d.bucket || !d.has {
		d.flush()
		d.bucket, d.has = bucket, true
		d.low, d.high = sample{at, v}, sample{at, v}
	}
	if v < d.low.v {
		d.low = sample{at, v}
	}
	if v > d.high.v {
		d.high = sample{at, v}
	}
	d.last = at
}

// flush draws what is in the bucket, in the order of time.
func (d *drawer) flush() {
	if !d.has {
		return
	}
	first, second := d.low, d.high
	if second.at < first.at {
		first, second = second, first
	}
	d.point(first)
	if second != first {
		d.point(second)
	}
	d.has = false
}

func (d *drawer) point(s sample) {
	d.lastX, d.lastY = xOf(d.over, s.at), yOf(d.axis, s.v)
	d.path.to(d.command, d.lastX, d.lastY)
	d.command = 'L'
	d.drawn++
}

// breakLine ends the line here. A single sample between gaps is a dot.
func (d *drawer) breakLine() {
	d.flush()
	if d.drawn == 1 {
		d.path.by('h', 0)
	}
	d.command, d.drawn, d.last = 'M', 0, math.MinInt64
}

func xOf(over Span, at int64) int { return int(math.Round(over.Share(at) * plotWidth)) }

func yOf(a axis, v float64) int { return int(math.Round(a.share(v) * plotHeight)) }
