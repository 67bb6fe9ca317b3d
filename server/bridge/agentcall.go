package bridge

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"parley/server/agent"
	"parley/server/agent/budget"
	"parley/server/monitor"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// agentCalls open agents' legs with everything that is kept of them: whose money a
// call costs, how the agent did.
type agentCalls struct {
	ledger  *budget.Ledger
	usage   *usageRecorder
	agents  *agentRecords
	privacy Privacy
	monitor *monitor.Monitor
	log     *slog.Logger
}

// agentCall is one call of an agent's: it hears what the agent tells, keeps it, and
// passes it on to the session.
type agentCall struct {
	session.MediaEvents
	calls   *agentCalls
	id      string
	caller  session.Caller
	account *budget.Account

	closing sync.Once
}

// open begins a call with an agent. It returns session.ErrBudgetSpent if the caller
// has no money left for it.
func (a *agentCalls) open(ctx context.Context, id string, c session.Caller, by agent.Agent, on session.MediaEvents) (*agentCall, error) {
	who, limits := a.budgetOf(c, by)
	account, err := a.ledger.Open(ctx, who, limits)
	if errors.Is(err, budget.ErrSpent) {
		return nil, session.ErrBudgetSpent
	}
	if err != nil {
		return nil, err
	}
	a.agents.change(c.Agent, func(r *agentRecord) { r.calls++ })
	return &agentCall{MediaEvents: on, calls: a, id: id, caller: c, account: account}, nil
}

// budgetOf is whose money a call costs, and how much of it may be spent.
func (a *agentCalls) budgetOf(c session.Caller, by agent.Agent) (who budget.Caller, limits budget.Limits) {
	if limited, ok := by.(budget.Limited); ok {
		limits = limited.Budget()
	}
	return budget.Caller{UserKey: a.privacy.UserKey(c.User), Org: c.Org, Agent: c.Agent}, limits
}

// close ends the call, once.
func (c *agentCall) close() {
	c.closing.Do(func() {
		c.account.Close()
		c.calls.agents.change(c.caller.Agent, func(r *agentRecord) { r.calls-- })
	})
}

// Used implements agent.Measures.
func (c *agentCall) Used(total rest.Usage) {
	entry, isSpent := c.account.Spend(total)
	entry.Session, entry.Agent, entry.Org = c.id, c.caller.Agent, c.caller.Org
	entry.User, entry.UserKey = c.calls.privacy.Person(c.caller.User), c.calls.privacy.UserKey(c.caller.User)
	c.calls.usage.add(entry)
	if isSpent {
		c.calls.log.Info("budget spent", "session", c.id, "event", "budget", "cause", wire.BudgetSpent)
		c.MediaEvents.BudgetSpent()
	}
}

// TurnsMeasured implements agent.Measures.
func (c *agentCall) TurnsMeasured(turns []rest.Turn, interruptions []rest.Interruption) {
	c.calls.agents.change(c.caller.Agent, func(r *agentRecord) {
		for _, t := range turns {
			r.firstWord.Add(t.Wait())
		}
	})
	c.calls.monitor.TurnsMeasured(c.id, turns, interruptions)
	if len(turns) > 0 {
		c.TurnAnswered(wireTurn(turns[len(turns)-1]))
	}
}

// wireTurn is what a caller is told of a turn. A part that is reckoned from two clocks may
// come out below nothing.
func wireTurn(t rest.Turn) wire.AgentTurn {
	return wire.AgentTurn{
		Number: max(t.Number, 1), WaitMS: max(t.WaitMS, 0), SilenceWindowMS: max(t.SilenceWindowMS, 0),
		NetworkMS: max(t.NetworkMS, 0), ToolsMS: max(t.ToolsMS, 0), ModelMS: max(t.ModelMS, 0),
	}
}

// TurnsEnded implements agent.Measures.
func (c *agentCall) TurnsEnded(turns []rest.Turn) { c.calls.monitor.TurnsEnded(c.id, turns) }

// Refused implements agent.Measures.
func (c *agentCall) Refused(e rest.RefusedEvent) {
	c.calls.agents.change(c.caller.Agent, func(r *agentRecord) { r.refuse(e) })
}

// ToolUsed implements agent.Measures: the use is on record, and a log line.
func (c *agentCall) ToolUsed(u rest.ToolUse) {
	c.calls.monitor.ToolUsed(c.id, u)
	c.calls.log.Info("tool used", "session", c.id, "event", "tool", "tool", u.Tool, "cause", u.Result, "took", time.Duration(u.TookMS*float64(time.Millisecond)),
		"argument_bytes", u.ArgumentBytes, "result_bytes", u.ResultBytes, "request_sha256", u.RequestSHA256)
}

// AgentLeft implements agent.Events.
func (c *agentCall) AgentLeft(err error) {
	if err != nil {
		c.calls.agents.failed(c.caller.Agent, err)
	}
	c.MediaEvents.AgentLeft(err)
}
