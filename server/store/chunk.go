package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/klauspost/compress/zstd"

	"parley/shared/quality"
	"parley/shared/rest"
)

// ChunkSeconds is the longest that a chunk may span.
const ChunkSeconds = 60

// A column is one figure of a point, kept in whole units: as finely as the
// figures are told while a call lives.
type packedColumn struct {
	perUnit float64 // units in one
	of      func(*rest.Metrics) **float64
}

// columns are in the order of the packed form, which never changes; new ones
// come behind under a new version. MOS follows from R.
var columns = [...]packedColumn{
	{1e4, func(m *rest.Metrics) **float64 { return &m.LossRatio }},
	{10, func(m *rest.Metrics) **float64 { return &m.JitterMS }},
	{10, func(m *rest.Metrics) **float64 { return &m.RTTMS }},
	{10, func(m *rest.Metrics) **float64 { return &m.BufferMS }},
	{10, func(m *rest.Metrics) **float64 { return &m.DelayMS }},
	{1e4, func(m *rest.Metrics) **float64 { return &m.ConcealedRatio }},
	{0.01, func(m *rest.Metrics) **float64 { return &m.BitrateBPS }},
	{10, func(m *rest.Metrics) **float64 { return &m.R }},
}

// maxUnits bounds a figure: beyond is a defect of who measured.
const maxUnits = 1 << 31

func (c packedColumn) units(v float64) int64 {
	if math.IsNaN(v) {
		return 0
	}
	return int64(math.Round(min(max(v*c.perUnit, -maxUnits), maxUnits)))
}

func (c packedColumn) value(units int64) float64 { return float64(units) / c.perUnit }

// The first byte of a packed chunk says how the rest is kept.
const (
	packedPlain = 1
	packedZstd  = 2
	// maxUnpacked bounds what a packed chunk may unfold to: every second of every
	// column a longest varint, and the heads.
	maxUnpacked = 8 + len(columns)*(9+ChunkSeconds*binary.MaxVarintLen64)
)

// How many of the measured seconds have a column.
const (
	presentNone = iota
	presentAll
	presentSome // eight bytes say which
)

var errPacked = errors.New("a packed minute that can't be read")

// codec packs minutes: column by column the steps between values as varints,
// then zstd where that is smaller. It stays readable for all releases; the monitor
// packs its live hour in a form of its own, which is quicker to open and may change.
type codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newCodec() (c codec, err error) {
	c.enc, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true), zstd.WithWindowSize(zstd.MinWindowSize), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return c, err
	}
	c.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(maxUnpacked)))
	return c, err
}

func (c codec) close() error {
	if c.dec != nil {
		c.dec.Close()
	}
	if c.enc != nil {
		return c.enc.Close()
	}
	return nil
}

// qualitySecond is a measured second of a chunk.
type qualitySecond struct {
	at      int // seconds from the chunk's start
	metrics rest.Metrics
}

// secondsOf gives the measured points of a chunk by their seconds.
func secondsOf(c *rest.QualityChunk) ([]qualitySecond, error) {
	out := make([]qualitySecond, 0, len(c.Points))
	for _, p := range c.Points {
		at := int(p.At.Sub(c.Start) / time.Second)
		if p.At.Before(c.Start) || at >= ChunkSeconds || len(out) > 0 && at <= out[len(out)-1].at {
			return nil, fmt.Errorf("chunk of %s: the point of %s is not a second of its own from %s on",
				c.Session, p.At.Format(time.RFC3339Nano), c.Start.Format(time.RFC3339Nano))
		}
		if !p.Gap {
			out = append(out, qualitySecond{at, p.Metrics})
		}
	}
	return out, nil
}

func (c codec) pack(seconds []qualitySecond) []byte {
	var measured uint64
	for _, s := range seconds {
		measured |= 1 << s.at
	}
	plain := binary.LittleEndian.AppendUint64(make([]byte, 0, 1024), measured)
	for _, col := range columns {
		plain = col.pack(plain, seconds)
	}
	if small := c.enc.EncodeAll(plain, []byte{packedZstd}); len(small) <= len(plain) {
		return small
	}
	return append([]byte{packedPlain}, plain...)
}

func (c packedColumn) pack(out []byte, seconds []qualitySecond) []byte {
	var present uint64
	for i := range seconds {
		if *c.of(&seconds[i].metrics) != nil {
			present |= 1 << seconds[i].at
		}
	}
	switch bits.OnesCount64(present) {
	case 0:
		return append(out, presentNone)
	case len(seconds):
		out = append(out, presentAll)
	default:
		out = binary.LittleEndian.AppendUint64(append(out, presentSome), present)
	}
	last := int64(0)
	for i := range seconds {
		if v := *c.of(&seconds[i].metrics); v != nil {
			units := c.units(*v)
			out = binary.AppendVarint(out, units-last)
			last = units
		}
	}
	return out
}

// unpack is pack's inverse; it trusts nothing that it reads.
func (c codec) unpack(packed []byte) ([]qualitySecond, error) {
	if len(packed) == 0 {
		return nil, errPacked
	}
	plain := packed[1:]
	switch packed[0] {
	case packedPlain:
	case packedZstd:
		var err error
		if plain, err = c.dec.DecodeAll(plain, make([]byte, 0, 1024)); err != nil {
			return nil, fmt.Errorf("%w: %w", errPacked, err)
		}
	default:
		return nil, fmt.Errorf("%w: form %d", errPacked, packed[0])
	}
	r := packedReader{plain}
	measured := r.word()
	if measured>>ChunkSeconds != 0 {
		return nil, errPacked
	}
	out := make([]qualitySecond, 0, bits.OnesCount64(measured))
	for ; measured != 0; measured &= measured - 1 {
		out = append(out, qualitySecond{at: bits.TrailingZeros64(measured)})
	}
	values := newColumnBuffer(len(out))
	for _, col := range columns {
		if !col.unpack(&r, out, values) {
			return nil, errPacked
		}
	}
	if len(r.data) != 0 {
		return nil, errPacked
	}
	for i := range out {
		if m := &out[i].metrics; m.R != nil {
			m.MOS = values.set(toUnit(quality.MOS(*m.R), unitMOS))
		}
	}
	return out, nil
}

// columnBuffer is where the figures of many seconds are: a chart of an hour has thirty
// thousand of them, each behind a pointer.
type columnBuffer struct{ free []float64 }

// newColumnBuffer has room for all figures of n seconds.
func newColumnBuffer(n int) *columnBuffer { return &columnBuffer{make([]float64, n*(len(columns)+1))} }

func (s *columnBuffer) set(v float64) *float64 {
	p := &s.free[0]
	*p, s.free = v, s.free[1:]
	return p
}

func (c packedColumn) unpack(r *packedReader, seconds []qualitySecond, values *columnBuffer) bool {
	present := uint64(math.MaxUint64)
	switch r.byte() {
	case presentNone:
		return r.data != nil
	case presentAll:
	case presentSome:
		present = r.word()
	default:
		return false
	}
	units := int64(0)
	for i := range seconds {
		if present&(1<<seconds[i].at) != 0 {
			units += r.varint()
			*c.of(&seconds[i].metrics) = values.set(c.value(units))
		}
	}
	return r.data != nil
}

// packedReader takes a packed minute apart; its data is nil once it was too short.
type packedReader struct{ data []byte }

func (r *packedReader) byte() byte {
	if len(r.data) < 1 {
		r.data = nil
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *packedReader) word() uint64 {
	if len(r.data) < 8 {
		r.data = nil
		return 0
	}
	w := binary.LittleEndian.Uint64(r.data)
	r.data = r.data[8:]
	return w
}

func (r *packedReader) varint() int64 {
	v, n := binary.Varint(r.data)
	if n <= 0 {
		r.data = nil
		return 0
	}
	r.data = r.data[n:]
	return v
}
