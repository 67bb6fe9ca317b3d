package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"parley/server/fault"
	"parley/shared/rest"
)

// unitMOS: MOS is told and kept in hundredths.
const unitMOS = 100

// toUnit rounds to 1/perUnit.
func toUnit(v, perUnit float64) float64 {
	return packedColumn{perUnit: perUnit}.value(packedColumn{perUnit: perUnit}.units(v))
}

// rangedFigures are the figures that a chunk's row has columns for, by name and unit.
var rangedFigures = [...]struct {
	name    string
	perUnit float64
	of      func(*rest.Summary) **rest.Range
	from    func(*rest.Metrics) *float64
}{
	{"loss", 1e4, func(s *rest.Summary) **rest.Range { return &s.LossRatio }, func(m *rest.Metrics) *float64 { return m.LossRatio }},
	{"jitter", 10, func(s *rest.Summary) **rest.Range { return &s.JitterMS }, func(m *rest.Metrics) *float64 { return m.JitterMS }},
	{"rtt", 10, func(s *rest.Summary) **rest.Range { return &s.RTTMS }, func(m *rest.Metrics) *float64 { return m.RTTMS }},
	{"buffer", 10, func(s *rest.Summary) **rest.Range { return &s.BufferMS }, func(m *rest.Metrics) *float64 { return m.BufferMS }},
	{"delay", 10, func(s *rest.Summary) **rest.Range { return &s.DelayMS }, func(m *rest.Metrics) *float64 { return m.DelayMS }},
	{"r", 10, func(s *rest.Summary) **rest.Range { return &s.R }, func(m *rest.Metrics) *float64 { return m.R }},
	{"mos", unitMOS, func(s *rest.Summary) **rest.Range { return &s.MOS }, func(m *rest.Metrics) *float64 { return m.MOS }},
}

func qualityColumns() string {
	names := []string{"session", "leg", "direction", "measured_by", "start", "seconds", "received", "lost", "bytes", "points"}
	for _, f := range rangedFigures {
		names = append(names, f.name+"_min", f.name+"_max", f.name+"_avg")
	}
	return strings.Join(names, ", ")
}

// qualityWidth is the number of qualityColumns.
const qualityWidth = 10 + 3*len(rangedFigures)

// AppendQuality keeps chunks, all in one transaction.
func (s *Store) AppendQuality(ctx context.Context, chunks []rest.QualityChunk) error {
	rows := make([][]any, 0, len(chunks))
	for i := range chunks {
		row, err := s.chunkRow(&chunks[i])
		if err != nil {
			return err
		}
		id := s.ids.next()
		if err := s.bulk.makePlace(ctx, "quality", id); err != nil {
			return err
		}
		rows = append(rows, append([]any{id}, row...))
	}
	if len(rows) == 0 {
		return nil
	}
	return s.telemetry.write(ctx, "keeping quality", func(ctx context.Context, tx *sql.Tx) error {
		calm := context.WithoutCancel(ctx)
		insert, err := tx.PrepareContext(calm, "INSERT INTO quality (id, "+qualityColumns()+") VALUES ("+placeholders(1+qualityWidth)+")")
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, row := range rows {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if _, err := insert.ExecContext(calm, row...); err != nil {
				return err
			}
		}
		return nil
	})
}

// chunkRow packs a chunk before the writer is taken.
func (s *Store) chunkRow(c *rest.QualityChunk) ([]any, error) {
	seconds, err := secondsOf(c)
	if err != nil {
		return nil, err
	}
	worked := summaryOf(seconds, c.Received, c.Lost)
	row := append(make([]any, 0, 1+qualityWidth), c.Session, c.Leg, string(c.Direction), c.MeasuredBy,
		ms(c.Start), len(seconds), c.Received, c.Lost, c.Bytes, s.codec.pack(seconds))
	for _, f := range rangedFigures {
		r := *f.of(&c.Summary)
		if r == nil {
			r = *f.of(&worked)
		}
		if r == nil {
			row = append(row, nil, nil, nil)
			continue
		}
		unit := packedColumn{perUnit: f.perUnit}
		row = append(row, unit.units(r.Min), unit.units(r.Max), unit.units(r.Avg))
	}
	return row, nil
}

// Quality gives the chunks of a session that touch from…to, oldest first, each
// with all its points. Zero times stand for its beginning and its end.
func (s *Store) Quality(ctx context.Context, session string, from, to time.Time) ([]rest.QualityChunk, error) {
	query := "SELECT " + qualityColumns() + " FROM quality WHERE session = ?"
	args := []any{session}
	if !from.IsZero() {
		query, args = query+" AND start > ?", append(args, ms(from.Add(-ChunkSeconds*time.Second)))
	}
	if !to.IsZero() {
		query, args = query+" AND start < ?", append(args, ms(to))
	}
	chunks := []rest.QualityChunk{}
	err := s.telemetry.read(ctx, "reading quality", query+" ORDER BY start, id", args, func(r rowScanner) error {
		c, err := s.scanChunk(r)
		chunks = append(chunks, c)
		return err
	})
	return chunks, err
}

func (s *Store) scanChunk(r rowScanner) (c rest.QualityChunk, err error) {
	var start, measured int64
	var packed []byte
	var figures [3 * len(rangedFigures)]sql.NullInt64
	into := []any{&c.Session, &c.Leg, &c.Direction, &c.MeasuredBy, &start, &measured, &c.Received, &c.Lost, &c.Bytes, &packed}
	for i := range figures {
		into = append(into, &figures[i])
	}
	if err := r.Scan(into...); err != nil {
		return c, err
	}
	c.Start = fromMS(start)
	for i, f := range rangedFigures {
		if v := figures[3*i : 3*i+3]; v[0].Valid {
			unit := packedColumn{perUnit: f.perUnit}
			*f.of(&c.Summary) = &rest.Range{Min: unit.value(v[0].Int64), Max: unit.value(v[1].Int64), Avg: unit.value(v[2].Int64)}
		}
	}
	seconds, err := s.codec.unpack(packed)
	if err != nil {
		return c, fmt.Errorf("%w: quality of %s: %w", fault.Unavailable, c.Session, err)
	}
	c.Points = make([]rest.Point, 0, len(seconds))
	for _, sec := range seconds {
		c.Points = append(c.Points, rest.Point{At: c.Start.Add(time.Duration(sec.at) * time.Second), Metrics: sec.metrics})
	}
	return c, nil
}

// summaryOf works out what seconds amount to.
func summaryOf(seconds []qualitySecond, received, lost int64) rest.Summary {
	var ranges [len(rangedFigures)]minMaxMean
	for i := range seconds {
		for j, f := range rangedFigures {
			if v := f.from(&seconds[i].metrics); v != nil {
				ranges[j].add(*v, *v, *v, 1)
			}
		}
	}
	return summaryOfRanges(&ranges, received, lost)
}

func summaryOfRanges(ranges *[len(rangedFigures)]minMaxMean, received, lost int64) (s rest.Summary) {
	for j, f := range rangedFigures {
		*f.of(&s) = ranges[j].over(f.perUnit)
	}
	if l := s.LossRatio; l != nil && received+lost > 0 {
		// The extremes are of ten-second windows, the average is of all packets.
		l.Avg = max(l.Avg, toUnit(float64(lost)/float64(received+lost), 1e4))
		l.Max = max(l.Max, l.Avg)
	}
	return s
}

// minMaxMean is min, max and weighted mean of what it was given.
type minMaxMean struct{ min, max, sum, weight float64 }

func (s *minMaxMean) add(low, high, mean, weight float64) {
	if s.weight == 0 {
		s.min, s.max = low, high
	}
	s.min, s.max = min(s.min, low), max(s.max, high)
	s.sum += mean * weight
	s.weight += weight
}

func (s *minMaxMean) over(perUnit float64) *rest.Range {
	if s.weight == 0 {
		return nil
	}
	return &rest.Range{Min: toUnit(s.min, perUnit), Max: toUnit(s.max, perUnit), Avg: toUnit(s.sum/s.weight, perUnit)}
}
