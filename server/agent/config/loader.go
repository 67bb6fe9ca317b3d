package config

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"parley/server/agent"
	"parley/server/agent/upstream"
	"parley/shared/rest"
)

// Loader keeps a registry's agents as the file has them. NewLoader makes it.
type Loader struct {
	cfg LoaderConfig

	mu     sync.Mutex
	agents map[string]built // in use, by name
}

// LoaderConfig wires a Loader.
type LoaderConfig struct {
	File     string // "": there is none
	Getenv   func(string) string
	Builtin  []agent.Entry // come first, whatever the file has
	Registry *agent.Registry
	Hangups  *upstream.Hangups
	Logger   *slog.Logger
	// AddOpenAI adds the agent openai, if there is no file and OPENAI_API_KEY is set.
	AddOpenAI bool
}

// built is an agent with the sum of what it was made of.
type built struct {
	sum   [sha256.Size]byte
	agent *upstream.Agent
}

// NewLoader returns a loader that has loaded nothing yet.
func NewLoader(cfg LoaderConfig) *Loader { return &Loader{cfg: cfg, agents: map[string]built{}} }

// Load reads the file and puts its agents into use, and reports whether any is
// another than before. After an error those before stay. Calls that are on keep the
// agent that they began with.
func (l *Loader) Load() (changed bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, err := l.readLocked()
	if err != nil {
		return false, err
	}
	agents := make(map[string]built, len(found))
	entries := slices.Clone(l.cfg.Builtin)
	for _, f := range found {
		b, isSame := l.agents[f.cfg.Name]
		if isSame = isSame && b.sum == f.sum; !isSame {
			changed = true
			a, err := upstream.New(f.cfg, l.cfg.Hangups, l.cfg.Logger)
			if err != nil {
				return false, fmt.Errorf("agent %s: %w", f.cfg.Name, err)
			}
			b = built{f.sum, a}
		}
		agents[f.cfg.Name] = b
		entries = append(entries, agent.Entry{Agent: f.shown, Answerer: b.agent, Model: f.cfg.Session.Model, Users: f.users, Organizations: f.organizations})
	}
	changed = changed || len(agents) != len(l.agents)
	l.agents = agents
	l.cfg.Registry.Replace(entries...)
	return changed, nil
}

// Find returns the agent of a name, nil if there is none.
func (l *Loader) Find(name string) *upstream.Agent {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.agents[name].agent
}

// found is one agent as it was read.
type found struct {
	sum                  [sha256.Size]byte // of all that was read for it, other files included
	cfg                  upstream.Config
	shown                rest.Agent
	users, organizations []string
}

// readLocked reads what agents there shall be. mu must be held.
func (l *Loader) readLocked() ([]found, error) {
	if l.cfg.File == "" {
		return l.openAI(), nil
	}
	return readAgents(l.cfg.File, l.cfg.Getenv, l.cfg.Builtin)
}

// readAgents reads a file of agents whole. None may be called as a built-in is.
func readAgents(path string, getenv func(string) string, builtin []agent.Entry) (agents []found, err error) {
	file, s, err := read(path, getenv)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, b := range builtin {
		names[b.Name] = true
	}
	for i, a := range file.Agents {
		c := &checker{source: s, at: fmt.Sprintf("agents[%d]", i), Agent: a}
		cfg, err := c.upstream()
		if err != nil {
			return nil, err
		}
		if names[a.Name] {
			return nil, c.faultAt("name", "there is another agent %q; write a name of its own", a.Name)
		}
		names[a.Name] = true
		agents = append(agents, found{c.sum(), cfg, rest.Agent{Name: a.Name, Title: a.Title, About: a.About, Captions: a.Captions}, a.Users, a.Organizations})
	}
	return agents, nil
}

// What a newcomer's agent is, who has but a key.
const (
	openAIKey          = "OPENAI_API_KEY"
	openAIURL          = "https://api.openai.com/v1/realtime/calls"
	openAIModel        = "gpt-realtime-2.1"
	openAIVoice        = "marin"
	openAIInstructions = "You are a friendly voice on the phone. Answer briefly, in the language that you are spoken to in."
)

// openAI is the agent of whoever has a key in the environment and no file yet.
func (l *Loader) openAI() []found {
	key := l.cfg.Getenv(openAIKey)
	if !l.cfg.AddOpenAI || key == "" {
		return nil
	}
	return []found{{
		cfg: upstream.Config{
			Name: "openai", Dialect: upstream.OpenAI, URL: openAIURL, Key: upstream.Key(key),
			Session: upstream.Session{Model: openAIModel, Voice: openAIVoice, Instructions: openAIInstructions},
		},
		shown: rest.Agent{Name: "openai", Title: "OpenAI", About: "A realtime voice; each minute is billed to the key of this server."},
	}}
}
