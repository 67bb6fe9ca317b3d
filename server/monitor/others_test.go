package monitor_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// pictures are two nodes of a cluster; what the first tells, the second is told.
func pictures(t *testing.T) (a, b *monitor.Monitor) {
	t.Helper()
	b = monitor.New(monitor.Config{Node: "b"})
	a = monitor.New(monitor.Config{Node: "a", OnChanges: func(c monitor.Changes) { b.PutOthers("a", c) }})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { a.Run(ctx) })
	running.Go(func() { b.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return a, b
}

func liveRow(id, org string) rest.Session {
	return rest.Session{ID: id, Org: org, User: "alice", State: wire.StateActive, StartedAt: time.Now()}
}

func TestAPictureShowsTheSessionsOfAllNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pictures(t)
		_, cursor := frames(t, b, b.Snapshot("").Seq)
		a.SessionChanged(liveRow("s1", "acme"))
		b.SessionChanged(liveRow("s2", ""))
		time.Sleep(3 * monitor.Tick)
		synctest.Wait()
		rows := b.Active("")
		if len(rows) != 2 || rows[0].ID != "s1" || rows[0].Node != "a" || rows[1].Node != "b" {
			t.Fatalf("live: %+v", rows)
		}
		if got := b.Active("acme"); len(got) != 1 || got[0].ID != "s1" {
			t.Errorf("of an organization: %+v", got)
		}
		if st := b.Stats(""); st.Live != 2 || st.ByState[wire.StateActive] != 2 || st.Quality[quality.None] != 2 {
			t.Errorf("stats: %+v", st)
		}
		if node, ok := b.NodeOf("s1"); node != "a" || !ok {
			t.Errorf("s1 is of %q", node)
		}
		told, _ := frames(t, b, cursor)
		seen := map[string]bool{}
		for _, f := range told {
			if of, is := f.Data.(rest.SessionsFrame); is {
				for _, row := range of.Upsert {
					seen[row.ID] = true
				}
			}
		}
		if !seen["s1"] || !seen["s2"] {
			t.Errorf("the stream told of %v", seen)
		}
	})
}

func TestASessionOfAnotherNodeEndsInThePicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pictures(t)
		row := liveRow("s1", "")
		a.SessionChanged(row)
		time.Sleep(2 * monitor.Tick)
		row.State, row.EndCause = wire.StateEnded, wire.CallerLeft
		a.SessionChanged(row)
		time.Sleep(2 * monitor.Tick)
		synctest.Wait()
		if live := b.Active(""); len(live) != 0 {
			t.Errorf("live: %+v", live)
		}
		if shown := b.Snapshot("").Sessions; len(shown) != 1 || shown[0].EndCause != wire.CallerLeft {
			t.Errorf("whoever watches sees why: %+v", shown)
		}
		time.Sleep(monitor.EndedShown + monitor.Tick)
		synctest.Wait()
		if shown := b.Snapshot("").Sessions; len(shown) != 0 {
			t.Errorf("shown for ever: %+v", shown)
		}
	})
}

func TestTheRowsOfANodeGoWithItAndItsCountsStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pictures(t)
		a.SessionChanged(liveRow("s1", "acme"))
		time.Sleep(2 * monitor.Tick)
		synctest.Wait()
		a.SetAnomalies([]rest.Anomaly{{Series: rest.AnomalyMOS}, {Series: rest.AnomalySignInsOrg, Org: "acme"}})
		b.PutOtherStats("a", a.OwnStats())
		if all, own := b.Stats("").Anomalies, b.Stats("acme").Anomalies; len(all) != 2 || len(own) != 1 {
			t.Errorf("anomalies of all %+v, of acme %+v", all, own)
		}
		if st := b.Stats("acme"); st.Started != 1 || st.Live != 1 {
			t.Errorf("stats: %+v", st)
		}
		b.DropNode("a")
		time.Sleep(2 * monitor.Tick)
		synctest.Wait()
		if st := b.Stats(""); st.Started != 1 || st.Live != 0 || len(b.Active("")) != 0 || len(st.Anomalies) != 0 {
			t.Errorf("after the node went: %+v", st)
		}
		if began, _ := b.Setups(); began != 1 {
			t.Errorf("%d setups", began)
		}
	})
}

func TestAWholePictureTakesAwayWhatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, b := pictures(t)
		b.PutOthers("a", monitor.Changes{Sessions: []rest.Session{liveRow("s1", ""), liveRow("s2", "")}})
		b.PutOthers("c", monitor.Changes{Sessions: []rest.Session{liveRow("s3", "")}})
		time.Sleep(2 * monitor.Tick)
		b.ReplaceOthers("a", []rest.Session{liveRow("s2", "")})
		time.Sleep(2 * monitor.Tick)
		synctest.Wait()
		var ids []string
		for _, row := range b.Active("") {
			ids = append(ids, row.ID)
		}
		if len(ids) != 2 || ids[0] != "s2" && ids[1] != "s2" {
			t.Errorf("live: %v", ids)
		}
	})
}

func TestCountsOfNodesAddUp(t *testing.T) {
	m := monitor.New(monitor.Config{Node: "b"})
	m.PutOtherStats("a", []monitor.NodeStats{{Stats: rest.Stats{
		Started: 4, Ended: 4, ErrorRate: 0.5, Refused: map[string]int64{"cap_reached": 2},
		EndCauses: map[wire.EndCause]int64{wire.CallerLeft: 4}, Durations: rest.DurationStats{MinS: 1, AvgS: 2, MaxS: 3},
		Turns: rest.TurnSummary{FirstWord: rest.FirstWord{Turns: 1, P50MS: 100, P95MS: 200}},
	}}})
	m.PutOtherStats("c", []monitor.NodeStats{{Stats: rest.Stats{
		Started: 12, Ended: 12, Durations: rest.DurationStats{MinS: 2, AvgS: 6, MaxS: 9},
		Turns: rest.TurnSummary{FirstWord: rest.FirstWord{Turns: 3, P50MS: 300, P95MS: 400}},
	}, BegunSetups: 9, Answers: 30, SlowAnswers: 4}})
	st := m.Stats("")
	if st.Started != 16 || st.Ended != 16 || st.ErrorRate != 0.125 || st.Refused["cap_reached"] != 2 || st.EndCauses[wire.CallerLeft] != 4 {
		t.Errorf("counts: %+v", st)
	}
	if d := st.Durations; d.MinS != 1 || d.AvgS != 5 || d.MaxS != 9 {
		t.Errorf("durations: %+v", d)
	}
	if w := st.Turns.FirstWord; w.Turns != 4 || w.P50MS != 250 || w.P95MS != 350 {
		t.Errorf("first words: %+v", w)
	}
	if st.Nodes != 3 {
		t.Errorf("%d servers", st.Nodes)
	}
	if m.DropNode("a"); m.Stats("").Nodes != 2 {
		t.Errorf("%d servers after one went", m.Stats("").Nodes)
	}
	if all, slow := m.Answers(); all != 30 || slow != 4 {
		t.Errorf("%d answers, %d of them slow", all, slow)
	}
	if m.CapRefusals() != 2 {
		t.Errorf("%d refused", m.CapRefusals())
	}
}
