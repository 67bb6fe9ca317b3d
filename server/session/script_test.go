package session_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"parley/server/session"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is MediaOpener and Legs at once, for one session: it does what the test
// says and notes what it was asked.
type script struct {
	open     func(ctx context.Context) error // nil: opens at once
	offer    func(ctx context.Context, sdp string) (string, error)
	longest  time.Duration
	badWords []string // candidates it refuses

	mu         sync.Mutex
	on         session.MediaEvents
	agent      string
	offers     []string
	candidates []string
	delivered  []string
	closed     int
	closedAt   time.Time
}

func (m *script) Open(ctx context.Context, _ string, c session.Caller, on session.MediaEvents) (session.Legs, error) {
	m.mu.Lock()
	m.on, m.agent = on, c.Agent
	m.mu.Unlock()
	if m.open != nil {
		if err := m.open(ctx); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *script) MaxDuration(session.Caller) time.Duration { return m.longest }

func (m *script) Offer(ctx context.Context, sdp string) (string, error) {
	m.mu.Lock()
	m.offers = append(m.offers, sdp)
	m.mu.Unlock()
	if m.offer != nil {
		return m.offer(ctx, sdp)
	}
	return "answer to " + sdp, nil
}

func (m *script) AddCandidate(c wire.CandidateInit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.candidates = append(m.candidates, c.Candidate)
	if slices.Contains(m.badWords, c.Candidate) {
		return errors.New("refused")
	}
	return nil
}

func (m *script) DeliverMessage(_ context.Context, text []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.delivered = append(m.delivered, string(text))
	return nil
}

func (m *script) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed++
	m.closedAt = time.Now()
}

func (m *script) closes() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

// asked gives the offers and candidates that reached the legs.
func (m *script) asked() (offers, candidates []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.offers), slices.Clone(m.candidates)
}

// opened says whether Open was called.
func (m *script) opened() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.on != nil
}

// age gives when the legs were closed after a moment.
func (m *script) age(since time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closedAt.Sub(since)
}

// witness notes what the observer is told.
type witness struct {
	mu      sync.Mutex
	changes []session.Snapshot
	at      []time.Time
	samples []session.Observation
}

func (w *witness) SessionChanged(s session.Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes, w.at = append(w.changes, s), append(w.at, time.Now())
}

func (w *witness) SessionSampled(_ string, o session.Observation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.samples = append(w.samples, o)
}

func (w *witness) all() []session.Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.changes)
}

func (w *witness) sampled() []session.Observation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.samples)
}

func (w *witness) last(t *testing.T) session.Snapshot {
	t.Helper()
	all := w.all()
	if len(all) == 0 {
		t.Fatal("the observer was told nothing")
	}
	return all[len(all)-1]
}

// fixture is a set of sessions in a bubble of time.
type fixture struct {
	*session.Sessions
	t     *testing.T
	media *script
	seen  *witness
}

// bubble runs a test in its own time with sessions configured by change.
func bubble(t *testing.T, change func(*session.Config), run func(h *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &fixture{t: t, media: &script{}, seen: &witness{}}
		cfg := session.Config{Media: h.media, Observer: h.seen, DefaultAgent: "parrot"}
		if change != nil {
			change(&cfg)
		}
		h.Sessions = session.New(cfg)
		run(h)
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if live, _, _ := h.Capacity(); live != 0 {
			t.Errorf("%d sessions live after Close", live)
		}
	})
}

func caller(user string) session.Caller {
	return session.Caller{User: user, TokenExpires: time.Now().Add(24 * time.Hour)}
}

func (h *fixture) admit(c session.Caller) *session.Session {
	h.t.Helper()
	s, err := h.Admit(c)
	if err != nil {
		h.t.Fatalf("admit %s: %v", c.User, err)
	}
	return s
}

func (h *fixture) attach(s *session.Session) *session.Link {
	h.t.Helper()
	l, err := s.Attach()
	if err != nil {
		h.t.Fatalf("attach: %v", err)
	}
	return l
}

// call brings a call up to where media flows.
func (h *fixture) call(user string) (*session.Session, *session.Link) {
	h.t.Helper()
	s := h.admit(caller(user))
	l := h.attach(s)
	if refused := l.Offer(wire.Offer{SDP: "offer"}); refused != nil {
		h.t.Fatalf("offer: %v", refused)
	}
	synctest.Wait()
	s.ConnectionState(rtcstats.StateConnected, time.Now())
	synctest.Wait()
	drain(l)
	return s, l
}

// drain takes everything out of a link's outbox.
func drain(l *session.Link) []wire.Message {
	var got []wire.Message
	for {
		select {
		case m := <-l.Outbox():
			got = append(got, m)
		default:
			return got
		}
	}
}

// of gives the messages of one type.
func of[M wire.Message](all []wire.Message) []M {
	var got []M
	for _, m := range all {
		if m, ok := m.(M); ok {
			got = append(got, m)
		}
	}
	return got
}

// pass lets time pass and everything settle.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// causeOf gives why a session ended, or "" while it lives.
func causeOf(s *session.Session) wire.EndCause {
	var end *session.End
	if errors.As(context.Cause(s.Context()), &end) {
		return end.Cause
	}
	return ""
}

// endsAfter asserts that a session lives one nanosecond before d from now, and
// has ended for the cause at d.
func (h *fixture) endsAfter(s *session.Session, d time.Duration, want wire.EndCause) {
	h.t.Helper()
	pass(d - 1)
	if got := causeOf(s); got != "" {
		h.t.Fatalf("a nanosecond before %v: ended, %s", d, got)
	}
	pass(1)
	if got := causeOf(s); got != want {
		h.t.Fatalf("at %v: %q, want %q", d, got, want)
	}
}
