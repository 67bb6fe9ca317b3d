package session

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"parley/shared/quality"
	"parley/shared/wire"
)

// Caller is who calls, as the token says. It never leaves memory.
type Caller struct {
	User, Name, Org string
	Phone, Email    string // as the token has them
	Remote          string // the peer's address
	Host            string // "host:port" by which they came over this server's own HTTPS; "": another way
	Agent           string // that answers; "" takes the default
	// AskedAt is when they came, for whoever measures how long a set-up takes.
	AskedAt time.Time
	// TokenExpires is exp: the session ends with its caller's right to it. The
	// zero time is long ago.
	TokenExpires time.Time
	// TokenID names the token: who signs out ends the calls that it carries.
	TokenID string
	// IsSocketless: the caller came by one HTTP request, and holds no socket. Its
	// link is the server's own, and it is told of its end by the call's own channel.
	IsSocketless bool
	// ServerAdmin administers everything: no organization's admin acts on them.
	ServerAdmin bool
	// IsMadeUp: nobody calls; it is demo data. It takes no place from anybody, and a
	// drain doesn't wait for it.
	IsMadeUp bool
}

// Account names the user among all: a subject of one organization is not that
// of another. It is a key to count by.
func (c Caller) Account() string { return c.Org + "\x00" + c.User }

// Snapshot is one session at one moment.
type Snapshot struct {
	ID           string
	Caller       Caller
	Agent        string
	State        wire.SessionState
	AgentState   wire.AgentState
	AgentStuck   wire.EndCause // what the agent is about to end the call for; "": it is not stuck
	StartedAt    time.Time
	LastActiveAt time.Time
	EndsAt       time.Time // the nearest of idle timeout, longest duration, drain and budget
	EndedAt      time.Time
	Cause        wire.EndCause // once it ended
	Reason       string
	Muted        bool
	ICERestarts  int64 // of both legs
}

// Session is one admitted caller. Its goroutine, run, keeps the deadlines and
// tells the observer; all else is memory under mu.
type Session struct {
	sessions  *Sessions
	id        string
	account   string
	org       string
	longest   time.Duration // that its agent allows; 0: any length
	isMadeUp  bool          // see Caller
	release   func()        // gives its place back, among all servers
	startedAt time.Time
	ctx       context.Context // ends with the session; its cause is *End
	cancel    context.CancelCauseFunc
	wakeup    chan struct{}

	observing   sync.Mutex    // one call of the observer at a time, in order; taken before mu
	endObserved chan struct{} // closed once the observer knows of the end

	mu            sync.Mutex
	caller        Caller
	token         string // opens the session from another socket, once
	previousToken string // the token before, until something came on the socket it opened
	link          *Link  // nil while the socket is gone
	wasAttached   bool   // was attached once: from then on it is observed
	ended         *End
	endedAt       time.Time
	lastActive    time.Time
	muted         bool
	iceRestarts   int64

	// Media.
	legs             Legs
	negotiationTasks []negotiationTask // for the negotiator, in order
	isNegotiating    bool              // the negotiator runs
	offered          bool
	connected        bool // media flowed once
	agentState       wire.AgentState
	turn             *wire.AgentTurn // the newest answer's; never changed
	quality          quality.Verdict
	agentStuck       wire.EndCause // what it ends for at stuckBy; "": it is not stuck
	agentError       error         // what broke, for the log
	failureLoggedAt  time.Time
	counters         claimedCounters

	socketHeardAt time.Time // when the socket gave its last sign
	mediaBrokenAt time.Time // when media that had flowed broke

	// settings are those that hold for it, with the notices below.
	settings *Settings
	// Deadlines by the monotonic clock; zero is none.
	offerBy, setupBy, mediaBy, graceBy, tokenBy, budgetBy, stuckBy time.Time
	// Until when a limit that was lowered ends nobody; zero is long ago.
	idleNotice, durationNotice time.Time
	warned                     sentWarnings

	// What run has yet to tell.
	changed, active, stateDue bool
	toldAt, stateAt           time.Time
}

func newSession(a *Sessions, c Caller) *Session {
	now := time.Now()
	ctx, cancel := context.WithCancelCause(context.Background())
	if c.Agent == "" {
		c.Agent = a.cfg.DefaultAgent
	}
	return &Session{
		sessions: a, id: "sess_" + randomText(), account: c.Account(), org: c.Org, isMadeUp: c.IsMadeUp,
		longest: a.cfg.Media.MaxDuration(c), startedAt: now, ctx: ctx, cancel: cancel, wakeup: make(chan struct{}, 1),
		endObserved: make(chan struct{}),
		caller:      c, lastActive: now, agentState: wire.AgentConnecting,
		offerBy: now.Add(a.cfg.OfferTimeout),
		tokenBy: tokenDeadline(c, now, a.cfg.TokenLeeway),
	}
}

// randomText is base32 of at least 128 bits from the system's source.
func randomText() string { return strings.ToLower(rand.Text()) }

// tokenDeadline moves exp, a wall-clock time, onto the monotonic clock, so that
// a clock set back gives nobody a longer call.
func tokenDeadline(c Caller, now time.Time, leeway time.Duration) time.Time {
	return now.Add(c.TokenExpires.Sub(now)).Add(leeway)
}

func (s *Session) currentCaller() Caller {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.caller
}

// ID is the session's public name.
func (s *Session) ID() string { return s.id }

// Context ends with the session; its cause is an *End.
func (s *Session) Context() context.Context { return s.ctx }

// End ends the session and says whether this call did: only the first does.
func (s *Session) End(cause wire.EndCause, reason string) bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.endLocked(cause, reason, now)
}

// endLocked is the only way a session ends, with endAsLocked: one cause, the place
// given back, and then run closes the legs. mu must be held.
func (s *Session) endLocked(cause wire.EndCause, reason string, now time.Time) bool {
	return s.endAsLocked(&End{Cause: cause, Reason: clip(reason, wire.MaxString)}, now)
}

// endAsLocked is endLocked for an end that says more. mu must be held.
func (s *Session) endAsLocked(end *End, now time.Time) bool {
	if s.ended != nil {
		return false
	}
	s.ended = end
	s.endedAt = now
	s.token = ""
	s.negotiationTasks = nil
	s.sessions.removeLive(s)
	s.cancel(s.ended)
	return true
}

// clip cuts to at most n bytes, between characters.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// touchLocked notes a sign of life. mu must be held.
func (s *Session) touchLocked(now time.Time) {
	if s.ended != nil {
		return
	}
	s.lastActive, s.active = now, true
	s.wakeRun()
}

// wakeRun has run look again.
func (s *Session) wakeRun() {
	select {
	case s.wakeup <- struct{}{}:
	default:
	}
}

// applySettings takes new settings, and with them the notice: between the two nobody may
// look at a deadline. Who is past one that was lowered has notice of it.
func (s *Session) applySettings(set *Settings, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.limitsLocked()
	s.settings = set
	set = s.limitsLocked()
	s.idleNotice = noticeOf(now, s.idleDeadlineLocked(old), s.idleDeadlineLocked(set))
	s.durationNotice = noticeOf(now, s.durationDeadlineLocked(old), s.durationDeadlineLocked(set))
	s.changed = true
	s.wakeRun()
}

// limitsLocked are the settings as they hold for this session: its agent may allow less.
// mu must be held.
func (s *Session) limitsLocked() *Settings {
	set := s.settings
	if s.longest == 0 || set.MaxDuration != 0 && set.MaxDuration <= s.longest {
		return set
	}
	own := *set
	own.MaxDuration = s.longest
	return &own
}

// endNotice has lowered limits hold at once.
func (s *Session) endNotice() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idleNotice, s.durationNotice = time.Time{}, time.Time{}
	s.changed = true
	s.wakeRun()
}

// tellAnew has the observer and the caller told of what stands.
func (s *Session) tellAnew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = true
	s.wakeRun()
}

// mu must be held.
func (s *Session) stateLocked() wire.SessionState {
	switch {
	case s.ended != nil:
		return wire.StateEnded
	case s.link == nil && s.wasAttached:
		return wire.StateReconnecting
	case !s.connected:
		return wire.StateConnecting
	}
	return wire.StateActive
}

// mu must be held.
func (s *Session) snapshotLocked() Snapshot {
	snap := Snapshot{
		ID: s.id, Caller: s.caller, Agent: s.caller.Agent, State: s.stateLocked(), AgentState: s.agentState, AgentStuck: s.agentStuck,
		StartedAt: s.startedAt, LastActiveAt: s.lastActive, EndsAt: s.plannedEndLocked(), EndedAt: s.endedAt,
		Muted: s.muted, ICERestarts: s.iceRestarts,
	}
	if s.ended != nil {
		snap.Cause, snap.Reason = s.ended.Cause, s.ended.Reason
	}
	return snap
}
