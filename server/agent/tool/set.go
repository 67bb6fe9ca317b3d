package tool

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"parley/shared/rest"
)

// Limits of one call's uses.
const (
	// MaxParallel is how many run at once: models ask for a few in one answer.
	MaxParallel = 4
	// MaxUses is how many a call may make: a model that turns in a circle must not
	// turn the operator's endpoint with it.
	MaxUses = 500
)

// Set is the tools of one agent.
type Set struct {
	tools  []*Tool
	byName map[string]*Tool
}

// NewSet puts tools together. Their names differ.
func NewSet(tools []*Tool) (*Set, error) {
	s := &Set{tools: tools, byName: make(map[string]*Tool, len(tools))}
	for _, t := range tools {
		if s.byName[t.Name()] != nil {
			return nil, &FieldError{"name", "two tools are called " + t.Name()}
		}
		s.byName[t.Name()] = t
	}
	return s, nil
}

// Definition is a tool as a provider is told of it, in the session's tools.
type Definition struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
}

// Definitions are those of all tools, in their order.
func (s *Set) Definitions() []Definition {
	all := make([]Definition, len(s.tools))
	for i, t := range s.tools {
		all[i] = Definition{"function", t.cfg.Name, t.cfg.Description, t.cfg.Parameters}
	}
	return all
}

// Uses are those that one call makes. It is safe for use by several goroutines.
type Uses struct {
	set    *Set
	places chan struct{}

	mu   sync.Mutex
	made int
}

// NewUses begins the uses of a call.
func (s *Set) NewUses() *Uses { return &Uses{set: s, places: make(chan struct{}, MaxParallel)} }

// Use calls the function that c names, and never fails: what goes wrong is told to
// the model by output, and to the operator by the record.
func (u *Uses) Use(ctx context.Context, c Call) (output string, use rest.ToolUse) {
	refused := rest.ToolUse{At: time.Now().UTC(), Session: c.Session, ArgumentBytes: int64(len(c.Arguments))}
	t := u.set.byName[c.Function]
	if t == nil {
		// The name is the model's own, and may be anything: it is not recorded.
		refused.Result = ResultUnknown
		return refusalFor(ResultUnknown, nil), refused
	}
	refused.Tool, refused.Result = t.Name(), ResultBusy
	u.mu.Lock()
	u.made++
	spent := u.made > MaxUses
	u.mu.Unlock()
	if spent {
		return refusalFor(ResultBusy, nil), refused
	}
	select {
	case u.places <- struct{}{}:
		defer func() { <-u.places }()
		return t.Use(ctx, c)
	default:
		return refusalFor(ResultBusy, nil), refused
	}
}
