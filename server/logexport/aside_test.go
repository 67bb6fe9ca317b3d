package logexport_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/logexport"
	"parley/server/logtest"
)

// refusing is a collector that refuses some lines for good, by their paths.
type refusing struct {
	status int
	bad    []string
	tries  int // of the first bad one, alone
	got    []string
}

func (c *refusing) send(lines [][]byte) error {
	isBad := func(line []byte) bool {
		return slices.ContainsFunc(c.bad, func(path string) bool { return strings.Contains(string(line), `"`+path+`"`) })
	}
	if slices.ContainsFunc(lines, isBad) {
		if len(lines) == 1 && strings.Contains(string(lines[0]), `"`+c.bad[0]+`"`) {
			c.tries++
		}
		return logexport.Refused(c.status, 0)
	}
	for _, line := range lines {
		c.got = append(c.got, string(line))
	}
	return nil
}

// aDay is longer than all tries together take.
const aDay = 24 * time.Hour

// TestALineThatIsRefusedForGood doesn't hold the log up for ever: those before it are sent
// at once, it is tried as often as it says, set aside and counted, and the others go on.
func TestALineThatIsRefusedForGood(t *testing.T) {
	for name, status := range map[string]int{"bad": 400, "too large alone": 413, "unreadable": 422} {
		t.Run(name, func(t *testing.T) {
			c, s := &refusing{status: status, bad: []string{"/4", "/5"}}, &spool{}
			sending(t, s, c.send, func(e *logexport.Exporter, logs *logtest.Buffer) {
				if len(c.got) != 3 || s.confirmed() != 3 {
					t.Errorf("at once: %d taken, %d confirmed", len(c.got), s.confirmed())
				}
				wait(logexport.FailingAfter + time.Second)
				if !e.IsFailing() || e.Figures()[0].Aside != 0 {
					t.Errorf("after a minute: failing %v, %+v", e.IsFailing(), e.Figures()[0])
				}
				wait(aDay)
				if f := e.Figures()[0]; c.tries != logexport.SetAsideAfter || e.IsFailing() || f.Aside != 2 || f.Sent != 8 || f.Lag != 0 || s.confirmed() != 10 {
					t.Errorf("%d tries, failing %v, %+v, %d confirmed", c.tries, e.IsFailing(), f, s.confirmed())
				}
				if len(c.got) != 8 || !strings.Contains(logs.String(), "set aside") {
					t.Errorf("taken %q; logged %s", c.got, logs)
				}
			})
		})
	}
}

// TestACollectorThatRefusesAll is no line's fault: nothing is set aside, and nothing is
// lost when it is mended; nor is a line whose refusal is about who sends it.
func TestACollectorThatRefusesAll(t *testing.T) {
	for name, test := range map[string]struct{ status, lines int }{
		"all it has": {400, 10}, "more than may be set aside": {400, logexport.MaxAside + 10}, "the token": {401, 10}, "the address": {404, 10}, "busy": {429, 10},
	} {
		t.Run(name, func(t *testing.T) {
			var isUp atomic.Bool
			got, s := 0, &spool{}
			s.add(test.lines - 10) // sending adds ten
			sending(t, s, func(lines [][]byte) error {
				if isUp.Load() {
					got += len(lines)
					return nil
				}
				return logexport.Refused(test.status, 0)
			}, func(e *logexport.Exporter, _ *logtest.Buffer) {
				wait(aDay)
				if f := e.Figures()[0]; f.Aside != 0 || f.Sent != 0 || s.confirmed() != 0 || !e.IsFailing() {
					t.Errorf("%+v, %d confirmed", f, s.confirmed())
				}
				isUp.Store(true)
				wait(2 * logexport.MaxRetry)
				if f := e.Figures()[0]; got != test.lines || f.Aside != 0 || e.IsFailing() {
					t.Errorf("mended: %d taken, %+v", got, f)
				}
			})
		})
	}
}

// TestTheLastLineWaits until another shows whose fault it is.
func TestTheLastLineWaits(t *testing.T) {
	c, s := &refusing{status: 400, bad: []string{"/10"}}, &spool{}
	sending(t, s, c.send, func(e *logexport.Exporter, _ *logtest.Buffer) {
		wait(aDay)
		if f := e.Figures()[0]; f.Aside != 0 || f.Sent != 9 || s.confirmed() != 9 {
			t.Errorf("%+v, %d confirmed", f, s.confirmed())
		}
		s.add(1)
		wait(2 * logexport.MaxRetry)
		if f := e.Figures()[0]; f.Aside != 1 || f.Sent != 10 || s.confirmed() != 11 {
			t.Errorf("with one behind it: %+v, %d confirmed", f, s.confirmed())
		}
	})
}

// TestACollectorThatSaysNothing is given up after its time, and asked again.
func TestACollectorThatSaysNothing(t *testing.T) {
	var tries atomic.Int64
	over := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries.Add(1) == 1 {
			<-over
		}
	}))
	defer srv.Close()
	defer close(over)
	logs, s := new(logtest.Buffer), new(spool)
	s.add(3)
	e, stop := export(t, logexport.Config{Store: s, Logger: loggerTo(logs), Patience: 300 * time.Millisecond}, srv.URL)
	defer stop()
	eventually(t, "lines that came", func() bool { return s.confirmed() == 3 })
	if f := e.Figures()[0]; tries.Load() < 2 || f.Sent != 3 || !strings.Contains(logs.String(), "deadline exceeded") {
		t.Errorf("%d tries, %s, logged %s", tries.Load(), fmt.Sprint(f), logs)
	}
}
