package monitor

import (
	"slices"

	"parley/shared/quality"
	"parley/shared/rest"
)

// MaxLatestTurns bounds the turns, and the interruptions, that a session shows one by
// one: those of the last minutes of a lively talk.
const MaxLatestTurns = 50

// turns are one session's.
type turns struct {
	firstWord, silenced quality.Durations
	latest              []rest.Turn
	interruptions       []rest.Interruption

	// What goes into the record: turns once they are over, each number once.
	open         []rest.Turn
	kept, keptIn int // turns and interruptions that the record has
	keptTools    int
}

func (t *turns) add(turns []rest.Turn, interruptions []rest.Interruption) {
	addTurns(&t.firstWord, &t.silenced, turns, interruptions)
	t.latest = keepNewest(t.latest, turns)
	t.open = keepNewest(t.open, turns)
	t.interruptions = keepNewest(t.interruptions, interruptions)
}

// end takes turns again, whose answers are over.
func (t *turns) end(session string, turns []rest.Turn) (records []rest.TurnRecord) {
	for _, turn := range turns {
		is := func(other rest.Turn) bool { return other.Number == turn.Number }
		if i := slices.IndexFunc(t.latest, is); i >= 0 {
			t.latest[i] = turn
		}
		if i := slices.IndexFunc(t.open, is); i >= 0 {
			t.open = slices.Delete(t.open, i, i+1)
			records = t.recordTurn(records, session, turn)
		}
	}
	return records
}

// close returns, as they are, the turns whose answers the session's end cut off.
func (t *turns) close(session string) (records []rest.TurnRecord) {
	for _, turn := range t.open {
		records = t.recordTurn(records, session, turn)
	}
	t.open = nil
	return records
}

func (t *turns) recordTurn(records []rest.TurnRecord, session string, turn rest.Turn) []rest.TurnRecord {
	if t.kept++; t.kept > rest.MaxTurns {
		return records
	}
	return append(records, rest.TurnRecord{Session: session, Turn: &turn})
}

// recordInterruptions returns those that the record has room for.
func (t *turns) recordInterruptions(session string, all []rest.Interruption) (records []rest.TurnRecord) {
	for _, i := range all {
		if t.keptIn++; t.keptIn <= rest.MaxTurns {
			records = append(records, rest.TurnRecord{Session: session, Interruption: &i})
		}
	}
	return records
}

func addTurns(firstWord, silenced *quality.Durations, turns []rest.Turn, interruptions []rest.Interruption) {
	for i := range turns {
		firstWord.Add(turns[i].Wait())
	}
	for i := range interruptions {
		if lasted := interruptions[i].Lasted(); lasted > 0 {
			silenced.Add(lasted)
		}
	}
}

func keepNewest[T any](all, more []T) []T {
	all = append(all, more...)
	return slices.Delete(all, 0, max(0, len(all)-MaxLatestTurns))
}

func (t *turns) summary() rest.TurnSummary {
	return rest.TurnSummary{FirstWord: rest.NewFirstWord(&t.firstWord), Silenced: rest.NewSilenced(&t.silenced)}
}

func (t *turns) all() rest.SessionTurns {
	return rest.SessionTurns{
		TurnSummary: t.summary(), Latest: append([]rest.Turn{}, t.latest...),
		LatestInterruptions: append([]rest.Interruption{}, t.interruptions...),
	}
}

// ToolUsed takes that a session's agent used a tool.
func (m *Monitor) ToolUsed(id string, use rest.ToolUse) {
	m.mu.Lock()
	of := m.sessions[id]
	m.mu.Unlock()
	if of == nil {
		return
	}
	of.mu.Lock()
	defer of.mu.Unlock()
	if of.turns.keptTools++; of.turns.keptTools <= rest.MaxTurns {
		m.queue.addTurns([]rest.TurnRecord{{Session: id, ToolUse: &use}})
	}
}

// TurnsMeasured takes turns of a session that were answered, and interruptions that are
// over.
func (m *Monitor) TurnsMeasured(id string, turns []rest.Turn, interruptions []rest.Interruption) {
	if !m.On() {
		return
	}
	agent, ok := m.addTurns(id, turns, interruptions)
	if ok {
		m.config.OnTurns(agent, turns, interruptions)
	}
}

func (m *Monitor) addTurns(id string, turns []rest.Turn, interruptions []rest.Interruption) (agent string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.sessions[id]
	if of == nil {
		return "", false
	}
	of.mu.Lock()
	agent, org, hasEnded := of.info.Agent, of.info.Org, !of.endSeenAt.IsZero()
	if !hasEnded {
		of.turns.add(turns, interruptions)
		m.queue.addTurns(of.turns.recordInterruptions(id, interruptions))
	}
	of.mu.Unlock()
	if hasEnded {
		return "", false
	}
	m.countLocked(org, func(c *counts) {
		addTurns(&c.firstWord, &c.silenced, turns, interruptions)
		c.waits.add(turns)
	})
	return agent, true
}

// TurnsEnded takes turns again that TurnsMeasured brought, once their answers are over.
func (m *Monitor) TurnsEnded(id string, turns []rest.Turn) {
	m.mu.Lock()
	of := m.sessions[id]
	m.mu.Unlock()
	if of == nil || !m.On() {
		return
	}
	of.mu.Lock()
	defer of.mu.Unlock()
	if of.endSeenAt.IsZero() {
		m.queue.addTurns(of.turns.end(id, turns))
	}
}

// closeTurns returns what is left for the record when the session has ended.
func (s *session) closeTurns() []rest.TurnRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.turns.close(s.info.ID)
}
