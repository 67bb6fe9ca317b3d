package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"parley/server/agent"
	"parley/server/agent/config"
	"parley/server/agent/upstream"
	"parley/shared/rest"
)

type agentsCommand struct {
	Check checkCommand `cmd:"" help:"Make a trial call to agents at services, which may cost money: what works, what is missing, how long each step takes. Exit 1 if any of it fails."`
}

type checkCommand struct {
	Name   string `arg:"" optional:"" help:"Agent to check; without it, all of the file."`
	Agents string `type:"path" help:"File of agents at realtime voice services, as serve takes it. Without it, the agent of OPENAI_API_KEY."`
}

// errCheckFailed is the answer of a check that found something; what it found is
// printed.
var errCheckFailed = errors.New("not every agent works")

// Run checks one agent after the other, and prints what came of it as it comes.
func (c *checkCommand) Run(ctx context.Context, out io.Writer, logs logWriter) (err error) {
	log := slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelWarn}))
	hangups := upstream.NewHangups(unkept{}, log)
	defer func() { err = errors.Join(err, hangups.Close()) }()
	tried, err := c.load(hangups, log)
	if err != nil {
		return err
	}
	isFailed := false
	for _, a := range tried {
		result := a.Check(ctx)
		isFailed = isFailed || result.Result == rest.CheckFailed
		if err := printCheck(out, result); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if isFailed {
		return errCheckFailed
	}
	return nil
}

// load reads the agents that are to be checked.
func (c *checkCommand) load(hangups *upstream.Hangups, log *slog.Logger) ([]agent.Checker, error) {
	all := agent.NewRegistry()
	loader := config.NewLoader(config.LoaderConfig{
		File: c.Agents, Getenv: os.Getenv, Builtin: agent.Builtin(nil), Registry: all, Hangups: hangups, Logger: log, AddOpenAI: true,
	})
	if _, err := loader.Load(); err != nil {
		return nil, usage("--agents %w", err)
	}
	var tried []agent.Checker
	var names []string
	for _, e := range all.All() {
		if a, ok := e.Answerer.(agent.Checker); ok {
			names = append(names, e.Name)
			if c.Name == "" || c.Name == e.Name {
				tried = append(tried, a)
			}
		}
	}
	switch {
	case len(names) == 0:
		return nil, usage("--agents takes the file of the agents to check")
	case len(tried) == 0 && slices.Contains(all.Names(), c.Name):
		return nil, usage("%s is part of the server, and there is no service to check; write one of %s", c.Name, strings.Join(names, ", "))
	case len(tried) == 0:
		return nil, usage("there is no agent %q; write one of %s", c.Name, strings.Join(names, ", "))
	}
	return tried, nil
}

// printCheck writes what came of a trial call, a line a step.
func printCheck(out io.Writer, c rest.AgentCheck) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s\t%s\n", c.Agent, c.Result) // a tabwriter's errors come by Flush
	for _, s := range c.Steps {
		took := ""
		if s.Result != rest.CheckUntried {
			took = time.Duration(s.TookMS * float64(time.Millisecond)).Round(time.Millisecond).String()
		}
		fmt.Fprintln(table, strings.TrimRight(fmt.Sprintf("  %s\t%s\t%s\t%s", s.Name, s.Result, took, s.Detail), "\t"))
	}
	return table.Flush()
}

// unkept is the ledger of a program that has no data directory: what it doesn't hang up
// itself ends by the service's own limit.
type unkept struct{}

func (unkept) PutUpstreamCall(context.Context, string, string, string, time.Time) error { return nil }

func (unkept) DeleteUpstreamCall(context.Context, string) error { return nil }

func (unkept) UpstreamCalls(context.Context, func(session, agent, reference string, opened time.Time)) error {
	return nil
}
