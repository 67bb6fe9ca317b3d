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
}

func (t *turns) add(turns []rest.Turn, interruptions []rest.Interruption) {
	addTurns(&t.firstWord, &t.silenced, turns, interruptions)
	t.latest = keepNewest(t.latest, turns)
	t.interruptions = keepNewest(t.interruptions, interruptions)
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
	}
	of.mu.Unlock()
	if hasEnded {
		return "", false
	}
	m.countLocked(org, func(c *counts) { addTurns(&c.firstWord, &c.silenced, turns, interruptions) })
	return agent, true
}
