package audit_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/audit"
	"parley/server/fault"
	"parley/server/privacy"
	"parley/shared/rest"
)

// deaf is a store that hangs and doesn't listen to its context, as a process
// does that waits for a broken disk. No real one hangs on demand.
type deaf struct{ wake chan struct{} }

func (d deaf) AppendAudit(_ context.Context, e rest.AuditEntry, _ func(string, rest.AuditEntry) string, change func(int) error) (rest.AuditEntry, error) {
	<-d.wake
	return e, change(0)
}

func (d deaf) RetainAudit(context.Context, time.Time, rest.AuditEntry, func(string, rest.AuditEntry) string) (int64, error) {
	return 0, errors.New("hangs")
}

func (d deaf) AuditAll(context.Context, int64, func(rest.AuditEntry) error) error { return nil }

func (d deaf) AuditAnchor(context.Context) (int64, string, error) { return 0, "", nil }

func TestAStoreThatHangsIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mask, err := privacy.New(privacy.Config{On: true})
		if err != nil {
			t.Fatal(err)
		}
		d := deaf{make(chan struct{})}
		log := audit.New(audit.Config[int]{Store: d, Mask: mask})
		var changed atomic.Bool
		begun := time.Now()
		err = log.Change(t.Context(), rest.AuditEntry{}, func(int) error {
			changed.Store(true)
			return nil
		})
		if took := time.Since(begun); took != audit.DefaultTimeout || !errors.Is(err, fault.Unrecorded) {
			t.Errorf("%v after %v", err, took)
		}
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			if err := log.Close(); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("closed with a commit under way")
		default:
		}
		close(d.wake)
		<-closed
		if changed.Load() {
			t.Error("changed after it was said not to be")
		}
	})
}
