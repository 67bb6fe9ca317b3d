package monitor_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"parley/server/monitor"
	"parley/shared/rtcstats"
)

// hourOf feeds an hour of three measurers on a noisy line to n sessions, as fast
// as it goes, and gives what each takes afterwards.
func hourOf(n int) (bytesEach uint64) {
	before := heap()
	m := monitor.New(monitor.Config{})
	start := time.Now()
	for i := range n {
		c := newCall(m, fmt.Sprint("s", i))
		for _, e := range []*end{c.client, c.server, c.agent} {
			e.noise = rand.New(rand.NewPCG(uint64(i), 1))
		}
		c.client.in.every, c.server.in.every = 90, 70
		for second := range 3600 {
			at := start.Add(time.Duration(second) * time.Second)
			m.SessionSampled(c.row.ID, rtcstats.LegCaller, rtcstats.ByClient, at, c.client.second())
			m.SessionSampled(c.row.ID, rtcstats.LegCaller, rtcstats.ByServer, at, c.server.second())
			m.SessionSampled(c.row.ID, rtcstats.LegAgent, rtcstats.ByServer, at, c.agent.second())
		}
	}
	after := heap()
	runtime.KeepAlive(m)
	return (after - before) / uint64(n)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// maxSession is what a session may take after an hour, so that 10,000 fit a
// gigabyte.
const maxSession = (1 << 30) / 10_000

func TestASessionStaysSmall(t *testing.T) {
	if each := hourOf(10); each > maxSession || each < 1<<10 {
		t.Errorf("%d bytes a session after an hour, at most %d are allowed", each, maxSession)
	}
}

func BenchmarkSessionAfterAnHour(b *testing.B) {
	var each uint64
	for b.Loop() {
		each = hourOf(5)
	}
	b.ReportMetric(float64(each), "B/session")
}

func BenchmarkSampled(b *testing.B) {
	m := monitor.New(monitor.Config{})
	c := newCall(m, "s")
	at := time.Now()
	for b.Loop() {
		at = at.Add(time.Second)
		m.SessionSampled("s", rtcstats.LegCaller, rtcstats.ByServer, at, c.server.second())
	}
}
