package alert_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/alert"
	"parley/shared/quality"
	"parley/shared/rest"
)

// sharedAlerts is the record of a cluster's alerts.
type sharedAlerts struct {
	mu   sync.Mutex
	rows []rest.Alert // oldest first
}

func (s *sharedAlerts) AlertRules(context.Context) (rest.AlertRules, error) {
	return rest.AlertRules{}, nil
}

func (s *sharedAlerts) PutAlert(_ context.Context, a rest.Alert) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.rows {
		if s.rows[i].ID == a.ID {
			s.rows[i] = a
			return nil
		}
	}
	s.rows = append(s.rows, a)
	return nil
}

func (s *sharedAlerts) Alerts(_ context.Context, q rest.AlertQuery) (found []rest.Alert, next string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.rows) - 1; i >= 0; i-- {
		if q.State == "" || s.rows[i].State == q.State {
			found = append(found, s.rows[i])
		}
	}
	return found, "", nil
}

// judge is a node of a cluster whose one call is poor as long as isPoor says so.
type judge struct {
	*alert.Alerts
	leads atomic.Bool
	told  atomic.Int32 // firing and resolved
}

func startJudge(t *testing.T, record *sharedAlerts, isPoor *atomic.Bool) *judge {
	t.Helper()
	j := new(judge)
	j.Alerts = alert.New(alert.Config{
		Store: record, IsLeader: j.leads.Load, OnChange: func(rest.Alert) { j.told.Add(1) },
		Readings: func() alert.Readings {
			if !isPoor.Load() {
				return alert.Readings{}
			}
			return alert.Readings{Live: 1, Cap: 100, Calls: []alert.Call{{ID: "s1", Level: quality.Poor, MOS: 2}}}
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { j.Run(ctx) })
	running.Go(func() {
		for ctx.Err() == nil {
			if err := j.Follow(ctx); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	return j
}

func TestAnAlertFiresOnceInAClusterAndGoesOnUnderTheNextLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		record, isPoor := new(sharedAlerts), new(atomic.Bool)
		a, b := startJudge(t, record, isPoor), startJudge(t, record, isPoor)
		a.leads.Store(true)
		isPoor.Store(true)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if len(record.rows) != 1 || record.rows[0].State != rest.AlertFiring {
			t.Fatalf("kept: %+v", record.rows)
		}
		if a.Firing() != 1 || b.Firing() != 1 || a.told.Load() != 1 || b.told.Load() != 1 {
			t.Errorf("firing %d and %d, told %d and %d", a.Firing(), b.Firing(), a.told.Load(), b.told.Load())
		}
		a.leads.Store(false)
		b.leads.Store(true)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if len(record.rows) != 1 || record.rows[0].State != rest.AlertFiring {
			t.Fatalf("under the next leader: %+v", record.rows)
		}
		isPoor.Store(false)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if len(record.rows) != 1 || record.rows[0].State != rest.AlertResolved {
			t.Fatalf("in the end: %+v", record.rows)
		}
		if a.Firing() != 0 || b.Firing() != 0 || a.told.Load() != 2 || b.told.Load() != 2 {
			t.Errorf("firing %d and %d, told %d and %d", a.Firing(), b.Firing(), a.told.Load(), b.told.Load())
		}
	})
}

func TestWhatAnAdminSaysAtAnotherNodeReachesTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		record, isPoor := new(sharedAlerts), new(atomic.Bool)
		a, b := startJudge(t, record, isPoor), startJudge(t, record, isPoor)
		a.leads.Store(true)
		isPoor.Store(true)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		page, _, err := b.List(rest.AlertQuery{})
		if err != nil || len(page) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		if _, err := b.Acknowledge(t.Context(), page[0].ID, "", "root", record.PutAlert); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if of, err := a.Alert(page[0].ID, ""); err != nil || of.AcknowledgedBy != "root" {
			t.Errorf("%+v, %v", of, err)
		}
	})
}

// TestAListGoesOnAtAnotherNode: a cursor of one node is good at another, which came to know
// of the alerts in another order; two were raised in the same moment.
func TestAListGoesOnAtAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		record, follows := new(sharedAlerts), func() bool { return false }
		a, b := alert.New(alert.Config{Store: record, IsLeader: follows}), alert.New(alert.Config{Store: record, IsLeader: follows})
		rows := []rest.Alert{
			{ID: "x", Rule: "poor_call", Session: "s1", State: rest.AlertResolved, RaisedAt: time.Now()},
			{ID: "z", Rule: "poor_call", Session: "s2", State: rest.AlertResolved, RaisedAt: time.Now().Add(time.Second)},
			{ID: "y", Rule: "poor_call", Session: "s3", State: rest.AlertResolved, RaisedAt: time.Now().Add(time.Second)},
			{ID: "w", Rule: "disk_used", State: rest.AlertFiring, RaisedAt: time.Now().Add(2 * time.Second)},
		}
		for _, i := range []int{2, 0, 3, 1} {
			if err := record.PutAlert(t.Context(), rows[i]); err != nil {
				t.Fatal(err)
			}
			if err := b.Follow(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Follow(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, cursor := "", ""
		for i := range rows {
			at := []*alert.Alerts{a, b}[i%2]
			page, next, err := at.List(rest.AlertQuery{Limit: 1, Cursor: cursor})
			if err != nil || len(page) != 1 {
				t.Fatalf("page %d: %v, %v", i, page, err)
			}
			got, cursor = got+page[0].ID, next
		}
		if got != "wzyx" || cursor != "" {
			t.Errorf("the nodes list %q, and then %q", got, cursor)
		}
	})
}

// TestEachNodeHasItsDisk: the one that leads tells of the disk, keys and certificate of each
// by its name, and whoever leads next goes on with it.
func TestEachNodeHasItsDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		record, days := new(sharedAlerts), 3.0
		names, nodes := []string{"a", "b"}, map[string]*alert.Alerts{}
		leader, isWell := "a", new(atomic.Bool)
		var mu sync.Mutex
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for _, name := range names {
			node := alert.New(alert.Config{
				Store: record, IsLeader: func() bool { mu.Lock(); defer mu.Unlock(); return leader == name },
				Readings: func() alert.Readings {
					is := map[string]alert.NodeReadings{"a": {Node: "a", DiskUsed: .95}, "b": {Node: "b", CertificateDays: &days, AreKeysStale: true}}
					if isWell.Load() {
						is = map[string]alert.NodeReadings{"a": {Node: "a"}, "b": {Node: "b"}}
					}
					own, other := is[name], is[map[string]string{"a": "b", "b": "a"}[name]]
					return alert.Readings{
						Node: name, DiskUsed: own.DiskUsed, CertificateDays: own.CertificateDays, AreKeysStale: own.AreKeysStale, Others: []alert.NodeReadings{other},
					}
				},
			})
			nodes[name] = node
			running.Go(func() { node.Run(ctx) })
		}
		t.Cleanup(func() { cancel(); running.Wait() })
		pass := func() {
			for range 90 {
				time.Sleep(time.Second)
				for _, n := range nodes {
					if err := n.Follow(ctx); err != nil {
						t.Error(err)
					}
				}
			}
		}
		told := func(state string) string {
			var parts []string
			for _, name := range names {
				page, _, err := nodes[name].List(rest.AlertQuery{State: state})
				if err != nil {
					t.Fatal(err)
				}
				var of []string
				for _, a := range page {
					of = append(of, a.Rule+" "+a.Detail)
				}
				slices.Sort(of)
				parts = append(parts, strings.Join(of, ", "))
			}
			return strings.Join(parts, "; ")
		}
		const want = "certificate_days node b, disk_used node a, stale_keys node b"
		pass()
		if got := told(rest.AlertFiring); got != want+"; "+want {
			t.Errorf("the nodes tell %q", got)
		}
		mu.Lock()
		leader = "b"
		mu.Unlock()
		pass()
		if got := told(""); got != want+"; "+want {
			t.Errorf("under another leader they tell %q", got)
		}
		isWell.Store(true)
		pass()
		if got := told(rest.AlertResolved); got != want+"; "+want {
			t.Errorf("in the end they tell %q", got)
		}
	})
}
