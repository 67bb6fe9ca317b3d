// Package session keeps who is connected to what, and until when: admission
// under the caps, states, deadlines, and the one cause each session ends for.
// It decides and remembers; it never touches a socket, a packet or a disk.
//
// A session is admitted (its place is taken), attached to a socket by a Link,
// and runs until exactly one cause ends it: then the place is free, the Link's
// context carries the cause, and both legs are closed. Between two sockets it
// keeps its place for the grace.
package session

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/shared/quality"
	"parley/shared/wire"
)

// Limits that are no admin's business. Each is a field of Config with this
// default.
const (
	// DefaultReconnectGrace is how long a session outlives its socket or its media:
	// a browser fails 15 s after the path broke, and needs the rest to restart ICE.
	DefaultReconnectGrace = 30 * time.Second
	// NoticeAfter is how long a caller's page takes to notice that nothing comes on the
	// path (wasm/peer's DropAfter). A leg takes 5 to 7 s; the grace is counted from the
	// page's moment, so that both give up together.
	NoticeAfter = 1500 * time.Millisecond
	// DefaultSetupTimeout is how long media may take from the first offer: ICE
	// gives up by itself in that time.
	DefaultSetupTimeout = 30 * time.Second
	// DefaultSilence is how long after the last word of a peer its session may
	// live, so that a peer that died without a sign is off the list in 60 s.
	DefaultSilence = 55 * time.Second
	// DefaultTokenLeeway is what a token lives past its exp, for clocks that
	// differ.
	DefaultTokenLeeway = 60 * time.Second
	// DefaultDrain is how long Drain waits when its context has no deadline.
	DefaultDrain = 30 * time.Second
	// DefaultOutbox is how many messages may wait for one caller. A socket that
	// is read holds one or two; there is room for an answer to each frame of a burst
	// (60), and for half a minute of states beside them.
	DefaultOutbox = 96
	// LoweredNotice is how long a caller has, from the warning on, who is over a limit
	// that was lowered: time to finish a sentence, and to do what keeps the call.
	LoweredNotice = 20 * time.Second
	// BudgetNotice is how long a caller has, from the warning on, whose call has cost
	// what it may: as long, for the same reason.
	BudgetNotice = LoweredNotice
)

// Config wires Sessions. Zero durations and numbers mean the defaults.
type Config struct {
	Settings Settings

	ReconnectGrace time.Duration
	OfferTimeout   time.Duration // wire.OfferTimeout
	SetupTimeout   time.Duration
	Silence        time.Duration
	TokenLeeway    time.Duration
	Outbox         int

	Node         string          // of a cluster; callers are told
	DefaultAgent string          // for a caller who chose none
	ICEServers   IssueICEServers // nil: none
	Places       Places          // nil: nobody else fills places
	// OpenNodes tells whether other servers take calls, and where; nil: there is none.
	OpenNodes func() (addresses []string, isAny bool)
	Media     MediaOpener
	Observer  Observer     // may be nil
	Logger    *slog.Logger // nil discards
}

func (c Config) orDefaults() Config {
	c.Settings = c.Settings.orDefaults()
	c.ReconnectGrace = orDefault(c.ReconnectGrace, DefaultReconnectGrace)
	c.OfferTimeout = orDefault(c.OfferTimeout, wire.OfferTimeout)
	c.SetupTimeout = orDefault(c.SetupTimeout, DefaultSetupTimeout)
	c.Silence = orDefault(c.Silence, DefaultSilence)
	c.TokenLeeway = orDefault(c.TokenLeeway, DefaultTokenLeeway)
	c.Outbox = orDefault(c.Outbox, DefaultOutbox)
	if c.OpenNodes == nil {
		c.OpenNodes = func() ([]string, bool) { return nil, false }
	}
	if c.Places == nil {
		c.Places = ownPlaces{}
	}
	if c.Observer == nil {
		c.Observer = nopObserver{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// IssueICEServers returns the ICE servers of one caller, for a session or, with "", for
// a look at the line before one.
type IssueICEServers func(session string, c Caller) []wire.ICEServer

// Sessions are all live sessions of this server.
type Sessions struct {
	cfg      Config
	settings atomic.Pointer[Settings]
	running  sync.WaitGroup // goroutines of sessions
	updating sync.Mutex     // held while settings are changed: one change is done before the next

	mu            sync.Mutex // taken after a Session's, never before
	live          map[string]*Session
	ending        map[string]*Session // ended, but the observer doesn't know yet
	taken         int                 // places: of live, those that are not made up
	byAccount     map[string]int      // of taken, by Caller.Account
	byOrg         map[string]int      // of taken, by organization; calls of none aren't counted
	isClosedToNew bool                // by SetClosed
	drainBy       time.Time           // zero: not draining
	empty         chan struct{}       // closed when draining and nobody is left
	closed        bool
}

// New makes an empty set of sessions. It starts nothing.
func New(cfg Config) *Sessions {
	a := &Sessions{
		cfg:       cfg.orDefaults(),
		live:      make(map[string]*Session),
		ending:    make(map[string]*Session),
		byAccount: make(map[string]int),
		byOrg:     make(map[string]int),
	}
	settings := a.cfg.Settings
	a.settings.Store(&settings)
	return a
}

// Admit takes a place for the caller, or says in a *Refusal why there is none.
// The place is the session's until it ends; one that is never attached ends
// when its offer is overdue, and nobody is told of it.
func (a *Sessions) Admit(c Caller) (*Session, error) {
	if err := a.Check(c); err != nil { // which asks nobody
		return nil, err
	}
	release := func() {}
	if !c.IsMadeUp {
		var err error
		if release, err = a.cfg.Places.Take(c, a.Settings()); err != nil {
			return nil, err
		}
	}
	s, err := a.admit(c, release)
	if err != nil {
		release()
	}
	return s, err
}

// admit lets a caller in who has a place among all, if there is one here.
func (a *Sessions) admit(c Caller, release func()) (*Session, error) {
	s := newSession(a, c)
	s.release = release
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.refusalLocked(c); err != nil {
		return nil, err
	}
	s.settings = a.settings.Load()
	a.live[s.id] = s
	if !c.IsMadeUp {
		a.taken++
		a.byAccount[c.Account()]++
		if c.Org != "" {
			a.byOrg[c.Org]++
		}
	}
	a.running.Go(s.run)
	return s, nil
}

// TakeOver admits a caller whose places are all taken in the place of the oldest
// session that holds one: it ends with cause replaced. With a place left it only
// admits, and a caller who would be refused anyway ends nothing.
func (a *Sessions) TakeOver(c Caller) (*Session, error) {
	for {
		s, err := a.Admit(c)
		if err == nil {
			return s, nil
		}
		if oldest := a.oldestReplaceable(c); oldest != nil {
			oldest.End(wire.Replaced, "")
			continue
		}
		if isUserCap(err) && a.cfg.Places.Replace(c) {
			return a.Admit(c)
		}
		return nil, err
	}
}

// ReplaceOldest ends the oldest session of the accounts that are meant, for a caller who
// goes on at another server; it returns whose it was, if there was one.
func (a *Sessions) ReplaceOldest(meant func(Caller) bool) (c Caller, replaced bool) {
	var oldest *Session
	for _, s := range a.list() {
		if !s.isMadeUp && meant(s.currentCaller()) && (oldest == nil || s.startedAt.Before(oldest.startedAt)) {
			oldest = s
		}
	}
	if oldest == nil || !oldest.End(wire.Replaced, "") {
		return Caller{}, false
	}
	return oldest.currentCaller(), true
}

// oldestReplaceable returns the oldest session of a caller who has no place left; nil if
// there is one, or if its end would still leave none: nobody is admitted, or the
// cap was lowered below what lives.
func (a *Sessions) oldestReplaceable(c Caller) (oldest *Session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	set := a.settings.Load()
	if a.closed || !a.drainBy.IsZero() || set.Paused || a.byAccount[c.Account()] < set.MaxPerUser || a.isOverCapLocked(set, c.Org) {
		return nil
	}
	for _, s := range a.live {
		if s.account == c.Account() && !s.isMadeUp && (oldest == nil || s.startedAt.Before(oldest.startedAt)) {
			oldest = s
		}
	}
	return oldest
}

// Check says what Admit would say to the caller now, and takes no place.
func (a *Sessions) Check(c Caller) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.refusalLocked(c)
}

// removeLive gives a session's place back.
func (a *Sessions) removeLive(s *Session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.live, s.id)
	a.ending[s.id] = s
	if !s.isMadeUp {
		a.taken--
		if a.byAccount[s.account]--; a.byAccount[s.account] <= 0 {
			delete(a.byAccount, s.account)
		}
		if a.byOrg[s.org]--; a.byOrg[s.org] <= 0 {
			delete(a.byOrg, s.org)
		}
		s.release()
	}
	a.closeIfEmptyLocked()
}

// removeEnding drops a session whose end the observer knows.
func (a *Sessions) removeEnding(s *Session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.ending, s.id)
}

// WaitForObservedEnds waits until the observer knows of every end there was before, or
// until ctx is done.
func (a *Sessions) WaitForObservedEnds(ctx context.Context) error {
	a.mu.Lock()
	ending := slices.Collect(maps.Values(a.ending))
	a.mu.Unlock()
	for _, s := range ending {
		select {
		case <-s.endObserved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// mu must be held.
func (a *Sessions) closeIfEmptyLocked() {
	if a.empty != nil && len(a.live) == 0 {
		close(a.empty)
		a.empty = nil
	}
}

// list lists the live sessions as they are now, for calls without the lock.
func (a *Sessions) list() []*Session {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]*Session, 0, len(a.live))
	for _, s := range a.live {
		list = append(list, s)
	}
	return list
}

func (a *Sessions) find(id string) (*Session, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, ok := a.live[id]; ok {
		return s, nil
	}
	return nil, errUnknown
}

// End ends one session for a cause, with an admin's words where there are any.
func (a *Sessions) End(id string, cause wire.EndCause, reason string) error {
	s, err := a.find(id)
	if err != nil {
		return err
	}
	if !s.End(cause, reason) {
		return errUnknown
	}
	return nil
}

// EndWhere ends the live sessions of the callers that are meant, and counts them.
func (a *Sessions) EndWhere(meant func(Caller) bool, cause wire.EndCause, reason string) (ended int) {
	for _, s := range a.list() {
		if meant(s.currentCaller()) && s.End(cause, reason) {
			ended++
		}
	}
	return ended
}

// Owner tells who holds a live session.
func (a *Sessions) Owner(id string) (Caller, bool) {
	s, err := a.find(id)
	if err != nil {
		return Caller{}, false
	}
	return s.currentCaller(), true
}

// Snapshot gives a live session as it is now, if it was ever attached: of others
// nobody is told.
func (a *Sessions) Snapshot(id string) (Snapshot, bool) {
	s, err := a.find(id)
	if err != nil {
		return Snapshot{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snapshotLocked(), s.ended == nil && s.wasAttached
}

// SnapshotsWhere gives the live sessions of the callers that are meant.
func (a *Sessions) SnapshotsWhere(meant func(Caller) bool) (found []Snapshot) {
	for _, s := range a.list() {
		if snap, ok := a.Snapshot(s.id); ok && meant(snap.Caller) {
			found = append(found, snap)
		}
	}
	return found
}

// SetQuality takes the monitor's verdict on a line; the caller gets it as State.
func (a *Sessions) SetQuality(id string, q quality.Verdict) {
	if s, err := a.find(id); err == nil {
		s.setQuality(q)
	}
}

// Settings gives the limits in force.
func (a *Sessions) Settings() Settings { return *a.settings.Load() }

// Limits are the settings as callers are told them.
func (a *Sessions) Limits() wire.Limits { return a.limitsOf(a.settings.Load()) }

func (a *Sessions) limitsOf(set *Settings) wire.Limits {
	return wire.Limits{
		IdleTimeoutS:    seconds(set.IdleTimeout),
		IdleWarningS:    seconds(set.idleWarning()),
		MaxDurationS:    seconds(set.MaxDuration),
		ReconnectGraceS: seconds(a.cfg.ReconnectGrace),
	}
}

// ICEServers are those that a caller is told; never nil, for JSON says [].
func (a *Sessions) ICEServers(session string, c Caller) []wire.ICEServer {
	if a.cfg.ICEServers == nil {
		return []wire.ICEServer{}
	}
	return a.cfg.ICEServers(session, c)
}

func seconds(d time.Duration) int { return int(d / time.Second) }

// UpdateSettings changes the limits, for live sessions too: a session that is
// past a lower one is warned and ends LoweredNotice later, or when it would have ended
// before, if that is sooner. A lower cap ends nobody.
func (a *Sessions) UpdateSettings(set Settings) {
	a.updating.Lock()
	defer a.updating.Unlock()
	set = set.orDefaults()
	a.settings.Store(&set)
	now := time.Now()
	for _, s := range a.list() { // whoever is admitted from here on has the new ones
		s.applySettings(&set, now)
	}
}

// EndOverdue ends the sessions that are past a lowered limit, without the notice that
// UpdateSettings gave them.
func (a *Sessions) EndOverdue() {
	for _, s := range a.list() {
		s.endNotice()
	}
}

// SetClosed has callers refused like those of a server that drains, or lets them in again;
// nobody who is here is told of it.
func (a *Sessions) SetClosed(isClosed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.isClosedToNew = isClosed
}

// Close ends every session at once and waits until all legs are closed.
func (a *Sessions) Close() error {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.endAll()
	a.running.Wait()
	return nil
}
