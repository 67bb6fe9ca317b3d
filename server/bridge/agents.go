package bridge

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"parley/server/agent"
	"parley/server/fault"
	"parley/shared/quality"
	"parley/shared/rest"
)

// What is remembered of an agent's failures.
const (
	maxAgentFailures  = 20
	agentFailureSpan  = time.Hour
	maxAgentsFollowed = 1000 // by name; those of before a reload count, too
)

// agentRecords remember how agents did of late. It is safe for use by several
// goroutines.
type agentRecords struct {
	mu     sync.Mutex
	byName map[string]*agentRecord
}

type agentRecord struct {
	calls     int
	failures  []rest.AgentFailure // the newest last
	firstWord quality.Durations
	refused   map[rest.RefusedEvent]int64 // by all but Count; as many as documented types, ways and reasons
}

func (r *agentRecord) refuse(e rest.RefusedEvent) {
	n := e.Count
	e.Count = 0
	if r.refused == nil {
		r.refused = map[rest.RefusedEvent]int64{}
	}
	r.refused[e] += n
}

// refusals are what was refused, the most first.
func (r *agentRecord) refusals() []rest.RefusedEvent {
	all := make([]rest.RefusedEvent, 0, len(r.refused))
	for e, n := range r.refused {
		e.Count = n
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b rest.RefusedEvent) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Direction, b.Direction))
	})
	return all
}

// change has f change the record of an agent.
func (a *agentRecords) change(name string, f func(*agentRecord)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byName == nil {
		a.byName = map[string]*agentRecord{}
	}
	r := a.byName[name]
	if r == nil {
		if len(a.byName) >= maxAgentsFollowed {
			return
		}
		r = &agentRecord{}
		a.byName[name] = r
	}
	f(r)
}

func (a *agentRecords) failed(name string, err error) {
	a.change(name, func(r *agentRecord) {
		r.failures = append(r.failures, rest.AgentFailure{At: time.Now().UTC(), Detail: err.Error()})
		if extra := len(r.failures) - maxAgentFailures; extra > 0 {
			r.failures = slices.Clone(r.failures[extra:])
		}
	})
}

// status returns how an agent does.
func (a *agentRecords) status(of rest.Agent, now time.Time) (s rest.AgentStatus) {
	s = rest.AgentStatus{Agent: of, Failures: []rest.AgentFailure{}, Refused: []rest.RefusedEvent{}}
	a.change(of.Name, func(r *agentRecord) {
		s.Calls, s.Refused = r.calls, r.refusals()
		for _, f := range slices.Backward(r.failures) {
			if now.Sub(f.At) < agentFailureSpan {
				s.Failures = append(s.Failures, f)
			}
		}
		s.FirstWord = rest.NewFirstWord(&r.firstWord)
	})
	return s
}

// AgentStatuses tells how each agent does.
func (b *Bridge) AgentStatuses() []rest.AgentStatus {
	now := time.Now()
	all := []rest.AgentStatus{}
	for _, of := range b.cfg.Agents.All() {
		all = append(all, b.agents.status(of.Agent, now))
	}
	return all
}

// CheckAgent makes a trial call to an agent. One of ours is part of this program: it
// has no service that could be tried.
func (b *Bridge) CheckAgent(ctx context.Context, name string) (rest.AgentCheck, error) {
	all := b.cfg.Agents.All()
	i := slices.IndexFunc(all, func(e agent.Entry) bool { return e.Name == name })
	if i < 0 {
		return rest.AgentCheck{}, fault.NotFound
	}
	if c, ok := all[i].Answerer.(agent.Checker); ok {
		return c.Check(ctx), nil
	}
	return rest.AgentCheck{Agent: name, Result: rest.CheckUntried, Steps: []rest.AgentCheckStep{}}, nil
}
