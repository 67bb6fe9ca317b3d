package metrics_test

import (
	"math"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/metrics"
	"parley/shared/rest"
)

func about(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestHealthOfTheMachine(t *testing.T) {
	c := full()
	c.DataDir = t.TempDir()
	m := metrics.New(c)
	h := m.Health(t.Context())
	if h.Version != "1.2.3" || h.Goroutines < 1 || h.HeapBytes < 100<<10 || h.LogQueue != 7 || h.LogDropped != 2 ||
		h.StreamReaders != 11 || h.SchedulingDelayP50MS != 0 || h.SchedulingDelayP99MS != 0 || h.DatabaseBytes != 4096 || h.Routes == nil || h.Degraded == nil || time.Since(h.At) > time.Minute {
		t.Errorf("%+v", h)
	}
	for range 50 {
		c.Observer.Delayed(time.Millisecond)
		c.Observer.Delayed(100 * time.Microsecond)
	}
	c.Observer.Delayed(80 * time.Microsecond)
	h = m.Health(t.Context())
	about(t, "the delay of the median second", h.SchedulingDelayP50MS, 0.1, 0.08)
	about(t, "the delay of the worst second in a hundred", h.SchedulingDelayP99MS, 1, 0.08)
	if runtime.GOOS != "linux" {
		return
	}
	if h.ResidentBytes < h.HeapBytes/4 || h.ResidentBytes < 4<<20 || h.DiskFreeBytes == 0 {
		t.Errorf("%d resident, %d free", h.ResidentBytes, h.DiskFreeBytes)
	}
	if err := os.Remove(c.DataDir); err != nil {
		t.Fatal(err)
	}
	if h := m.Health(t.Context()); h.DiskFreeBytes != 0 {
		t.Error("free space of no folder")
	}
}

func TestPercentiles(t *testing.T) {
	ms := func(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
	cases := map[string]struct {
		took          func(i int) time.Duration // of 1,000
		p50, p95, p99 float64
	}{
		"all the same":       {func(int) time.Duration { return ms(12) }, 12, 12, 12},
		"one to a thousand":  {func(i int) time.Duration { return ms(float64(i + 1)) }, 500, 950, 990},
		"a slow tail":        {func(i int) time.Duration { return ms([]float64{2, 400}[i/960]) }, 2, 2, 400},
		"a slow hundredth":   {func(i int) time.Duration { return ms([]float64{2, 4000}[i/985]) }, 2, 2, 4000},
		"fractions of one":   {func(int) time.Duration { return ms(0.3) }, 0.3, 0.3, 0.3},
		"ten seconds, twice": {func(i int) time.Duration { return ms([]float64{10_000, 20_000}[i%2]) }, 10_000, 20_000, 20_000},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m := metrics.New(metrics.Config{})
			for i := range 1000 {
				m.Observe("GET /a", 200, c.took(i))
			}
			h := m.Health(t.Context())
			for _, r := range []rest.RouteHealth{h.Routes[0], h.Requests} {
				about(t, "p50", r.P50MS, c.p50, 0.08)
				about(t, "p95", r.P95MS, c.p95, 0.08)
				about(t, "p99", r.P99MS, c.p99, 0.08)
			}
		})
	}
}

// What can't be is counted all the same, at the ends.
func TestDurationsBeyondAll(t *testing.T) {
	m := metrics.New(metrics.Config{})
	for _, took := range []time.Duration{-time.Second, 0, time.Nanosecond, time.Hour, math.MaxInt64} {
		m.Observe("GET /a", 200, took)
	}
	if r := m.Health(t.Context()).Requests; r.Requests != 5 || r.P50MS <= 0 || r.P50MS > 0.05 || r.P99MS < 25_000 || r.P99MS > 40_000 {
		t.Errorf("%+v", r)
	}
}

// Five minutes roll: to the slot of ten seconds.
func TestTheWindowRolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New(metrics.Config{})
		at := func(d time.Duration) {
			time.Sleep(d - time.Duration(m.Health(t.Context()).UptimeS*float64(time.Second)))
		}
		for range 30 {
			m.Observe("GET /a", 200, time.Millisecond)
		}
		at(100 * time.Second)
		for range 60 {
			m.Observe("GET /a", 503, time.Second)
		}
		m.Observe("GET /b", 404, time.Second)
		h := m.Health(t.Context())
		if len(h.Routes) != 2 || h.Routes[0].Route != "GET /a" || h.Routes[0].Requests != 90 || h.Routes[0].Errors != 60 || h.Routes[1].Errors != 0 {
			t.Errorf("%+v", h.Routes)
		}
		about(t, "error rate", h.Routes[0].ErrorRate, 60.0/90, 0.01)
		about(t, "rate", h.Requests.PerSecond, 0.91, 0.01) // 91 in 100 s
		at(299 * time.Second)
		if r := m.Health(t.Context()).Requests; r.Requests != 91 {
			t.Errorf("just below five minutes %d", r.Requests)
		}
		at(300 * time.Second)
		if r := m.Health(t.Context()).Requests; r.Requests != 61 {
			t.Errorf("after five minutes %d", r.Requests)
		}
		at(399 * time.Second)
		if r := m.Health(t.Context()).Requests; r.Requests != 61 || r.PerSecond > 61.0/290 {
			t.Errorf("%+v", r)
		}
		at(400 * time.Second)
		if h := m.Health(t.Context()); h.Requests.Requests != 0 || len(h.Routes) != 0 || h.Requests.P99MS != 0 || h.Requests.PerSecond != 0 {
			t.Errorf("in the end %+v", h)
		}
		m.Observe("GET /a", 200, time.Millisecond) // a slot that was used before
		if r := m.Health(t.Context()).Requests; r.Requests != 1 || r.Errors != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// However many requests and routes there are, the window takes what it takes.
func TestMemoryIsBounded(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	before := heap()
	m := metrics.New(metrics.Config{})
	for i := range 300_000 {
		m.Observe(string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676%26)), 200, time.Duration(i)*time.Microsecond)
	}
	after := heap()
	runtime.KeepAlive(m)
	if grown := int64(after) - int64(before); grown > 4<<20 {
		t.Errorf("%d bytes", grown)
	}
}

func BenchmarkObserve(b *testing.B) {
	m := metrics.New(metrics.Config{})
	for b.Loop() {
		m.Observe("GET /api/v1/sessions/{id}", 200, 3*time.Millisecond)
	}
}
