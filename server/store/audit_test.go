package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync"
	"testing"
	"time"

	"parley/server/store"
	"parley/shared/rest"
)

func TestAnAuditLineComesBackAsItWasSealed(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for name, e := range map[string]rest.AuditEntry{
			"bare": {Action: rest.AuditView},
			"every field": {
				T: noon.Add(time.Second + 999*time.Microsecond), Actor: "ada", ActorOrg: "acme", Org: "zeta", Remote: "192.0.2.0", Action: rest.AuditSettings,
				Target: "max_sessions", Outcome: "done", Reason: "ü <&> \x00", RequestID: "r_1", Node: "n9",
				Details: map[string]any{
					"id": int64(math.MaxInt64), "float": 0.1, "big": 1e300, "nested": map[string]any{"a": []any{1, "two", nil, true}}, "html": "<b>&",
				},
			},
		} {
			t.Run(name, func(t *testing.T) {
				kept := r.audit(e, nil)
				got, _, err := r.Audit(t.Context(), rest.AuditQuery{Limit: 1})
				if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], kept) {
					t.Fatalf("kept %+v\ngot  %+v, %v", kept, got, err)
				}
				if kept.Hash != seal(kept.PrevHash, got[0]) {
					t.Error("the line that is read doesn't hash to its hash")
				}
			})
		}
		r.chain()
	})
}

func TestTheChainHasNoGaps(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		refused := errors.New("refused")
		var writers sync.WaitGroup
		for w := range 4 {
			writers.Go(func() {
				for i := range 25 {
					_, err := r.AppendAudit(t.Context(), rest.AuditEntry{Actor: fmt.Sprint(w)}, seal, func(*store.Tx) error {
						if i%5 == 0 {
							return refused
						}
						return nil
					})
					if (i%5 == 0) != errors.Is(err, refused) || (err != nil) != (i%5 == 0) {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		r.restart()
		r.audit(rest.AuditEntry{}, nil)
		if last := r.chain(); last != 81 {
			t.Errorf("%d lines", last)
		}
	})
}

func TestAChangeAndItsLineAreOne(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		put := func(tx *store.Tx) error {
			_, err := tx.PutSettings(0, map[string]json.RawMessage{"max_sessions": json.RawMessage("7")})
			return err
		}
		failed := errors.New("no")
		_, err := r.AppendAudit(t.Context(), rest.AuditEntry{}, seal, func(tx *store.Tx) error { return errors.Join(put(tx), failed) })
		if !errors.Is(err, failed) {
			t.Fatal(err)
		}
		// A line that can't be written takes its change along.
		unwritable := rest.AuditEntry{Details: map[string]any{"f": func() {}}}
		if _, err := r.AppendAudit(t.Context(), unwritable, seal, put); err == nil {
			t.Fatal("kept a line that is no JSON")
		}
		if version, values, err := r.Settings(t.Context()); err != nil || version != 0 || len(values) != 0 {
			t.Errorf("version %d, %v, %v", version, values, err)
		}
		r.audit(rest.AuditEntry{}, put)
		if version, values, err := r.Settings(t.Context()); err != nil || version != 1 || string(values["max_sessions"]) != "7" {
			t.Errorf("version %d, %v, %v", version, values, err)
		}
		if last := r.chain(); last != 1 {
			t.Errorf("%d lines", last)
		}
	})
}

func TestAuditFilters(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for i := range 60 {
			r.pass(time.Minute)
			r.audit(rest.AuditEntry{
				Actor: []string{"ada", "bob"}[i%2], Org: []string{"acme", "zeta", ""}[i%3],
				Action: []rest.AuditAction{rest.AuditView, rest.AuditExport}[i/30], Target: fmt.Sprint(i % 5), Outcome: []string{"done", "denied"}[i%4/3], Node: []string{"n1", "n2"}[i%2],
			}, nil)
		}
		for name, c := range map[string]struct {
			query rest.AuditQuery
			want  int
		}{
			"all":          {rest.AuditQuery{}, 60},
			"actor":        {rest.AuditQuery{Actor: "ada"}, 30},
			"action":       {rest.AuditQuery{Action: rest.AuditExport}, 30},
			"target":       {rest.AuditQuery{Target: "3"}, 12},
			"outcome":      {rest.AuditQuery{Outcome: "denied"}, 15},
			"node":         {rest.AuditQuery{Node: "n2", Action: rest.AuditView}, 15},
			"organization": {rest.AuditQuery{Org: "acme"}, 20},
			"time":         {rest.AuditQuery{From: noon.Add(10 * time.Minute), To: noon.Add(20 * time.Minute)}, 10},
			"several":      {rest.AuditQuery{Actor: "bob", Org: "zeta", Action: rest.AuditView}, 5},
			"nothing":      {rest.AuditQuery{Actor: "eve"}, 0},
			"text":         {rest.AuditQuery{Q: " ADA"}, 30},
			"text, more":   {rest.AuditQuery{Q: "exp", Actor: "bob"}, 15},
			"no such text": {rest.AuditQuery{Q: "done"}, 0},
			"not ASCII":    {rest.AuditQuery{Q: "É"}, 0},
		} {
			t.Run(name, func(t *testing.T) {
				c.query.Limit = 7
				got := pages(t, 7, func(cursor string) ([]rest.AuditEntry, string, error) {
					c.query.Cursor = cursor
					return r.Audit(t.Context(), c.query)
				})
				if len(got) != c.want {
					t.Errorf("%d lines, want %d", len(got), c.want)
				}
				for i := 1; i < len(got); i++ {
					if got[i].Seq >= got[i-1].Seq {
						t.Fatal("not the newest first")
					}
				}
			})
		}
	})
}

func TestAuditRetentionRecordsItselfAndKeepsTheChain(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		retain := func(before time.Time) int64 {
			t.Helper()
			n, err := r.RetainAudit(t.Context(), before, rest.AuditEntry{Action: rest.AuditRetention, Details: map[string]any{"days": 30}}, seal)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := retain(noon.Add(time.Hour)); n != 0 {
			t.Errorf("deleted %d of nothing", n)
		}
		var hash string
		for i := range 700 { // several steps
			if e := r.audit(rest.AuditEntry{}, nil); i == 599 {
				hash = e.Hash
				r.pass(24 * time.Hour)
			}
		}
		if n := retain(noon.Add(12 * time.Hour)); n != 600 {
			t.Errorf("deleted %d", n)
		}
		if last := r.chain(); last != 701 {
			t.Errorf("the last line is %d", last)
		}
		seq, anchor, err := r.AuditAnchor(t.Context())
		if err != nil || seq != 600 || anchor != hash {
			t.Errorf("anchor %d %q, %v", seq, anchor, err)
		}
		line, _, err := r.Audit(t.Context(), rest.AuditQuery{Action: rest.AuditRetention})
		if err != nil || len(line) != 1 || line[0].Details["anchor_hash"] != hash || line[0].Details["days"] != json.Number("30") {
			t.Errorf("%+v, %v", line, err)
		}
		if n := retain(noon.Add(12 * time.Hour)); n != 0 {
			t.Errorf("deleted %d again", n)
		}
		// However old, the end of the chain stays.
		r.pass(999 * 24 * time.Hour)
		retain(r.now())
		r.restart()
		r.audit(rest.AuditEntry{}, nil)
		if last := r.chain(); last != 703 {
			t.Errorf("the last line is %d", last)
		}
	})
}
