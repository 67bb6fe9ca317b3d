package monitor_test

import (
	"bytes"
	"encoding/json"
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
			m.SessionSampled(c.row.ID, monitor.LegCaller, monitor.ByClient, at, c.client.second())
			m.SessionSampled(c.row.ID, monitor.LegCaller, monitor.ByServer, at, c.server.second())
			m.SessionSampled(c.row.ID, monitor.LegAgent, monitor.ByServer, at, c.agent.second())
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
const maxSession = 96 << 10

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
		m.SessionSampled("s", monitor.LegCaller, monitor.ByServer, at, c.server.second())
	}
}

// core is which part of a core a second takes that took so long to work off.
func core(b *testing.B) {
	b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N), "%core")
}

// BenchmarkTenThousandSamples works off one second of 10,000 samples, those of
// 3,334 calls: rates, levels, history and what waits to be recorded.
func BenchmarkTenThousandSamples(b *testing.B) {
	m := monitor.New(monitor.Config{Recorder: new(book)})
	calls, at := many(m, 3334), time.Now()
	for b.Loop() {
		at = at.Add(time.Second)
		b.StopTimer()
		looks := seconds(calls)
		b.StartTimer()
		for _, l := range looks {
			m.SessionSampled(l.id, l.leg, l.by, at, l.sample)
		}
	}
	core(b)
}

// BenchmarkTickOfTenThousandSamples is the other half of that second: judging
// all of these calls and telling of them.
func BenchmarkTickOfTenThousandSamples(b *testing.B) {
	m := monitor.New(monitor.Config{Recorder: new(book)})
	calls, at := many(m, 3334), time.Now()
	for b.Loop() {
		at = at.Add(time.Second)
		b.StopTimer()
		for _, l := range seconds(calls) {
			m.SessionSampled(l.id, l.leg, l.by, at, l.sample)
		}
		b.StartTimer()
		m.Tick(at)
	}
	core(b)
}

// BenchmarkHundredReaders works off one second in which all of 100 calls changed
// and 100 readers take it, each writing it as an event.
func BenchmarkHundredReaders(b *testing.B) {
	m := monitor.New(monitor.Config{})
	calls, at := many(m, 100), time.Now()
	cursors := make([]uint64, 100)
	told := 0
	for b.Loop() {
		at = at.Add(time.Second)
		b.StopTimer()
		for _, l := range seconds(calls) {
			m.SessionSampled(l.id, l.leg, l.by, at, l.sample)
		}
		b.StartTimer()
		m.Tick(at)
		for i := range cursors {
			frames, next, err := m.Follow(b.Context(), cursors[i], "", json.Marshal)
			if err != nil {
				b.Fatal(err)
			}
			var out bytes.Buffer
			for _, f := range frames {
				fmt.Fprintf(&out, "id: x.%d\nevent: %s\ndata: %s\n\n", f.Seq, f.Event, f.JSON)
			}
			told += out.Len()
			cursors[i] = next
		}
	}
	core(b)
	b.ReportMetric(float64(told)/float64(b.N)/1e6, "MB/op")
}

// many starts n calls on noisy lines.
func many(m *monitor.Monitor, n int) []*call {
	calls := make([]*call, n)
	for i := range calls {
		calls[i] = newCall(m, fmt.Sprint("s", i))
		for _, e := range []*end{calls[i].client, calls[i].server, calls[i].agent} {
			e.noise = rand.New(rand.NewPCG(uint64(i), 1))
		}
		calls[i].server.in.every = 70
	}
	return calls
}

type looked struct {
	id, leg, by string
	sample      rtcstats.Sample
}

// seconds lets a second pass for all.
func seconds(calls []*call) []looked {
	out := make([]looked, 0, 3*len(calls))
	for _, c := range calls {
		out = append(out,
			looked{c.row.ID, monitor.LegCaller, monitor.ByClient, c.client.second()},
			looked{c.row.ID, monitor.LegCaller, monitor.ByServer, c.server.second()},
			looked{c.row.ID, monitor.LegAgent, monitor.ByServer, c.agent.second()})
	}
	return out
}
