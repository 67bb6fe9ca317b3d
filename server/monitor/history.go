package monitor

import (
	"math"
	"slices"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// What the last hour is kept in.
const (
	blockSeconds = 60
	keptMinutes  = 60
	// maxHistory bounds one stream's packed minutes, in bytes. A noisy line takes
	// half of it; on one whose every figure leaps each second the oldest minutes
	// go before their hour is over.
	maxHistory = 32 << 10
	// absentValue marks a figure that was not measured.
	absentValue = math.MaxUint16
)

// The columns of a point.
const (
	colExpected = iota // packets
	colLost            // packets
	colRecovered
	colDiscarded
	colLoss    // over ten seconds
	colConceal // over ten seconds
	colJitter
	colRTT
	colBuffer
	colDelay
	colBitrate
	colR
	columnCount
)

// columnUnit is what one step of a column is worth: as fine as a chart of an hour
// can show and as a person can hear, and no finer, for noise can't be packed.
func columnUnit(column int) float64 {
	switch column {
	case colLoss, colConceal:
		return 0.001
	case colJitter, colRTT:
		return 0.5 // ms
	case colBuffer, colDelay:
		return 1 // ms
	case colBitrate:
		return 1000 // bit/s
	case colR:
		return 0.5
	}
	return 1
}

// point is one second of one stream, in units.
type point [columnCount]uint16

func emptyPoint() (p point) {
	for c := range p {
		p[c] = absentValue
	}
	return p
}

func newPoint(f rtcstats.Flow, m rest.Metrics) (p point) {
	p[colExpected], p[colLost] = clampPackets(f.Expected), clampPackets(f.Lost)
	p[colRecovered], p[colDiscarded] = clampPackets(f.Recovered), clampPackets(f.Discarded)
	p.setFigure(colLoss, m.LossRatio)
	p.setFigure(colConceal, m.ConcealedRatio)
	p.setFigure(colJitter, m.JitterMS)
	p.setFigure(colRTT, m.RTTMS)
	p.setFigure(colBuffer, m.BufferMS)
	p.setFigure(colDelay, m.DelayMS)
	p.setFigure(colBitrate, m.BitrateBPS)
	p.setFigure(colR, m.R)
	return p
}

func clampPackets(n int64) uint16 { return uint16(min(n, absentValue-1)) }

func (p *point) setFigure(column int, v *float64) {
	p[column] = absentValue
	if v != nil {
		p[column] = uint16(min(math.Round(*v/columnUnit(column)), absentValue-1))
	}
}

// figure gives a column's value; nil where it was not measured.
func (p *point) figure(column int) *float64 {
	if p[column] == absentValue {
		return nil
	}
	return new(float64(p[column]) * columnUnit(column))
}

func (p *point) isMeasured() bool { return p[colExpected] != absentValue }

// flow gives the packets back.
func (p *point) flow() rtcstats.Flow {
	if !p.isMeasured() {
		return rtcstats.Flow{Gap: rtcstats.GapAbsent}
	}
	return rtcstats.Flow{
		Expected: int64(p[colExpected]), Lost: int64(p[colLost]),
		Recovered: int64(p[colRecovered]), Discarded: int64(p[colDiscarded]),
	}
}

// metrics gives the figures back, to within half a unit.
func (p *point) metrics() rest.Metrics {
	m := rest.Metrics{
		LossRatio: p.figure(colLoss), ConcealedRatio: p.figure(colConceal), JitterMS: p.figure(colJitter),
		RTTMS: p.figure(colRTT), BufferMS: p.figure(colBuffer), DelayMS: p.figure(colDelay),
		BitrateBPS: p.figure(colBitrate), R: p.figure(colR),
	}
	if m.R != nil {
		m.MOS = new(quality.MOS(*m.R))
	}
	return m
}

// history is one stream's last hour: the minute that is being written as it is,
// those before it packed.
type history struct {
	open      *[blockSeconds]point
	minute    int      // of open
	bytes     int64    // of audio, in open
	packed    []sealed // oldest first
	size      int      // bytes in packed
	keepsFull bool     // fill full
	full      []sealed // packed, and not taken yet
}

// sealed is a packed minute, and its bytes of audio.
type sealed struct {
	packed string // its header is shorter than a slice's
	bytes  int64
}

// addPoint keeps the point of a second, counted from the session's start. Two looks
// in one second are one: the packets add up, the newer figures stand. A second
// of an earlier minute comes too late.
func (h *history) addPoint(second int, p point) {
	second = max(second, 0)
	minute := second / blockSeconds
	switch {
	case h.open == nil:
		h.open = newEmptyBlock()
		h.minute = minute
	case minute < h.minute:
		return
	case minute > h.minute:
		h.packMinute(minute)
	}
	at := &h.open[second%blockSeconds]
	if at.isMeasured() {
		for _, c := range []int{colExpected, colLost, colRecovered, colDiscarded} {
			p[c] = uint16(min(int(p[c])+int(at[c]), absentValue-1))
		}
	}
	*at = p
}

func newEmptyBlock() *[blockSeconds]point {
	b := new([blockSeconds]point)
	for i := range b {
		b[i] = emptyPoint()
	}
	return b
}

// packMinute packs the open minute and opens another.
func (h *history) packMinute(minute int) {
	done := sealed{pack(h.minute, h.open), h.bytes}
	if h.keepsFull {
		h.full = append(h.full, done)
	}
	h.packed = append(h.packed, done)
	h.size += len(done.packed)
	h.bytes = 0
	drop := 0
	for drop < len(h.packed) && (minuteOf(h.packed[drop].packed) < minute-keptMinutes || h.size > maxHistory) {
		h.size -= len(h.packed[drop].packed)
		drop++
	}
	h.packed = slices.Delete(h.packed, 0, drop)
	h.minute = minute
	*h.open = *newEmptyBlock()
}

// takePacked gives the minutes that were filled since the last time; with all, the
// one that is open, too, and nothing comes after it.
func (h *history) takePacked(all bool) []sealed {
	out := h.full
	h.full = nil
	if all && h.keepsFull && h.open != nil {
		out = append(out, sealed{pack(h.minute, h.open), h.bytes})
		h.keepsFull = false
	}
	return out
}

// forEach calls f with every measured second of from ≤ second < to, oldest first, and
// returns the bytes of that time: of a minute that is cut, its seconds' share.
func (h *history) forEach(from, to int, f func(second int, p *point)) (bytes int64) {
	visit := func(minute int, block *[blockSeconds]point, all int64) {
		measured, visited := int64(0), int64(0)
		for i := range block {
			if !block[i].isMeasured() {
				continue
			}
			measured++
			if s := minute*blockSeconds + i; s >= from && s < to {
				visited++
				f(s, &block[i])
			}
		}
		if measured > 0 {
			bytes += all * visited / measured
		}
	}
	for _, b := range h.packed {
		if minute := minuteOf(b.packed); (minute+1)*blockSeconds > from && minute*blockSeconds < to {
			visit(minute, unpack(b.packed), b.bytes)
		}
	}
	if h.open != nil {
		visit(h.minute, h.open, h.bytes)
	}
	return bytes
}
