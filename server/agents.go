package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"

	"parley/server/agent"
	"parley/server/agent/config"
	"parley/server/agent/upstream"
	"parley/server/auth"
	"parley/server/reload"
	"parley/server/session"
	"parley/shared/rest"
)

// agents are those that callers choose from, and what ends their calls elsewhere.
type agents struct {
	*agent.Registry
	loader  *config.Loader
	hangups *upstream.Hangups
	byName  string // of callers who choose none
}

// loadAgents reads which agents there are.
func (c *serveCommand) loadAgents(kept *storage, log *slog.Logger) (*agents, error) {
	a := &agents{Registry: agent.NewRegistry(), hangups: upstream.NewHangups(kept.store, log), byName: c.Agent}
	a.loader = config.NewLoader(config.LoaderConfig{
		File: c.Agents, Getenv: os.Getenv, Builtin: agent.Builtin(kept.privacy), Registry: a.Registry,
		Hangups: a.hangups, Logger: log, AddOpenAI: auth.Mode(c.Mode) == auth.Demo,
	})
	if _, err := a.loader.Load(); err != nil {
		var fault *config.Fault
		if errors.As(err, &fault) {
			return nil, usage("--agents %w", err)
		}
		return nil, err
	}
	if !slices.Contains(a.Names(), c.Agent) {
		return nil, usage("--agent takes one of %s", strings.Join(a.Names(), ", "))
	}
	return a, nil
}

// has reports whether a user may call an agent, "" being that of who chooses none.
func (a *agents) has(name, user, org string) bool {
	_, ok := a.Get(cmp.Or(name, a.byName), user, org)
	return ok
}

// List returns what a user chooses from, first the agent of who chooses none.
func (a *agents) List(user, org string) []rest.Agent {
	list := a.Registry.List(user, org)
	if i := slices.IndexFunc(list, func(of rest.Agent) bool { return of.Name == a.byName }); i > 0 {
		byDefault := list[i]
		copy(list[1:], list[:i])
		list[0] = byDefault
	}
	return list
}

// find returns the agent that a caller means by a model: its name, or its model; by
// none it is the default one.
func (a *agents) find(c session.Caller, model string) (string, bool) {
	if a.has(model, c.User, c.Org) {
		return cmp.Or(model, a.byName), true
	}
	return a.FindModel(model, c.User, c.Org)
}

// recoverCalls hangs up what the server's last life left open. That it can't be read is
// no reason to let nobody call.
func (a *agents) recoverCalls(ctx context.Context, log *slog.Logger) {
	if err := a.hangups.Recover(ctx, a.loader.Find); err != nil {
		log.Error("calls that may still be open at services can't be read", "event", "hang_up", "err", err)
	}
}

// files are those that may change while the server runs.
func (a *agents) files(path string) []reload.File {
	if path == "" {
		return nil
	}
	return []reload.File{{Name: "agents", Reload: a.loader.Load}}
}
