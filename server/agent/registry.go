package agent

import (
	"slices"

	"parley/shared/rest"
)

// Entry is one agent: how it is called, what callers are told of it, and who
// answers.
type Entry struct {
	rest.Agent
	Answerer Agent
}

// Registry holds the agents of a server: the one place for their names, their
// titles and who may be asked for.
type Registry struct{ entries []Entry }

// NewRegistry returns a registry of entries, in the order they are listed in.
func NewRegistry(entries ...Entry) *Registry { return &Registry{entries} }

// Builtin returns the agents that need no one else, but for leave to keep audio.
func Builtin(guard Guard) *Registry {
	return NewRegistry(
		Entry{rest.Agent{Name: "parrot", Title: "Parrot", About: "Listens, and says back what you said."}, Parrot{Guard: guard}},
		Entry{rest.Agent{Name: "echo", Title: "Echo", About: "Returns your voice at once, to test the line."}, Echo{}},
	)
}

// Get returns the agent of a name.
func (r *Registry) Get(name string) (Agent, bool) {
	i := slices.IndexFunc(r.entries, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return nil, false
	}
	return r.entries[i].Answerer, true
}

// List returns what callers choose from.
func (r *Registry) List() []rest.Agent {
	list := make([]rest.Agent, len(r.entries))
	for i, e := range r.entries {
		list[i] = e.Agent
	}
	return list
}

// Names returns the names of all agents.
func (r *Registry) Names() []string {
	names := make([]string, len(r.entries))
	for i, e := range r.entries {
		names[i] = e.Name
	}
	return names
}
