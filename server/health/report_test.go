package health_test

import (
	"context"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/alert"
	"parley/server/anomaly"
	"parley/server/health"
	"parley/server/monitor"
	"parley/shared/rest"
)

// standing are sources of a node on which all is well.
func standing(node string, others func() map[string]health.Report) health.Sources {
	none := func() int64 { return 0 }
	return health.Sources{
		Node: node, Others: others, Capacity: func() (int, int, int) { return 3, 10, 2 }, Setups: func() (int64, int64) { return 0, 0 }, Answers: func() (int64, int64) { return 0, 0 },
		Ratings: func() []monitor.Rating { return nil }, OwnRatings: func() []monitor.Rating { return nil }, Counted: func() monitor.Counted { return monitor.Counted{} },
		RefusedOperations: none, LostLogLines: none, CapRefusals: none, IsAuditChainIntact: func() bool { return true }, AreKeysWell: func() bool { return true },
		Certificate: func() (from, to time.Time) { return from, to }, DiskUsed: func() float64 { return .5 }, Anomalies: func() []rest.Anomaly { return nil },
	}
}

// TestReadingsAreOfAllNodes: counts are summed up from when a node was heard of, one that
// began anew counts from zero, and how each node stands is told apart.
func TestReadingsAreOfAllNodes(t *testing.T) {
	var told map[string]health.Report
	r := health.NewReadings(standing("a", func() map[string]health.Report { return told }))
	days := 3.0
	for i, step := range []struct {
		b    health.Report
		own  bool
		want alert.Readings
	}{
		{b: health.Report{Live: 2, RefusedStreams: 7, LostLogLines: 5}},
		{b: health.Report{Live: 1, RefusedStreams: 9, LostLogLines: 5, StorageAttempts: 1, DiskUsed: .9}, want: alert.Readings{StreamsRefused: 2, StorageAttempts: 1, StreamsRefusedAt: "b"}},
		{b: health.Report{RefusedStreams: 1, AreKeysStale: true, CertificateDays: &days}, want: alert.Readings{StreamsRefused: 3, StorageAttempts: 1, StreamsRefusedAt: "b"}},
		{b: health.Report{RefusedStreams: 1}, own: true, want: alert.Readings{StreamsRefused: 4, StorageAttempts: 1, StreamsRefusedAt: "a"}},
	} {
		if told = map[string]health.Report{"b": step.b}; step.own {
			r.CountRefusedStream()
		}
		step.want.Live, step.want.Cap, step.want.Node, step.want.DiskUsed = 3+step.b.Live, 10, "a", .5
		step.want.Others = []alert.NodeReadings{{Node: "b", AreKeysStale: step.b.AreKeysStale, CertificateDays: step.b.CertificateDays, DiskUsed: step.b.DiskUsed}}
		if got := r.Read(); !reflect.DeepEqual(got, step.want) {
			t.Errorf("step %d:\n%+v\n%+v", i, got, step.want)
		}
	}
}

func TestRefusedSignInsAreToldOnce(t *testing.T) {
	r := health.NewReadings(standing("a", nil))
	for i := range 300 {
		r.CountRefusedSignIn(strings.Repeat("x", i), "acme")
		r.CountRefusedSignIn("192.0.2.1", "")
	}
	told, sum := r.TakeReport().SignIns, 0
	for _, of := range told {
		if sum += of.Count; of.Address == "192.0.2.1" && of.Count != 300 {
			t.Errorf("%+v", of)
		}
	}
	if sum != 600 || len(told) != 201 { // and those that aren't told apart
		t.Errorf("%d origins with %d", len(told), sum)
	}
	if again := r.TakeReport().SignIns; len(again) != 0 {
		t.Errorf("again %v", again)
	}
}

// TestOneNodeJudgesForAll: what fails on another node is found by the one that leads, once;
// the next to lead has learned along, goes on, and what was counted is kept once.
func TestOneNodeJudgesForAll(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	kept := &baselines{hours: quietWeeks(now)}
	known := len(kept.hours)
	type node struct {
		*health.Anomalies
		leads   atomic.Bool
		counted monitor.Counted
	}
	nodes := map[string]*node{"a": new(node), "b": new(node)}
	for name, n := range nodes {
		other := nodes[map[string]string{"a": "b", "b": "a"}[name]]
		made, err := health.LoadAnomalies(context.Background(), health.AnomalyConfig{
			Counted: func() monitor.Counted { return n.counted }, Ratings: func() []monitor.Rating { return nil }, Store: kept, IsLeader: n.leads.Load,
			Others: func() map[string]health.Report { return map[string]health.Report{"x": {Counted: other.counted}} },
		})
		if err != nil {
			t.Fatal(err)
		}
		n.Anomalies = made
	}
	a, b := nodes["a"], nodes["b"]
	b.counted = monitor.Counted{Ended: 1000, Faults: 900} // long ago: nothing of now
	a.leads.Store(true)
	minute := func() {
		now = now.Add(time.Minute)
		b.counted.Ended += 10
		b.counted.Faults += 8
		a.EndMinute(now)
		b.EndMinute(now)
	}
	for range 20 {
		minute()
	}
	if is, not := a.Current(), b.Current(); len(is) != 1 || is[0].Series != rest.AnomalyFailureRate || is[0].Value > .81 || len(not) != 0 {
		t.Errorf("the leader tells %+v, the other %+v", is, not)
	}
	a.leads.Store(false)
	b.leads.Store(true)
	minute()
	if not, is := a.Current(), b.Current(); len(is) != 1 || len(not) != 0 {
		t.Errorf("then the leader tells %+v, the other %+v", is, not)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a.Run(ctx) // ends at once: who leads saves
	b.Run(ctx)
	if got := kept.hours[known:]; len(got) == 0 {
		t.Error("nothing was kept")
	}
	var sum anomaly.Sum
	for _, h := range kept.hours[known:] {
		if h.Series == rest.AnomalyFailureRate {
			sum.Weight += h.Weight
		}
	}
	if sum.Weight > 20 { // of the minute that it led, not of those before
		t.Errorf("%v calls were kept", sum.Weight)
	}
}
