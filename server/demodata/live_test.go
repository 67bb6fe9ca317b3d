package demodata_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/bridge"
	"parley/server/demodata"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// watch is what sessions tell, and a bridge between them and what is made up.
type watch struct {
	mu       sync.Mutex
	states   map[wire.SessionState]int
	live     map[string]bool
	sampled  map[rtcstats.MeasuredBy]int
	refused  int
	turns    int
	drawn    int // of them, with both voices
	mostUsed int64
}

func (w *watch) SessionChanged(s session.Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.states[s.State]++
	w.live[s.ID] = s.EndedAt.IsZero()
}

func (w *watch) SessionSampled(_ string, o session.Observation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sampled[o.MeasuredBy]++
	if o.Sample.Check() != nil {
		w.refused++
	}
}

func (w *watch) Open(_ context.Context, id string, c session.Caller, on session.MediaEvents) (session.Legs, error) {
	return demodata.Media{}.Open(id, c, measures{on, w}), nil
}

func (*watch) MaxDuration(session.Caller) time.Duration { return 0 }

// measures counts what an agent's leg measures.
type measures struct {
	session.MediaEvents
	*watch
}

func (m measures) Used(u rest.Usage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mostUsed = max(m.mostUsed, u.Responses)
}

func (m measures) TurnsMeasured(t []rest.Turn, _ []rest.Interruption) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turns += len(t)
}

// TurnsEnded counts the turns of which a ribbon can be drawn: both speak, one after the
// other.
func (m measures) TurnsEnded(turns []rest.Turn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range turns {
		if t.Number > 0 && t.Started != nil && t.Started.Before(t.EndOfSpeech) && t.AgentSpokeMS != nil && *t.AgentSpokeMS > 0 {
			m.drawn++
		}
	}
}

func (measures) Refused(rest.RefusedEvent) {}
func (measures) ToolUsed(rest.ToolUse)     {}

var _ bridge.MadeUpEvents = measures{}

// TestCallsAreAliveAndTakeNoPlace: they are as many as there shall be, move by what
// both ends measure, come and go, and are over with the server at once.
func TestCallsAreAliveAndTakeNoPlace(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := &watch{states: map[wire.SessionState]int{}, live: map[string]bool{}, sampled: map[rtcstats.MeasuredBy]int{}}
		settings := session.DefaultSettings()
		settings.MaxSessions = 1
		sessions := session.New(session.Config{Settings: settings, Media: w, Observer: w})
		demo, _ := newDemo(t, dir, time.Now())
		demo.NoteFilled(t, time.Now()) // the past is not what this is about
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { demo.CallAll(ctx, sessions) })
		time.Sleep(5 * time.Minute)
		synctest.Wait()

		if taken, _, _ := sessions.Capacity(); taken != 0 {
			t.Errorf("%d places are taken", taken)
		}
		real, err := sessions.Admit(session.Caller{User: "ada", TokenExpires: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatalf("nobody gets in beside them: %v", err)
		}
		real.End(wire.CallerLeft, "")
		live := len(sessions.SnapshotsWhere(func(c session.Caller) bool { return c.IsMadeUp }))
		if live < demodata.Live/2 || live > demodata.Live {
			t.Errorf("%d calls are alive", live)
		}
		w.mu.Lock()
		if w.refused > 0 || w.sampled[rtcstats.ByClient] < 5000 || w.sampled[rtcstats.ByServer] < 10_000 || w.turns < 100 || w.drawn < w.turns/2 || w.mostUsed < 5 {
			t.Errorf("%d looks can't be, of %v; %d turns, %d of both, %d answers in a call", w.refused, w.sampled, w.turns, w.drawn, w.mostUsed)
		}
		if w.states[wire.StateReconnecting] == 0 || w.states[wire.StateEnded] == 0 || len(w.live) <= demodata.Live {
			t.Errorf("states %v of %d calls", w.states, len(w.live))
		}
		w.mu.Unlock()

		began := time.Now()
		if err := sessions.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited > 0 {
			t.Errorf("a drain waits %v for calls that are made up", waited)
		}
		cancel()
		running.Wait()
		if err := sessions.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
