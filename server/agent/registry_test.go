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
	if list := r.List("ann", ""); len(list) != 2 || list[1] != (rest.Agent{Name: "a", Title: "A"}) {
		t.Errorf("listed %+v", list)
	}
	if got, ok := r.Get("a", "ann", ""); !ok || got != (agent.Parrot{}) {
		t.Errorf("a is %v, %v", got, ok)
	}
	for _, name := range []string{"", "A", "c"} {
		if _, ok := r.Get(name, "ann", ""); ok {
			t.Errorf("there is an agent %q", name)
		}
	}
}

// A caller can choose each built-in agent by its name and its title.
func TestBuiltin(t *testing.T) {
	r := agent.NewRegistry(agent.Builtin(newGuard(t))...)
	for _, a := range r.List("ann", "") {
		if got, ok := r.Get(a.Name, "ann", ""); !ok || got == nil || a.Title == "" || a.About == "" {
			t.Errorf("%+v is answered by %v", a, got)
		}
	}
}

// An agent that is for some is unknown to all others.
func TestWhoMayCall(t *testing.T) {
	r := agent.NewRegistry(
		agent.Entry{Agent: rest.Agent{Name: "all"}, Answerer: agent.Echo{}},
		agent.Entry{Agent: rest.Agent{Name: "some"}, Answerer: agent.Echo{}, Users: []string{"ann"}, Organizations: []string{"acme"}},
	)
	for name, test := range map[string]struct {
		user, org string
		want      int
	}{
		"named":                         {"ann", "", 2},
		"of a named organization":       {"bob", "acme", 2},
		"named, of another":             {"ann", "evil", 2},
		"of none":                       {"bob", "", 1},
		"named like the organization":   {"acme", "", 1},
		"of one that is named the same": {"bob", "ann", 1},
		"in other letters":              {"Ann", "ACME", 1},
	} {
		t.Run(name, func(t *testing.T) {
			if list := r.List(test.user, test.org); len(list) != test.want {
				t.Errorf("chooses from %+v", list)
			}
			if _, ok := r.Get("some", test.user, test.org); ok != (test.want == 2) {
				t.Errorf("may call: %v", ok)
			}
		})
	}
	r.Replace()
	if _, ok := r.Get("all", "ann", ""); ok || len(r.List("ann", "")) != 0 {
		t.Error("agents are there that were taken away")
	}
}
