package agent

import (
	"slices"
	"sync/atomic"

	"parley/shared/rest"
)

// Entry is one agent: how it is called, what callers are told of it, who answers, and
// who may call it.
type Entry struct {
	rest.Agent
	Answerer Agent
	// Model is what the agent's service calls what it is made of; "": it has none.
	Model string
	// Users and Organizations may call it, by their names; both empty: everybody.
	Users, Organizations []string
}

// mayBeCalledBy reports whether a user may call the agent.
func (e Entry) mayBeCalledBy(user, org string) bool {
	if len(e.Users)+len(e.Organizations) == 0 {
		return true
	}
	return slices.Contains(e.Users, user) || org != "" && slices.Contains(e.Organizations, org)
}

// Registry holds the agents of a server: the one place for their names, their
// titles and who may be asked for.
type Registry struct{ entries atomic.Pointer[[]Entry] }

// NewRegistry returns a registry of entries, in the order they are listed in.
func NewRegistry(entries ...Entry) *Registry {
	r := &Registry{}
	r.Replace(entries...)
	return r
}

// Replace has these be the agents from now on. Calls that are on keep theirs.
func (r *Registry) Replace(entries ...Entry) { r.entries.Store(&entries) }

// Builtin returns the agents that need no one else, but for leave to keep audio.
func Builtin(guard Guard) []Entry {
	return []Entry{
		{Agent: rest.Agent{Name: "parrot", Title: "Parrot", About: "Listens, and says back what you said."}, Answerer: Parrot{Guard: guard}},
		{Agent: rest.Agent{Name: "echo", Title: "Echo", About: "Returns your voice at once, to test the line."}, Answerer: Echo{}},
	}
}

// Get returns the agent of a name that a user may call. One that others may call is
// as unknown as one that isn't there.
func (r *Registry) Get(name, user, org string) (Agent, bool) {
	for _, e := range *r.entries.Load() {
		if e.Name == name && e.mayBeCalledBy(user, org) {
			return e.Answerer, true
		}
	}
	return nil, false
}

// FindModel returns the first agent of a model that a user may call.
func (r *Registry) FindModel(model, user, org string) (name string, ok bool) {
	for _, e := range *r.entries.Load() {
		if model != "" && e.Model == model && e.mayBeCalledBy(user, org) {
			return e.Name, true
		}
	}
	return "", false
}

// List returns what a user chooses from.
func (r *Registry) List(user, org string) []rest.Agent {
	list := []rest.Agent{}
	for _, e := range *r.entries.Load() {
		if e.mayBeCalledBy(user, org) {
			list = append(list, e.Agent)
		}
	}
	return list
}

// All returns all agents, for admins.
func (r *Registry) All() []Entry { return *r.entries.Load() }

// Names returns the names of all agents.
func (r *Registry) Names() []string {
	var names []string
	for _, e := range *r.entries.Load() {
		names = append(names, e.Name)
	}
	return names
}
