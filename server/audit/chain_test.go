package audit_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/audit"
	"parley/server/store"
	"parley/shared/rest"
)

func TestRetentionKeepsTheChain(t *testing.T) {
	const year = 365 * 24 * time.Hour
	r := newRig(t)
	r.record(600) // more than the store deletes at once
	r.pass(year)
	r.record(3)
	old, err := audit.Check(t.Context(), r.store)
	if err != nil {
		t.Fatal(err)
	}
	n, err := r.Retain(t.Context(), noon.Add(time.Hour))
	if err != nil || n != 600 {
		t.Fatalf("deleted %d, %v", n, err)
	}
	all := r.entries()
	last := all[len(all)-1]
	if len(all) != 4 || last.Action != rest.AuditRetention || fmt.Sprint(last.Details["anchor_seq"]) != "600" || last.Details["anchor_hash"] != all[0].PrevHash {
		t.Errorf("%d lines, the last %+v", len(all), last)
	}
	report, err := audit.Check(t.Context(), r.store, old.Head, audit.Head{Seq: 7, Hash: "gone with retention"})
	if err != nil || !report.Intact() || report.Anchor.Seq != 600 || report.Lines != 4 || report.Head.Seq != 604 {
		t.Errorf("%+v, %v", report, err)
	}
	if n, err := r.Retain(t.Context(), noon.Add(time.Hour)); err != nil || n != 0 || len(r.entries()) != 4 {
		t.Errorf("again: deleted %d, %v, %d lines", n, err, len(r.entries()))
	}
	r.pass(year)
	r.record(1)
	if n, err := r.Retain(t.Context(), r.now().Add(-time.Hour)); err != nil || n != 4 || r.broken() != 0 {
		t.Errorf("a year later: deleted %d, %v, broken at %d", n, err, r.broken())
	}
}

// Whoever checks while lines go sees a whole chain.
func TestCheckingWhileRetentionGoesOn(t *testing.T) {
	r := newRig(t)
	r.record(1500)
	var retention sync.WaitGroup
	retention.Go(func() {
		for i := range 7 {
			if _, err := r.Retain(t.Context(), noon.Add(time.Duration(200*(i+1))*time.Second)); err != nil {
				t.Error(err)
			}
		}
	})
	for range 30 {
		if at := r.broken(); at != 0 {
			t.Errorf("broken at %d", at)
		}
	}
	retention.Wait()
	if left := len(r.entries()); r.broken() != 0 || left != 1500-1399+7 {
		t.Errorf("broken at %d, %d lines left", r.broken(), left)
	}
}

func TestTheStateOfTheChainIsKnownWithoutACheck(t *testing.T) {
	r := newRig(t)
	if got := r.Chain(); !got.Intact || got.CheckedTo != 0 || !got.CheckedAt.IsZero() {
		t.Errorf("before any check: %+v", got)
	}
	r.record(3)
	if _, err := r.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	checked := r.now()
	r.record(2)
	if got, want := r.Chain(), (rest.Chain{Intact: true, CheckedTo: 3, CheckedAt: checked}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := r.Verify(gone); err == nil || got.CheckedTo != 3 {
		t.Errorf("a check that can't read: %+v, %v", got, err)
	}
}

// Run checks new lines each minute, all of them each hour, and notes the head.
func TestTheChainIsCheckedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heads []int64
		r := newRig(t, func(c *audit.Config[*store.Tx]) {
			c.Now = time.Now
			c.SaveCheckpoint = func(h audit.Head) error { heads = append(heads, h.Seq); return nil }
		})
		r.record(5)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx) }()
		expect := func(what string, intact bool, to int64) {
			t.Helper()
			synctest.Wait()
			if got := r.Chain(); got.Intact != intact || got.CheckedTo != to || !got.CheckedAt.Equal(time.Now()) {
				t.Errorf("%s: %+v at %v", what, got, time.Now())
			}
		}
		time.Sleep(audit.DefaultCheckEvery)
		expect("at the start", true, 5)
		r.record(2)
		time.Sleep(audit.DefaultCheckEvery)
		expect("after a minute", true, 7)
		tamper(t, r.dir, "UPDATE audit SET actor = 'eve' WHERE seq = 3")
		time.Sleep(audit.DefaultCheckEvery)
		expect("what was checked isn't each minute", true, 7)
		time.Sleep(audit.DefaultVerifyEvery)
		if got := r.Chain(); got.Intact || got.BrokenAt != 3 {
			t.Errorf("after an hour: %+v", got)
		}
		if !slices.Equal(heads, []int64{5, 7}) {
			t.Errorf("noted %v", heads)
		}
		stop()
		<-done
		r.stop()
	})
}

// A line that was checked and is then cut off is missed within a minute.
func TestNewLinesAreCheckedFromTheLastOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *audit.Config[*store.Tx]) { c.Now = time.Now })
		r.record(5)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx) }()
		synctest.Wait()
		time.Sleep(audit.DefaultCheckEvery / 2)
		tamper(t, r.dir, "UPDATE audit SET actor = 'eve' WHERE seq = 5")
		time.Sleep(audit.DefaultCheckEvery)
		if got := r.Chain(); got.Intact || got.BrokenAt != 5 {
			t.Errorf("%+v", got)
		}
		stop()
		<-done
		r.stop()
	})
}

func TestTheHeadIsAFile(t *testing.T) {
	dir := t.TempDir()
	file := audit.HeadIn(dir)
	if h, err := file.Load(); err != nil || h != (audit.Head{}) {
		t.Errorf("none: %+v, %v", h, err)
	}
	for _, want := range []audit.Head{{Seq: 7, Hash: "ab"}, {Seq: 8, Hash: "cd"}} {
		if err := file.Save(want); err != nil {
			t.Fatal(err)
		}
		if got, err := file.Load(); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Fatalf("%v, %v", left, err)
	}
	if info, err := left[0].Info(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "{", "no hash": `{"seq":1}`, "no number": `{"hash":"ab"}`, "a number below 0": `{"seq":-1,"hash":"ab"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, audit.HeadName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if h, err := file.Load(); err == nil {
			t.Errorf("%s: %+v", name, h)
		}
	}
	if err := audit.HeadIn(filepath.Join(dir, "not there")).Save(audit.Head{Seq: 1, Hash: "ab"}); err == nil {
		t.Error("saved nowhere")
	}
}

func TestAHeadThatCannotBeNotedIsNoReasonToStop(t *testing.T) {
	failed := errors.New("read only")
	r := newRig(t, func(c *audit.Config[*store.Tx]) { c.SaveCheckpoint = func(audit.Head) error { return failed } })
	r.record(2)
	if err := r.Log.Close(); !errors.Is(err, failed) {
		t.Error(err)
	}
	if len(r.entries()) != 2 {
		t.Error("a line is gone")
	}
	if err := r.store.Close(); err != nil {
		t.Error(err)
	}
	r.store = nil
}

func BenchmarkCheck(b *testing.B) {
	r := newRig(b)
	r.record(5000)
	for b.Loop() {
		if _, err := audit.Check(b.Context(), r.store); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(5000*b.N)/b.Elapsed().Seconds(), "lines/s")
}

// report gives the middle and the tail of what something took.
func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
}
