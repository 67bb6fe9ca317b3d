package store_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"parley/server/store"
	"parley/shared/quality"
	"parley/shared/rest"
)

// noise makes seconds like those of a line, in the units that they are told in.
type noise struct{ *rand.Rand }

func newNoise(seed uint64) noise { return noise{rand.New(rand.NewPCG(seed, 2))} }

func (n noise) around(v, by, unit float64) *float64 {
	return new(math.Round(max(0, v+by*n.NormFloat64())*unit) / unit)
}

func (n noise) metrics() rest.Metrics {
	m := rest.Metrics{
		LossRatio: n.around(0.01, 0.005, 1e4), JitterMS: n.around(4, 1, 10), RTTMS: n.around(80, 5, 10), BufferMS: n.around(60, 3, 10),
		DelayMS: n.around(160, 5, 10), ConcealedRatio: n.around(0.005, 0.002, 1e4), BitrateBPS: new(100 * math.Round(320+10*n.NormFloat64())),
		R: n.around(80, 2, 10),
	}
	m.MOS = new(math.Round(quality.MOS(*m.R)*100) / 100)
	return m
}

// minute is a chunk of a caller's voice, with every nth second left out.
func (n noise) minute(session string, start time.Time, gap int) rest.QualityChunk {
	c := rest.QualityChunk{Session: session, Leg: "caller", Direction: quality.ToAgent, MeasuredBy: "server", Start: start, Received: 2970, Lost: 30, Bytes: 240_000}
	for i := range store.ChunkSeconds {
		if gap == 0 || i%gap != 0 {
			c.Points = append(c.Points, rest.Point{At: start.Add(time.Duration(i) * time.Second), Metrics: n.metrics()})
		}
	}
	return c
}

func TestEverySecondComesBack(t *testing.T) {
	bare := rest.QualityChunk{Session: "s", Start: noon}
	for i := range 60 {
		p := rest.Point{At: noon.Add(time.Duration(i) * time.Second)}
		switch i % 4 {
		case 0:
			p.Metrics.RTTMS = new(float64(i))
		case 1:
			p.Metrics = rest.Metrics{R: new(93.2), MOS: new(math.Round(quality.MOS(93.2)*100) / 100), JitterMS: new(0.0)}
		case 2:
			p.Gap = true
		}
		bare.Points = append(bare.Points, p)
	}
	wild := rest.QualityChunk{Session: "s", Start: noon, Points: []rest.Point{
		{At: noon.Add(time.Second), Metrics: rest.Metrics{RTTMS: new(2e8), BitrateBPS: new(1e10), LossRatio: new(1.0)}},
		{At: noon.Add(59 * time.Second), Metrics: rest.Metrics{RTTMS: new(0.0), BitrateBPS: new(0.0), LossRatio: new(0.0)}},
	}}
	onEach(t, func(t *testing.T, r *rig) {
		for name, c := range map[string]rest.QualityChunk{
			"a minute of a line":   newNoise(1).minute("a", noon, 0),
			"with gaps":            newNoise(2).minute("b", noon, 7),
			"few figures":          bare,
			"figures that leap":    wild,
			"a minute of silence":  {Session: "s", Start: noon},
			"the last second":      {Session: "s", Start: noon, Points: []rest.Point{{At: noon.Add(59 * time.Second), Metrics: newNoise(3).metrics()}}},
			"not on a full second": newNoise(4).minute("c", noon.Add(250*time.Millisecond), 0),
		} {
			t.Run(name, func(t *testing.T) {
				c.Session = t.Name()
				must(t, r.AppendQuality(t.Context(), []rest.QualityChunk{c}))
				got, err := r.Quality(t.Context(), t.Name(), time.Time{}, time.Time{})
				if err != nil || len(got) != 1 {
					t.Fatalf("%d chunks, %v", len(got), err)
				}
				var measured []rest.Point
				for _, p := range c.Points {
					if !p.Gap {
						measured = append(measured, p)
					}
				}
				if len(measured) != len(got[0].Points) {
					t.Fatalf("%d points, want %d", len(got[0].Points), len(measured))
				}
				for i, p := range measured {
					if !reflect.DeepEqual(got[0].Points[i], p) {
						t.Fatalf("point %d: %+v, want %+v", i, got[0].Points[i], p)
					}
				}
			})
		}
	})
}

func TestChunksThatAreNone(t *testing.T) {
	at := func(s ...float64) (points []rest.Point) {
		for _, s := range s {
			points = append(points, rest.Point{At: noon.Add(time.Duration(s * float64(time.Second)))})
		}
		return points
	}
	onEach(t, func(t *testing.T, r *rig) {
		for name, points := range map[string][]rest.Point{
			"before its start": at(-0.5),
			"after its minute": at(60),
			"backwards":        at(2, 1),
			"a second twice":   at(1, 1.5),
		} {
			t.Run(name, func(t *testing.T) {
				if err := r.AppendQuality(t.Context(), []rest.QualityChunk{{Session: "s", Start: noon, Points: points}}); err == nil {
					t.Error("kept")
				}
			})
		}
		if err := r.AppendQuality(t.Context(), []rest.QualityChunk{{Session: "s", Start: noon, Points: []rest.Point{{At: noon, Metrics: rest.Metrics{
			RTTMS: new(math.NaN()), R: new(math.Inf(1)), BitrateBPS: new(math.Inf(-1)),
		}}}}}); err != nil {
			t.Error(err) // numbers that are none are bounded, not trusted
		}
	})
}

func TestQualityOfAPastCall(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		n := newNoise(5)
		var chunks []rest.QualityChunk
		for minute := range 10 {
			for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
				c := n.minute("s", noon.Add(time.Duration(minute)*time.Minute), 0)
				c.Direction = d
				if minute == 4 {
					for i := range c.Points {
						c.Points[i].Metrics.RTTMS = new(500.0)
					}
				}
				chunks = append(chunks, c)
			}
		}
		other := n.minute("other", noon, 0)
		must(t, r.AppendQuality(t.Context(), append(chunks, other)))
		r.restart()
		for name, c := range map[string]struct {
			from, to time.Duration
			step     time.Duration
			points   int
			received int64
			max      float64
		}{
			"all of it":         {-1, -1, time.Second, 600, 29700, 500},
			"by the minute":     {-1, -1, time.Minute, 10, 29700, 500},
			"finer than it is":  {-1, -1, time.Millisecond, 600, 29700, 500},
			"a stretch":         {2 * time.Minute, 4 * time.Minute, 10 * time.Second, 12, 5940, 110},
			"across chunks":     {90 * time.Second, 270 * time.Second, time.Second, 180, 8910, 500},
			"a part of a chunk": {10 * time.Second, 20 * time.Second, time.Second, 10, 495, 110},
		} {
			t.Run(name, func(t *testing.T) {
				var from, to time.Time
				if c.from >= 0 {
					from, to = noon.Add(c.from), noon.Add(c.to)
				}
				got, err := r.Streams(t.Context(), "s", from, to, c.step)
				if err != nil || len(got) != 2 {
					t.Fatalf("%d streams, %v", len(got), err)
				}
				for _, st := range got {
					if len(st.Series) != c.points || st.PacketsReceived != c.received || st.Bytes != c.received*240_000/2970 {
						t.Errorf("%d points, %d packets, %d bytes", len(st.Series), st.PacketsReceived, st.Bytes)
					}
					rtt := st.Summary.RTTMS
					if rtt.Max > c.max || c.max == 500 && rtt.Max != 500 || rtt.Min > 80 || rtt.Avg < 75 || st.Summary.LossRatio.Avg < 0.009 {
						t.Errorf("%+v, %+v", rtt, st.Summary.LossRatio)
					}
				}
			})
		}
		if got, err := r.Streams(t.Context(), "nobody", time.Time{}, time.Time{}, time.Second); err != nil || len(got) != 0 {
			t.Errorf("%d streams, %v", len(got), err)
		}
		long, err := r.Streams(t.Context(), "s", noon.Add(-48*time.Hour), noon.Add(48*time.Hour), time.Second)
		if err != nil || len(long[0].Series) > store.MaxPoints {
			t.Errorf("%d points, %v", len(long[0].Series), err)
		}
	})
}

// A second of all figures shall take at most 12 bytes on the disk; here without
// the pages' own share.
func TestAPackedMinuteIsSmall(t *testing.T) {
	c := newNoise(6).minute("s", noon, 0)
	if n := len(store.Pack(t, c)); n > 60*10 {
		t.Errorf("%d bytes", n)
	}
	still := c
	for i := range still.Points {
		still.Points[i].Metrics = c.Points[0].Metrics
	}
	if n := len(store.Pack(t, still)); n > 100 {
		t.Errorf("%d bytes of a line that stands still", n)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(store.Pack(f, newNoise(7).minute("s", noon, 5)))
	f.Add(store.Pack(f, rest.QualityChunk{Start: noon}))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 1})
	f.Fuzz(func(t *testing.T, packed []byte) {
		seconds, err := store.Unpack(t, packed)
		if err == nil && (seconds < 0 || seconds > store.ChunkSeconds) {
			t.Errorf("%d seconds in a minute", seconds)
		}
	})
}
