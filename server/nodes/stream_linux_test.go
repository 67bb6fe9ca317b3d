package nodes_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"parley/shared/rtcstats"
)

// What the bench of the stream is of: calls in all, and those who read at one node.
const (
	benchCalls   = 300
	benchReaders = 100
)

// line is a call whose figures change each second.
type line struct {
	at     *node
	id     string
	sample rtcstats.Sample
}

// second lets a second pass.
func (l *line) second(now time.Time) {
	in := *l.sample.Inbound
	lost := int64(rand.N(3))
	in.PacketsReceived, in.PacketsLost, in.BytesReceived = in.PacketsReceived+50-lost, in.PacketsLost+lost, in.BytesReceived+4000
	in.Jitter = 0.001 + 0.02*rand.Float64()
	l.sample.Timestamp, l.sample.Inbound = float64(now.UnixMilli()), &in
	l.at.picture.SessionSampled(l.id, rtcstats.LegCaller, rtcstats.ByServer, now, l.sample)
}

// reader takes the stream of one who looks at all calls.
type reader struct {
	taken atomic.Int64 // bytes

	mu      sync.Mutex
	started map[string]time.Time // calls whose first frame has not come
	late    []time.Duration      // after how long one came
}

// lookFor notes that a call starts now.
func (r *reader) lookFor(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started[id] = time.Now()
}

func (r *reader) look(data string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, at := range r.started {
		if strings.Contains(data, id) {
			r.late = append(r.late, time.Since(at))
			delete(r.started, id)
		}
	}
}

func (r *reader) run(ctx context.Context, at *node) {
	cursor := at.picture.Snapshot("").Seq
	for {
		frames, next, err := at.picture.Follow(ctx, "", cursor)
		if err != nil {
			return
		}
		for _, f := range frames {
			r.taken.Add(int64(len(f.Data)))
			r.look(string(f.Data))
		}
		cursor = next
	}
}

// BenchmarkStream is what 100 readers at one node take of 300 calls whose figures all change
// each second: calls of that node alone, and of three nodes over NATS. An operation is a
// second of the clock; the processor time is of all nodes, NATS and the readers together.
// lateness is from a call's start at the last node to a reader's frame: the stream tells once
// a second.
func BenchmarkStream(b *testing.B) {
	for _, n := range []int{1, 3} {
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) { benchStream(b, n) })
	}
}

func benchStream(b *testing.B, n int) {
	s, r := startServer(b, server.RANDOM_PORT), new(record)
	all := make([]*node, n)
	for i := range all {
		all[i] = startNode(b, s, r, string(rune('a'+i)))
	}
	lines := make([]*line, benchCalls)
	for i := range lines {
		l := &line{at: all[i%n], id: fmt.Sprint("s", i), sample: rtcstats.Sample{Inbound: &rtcstats.Inbound{ID: "in", SSRC: 1}}}
		l.at.picture.SessionChanged(live(l.id))
		lines[i] = l
	}
	waitFor(b, "the first node shows all", func() bool { return len(all[0].picture.Active("")) == benchCalls })

	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	readers := make([]reader, benchReaders)
	readers[0].started = map[string]time.Time{}
	for i := range readers {
		running.Go(func() { readers[i].run(ctx, all[0]) })
	}
	defer running.Wait()
	defer cancel()

	used := processor()
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		for _, l := range lines {
			l.second(began)
		}
		<-time.After(rand.N(900 * time.Millisecond)) // at any moment of the stream's second
		id := fmt.Sprint("started-", i, "-")
		readers[0].lookFor(id)
		all[n-1].picture.SessionChanged(live(id))
		<-time.After(time.Until(began.Add(time.Second)))
	}
	used = processor() - used
	seconds := b.Elapsed().Seconds()
	late := readers[0].sorted(b)
	var taken int64
	for i := range readers {
		taken += readers[i].taken.Load()
	}
	b.ReportMetric(100*used.Seconds()/seconds, "%core")
	b.ReportMetric(float64(taken)/seconds/1e6, "MB/s")
	b.ReportMetric(float64(late[len(late)/2].Milliseconds()), "late-p50-ms")
	b.ReportMetric(float64(late[len(late)*99/100].Milliseconds()), "late-p99-ms")
}

// sorted are the times of all calls that were looked for, once the last one's frame has come.
func (r *reader) sorted(b *testing.B) []time.Duration {
	waitFor(b, "each call has come", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.started) == 0
	})
	slices.Sort(r.late)
	return r.late
}

// processor is the processor time that this process has had.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
