package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/server/fault"
	"parley/server/store"
	"parley/shared/rest"
)

func TestRetentionDeletesWhatIsOld(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		fill := func(age string, n int) {
			lines := make([]rest.LogEntry, n)
			for i := range lines {
				lines[i].User, lines[i].UserKey = fmt.Sprintf("%s%d", age, i%9), fmt.Sprint("k", i%9)
			}
			r.logs(lines...)
			must(t, r.AppendQuality(t.Context(), []rest.QualityChunk{newNoise(1).minute(age, r.now(), 0)}))
			must(t, r.AppendActivities(t.Context(), []rest.Activity{{At: r.now(), Detail: age}}))
			s := over(age)
			s.StartedAt, s.EndedAt = r.now(), new(r.now().Add(time.Minute))
			must(t, r.SessionEnded(t.Context(), s))
			must(t, r.PutAlert(t.Context(), rest.Alert{ID: age, State: "resolved", RaisedAt: r.now()}))
			must(t, r.PutAlert(t.Context(), rest.Alert{ID: age + "!", State: "firing", RaisedAt: r.now()}))
		}
		fill("old", 1100)
		r.pass(24 * time.Hour)
		fill("new", 50)
		got, err := r.Retain(t.Context(), store.Before{Logs: noon.Add(time.Hour)})
		if want := (store.Deleted{Logs: 1100, Quality: 1, Activities: 1, Persons: 9}); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
		if left, _, err := r.Logs(t.Context(), rest.LogQuery{}); err != nil || len(left) != 50 {
			t.Errorf("%d lines, %v", len(left), err)
		}
		if left, _, err := r.Logs(t.Context(), rest.LogQuery{User: "old1"}); err != nil || len(left) != 0 {
			t.Errorf("%d lines, %v", len(left), err)
		}
		oldOne, err := r.Session(t.Context(), "old")
		if err != nil || oldOne.Receipt.LogDeletedAt == nil || !oldOne.Receipt.LogDeletedAt.Equal(r.now()) {
			t.Errorf("%+v, %v", oldOne.Receipt, err)
		}
		if newOne, err := r.Session(t.Context(), "new"); err != nil || newOne.Receipt.LogDeletedAt != nil {
			t.Errorf("%+v, %v", newOne.Receipt, err)
		}
		// A person whose number is gone comes back under another.
		r.logs(rest.LogEntry{User: "old1", UserKey: "k1"})
		if left, _, err := r.Logs(t.Context(), rest.LogQuery{User: "old1"}); err != nil || len(left) != 1 || left[0].User != "old1" {
			t.Errorf("%+v, %v", left, err)
		}
		got, err = r.Retain(t.Context(), store.Before{Sessions: noon.Add(time.Hour)})
		if want := (store.Deleted{Sessions: 1, Alerts: 1}); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := r.Session(t.Context(), "old"); !errors.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
}

// While a million lines would go, a line that comes in waits for one step.
func TestRetentionIsNotInTheWritersWay(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for range 20 {
			r.logs(make([]rest.LogEntry, 1000)...)
		}
		r.pass(24 * time.Hour)
		retained := make(chan error, 1)
		quit, stop := context.WithCancel(t.Context())
		go func() {
			_, err := r.Retain(quit, store.Before{Logs: noon.Add(time.Hour)})
			retained <- err
		}()
		slowest, during := time.Duration(0), 0
		for {
			select {
			case err := <-retained:
				stop()
				must(t, err)
				if during == 0 {
					t.Fatal("nothing was written while it ran")
				}
				t.Logf("%d groups came in while 20,000 lines went; the slowest took %v", during, slowest)
				if slowest > time.Second {
					t.Errorf("a group waited %v", slowest)
				}
				return
			default:
			}
			began := time.Now()
			r.logs(make([]rest.LogEntry, 20)...)
			slowest = max(slowest, time.Since(began))
			during++
		}
	})
}

func TestRetentionCanBeCutShort(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.logs(make([]rest.LogEntry, 2000)...)
		r.pass(time.Hour)
		short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		d, err := r.Retain(short, store.Before{Logs: r.now()})
		if err == nil || d.Logs >= 2000 {
			t.Fatalf("%+v, %v", d, err)
		}
		more, err := r.Retain(t.Context(), store.Before{Logs: r.now()})
		if err != nil || d.Logs+more.Logs != 2000 {
			t.Errorf("%d and %d, %v", d.Logs, more.Logs, err)
		}
	})
}
