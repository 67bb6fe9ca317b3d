package metrics

import (
	"cmp"
	"context"
	"math"
	"runtime"
	sampled "runtime/metrics"
	"slices"
	"time"

	"parley/shared/rest"
)

// Health is how the server does, over the last five minutes. What is degraded
// others fill in.
func (m *Metrics) Health(context.Context) rest.Health {
	now := time.Now()
	up := now.Sub(m.startedAt)
	h := rest.Health{
		At: now.UTC(), UptimeS: roundFigure(up.Seconds()), Version: m.cfg.Version,
		Routes: m.routesHealth(up), Requests: health("", m.allRoutes, up),
		Goroutines: runtime.NumGoroutine(), HeapBytes: heapBytes(),
		ResidentBytes: residentBytes(), DiskFreeBytes: diskFree(m.cfg.DataDir),
		StreamReaders: int(m.streams.Load()), Degraded: []string{},
	}
	delays := m.delays.sum(up)
	h.SchedulingDelayP50MS, h.SchedulingDelayP99MS = m.SchedulingDelayMS(), roundFigure(delays.percentileMS(0.99))
	if m.cfg.DatabaseSize != nil {
		h.DatabaseBytes = m.cfg.DatabaseSize()
	}
	if m.cfg.LogQueued != nil {
		h.LogQueue = m.cfg.LogQueued()
	}
	if m.cfg.LogDropped != nil {
		h.LogDropped = m.cfg.LogDropped()
	}
	return h
}

// SchedulingDelayMS is Health's SchedulingDelayP50MS.
func (m *Metrics) SchedulingDelayMS() float64 {
	delays := m.delays.sum(time.Since(m.startedAt))
	return roundFigure(delays.percentileMS(0.5))
}

// routesHealth gives the routes that were asked for, the busiest first.
func (m *Metrics) routesHealth(up time.Duration) []rest.RouteHealth {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([]rest.RouteHealth, 0, len(m.routes))
	for pattern, r := range m.routes {
		if h := health(pattern, r.window, up); h.Requests > 0 {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b rest.RouteHealth) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Route, b.Route))
	})
	return out
}

func health(name string, w *window, up time.Duration) rest.RouteHealth {
	s := w.sum(up)
	h := rest.RouteHealth{
		Route: name, Requests: s.requests, Errors: s.errors,
		P50MS: roundFigure(s.percentileMS(0.5)), P95MS: roundFigure(s.percentileMS(0.95)), P99MS: roundFigure(s.percentileMS(0.99)),
	}
	if s.requests > 0 {
		h.ErrorRate = roundFigure(float64(s.errors) / float64(s.requests))
		h.PerSecond = roundFigure(float64(s.requests) / max(1, coveredSeconds(up).Seconds()))
	}
	return h
}

// coveredSeconds is how much of the window there has been: all of its slots but what
// the newest still lacks.
func coveredSeconds(up time.Duration) time.Duration {
	return min(up, Window-slotTime+up%slotTime)
}

// roundFigure rounds to what a person reads.
func roundFigure(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// heapBytes is what live and not yet swept objects take. It stops nothing.
func heapBytes() uint64 {
	sample := []sampled.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	sampled.Read(sample)
	if sample[0].Value.Kind() != sampled.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
