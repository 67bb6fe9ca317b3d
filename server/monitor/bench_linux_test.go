package monitor_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"parley/server/monitor"
	"parley/shared/rtcstats"
)

// meter measures processor time, which other work on the machine doesn't change.
type meter struct{ begun, spent time.Duration }

func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (m *meter) start() { m.begun = processor() }
func (m *meter) stop()  { m.spent += processor() - m.begun }

// core reports which part of a core the work of one second takes.
func (m *meter) core(b *testing.B) {
	b.ReportMetric(100*m.spent.Seconds()/float64(b.N), "%core")
}

// BenchmarkTenThousandSamples works off one second of 10,000 samples, those of
// 3,334 calls: rates, levels, history and what waits to be recorded.
func BenchmarkTenThousandSamples(b *testing.B) {
	m := monitor.New(monitor.Config{Recorder: new(book)})
	calls, at := many(m, 3334), time.Now()
	var cpu meter
	for b.Loop() {
		at = at.Add(time.Second)
		b.StopTimer()
		looks := seconds(calls)
		b.StartTimer()
		cpu.start()
		for _, l := range looks {
			m.SessionSampled(l.id, l.leg, l.by, at, l.sample)
		}
		cpu.stop()
	}
	cpu.core(b)
}

// BenchmarkTickOfTenThousandSamples is the other half of that second: judging
// all of these calls and telling of them.
func BenchmarkTickOfTenThousandSamples(b *testing.B) {
	m := monitor.New(monitor.Config{Recorder: new(book)})
	calls, at := many(m, 3334), time.Now()
	var cpu meter
	for b.Loop() {
		at = at.Add(time.Second)
		b.StopTimer()
		for _, l := range seconds(calls) {
			m.SessionSampled(l.id, l.leg, l.by, at, l.sample)
		}
		b.StartTimer()
		cpu.start()
		m.Tick(at)
		cpu.stop()
	}
	cpu.core(b)
}

// BenchmarkHundredReaders works off one second in which all of 100 calls changed
// and 100 readers take it, each writing it as an event.
func BenchmarkHundredReaders(b *testing.B) {
	m := monitor.New(monitor.Config{})
	calls, at := many(m, 100), time.Now()
	cursors := make([]uint64, 100)
	told := 0
	var cpu meter
	for b.Loop() {
		at = at.Add(time.Second)
		b.StopTimer()
		for _, l := range seconds(calls) {
			m.SessionSampled(l.id, l.leg, l.by, at, l.sample)
		}
		b.StartTimer()
		cpu.start()
		m.Tick(at)
		for i := range cursors {
			frames, next, err := m.Follow(b.Context(), "", cursors[i])
			if err != nil {
				b.Fatal(err)
			}
			var out bytes.Buffer
			for _, f := range frames {
				fmt.Fprintf(&out, "id: x.%d\nevent: %s\ndata: %s\n\n", f.Seq, f.Name, f.Data)
			}
			told += out.Len()
			cursors[i] = next
		}
		cpu.stop()
	}
	cpu.core(b)
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
	id     string
	leg    rtcstats.Leg
	by     rtcstats.MeasuredBy
	sample rtcstats.Sample
}

// seconds lets a second pass for all.
func seconds(calls []*call) []looked {
	out := make([]looked, 0, 3*len(calls))
	for _, c := range calls {
		out = append(out,
			looked{c.row.ID, rtcstats.LegCaller, rtcstats.ByClient, c.client.second()},
			looked{c.row.ID, rtcstats.LegCaller, rtcstats.ByServer, c.server.second()},
			looked{c.row.ID, rtcstats.LegAgent, rtcstats.ByServer, c.agent.second()})
	}
	return out
}
