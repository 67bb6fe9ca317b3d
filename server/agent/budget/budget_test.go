package budget_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"parley/server/agent/budget"
	"parley/shared/rest"
)

// record is a store in memory.
type record struct {
	mu    sync.Mutex
	spent map[string]int64 // by user and day
	away  bool
	asked int
}

func (r *record) SpentOn(_ context.Context, user, _, _, day string) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if r.away {
		return 0, errors.New("away")
	}
	return r.spent[user+day], nil
}

// clock is a time of day that tests set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

const today, tomorrow = "2026-11-25", "2026-11-26"

var (
	ada    = budget.Caller{UserKey: "ada", Agent: "openai"}
	limits = budget.Limits{PerCall: 1000, PerUserDay: 1500}
)

func ledger(r *record) (*budget.Ledger, *clock) {
	c := &clock{time.Date(2026, 11, 25, 23, 0, 0, 0, time.UTC)}
	return budget.NewLedger(r, c.now), c
}

func open(t *testing.T, l *budget.Ledger, c budget.Caller) *budget.Account {
	t.Helper()
	a, err := l.Open(t.Context(), c, limits)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func cost(micros int64) rest.Usage { return rest.Usage{CostMicros: micros} }

// The record is asked for a day that has a limit, and for no other.
func TestADayWithoutALimitAsksNothing(t *testing.T) {
	r := &record{spent: map[string]int64{"ada" + today: 1500}}
	l, _ := ledger(r)
	a, err := l.Open(t.Context(), ada, budget.Limits{PerCall: 1000})
	if err != nil || r.asked != 0 {
		t.Fatalf("asked %d times, %v", r.asked, err)
	}
	if _, isSpent := a.Spend(cost(1000)); !isSpent {
		t.Error("the call's own limit doesn't hold")
	}
	if _, err := l.Open(t.Context(), ada, limits); !errors.Is(err, budget.ErrSpent) || r.asked != 1 {
		t.Errorf("with a limit: asked %d times, %v", r.asked, err)
	}
}

func TestACallEndsAtItsOwnLimitOnce(t *testing.T) {
	l, _ := ledger(&record{})
	a := open(t, l, ada)
	for _, step := range []struct {
		total, fresh int64
		want         bool
	}{{400, 400, false}, {400, 0, false}, {999, 599, false}, {1000, 1, true}, {1100, 100, false}} {
		entry, spent := a.Spend(cost(step.total))
		if entry.CostMicros != step.fresh || entry.Day != today || spent != step.want {
			t.Errorf("at %d: %+v, spent %v", step.total, entry, spent)
		}
	}
}

func TestADayIsSharedByAUsersCalls(t *testing.T) {
	l, _ := ledger(&record{spent: map[string]int64{"ada" + today: 500}})
	one, two := open(t, l, ada), open(t, l, ada)
	other := open(t, l, budget.Caller{UserKey: "ada", Agent: "another"})
	if _, spent := one.Spend(cost(499)); spent {
		t.Error("the first is over at 999")
	}
	if _, spent := two.Spend(cost(500)); spent {
		t.Error("the second is over at 1499")
	}
	if _, spent := two.Spend(cost(501)); !spent {
		t.Error("the second is not over at 1500")
	}
	if _, spent := one.Spend(cost(499)); !spent {
		t.Error("the first does not notice")
	}
	if _, err := l.Open(t.Context(), ada, limits); !errors.Is(err, budget.ErrSpent) {
		t.Errorf("another call: %v", err)
	}
	if _, spent := other.Spend(cost(100)); spent {
		t.Error("another agent's money is another's")
	}
}

// What a user's call at another server spent is known once it is on record, and ends this one
// with its next answer.
func TestADayIsSharedByServers(t *testing.T) {
	r := &record{spent: map[string]int64{}}
	here, _ := ledger(r)
	there, _ := ledger(r)
	one, two := open(t, here, ada), open(t, there, ada)
	kept := func(l *budget.Ledger, a *budget.Account, total int64) (isSpent bool) {
		entry, isSpent := a.Spend(cost(total))
		r.spent["ada"+entry.Day] += entry.CostMicros
		l.Learn(t.Context(), ada, entry.Day)
		return isSpent
	}
	if kept(here, one, 900) || kept(there, two, 700) || kept(here, one, 901) {
		t.Error("over before the other's is on record")
	}
	if !kept(here, one, 902) || !kept(there, two, 701) {
		t.Error("1600 of two servers are not over")
	}
	if _, err := here.Open(t.Context(), ada, limits); !errors.Is(err, budget.ErrSpent) {
		t.Errorf("another call: %v", err)
	}
}

// What a call spent that has just ended may not be on record yet.
func TestWhoCallsAgainHasNoNewBudget(t *testing.T) {
	r := &record{}
	l, _ := ledger(r)
	a := open(t, l, ada)
	a.Spend(cost(900))
	a.Close()
	a.Close()
	b := open(t, l, ada)
	if _, spent := b.Spend(cost(600)); !spent {
		t.Error("1500 are not over")
	}
	b.Close()
	// Another server's life: only the record knows.
	r.spent = map[string]int64{"ada" + today: 1500}
	l, _ = ledger(r)
	if _, err := l.Open(t.Context(), ada, limits); !errors.Is(err, budget.ErrSpent) {
		t.Errorf("after a restart: %v", err)
	}
}

func TestMidnightGivesANewDay(t *testing.T) {
	l, c := ledger(&record{spent: map[string]int64{"ada" + today: 1400}})
	a := open(t, l, ada)
	a.Spend(cost(99))
	c.at = c.at.Add(time.Hour)
	entry, spent := a.Spend(cost(200))
	if entry.Day != tomorrow || entry.CostMicros != 101 || spent {
		t.Errorf("after midnight: %+v, spent %v", entry, spent)
	}
	a.Close()
	if _, spent := open(t, l, ada).Spend(cost(999)); spent {
		t.Error("1100 of the new day are over")
	}
}

func TestARecordThatIsAwayLetsCallsIn(t *testing.T) {
	r := &record{away: true, spent: map[string]int64{"ada" + today: 1499}}
	l, _ := ledger(r)
	a := open(t, l, ada)
	a.Spend(cost(10))
	r.away = false
	open(t, l, ada)
	if _, spent := a.Spend(cost(11)); !spent {
		t.Error("what the record has does not count once it answers")
	}
}

// What is spent is known before a call, by the record and by calls that are on.
func TestASpentDayIsForetold(t *testing.T) {
	r := &record{spent: map[string]int64{}}
	l, _ := ledger(r)
	if err := l.Check(t.Context(), ada, limits); err != nil {
		t.Errorf("before: %v", err)
	}
	a := open(t, l, ada)
	a.Spend(cost(limits.PerUserDay - 1))
	if err := l.Check(t.Context(), ada, limits); err != nil {
		t.Errorf("one is left: %v", err)
	}
	a.Spend(cost(limits.PerUserDay))
	if err := l.Check(t.Context(), ada, limits); !errors.Is(err, budget.ErrSpent) {
		t.Errorf("by a call that is on: %v", err)
	}
	l, _ = ledger(&record{spent: map[string]int64{"ada" + today: limits.PerUserDay}})
	if err := l.Check(t.Context(), ada, limits); !errors.Is(err, budget.ErrSpent) {
		t.Errorf("by the record: %v", err)
	}
	if err := l.Check(t.Context(), ada, budget.Limits{PerCall: 1}); err != nil {
		t.Errorf("without a day's limit: %v", err)
	}
	l, _ = ledger(&record{away: true, spent: map[string]int64{"ada" + today: limits.PerUserDay}})
	if err := l.Check(t.Context(), ada, limits); err != nil {
		t.Errorf("while the record is away: %v", err)
	}
}

func TestNoLimitIsNone(t *testing.T) {
	l, _ := ledger(&record{})
	a, err := l.Open(t.Context(), ada, budget.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, spent := a.Spend(cost(1 << 60)); spent {
		t.Error("spent")
	}
}

func TestParallelCallsCountEachMillionth(t *testing.T) {
	l, _ := ledger(&record{})
	wide := budget.Limits{PerUserDay: 20*500 + 1}
	var running sync.WaitGroup
	for i := range 20 {
		running.Go(func() {
			a, err := l.Open(context.Background(), ada, wide)
			if err != nil {
				t.Error(err)
				return
			}
			for n := range int64(500) {
				if _, spent := a.Spend(cost(n + 1)); spent {
					t.Error(fmt.Sprint("spent too early by ", i))
				}
			}
			a.Close()
		})
	}
	running.Wait()
	a, err := l.Open(t.Context(), ada, wide)
	if err != nil {
		t.Fatal(err)
	}
	if _, spent := a.Spend(cost(1)); !spent {
		t.Error("not spent at the limit")
	}
}
