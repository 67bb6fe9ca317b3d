package upstream

import (
	"sync"
	"time"

	"parley/server/agent/realtime"
	"parley/server/agent/tool"
)

// tools has the functions called that the model asks for, and gives it what they
// return. The caller's side sees neither.
type tools struct {
	leg  *upstreamLeg
	uses *tool.Uses // nil: the agent has none

	mu      sync.Mutex
	number  int  // of our own events to the service
	running int  // functions
	isOwed  bool // results were given that the model was not yet asked to go on from
	isDone  bool // the response that called them
}

func newTools(l *upstreamLeg) *tools {
	t := &tools{leg: l}
	if l.agent.cfg.Tools != nil {
		t.uses = l.agent.cfg.Tools.NewUses()
	}
	return t
}

// observe takes an event of the service.
func (t *tools) observe(e *realtime.Event) {
	if t.uses == nil {
		return
	}
	switch e.Type {
	case realtime.ResponseCreated:
		t.mu.Lock()
		t.isDone = false
		t.mu.Unlock()
	case realtime.FunctionArgumentsDone:
		t.call(tool.Call{Session: t.leg.call.Session, CallID: e.CallID, Function: e.Function, Arguments: e.Arguments})
	case realtime.ResponseDone:
		t.mu.Lock()
		t.isDone = true
		t.mu.Unlock()
		t.goOn()
	}
}

// call runs one function, beside the others.
func (t *tools) call(c tool.Call) {
	t.mu.Lock()
	t.running++
	t.mu.Unlock()
	t.leg.start(func() {
		output, use := t.uses.Use(t.leg.ctx, c)
		t.mu.Lock()
		t.running--
		t.number++
		number := t.number
		t.isOwed = true
		t.mu.Unlock()
		t.leg.toAgent(realtime.ToolResult(number, c.CallID, output))
		t.leg.measures.toolUsed(use, time.Now())
		t.goOn()
	})
}

// goOn asks the model to answer, once its response is over and all functions of it
// have returned.
func (t *tools) goOn() {
	t.mu.Lock()
	isDue := t.isOwed && t.isDone && t.running == 0
	if isDue {
		t.isOwed = false
		t.number++
	}
	number := t.number
	t.mu.Unlock()
	if isDue {
		t.leg.toAgent(realtime.AskForResponse(number))
	}
}
