package call_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/app/call"
	"parley/shared/rest"
	"parley/wasm/peer"
)

// browserLocks are the locks of one browser, shared by its tabs. They take a
// while, as another process does.
type browserLocks struct {
	takes time.Duration

	mu   sync.Mutex
	held map[string]bool
}

func (b *browserLocks) Lock(ctx context.Context, name string) (unlock func(), ok bool) {
	time.Sleep(b.takes)
	for !b.tryLock(name) {
		select {
		case <-ctx.Done():
			return nil, false
		case <-time.After(10 * time.Millisecond):
		}
	}
	return sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.held, name)
	}), true
}

func (b *browserLocks) tryLock(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held[name] {
		return false
	}
	if b.held == nil {
		b.held = map[string]bool{}
	}
	b.held[name] = true
	return true
}

func (b *browserLocks) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.held)
}

// inTabs runs a test in a bubble with two tabs of a browser: the second one is
// opened with a copy of what the first one stored.
func inTabs(t *testing.T, locks *browserLocks, f func(t *testing.T, first *call.Engine, duplicate func() (*call.Engine, *phone, *tab))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &tab{}
		first := call.NewEngine(call.Config{Locks: locks, Storage: s,
			Peer: &phone{events: []peer.Event{accepted("one"), peer.CallConnected{}}}})
		defer first.Close()
		first.Start()
		time.Sleep(time.Second)
		synctest.Wait()
		f(t, first, func() (*call.Engine, *phone, *tab) {
			p, copied := &phone{events: []peer.Event{accepted("two"), peer.CallConnected{}}}, s.copyOf()
			e := call.NewEngine(call.Config{Peer: p, Locks: locks, Storage: copied})
			t.Cleanup(e.Close)
			return e, p, copied
		})
		first.Close()
		synctest.Wait()
		if n := locks.count(); n != 0 {
			t.Errorf("%d locks stay held", n)
		}
	})
}

// A duplicated tab doesn't go on with the first one's call, and says where it is.
func TestADuplicatedTab(t *testing.T) {
	inTabs(t, &browserLocks{}, func(t *testing.T, first *call.Engine, duplicate func() (*call.Engine, *phone, *tab)) {
		e, p, kept := duplicate()
		defer e.Close()
		e.Resume()
		time.Sleep(time.Second)
		synctest.Wait()
		got := e.Picture()
		if got.Phase != call.Ready || got.Refusal == nil || got.Refusal.Problem.Code != rest.CodeUserCap {
			t.Errorf("got phase %v, %+v", got.Phase, got.Refusal)
		}
		if len(p.mics) != 0 || len(p.lines) != 0 || len(kept.kept) != 0 {
			t.Errorf("it opened %d microphones and %d lines, and keeps %v", len(p.mics), len(p.lines), kept.kept)
		}
		if first.Picture().Phase != call.Live {
			t.Error("the first tab's call is gone")
		}
		e.TakeOver()
		synctest.Wait()
		if !p.line(t, 1).dial.TakesOver {
			t.Error("moving it here takes nothing over")
		}
	})
}

// A page that is loaded again finds the lock free, or waits until it is.
func TestAReloadedTabGetsItsLock(t *testing.T) {
	locks := &browserLocks{}
	inTabs(t, locks, func(t *testing.T, first *call.Engine, duplicate func() (*call.Engine, *phone, *tab)) {
		e, p, _ := duplicate()
		defer e.Close()
		e.Resume()
		time.AfterFunc(300*time.Millisecond, first.Close) // the page before it goes
		time.Sleep(time.Second)
		synctest.Wait()
		if p.line(t, 1).dial.Resume == nil || e.Picture().Phase != call.Live {
			t.Errorf("phase %v", e.Picture().Phase)
		}
		if n := locks.count(); n != 1 {
			t.Errorf("%d locks are held by one call", n)
		}
	})
}

// A lock that comes when the call is over is given back.
func TestALockThatComesTooLate(t *testing.T) {
	locks := &browserLocks{takes: 5 * time.Second}
	inTabs(t, locks, func(t *testing.T, first *call.Engine, _ func() (*call.Engine, *phone, *tab)) {
		first.Hangup()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := locks.count(); n != 0 {
			t.Errorf("%d locks are held after the call", n)
		}
	})
}
