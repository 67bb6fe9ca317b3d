package monitor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestLatenessIsThatOfTheWorstTwentieth(t *testing.T) {
	var l lateness
	if l.take() != 0 {
		t.Error("late before anybody looked")
	}
	for ms := range 101 {
		l.add(time.Duration(100-ms) * time.Millisecond)
	}
	l.add(-time.Millisecond) // a timer of a coarse clock
	if got := l.take(); got != 94*time.Millisecond && got != 95*time.Millisecond {
		t.Errorf("late by %v", got)
	}
	if l.take() != 0 {
		t.Error("what was taken is told again")
	}
}

// Time that nobody else takes is on time.
func TestAnIdleMachineIsNotLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lateness
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.run(ctx)
		}()
		time.Sleep(time.Second)
		synctest.Wait()
		stop()
		<-done
		if n := len(l.all); n < 49 || n > 50 {
			t.Errorf("%d looks in a second", n)
		}
		if late := l.take(); late != 0 {
			t.Errorf("late by %v", late)
		}
	})
}
