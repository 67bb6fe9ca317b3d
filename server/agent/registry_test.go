package agent_test

import (
	"slices"
	"testing"

	"parley/server/agent"
	"parley/shared/rest"
)

func TestRegistry(t *testing.T) {
	r := agent.NewRegistry(
		agent.Entry{Agent: rest.Agent{Name: "b", Title: "B"}, Answerer: agent.Echo{}},
		agent.Entry{Agent: rest.Agent{Name: "a", Title: "A"}, Answerer: agent.Parrot{}},
	)
	if names := r.Names(); !slices.Equal(names, []string{"b", "a"}) {
		t.Errorf("names %v are not in the order they were given", names)
	}
	if list := r.List(); len(list) != 2 || list[1] != (rest.Agent{Name: "a", Title: "A"}) {
		t.Errorf("listed %+v", list)
	}
	if got, ok := r.Get("a"); !ok || got != (agent.Parrot{}) {
		t.Errorf("a is %v, %v", got, ok)
	}
	for _, name := range []string{"", "A", "c"} {
		if _, ok := r.Get(name); ok {
			t.Errorf("there is an agent %q", name)
		}
	}
}

// A caller can choose each built-in agent by its name and its title.
func TestBuiltin(t *testing.T) {
	r := agent.Builtin(newGuard(t))
	for _, a := range r.List() {
		if got, ok := r.Get(a.Name); !ok || got == nil || a.Title == "" || a.About == "" {
			t.Errorf("%+v is answered by %v", a, got)
		}
	}
}
