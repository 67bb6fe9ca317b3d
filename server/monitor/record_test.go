package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/monitor"
	"parley/server/store"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// book records in memory.
type book struct {
	mu         sync.Mutex
	fail       error
	chunks     []rest.QualityChunk
	activities []rest.Activity
	turns      []rest.TurnRecord
	largest    int // batch
}

func (b *book) AppendQuality(_ context.Context, chunks []rest.QualityChunk) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	b.largest = max(b.largest, len(chunks))
	b.chunks = append(b.chunks, chunks...)
	return nil
}

func (b *book) AppendTurns(_ context.Context, turns []rest.TurnRecord) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	b.turns = append(b.turns, turns...)
	return nil
}

func (b *book) AppendActivities(_ context.Context, activities []rest.Activity) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	b.activities = append(b.activities, activities...)
	return nil
}

// read gives what was recorded.
func (b *book) read() ([]rest.QualityChunk, []rest.Activity) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.chunks), slices.Clone(b.activities)
}

func (b *book) failing(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = err
}

// of gives the chunks of one stream.
func (b *book) of(leg rtcstats.Leg, d quality.Direction, by rtcstats.MeasuredBy) (out []rest.QualityChunk) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.chunks {
		if c.Leg == leg && c.Direction == d && c.MeasuredBy == by {
			out = append(out, c)
		}
	}
	return out
}

func TestMinutesAreRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(book)
		m := running(t, monitor.Config{Recorder: b})
		c := newCall(m, "s")
		c.server.in.every = 50 // 2 % of what the caller says is lost
		c.talk(150)
		for _, by := range []rtcstats.MeasuredBy{rtcstats.ByServer, rtcstats.ByClient} {
			if n := len(b.of(rtcstats.LegCaller, quality.ToAgent, by)); n != 2 {
				t.Errorf("by the %s %d full minutes of two and a half", by, n)
			}
		}
		c.end("caller_left")
		time.Sleep(2 * time.Second)
		chunks := b.of(rtcstats.LegCaller, quality.ToAgent, rtcstats.ByServer)
		if all, _ := b.read(); len(chunks) != 3 || len(all) != 18 {
			t.Fatalf("%d minutes of the stream, %d in all", len(chunks), len(all))
		}
		points := 0
		for i, chunk := range chunks {
			if want := c.row.StartedAt.Add(time.Duration(i) * time.Minute); chunk.Session != "s" || !chunk.Start.Equal(want) {
				t.Errorf("minute %d of %s begins %v, want %v", i, chunk.Session, chunk.Start, want)
			}
			points += len(chunk.Points)
			for j, p := range chunk.Points {
				if off := p.At.Sub(chunk.Start); off < 0 || off >= time.Minute || off%time.Second != 0 || j > 0 && !p.At.After(chunk.Points[j-1].At) {
					t.Errorf("minute %d has a point at %v", i, off)
				}
			}
			if lost := float64(chunk.Lost) / float64(chunk.Lost+chunk.Received); math.Abs(lost-0.02) > 0.002 {
				t.Errorf("minute %d lost %d of %d", i, chunk.Lost, chunk.Lost+chunk.Received)
			}
			if s := chunk.Summary; s.LossRatio == nil || math.Abs(s.LossRatio.Avg-0.02) > 0.002 || s.RTTMS == nil || s.R == nil || s.MOS == nil {
				t.Errorf("minute %d: %+v", i, s)
			}
		}
		if points < 147 || points > 150 {
			t.Errorf("%d points of 150 seconds", points)
		}
	})
}

// What memory tells of the last hour and what was recorded are the same.
func TestRecordedIsWhatWasShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(book)
		m := running(t, monitor.Config{Recorder: b})
		c := newCall(m, "s")
		c.server.in.every = 33
		c.talk(130)
		c.end("caller_left")
		shown := directionStats(t, m, rtcstats.LegCaller, quality.ToAgent, rtcstats.ByServer)
		time.Sleep(2 * time.Second)
		var received, lost int64
		kept := map[int64]rest.Metrics{}
		for _, chunk := range b.of(rtcstats.LegCaller, quality.ToAgent, rtcstats.ByServer) {
			received += chunk.Received
			lost += chunk.Lost
			for _, p := range chunk.Points {
				kept[p.At.Unix()] = p.Metrics
			}
		}
		if received != shown.PacketsReceived || lost != shown.PacketsLost {
			t.Errorf("recorded %d received and %d lost, shown %d and %d", received, lost, shown.PacketsReceived, shown.PacketsLost)
		}
		compared := 0
		for _, p := range shown.Series {
			k, ok := kept[p.At.Unix()]
			if ok == p.Gap {
				t.Errorf("at %v: recorded %v, a gap %v", p.At, ok, p.Gap)
			}
			if ok && fmt.Sprint(*k.LossRatio, *k.RTTMS, *k.R, *k.MOS) != fmt.Sprint(*p.Metrics.LossRatio, *p.Metrics.RTTMS, *p.Metrics.R, *p.Metrics.MOS) {
				t.Errorf("at %v: another second", p.At)
			}
			compared++
		}
		if compared < 125 {
			t.Errorf("%d seconds compared", compared)
		}
	})
}

func TestWhatACallWasLike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.talk(40)
		c.server.in.every = 8 // 12.5 %: poor
		c.talk(90)
		q, ok := m.Quality("s")
		if !ok || q.Level != quality.Poor {
			t.Errorf("%+v, %v", q, ok)
		}
		if s := q.Seconds; s[quality.Excellent] < 30 || s[quality.Poor] < 70 || s[quality.None] != 0 {
			t.Errorf("%v", s)
		}
		sum := 0
		for _, n := range q.Seconds {
			sum += n
		}
		if sum < 120 || sum > 131 {
			t.Errorf("%d seconds of 130", sum)
		}
		s := q.Summary
		if s.LossRatio == nil || s.LossRatio.Max < 0.1 || s.RTTMS == nil || s.MOS == nil || s.MOS.Min >= s.MOS.Max || s.BufferMS == nil {
			t.Errorf("%+v", s)
		}
		// Half of the packets went each way; one way lost 12.5 % for 90 of 130 s.
		if want := 0.125 * 90 / 130 / 2; s.LossRatio != nil && math.Abs(s.LossRatio.Avg-want) > 0.01 {
			t.Errorf("%v lost on average, want %v", s.LossRatio.Avg, want)
		}
		c.end("caller_left")
		if after, ok := m.Quality("s"); !ok || after.Level != q.Level {
			t.Errorf("after its end %+v, %v", after, ok)
		}
		time.Sleep(20 * time.Second)
		if _, ok := m.Quality("s"); ok {
			t.Error("still there")
		}
		silent := newCall(m, "silent")
		time.Sleep(5 * time.Second)
		silent.end("caller_left")
		if q, _ := m.Quality("silent"); q.Level != quality.None || len(q.Seconds) != 0 || q.Summary.LossRatio != nil {
			t.Errorf("of nothing: %+v", q)
		}
	})
}

// A recorder that is away gets all of it once it is back, in order.
func TestARecorderThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{fail: errors.New("disk full")}
		m := running(t, monitor.Config{Recorder: b})
		c := newCall(m, "s")
		c.talk(200)
		m.AddActivity(rest.Activity{What: "one"})
		time.Sleep(3 * time.Second)
		m.AddActivity(rest.Activity{What: "two"})
		time.Sleep(3 * time.Second)
		if minutes, activities := b.read(); len(minutes)+len(activities) != 0 {
			t.Fatal("it was not away")
		}
		b.failing(nil)
		time.Sleep(2 * time.Second)
		chunks := b.of(rtcstats.LegAgent, quality.ToCaller, rtcstats.ByServer)
		if len(chunks) != 3 || !slices.IsSortedFunc(chunks, func(a, b rest.QualityChunk) int { return a.Start.Compare(b.Start) }) {
			t.Errorf("%d minutes", len(chunks))
		}
		if _, got := b.read(); len(got) != 3 || got[1].What != "one" || got[2].What != "two" {
			t.Errorf("%+v", got)
		}
		if m.Unrecorded() != 0 {
			t.Errorf("%d lost", m.Unrecorded())
		}
	})
}

// What waits is bounded, and what is lost is counted.
func TestWhatWaitsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{fail: errors.New("away")}
		m := running(t, monitor.Config{Recorder: b})
		const calls, streams = 5100, 4
		for i := range calls {
			c := newCall(m, fmt.Sprint(i))
			c.client = nil
			c.looks()
			c.looks()
			c.end("caller_left")
		}
		b.failing(nil)
		time.Sleep(2 * time.Second)
		kept, _ := b.read()
		if int64(len(kept))+m.Unrecorded() != calls*streams || len(kept) != 20_000 || m.Unrecorded() == 0 {
			t.Errorf("%d recorded, %d lost of %d", len(kept), m.Unrecorded(), calls*streams)
		}
		if b.mu.Lock(); b.largest != 256 {
			t.Errorf("%d at once", b.largest)
		}
		b.mu.Unlock()
	})
}

// When the server stops, the minutes under way are recorded before Run is back.
func TestTheLastMinuteIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(book)
		m := monitor.New(monitor.Config{Recorder: b})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); m.Run(ctx) }()
		time.Sleep(monitor.Tick / 2)
		c := newCall(m, "s")
		c.talk(10)
		stop()
		<-done
		if chunks := b.of(rtcstats.LegCaller, quality.ToAgent, rtcstats.ByServer); len(chunks) != 1 || len(chunks[0].Points) < 8 {
			t.Errorf("%+v", chunks)
		}
	})
}

// The store takes the minutes as they are, and gives them back.
func TestTheStoreTakesMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.Context(), t.TempDir(), store.Options{Node: "a"})
		if err != nil {
			t.Fatal(err)
		}
		b := new(book)
		ctx, stop := context.WithCancel(t.Context())
		m := monitor.New(monitor.Config{Recorder: b})
		done := make(chan struct{})
		go func() { defer close(done); m.Run(ctx) }()
		time.Sleep(monitor.Tick / 2)
		c := newCall(m, "s")
		c.talk(70)
		stop()
		<-done
		chunks := b.chunks
		if err := s.AppendQuality(t.Context(), chunks); err != nil {
			t.Fatal(err)
		}
		back, err := s.Quality(t.Context(), "s", time.Time{}, time.Time{})
		if err != nil || len(back) != len(chunks) {
			t.Fatalf("%d of %d came back, %v", len(back), len(chunks), err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
