package monitor_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rest"
)

// Everyone at once: under -race this is the proof that the picture may be
// drawn, asked for and changed by all.
func TestEveryoneAtOnce(t *testing.T) {
	told := make(chan string, 1000)
	m := monitor.New(monitor.Config{OnVerdict: func(id string, _ quality.Verdict) {
		select {
		case told <- id:
		default:
		}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	var running, working sync.WaitGroup
	running.Go(func() { m.Run(ctx) })
	running.Go(func() {
		for cursor := uint64(0); ; {
			got, next, err := m.Follow(ctx, "", cursor)
			if err != nil {
				return
			}
			for _, f := range got {
				if s, ok := readFrame(t, f).Data.(rest.SessionsFrame); ok && s.Seq != f.Seq {
					t.Errorf("frame %d says %d", f.Seq, s.Seq)
				}
			}
			cursor = next
		}
	})
	for n := range 8 {
		working.Go(func() {
			c := newCall(m, fmt.Sprint(n))
			for i := range 200 {
				c.looks()
				c.row.Muted = i%2 == 0
				m.SessionChanged(c.row)
				m.AddActivity(rest.Activity{Session: c.row.ID})
				m.Connection(c.row.ID, time.Time{}, time.Time{}, time.Minute)
				m.Snapshot("")
			}
			if n%2 == 0 {
				c.end("caller_left")
			}
		})
	}
	working.Wait()
	<-told // at least one tick saw a rated session
	cancel()
	running.Wait()
	if live, st := len(m.Active("")), m.Stats(""); live != 4 || st.Started != 8 || st.Ended != 4 {
		t.Errorf("%d live, %d started, %d ended", live, st.Started, st.Ended)
	}
}
