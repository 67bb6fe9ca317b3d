// Package budget decides when the money of a call is spent: what one call may
// cost, and what one user may spend at an agent on one day. It adds up what is
// told and says when to stop; it ends no call and keeps nothing: what was spent
// today it asks of the record, so that a restart gives nobody a new budget.
package budget

import (
	"context"
	"errors"
	"sync"
	"time"

	"parley/shared/rest"
)

// ErrSpent: the user's budget of the day is spent; there is a new one tomorrow.
var ErrSpent = errors.New("budget: the day's is spent")

// Limits are what an agent's calls may cost, in millionths of the unit that its
// prices are in; 0 is no limit.
type Limits struct {
	PerCall    int64
	PerUserDay int64
}

// Limited is an agent whose calls cost money.
type Limited interface{ Budget() Limits }

// Caller is whose money it is.
type Caller struct {
	UserKey string
	Org     string
	Agent   string
}

// Record tells what was spent.
type Record interface {
	// SpentOn returns the cost of what a user used of an agent on a day, as
	// rest.DayOf writes it.
	SpentOn(ctx context.Context, userKey, org, agent, day string) (micros int64, err error)
}

// Ledger holds what is spent by calls that are on. It is safe for use by several
// goroutines.
type Ledger struct {
	record Record
	now    func() time.Time

	mu sync.Mutex
	// days are kept until their day is over, calls or not: what a call that has just
	// ended spent may not be on record yet.
	days map[budgetDay]*spent
}

// budgetDay names a caller's budget of a day.
type budgetDay struct {
	Caller
	day string
}

// maxRemembered is how many budgets without a call are remembered: those of a day of the
// largest server. Beyond it, the record is asked again.
const maxRemembered = 50_000

// spent is what was spent of a budget, and how many calls hold it.
type spent struct {
	micros    int64
	calls     int
	isLimited bool
}

// NewLedger makes a ledger. now is nil for the time of day.
func NewLedger(r Record, now func() time.Time) *Ledger {
	if now == nil {
		now = time.Now
	}
	return &Ledger{record: r, now: now, days: map[budgetDay]*spent{}}
}

// Account is what one call may still spend.
type Account struct {
	ledger *Ledger
	limits Limits

	mu     sync.Mutex
	key    budgetDay
	total  rest.Usage
	isOver bool // was told
	closed bool
}

// Open begins the account of a call. It returns ErrSpent if nothing is left of the
// user's day. When the record can't be asked, the call is let in: what it spends
// counts all the same, and calls go on while the store is away. Of a day without a limit it
// isn't asked.
func (l *Ledger) Open(ctx context.Context, c Caller, limits Limits) (*Account, error) {
	a := &Account{ledger: l, limits: limits, key: budgetDay{c, rest.DayOf(l.now())}}
	var before int64
	if limits.PerUserDay > 0 {
		if kept, err := l.record.SpentOn(ctx, c.UserKey, c.Org, c.Agent, a.key.day); err == nil {
			before = kept
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	day := l.spentLocked(a.key)
	day.micros = max(day.micros, before)
	if limits.PerUserDay > 0 && day.micros >= limits.PerUserDay {
		return nil, ErrSpent
	}
	day.calls++
	day.isLimited = limits.PerUserDay > 0
	return a, nil
}

// Learn takes up what the record has of a budget of a day that is limited: what the user's
// calls at other servers of the same record spent, too. The next Spend reports if it is
// spent by that.
func (l *Ledger) Learn(ctx context.Context, c Caller, day string) {
	key := budgetDay{c, day}
	l.mu.Lock()
	of := l.days[key]
	isLimited := of != nil && of.isLimited
	l.mu.Unlock()
	if !isLimited {
		return
	}
	kept, err := l.record.SpentOn(ctx, c.UserKey, c.Org, c.Agent, day)
	if err != nil {
		return // as in Open
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	of.micros = max(of.micros, kept)
}

// Check returns what Open would say to a caller now, and opens nothing.
func (l *Ledger) Check(ctx context.Context, c Caller, limits Limits) error {
	if limits.PerUserDay <= 0 {
		return nil
	}
	key := budgetDay{c, rest.DayOf(l.now())}
	before, err := l.record.SpentOn(ctx, c.UserKey, c.Org, c.Agent, key.day)
	if err != nil {
		before = 0 // as Open: calls go on while the store is away
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if day := l.days[key]; day != nil {
		before = max(before, day.micros)
	}
	if before >= limits.PerUserDay {
		return ErrSpent
	}
	return nil
}

// spentLocked returns what was spent of a budget, nothing if it is new. mu must be held.
func (l *Ledger) spentLocked(p budgetDay) *spent {
	if l.days[p] == nil {
		l.forgetLocked(p.day)
		l.days[p] = &spent{}
	}
	return l.days[p]
}

// forgetLocked drops budgets that no call holds: of other days, or all if there
// are too many. mu must be held.
func (l *Ledger) forgetLocked(today string) {
	full := len(l.days) >= maxRemembered
	for p, day := range l.days {
		if day.calls <= 0 && (full || p.day != today) {
			delete(l.days, p)
		}
	}
}

// Spend takes what the call used so far, in all. It returns what of it is new, for
// the record, with the day that it counts for, and whether the budget is now spent:
// once. After midnight (UTC) it is another day's money.
func (a *Account) Spend(total rest.Usage) (entry rest.UsageEntry, isSpent bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	entry = rest.UsageEntry{Day: rest.DayOf(a.ledger.now()), Usage: total.Less(a.total)}
	a.total = total
	day := a.ledger.addLocked(a, entry.Day, entry.CostMicros)
	over := a.limits.PerCall > 0 && total.CostMicros >= a.limits.PerCall ||
		a.limits.PerUserDay > 0 && day >= a.limits.PerUserDay
	isSpent = over && !a.isOver
	a.isOver = a.isOver || over
	return entry, isSpent
}

// addLocked takes money out of a day's budget and returns what was spent of it in all.
// The account's mu must be held.
func (l *Ledger) addLocked(a *Account, day string, micros int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if day != a.key.day && !a.closed {
		l.spentLocked(a.key).calls--
		a.key.day = day
		l.spentLocked(a.key).calls++
	}
	of := l.spentLocked(a.key)
	of.micros += micros
	return of.micros
}

// Close ends the account.
func (a *Account) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	a.closed = true
	a.ledger.mu.Lock()
	defer a.ledger.mu.Unlock()
	a.ledger.spentLocked(a.key).calls--
}
