package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/fault"
	"parley/server/store"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

func begun(id string) rest.SessionRecord {
	return rest.SessionRecord{
		ID: id, User: "a•••@example.org", UserKey: "k1", Name: "Ada", Org: "acme", Phone: "+15•••00", Email: "a•••@example.org", Remote: "192.0.2.0", Agent: "parrot", Node: "n1",
		State: "connecting", StartedAt: noon,
	}
}

func over(id string) rest.SessionRecord {
	r := begun(id)
	r.State, r.EndedAt, r.DurationS, r.EndCause, r.EndReason = "ended", new(noon.Add(90*time.Second)), 90, "admin_ended", "maintenance"
	r.Quality = rest.RecordQuality{
		Level: quality.Good, Summary: rest.Summary{MOS: &rest.Range{Min: 3, Max: 4, Avg: 3.5}}, Seconds: map[quality.Level]int{quality.Good: 80, quality.Poor: 10},
		BytesReceived: 1000, BytesSent: 2000, ICERestarts: 3,
	}
	r.Receipt.StorageAttempts, r.Receipt.Uses = 2, []string{"buffer", "caption"}
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestASessionIsKeptFromStartToEnd(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		must(t, r.SessionStarted(t.Context(), begun("s_1")))
		r.pass(30 * time.Second)
		live, err := r.Session(t.Context(), "s_1")
		want := begun("s_1")
		want.DurationS = 30
		if err != nil || !reflect.DeepEqual(live, want) {
			t.Errorf("%+v, %v", live, err)
		}
		must(t, r.SessionEnded(t.Context(), over("s_1")))
		late := over("s_1")
		late.EndCause = "caller_left" // the first end is the end
		must(t, r.SessionEnded(t.Context(), late))
		must(t, r.SessionStarted(t.Context(), begun("s_1")))
		must(t, r.SessionEnded(t.Context(), over("s_2"))) // its start could not be kept
		r.restart()
		for _, id := range []string{"s_1", "s_2"} {
			if got, err := r.Session(t.Context(), id); err != nil || !reflect.DeepEqual(got, over(id)) {
				t.Errorf("%+v, %v", got, err)
			}
		}
		if _, err := r.Session(t.Context(), "s_3"); !errors.Is(err, fault.NotFound) {
			t.Error(err)
		}
		if err := r.SessionEnded(t.Context(), begun("s_4")); err == nil {
			t.Error("kept an end without a time")
		}
	})
}

// Of many sessions in one transaction each is kept as if it came alone, in their order; none is
// where one can't be.
func TestManySessionsAreKeptAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		late := over("s_1")
		late.EndCause = "caller_left"
		must(t, r.PutSessions(t.Context(), []rest.SessionRecord{begun("s_1"), over("s_2"), over("s_1"), late, begun("s_1")}))
		for _, id := range []string{"s_1", "s_2"} {
			if got, err := r.Session(t.Context(), id); err != nil || !reflect.DeepEqual(got, over(id)) {
				t.Errorf("%+v, %v", got, err)
			}
		}
		broken := over("s_4")
		broken.Quality.Summary.MOS = &rest.Range{Min: math.NaN()}
		if err := r.PutSessions(t.Context(), []rest.SessionRecord{over("s_3"), broken}); err == nil {
			t.Error("kept what is no number")
		}
		if _, err := r.Session(t.Context(), "s_3"); !errors.Is(err, fault.NotFound) {
			t.Errorf("kept one of two, %v", err)
		}
		must(t, r.PutSessions(t.Context(), nil))
	})
}

func TestGhostsEndAtTheLastWordOfTheirLife(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		must(t, r.SessionEnded(t.Context(), over("s_0")))
		must(t, r.SessionStarted(t.Context(), begun("s_1")))
		r.pass(5 * time.Minute)
		r.logs(rest.LogEntry{}) // the last that was heard
		r.pass(time.Hour)
		r.restart()
		ghost, err := r.Session(t.Context(), "s_1")
		if err != nil || ghost.EndedAt == nil || ghost.EndCause != "connection_lost" || ghost.State != "ended" {
			t.Fatalf("%+v, %v", ghost, err)
		}
		if !ghost.EndedAt.Equal(noon.Add(5*time.Minute)) || ghost.DurationS != 300 {
			t.Errorf("ended at %v", ghost.EndedAt)
		}
		if got, err := r.Session(t.Context(), "s_0"); err != nil || got.EndCause != "admin_ended" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestSessionFilters(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for i := range 60 {
			r.pass(time.Minute)
			s := over(fmt.Sprintf("s_%d", i))
			s.StartedAt, s.EndedAt = r.now(), new(r.now().Add(time.Second))
			s.UserKey, s.User = fmt.Sprintf("k%d", i%3), []string{"masked", "masked", "bob"}[i%3]
			s.Org = []string{"acme", "zeta"}[i%2]
			s.EndCause = []wire.EndCause{"caller_left", "media_failed"}[i/30]
			s.Quality.Level = []quality.Level{quality.Good, quality.Poor, quality.Fair, quality.Good}[i%4]
			s.Agent = []string{"parrot", "echo"}[i%5/4]
			if i >= 55 {
				s.EndedAt = nil
				must(t, r.SessionStarted(t.Context(), s))
				continue
			}
			must(t, r.SessionEnded(t.Context(), s))
		}
		for name, c := range map[string]struct {
			query rest.SessionQuery
			want  int
		}{
			"all":           {rest.SessionQuery{}, 60},
			"own":           {rest.SessionQuery{UserKey: "k1"}, 20},
			"as shown":      {rest.SessionQuery{User: "masked"}, 40},
			"real or shown": {rest.SessionQuery{UserKey: "k2", User: "masked"}, 60},
			"organization":  {rest.SessionQuery{Org: "acme"}, 30},
			"own elsewhere": {rest.SessionQuery{Org: "acme", UserKey: "k1"}, 10},
			"cause":         {rest.SessionQuery{Cause: "media_failed"}, 30},
			"level":         {rest.SessionQuery{Level: quality.Good}, 30},
			"agent":         {rest.SessionQuery{Agent: "echo"}, 12},
			"ended":         {rest.SessionQuery{Ended: true}, 55},
			"time":          {rest.SessionQuery{From: noon.Add(10 * time.Minute), To: noon.Add(20 * time.Minute)}, 10},
			"nobody":        {rest.SessionQuery{UserKey: "k9"}, 0},
		} {
			t.Run(name, func(t *testing.T) {
				c.query.Limit = 7
				got := pages(t, 7, func(cursor string) ([]rest.SessionRecord, string, error) {
					c.query.Cursor = cursor
					return r.Sessions(t.Context(), c.query)
				})
				if len(got) != c.want {
					t.Errorf("%d sessions, want %d", len(got), c.want)
				}
				for i := 1; i < len(got); i++ {
					if !got[i].StartedAt.Before(got[i-1].StartedAt) {
						t.Fatal("not the newest first")
					}
				}
			})
		}
	})
}

func TestSettingsHaveAVersion(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		put := func(ifVersion int64, values map[string]json.RawMessage) (version int64, err error) {
			_, err = r.AppendAudit(t.Context(), rest.AuditEntry{}, seal, func(tx *store.Tx) (err error) {
				version, err = tx.PutSettings(ifVersion, values)
				return err
			})
			return version, err
		}
		a, b := map[string]json.RawMessage{"a": json.RawMessage("1"), "b": json.RawMessage("true")}, map[string]json.RawMessage{"b": json.RawMessage("false")}
		if v, err := put(0, a); v != 1 || err != nil {
			t.Fatal(v, err)
		}
		if _, err := put(0, b); !errors.Is(err, fault.Conflict) {
			t.Fatal(err)
		}
		if v, err := put(1, b); v != 2 || err != nil {
			t.Fatal(v, err)
		}
		r.restart()
		want := map[string]json.RawMessage{"a": a["a"], "b": b["b"]}
		if v, got, err := r.Settings(t.Context()); err != nil || v != 2 || !reflect.DeepEqual(got, want) {
			t.Errorf("version %d, %s, %v", v, got, err)
		}
		r.audit(rest.AuditEntry{}, func(tx *store.Tx) error {
			v, err := tx.ResetSettings()
			if v != 3 {
				t.Errorf("version %d", v)
			}
			return err
		})
		if v, got, err := r.Settings(t.Context()); err != nil || v != 3 || len(got) != 0 {
			t.Errorf("version %d, %s, %v", v, got, err)
		}
		if last := r.chain(); last != 3 {
			t.Errorf("%d lines of three changes and a refusal", last)
		}
	})
}

// TestOneOfManyChangesOfAVersionIsMade: where two servers are asked to change what was read
// at one version, one does and all others are told that it was changed, nothing else.
func TestOneOfManyChangesOfAVersionIsMade(t *testing.T) {
	const writers, rounds = 6, 5
	for what, put := range map[string]func(tx *store.Tx, version int64, value string) (int64, error){
		"settings": func(tx *store.Tx, version int64, value string) (int64, error) {
			return tx.PutSettings(version, map[string]json.RawMessage{"a": json.RawMessage(value)})
		},
		"alert rules": func(tx *store.Tx, version int64, value string) (int64, error) {
			return tx.PutAlertRules(version, []rest.AlertRule{{ID: value}}, nil)
		},
	} {
		t.Run(what, func(t *testing.T) {
			onEach(t, func(t *testing.T, r *rig) {
				stores := []*store.Store{r.Store, r.Store}
				if r.engine == "postgres" { // files are one server's
					r.stop()
					for i := range stores {
						var err error
						if stores[i], err = r.open(store.Options{Node: fmt.Sprint("n", i), NodeID: uint16(7 + i), Now: r.now, IsShared: true}); err != nil {
							t.Fatal(err)
						}
					}
					r.Store = stores[0]
					t.Cleanup(func() { _ = stores[1].Close() })
				}
				for round := range int64(rounds) {
					var all sync.WaitGroup
					var made atomic.Int32
					for w := range writers {
						all.Go(func() {
							_, err := stores[w%2].AppendAudit(t.Context(), rest.AuditEntry{}, seal, func(tx *store.Tx) error {
								version, err := put(tx, round, strconv.Itoa(w))
								if err == nil && version != round+1 {
									t.Errorf("version %d after %d", version, round)
								}
								return err
							})
							if err == nil {
								made.Add(1)
							} else if !errors.Is(err, fault.Conflict) {
								t.Error(err)
							}
						})
					}
					all.Wait()
					if made.Load() != 1 {
						t.Errorf("%d of %d changes of version %d were made", made.Load(), writers, round)
					}
				}
				if last := r.chain(); last != rounds {
					t.Errorf("%d lines of %d changes", last, rounds)
				}
			})
		})
	}
}

func TestAlertsAndTheirRules(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		if rules, err := r.AlertRules(t.Context()); err != nil || rules.Version != 0 || rules.Rules != nil {
			t.Errorf("%+v, %v", rules, err)
		}
		rules := []rest.AlertRule{{ID: "loss", Title: "Loss", Metric: "loss_ratio", Above: 0.05, ForS: 10, Enabled: true}}
		hooks := []rest.Webhook{{URL: "https://example.org/hook", Secret: "shh", HasSecret: true}}
		put := func(ifVersion int64) error {
			_, err := r.AppendAudit(t.Context(), rest.AuditEntry{}, seal, func(tx *store.Tx) error {
				_, err := tx.PutAlertRules(ifVersion, rules, hooks)
				return err
			})
			return err
		}
		must(t, put(0))
		if err := put(0); !errors.Is(err, fault.Conflict) {
			t.Error(err)
		}
		if got, err := r.AlertRules(t.Context()); err != nil || !reflect.DeepEqual(got, rest.AlertRules{Version: 1, Rules: rules, Webhooks: hooks, Edition: rest.AlertRulesEdition}) {
			t.Errorf("%+v, %v", got, err)
		}
		alert := rest.Alert{ID: "a_1", Rule: "loss", Title: "Loss", State: "firing", Value: 0.1, Limit: 0.05, Session: "s_1", Org: "acme", RaisedAt: noon}
		must(t, r.PutAlert(t.Context(), alert))
		must(t, r.PutAlert(t.Context(), rest.Alert{ID: "a_2", State: "resolved", RaisedAt: noon, ResolvedAt: new(noon.Add(time.Minute))}))
		r.audit(rest.AuditEntry{}, func(tx *store.Tx) error {
			alert.AcknowledgedBy, alert.AcknowledgedAt = "bob", new(noon)
			return tx.PutAlert(alert)
		})
		if got, _, err := r.Alerts(t.Context(), rest.AlertQuery{State: "firing"}); err != nil || !reflect.DeepEqual(got, []rest.Alert{alert}) {
			t.Errorf("%+v, %v", got, err)
		}
		for name, c := range map[string]struct {
			query rest.AlertQuery
			want  string
		}{
			"all":          {rest.AlertQuery{}, "a_2 a_1 "},
			"firing":       {rest.AlertQuery{State: "firing"}, "a_1 "},
			"organization": {rest.AlertQuery{Org: "acme"}, "a_1 "},
			"another's":    {rest.AlertQuery{Org: "zeta"}, ""},
		} {
			t.Run(name, func(t *testing.T) {
				got := ""
				for _, a := range pages(t, 1, func(cursor string) ([]rest.Alert, string, error) {
					c.query.Cursor, c.query.Limit = cursor, 1
					return r.Alerts(t.Context(), c.query)
				}) {
					got += a.ID + " "
				}
				if got != c.want {
					t.Errorf("%q, want %q", got, c.want)
				}
			})
		}
	})
}

func TestTheNewestActivitiesAreKept(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one := rest.Activity{
			At: noon, Kind: rest.ActivityCall, What: rest.CallEnded, User: "ada", Name: "Ada", Org: "acme", Session: "s_1", Detail: "caller_left",
		}
		must(t, r.AppendActivities(t.Context(), []rest.Activity{one}))
		if got, _, err := r.Activities(t.Context(), rest.ActivityQuery{Org: "acme", Kind: rest.ActivityCall}); err != nil || len(got) != 1 || got[0] != one {
			t.Fatalf("%+v, %v", got, err)
		}
		for i := range 12 {
			many := make([]rest.Activity, 100)
			for j := range many {
				many[j] = rest.Activity{At: noon, Detail: fmt.Sprint(100*i + j), Session: fmt.Sprint(j % 2)}
			}
			must(t, r.AppendActivities(t.Context(), many))
		}
		got := pages(t, 500, func(cursor string) ([]rest.Activity, string, error) {
			return r.Activities(t.Context(), rest.ActivityQuery{Limit: 500, Cursor: cursor})
		})
		if len(got) != store.MaxActivities || got[0].Detail != "1199" || got[len(got)-1].Detail != "200" {
			t.Errorf("%d activities, from %+v to %+v", len(got), got[0], got[len(got)-1])
		}
		if got, _, err := r.Activities(t.Context(), rest.ActivityQuery{Session: "1", Limit: 500}); err != nil || len(got) != 500 {
			t.Errorf("%d, %v", len(got), err)
		}
		if got, _, err := r.Activities(t.Context(), rest.ActivityQuery{Org: "zeta"}); err != nil || len(got) != 0 {
			t.Errorf("%d, %v", len(got), err)
		}
	})
}
