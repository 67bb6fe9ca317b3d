package logexport_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/logexport"
	"parley/server/logtest"
)

// loggerTo logs to a buffer.
func loggerTo(b *logtest.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// sending runs a test with an Exporter of 10 lines whose sender is the test's, in a
// bubble of time.
func sending(t *testing.T, s *spool, send func([][]byte) error, look func(e *logexport.Exporter, logs *logtest.Buffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		logs := new(logtest.Buffer)
		s.add(10)
		e := logexport.ExportTo(s, loggerTo(logs), send)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { e.Run(ctx) })
		synctest.Wait()
		look(e, logs)
		stop()
		running.Wait()
	})
}

func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// A collector that refuses is left alone for longer and longer, up to a minute; the
// server counts as degraded after one, tells how old the oldest line is, and logs it
// once.
func TestAnOutageIsWaitedFor(t *testing.T) {
	var tries, isUp atomic.Int64
	refuse := func([][]byte) error {
		if tries.Add(1); isUp.Load() == 0 {
			return errors.New("connection refused")
		}
		return nil
	}
	s := &spool{}
	sending(t, s, refuse, func(e *logexport.Exporter, logs *logtest.Buffer) {
		wait(logexport.FailingAfter - time.Second)
		if e.IsFailing() || tries.Load() < 5 || tries.Load() > 9 {
			t.Errorf("failing %v after %d tries", e.IsFailing(), tries.Load())
		}
		wait(time.Second)
		if f := e.Figures()[0]; !e.IsFailing() || f.Lag < logexport.FailingAfter || f.Sent != 0 {
			t.Errorf("failing %v, %+v", e.IsFailing(), f)
		}
		wait(time.Hour)
		before := tries.Load()
		wait(time.Hour)
		if n := tries.Load() - before; n < 45 || n > 85 { // a minute, give or take a quarter
			t.Errorf("%d tries an hour", n)
		}
		if n := strings.Count(logs.String(), "can't be handed on"); n != 1 {
			t.Errorf("logged %d times", n)
		}
		isUp.Store(1)
		wait(2 * logexport.MaxRetry)
		if f := e.Figures()[0]; e.IsFailing() || f.Sent != 10 || f.Lag != 0 || s.confirmed() != 10 || !strings.Contains(logs.String(), "handed on again") {
			t.Errorf("failing %v, %+v, %d confirmed", e.IsFailing(), f, s.confirmed())
		}
	})
}

// A collector that says when to come back is believed, within reason.
func TestRetryAfterIsHeld(t *testing.T) {
	for name, test := range map[string]struct{ asked, want time.Duration }{
		"short": {7 * time.Second, 7 * time.Second},
		"long":  {24 * time.Hour, logexport.MaxRetryAfter},
	} {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int64
			refuse := func([][]byte) error {
				if tries.Add(1) == 1 {
					return logexport.Refused(429, test.asked)
				}
				return nil
			}
			sending(t, &spool{}, refuse, func(*logexport.Exporter, *logtest.Buffer) {
				wait(test.want - time.Millisecond)
				if n := tries.Load(); n != 1 {
					t.Errorf("%d tries before", n)
				}
				wait(time.Millisecond)
				if n := tries.Load(); n != 2 {
					t.Errorf("%d tries after", n)
				}
			})
		})
	}
}

// Who takes less at a time gets less; what was taken is not sent again.
func TestABatchIsHalved(t *testing.T) {
	var got []string
	take := func(lines [][]byte) error {
		if len(lines) > 3 {
			return logexport.Refused(413, 0)
		}
		for _, line := range lines {
			got = append(got, string(line))
		}
		return nil
	}
	s := &spool{}
	sending(t, s, take, func(e *logexport.Exporter, _ *logtest.Buffer) {
		if len(got) != 10 || s.confirmed() != 10 || !strings.Contains(got[9], `"/10"`) {
			t.Errorf("%d confirmed of %q", s.confirmed(), got)
		}
	})
}

// Lines that are long are sent few at a time.
func TestABatchHasAMostBytes(t *testing.T) {
	s := &spool{}
	s.add(4)
	for i := range s.logs {
		s.logs[i].UserAgent = strings.Repeat("x", logexport.MaxBatch/2-1000)
	}
	s.logs[3].UserAgent = strings.Repeat("x", 2*logexport.MaxBatch)
	var sizes []int
	sending(t, s, func(lines [][]byte) error { sizes = append(sizes, len(lines)); return nil }, func(*logexport.Exporter, *logtest.Buffer) {
		if len(sizes) != 4 || sizes[0] != 2 || sizes[1] != 1 || sizes[2] != 1 || sizes[3] != 10 {
			t.Errorf("batches of %v lines", sizes)
		}
	})
}

// What was deleted before is told: as a figure, and in the log when it happens.
func TestLostLinesAreTold(t *testing.T) {
	s := &spool{lost: 3}
	sending(t, s, func([][]byte) error { return nil }, func(e *logexport.Exporter, logs *logtest.Buffer) {
		if f := e.Figures()[0]; f.Lost != 3 || strings.Contains(logs.String(), "deleted") {
			t.Errorf("%+v, %s", f, logs)
		}
		s.mu.Lock()
		s.lost = 8
		s.mu.Unlock()
		wait(logexport.DefaultInterval)
		if f := e.Figures()[0]; f.Lost != 8 || !strings.Contains(logs.String(), "lines=5") {
			t.Errorf("%+v, %s", f, logs)
		}
	})
}

// A store that can't be read is an outage, too.
func TestAStoreThatIsGone(t *testing.T) {
	s := &spool{unavailable: errors.New("disk gone")}
	sending(t, s, func([][]byte) error { return nil }, func(e *logexport.Exporter, logs *logtest.Buffer) {
		wait(logexport.FailingAfter)
		if !e.IsFailing() || !strings.Contains(logs.String(), "disk gone") {
			t.Errorf("failing %v, %s", e.IsFailing(), logs)
		}
	})
}
