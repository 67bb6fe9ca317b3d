// Package settings owns the values that an admin changes while the server runs:
// what they may be, what they are, and in which order they change. A change is
// recorded and kept before it holds. It refuses to act on a value: who does is
// told by a hook.
package settings

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"

	"parley/shared/rest"
)

// Store reads what was kept: the values that were changed at run time, and the
// version of them all.
type Store interface {
	Settings(ctx context.Context) (version int64, values map[string]json.RawMessage, err error)
}

// Audit records a change and makes it, or neither.
type Audit[T Tx] interface {
	Change(ctx context.Context, e rest.AuditEntry, change func(T) error) error
}

// Tx writes values in the transaction of the audit line.
type Tx interface {
	// PutSettings fails if the version isn't ifVersion anymore.
	PutSettings(ifVersion int64, values map[string]json.RawMessage) (version int64, err error)
	ResetSettings() (version int64, err error)
}

// Hook is told of a change, after it was recorded and kept. Hooks run one after
// the other in the order that they were given in, and one change after the
// other; a hook may ask for values, but not change any.
type Hook func(old, current Values)

// Config is what Settings need besides a store and an audit log.
type Config struct {
	// First are the values before any change: the command line's.
	First Values
	Hooks []Hook
	// Changed is told of all settings as they are on the wire, after the last
	// hook. nil: nobody is.
	Changed func(rest.Settings)
	// EndOverdue ends the calls that are over a limit, without notice, after a change
	// that is to hold now.
	EndOverdue func()
	Logger     *slog.Logger
}

// Settings are safe for concurrent use.
type Settings struct {
	store      Store
	first      Values
	hooks      []Hook
	endOverdue func()
	// changed is told after the last hook.
	changed func(rest.Settings)
	log     *slog.Logger
	// put and reset record and write, and give the new version.
	put   func(ctx context.Context, e rest.AuditEntry, ifVersion int64, values map[string]json.RawMessage) (int64, error)
	reset func(ctx context.Context, e rest.AuditEntry) (int64, error)

	// turn is held by the one who changes something, from reading the version to
	// the last hook. Reading never waits for it.
	turn chan struct{}

	mu      sync.RWMutex
	version int64
	values  Values
}

// New makes Settings with their first values; Load reads what was kept.
func New[T Tx](store Store, audit Audit[T], cfg Config) *Settings {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.EndOverdue == nil {
		cfg.EndOverdue = func() {}
	}
	if cfg.Changed == nil {
		cfg.Changed = func(rest.Settings) {}
	}
	return &Settings{
		changed: cfg.Changed, endOverdue: cfg.EndOverdue,
		store: store, first: cfg.First, values: cfg.First, hooks: cfg.Hooks, log: cfg.Logger,
		turn: make(chan struct{}, 1),
		put: func(ctx context.Context, e rest.AuditEntry, ifVersion int64, values map[string]json.RawMessage) (version int64, err error) {
			err = audit.Change(ctx, e, func(tx T) (err error) {
				version, err = tx.PutSettings(ifVersion, values)
				return err
			})
			return version, err
		},
		reset: func(ctx context.Context, e rest.AuditEntry) (version int64, err error) {
			err = audit.Change(ctx, e, func(tx T) (err error) {
				version, err = tx.ResetSettings()
				return err
			})
			return version, err
		},
	}
}

// Get gives all settings as they are on the wire. What a setting goes back to is
// this server's first value of it.
func (s *Settings) Get() rest.Settings {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := rest.Settings{Version: s.version, Settings: make(map[string]rest.Setting)}
	for _, d := range Definitions() {
		all.Settings[d.Name] = d.resource(s.values, s.first)
	}
	return all
}

// Why tells in a sentence why a setting's range is what it is.
func (s *Settings) Why(name string) string {
	d, _ := DefinitionOf(name)
	return d.Why
}

// Values gives all values at one moment.
func (s *Settings) Values() Values {
	values, _ := s.current()
	return values
}

// Monitoring tells whether monitoring is on.
func (s *Settings) Monitoring() bool { return s.Values().Monitoring }

// Privacy tells whether privacy mode is on.
func (s *Settings) Privacy() bool { return s.Values().Privacy }

func (s *Settings) current() (Values, int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.values, s.version
}

// Load reads what was kept: once at the start, when hooks hear of it if it isn't
// the first values, and whenever somebody else may have changed it.
func (s *Settings) Load(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	return s.load(ctx)
}

func (s *Settings) load(ctx context.Context) error {
	version, kept, err := s.store.Settings(ctx)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	if _, known := s.current(); version == known {
		return nil
	}
	s.apply(version, s.read(kept))
	return nil
}

// read lays what was kept over the first values. What this version doesn't know
// or allow, another one wrote: it is left where it is, and not followed.
func (s *Settings) read(kept map[string]json.RawMessage) Values {
	values := s.first
	for name, raw := range kept {
		d, known := DefinitionOf(name)
		if !known {
			s.log.Warn("a kept setting is unknown", "event", "settings", "cause", name)
			continue
		}
		if err := d.set(&values, raw); err != nil {
			s.log.Warn("a kept setting can't be used", "event", "settings", "err", err)
		}
	}
	return values
}

func (s *Settings) begin(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("settings: waiting for another change: %w", ctx.Err())
	}
}

func (s *Settings) end() { <-s.turn }

// apply lets values hold and tells the hooks. The caller has the turn.
func (s *Settings) apply(version int64, values Values) {
	s.mu.Lock()
	old := s.values
	s.version, s.values = version, values
	s.mu.Unlock()
	if old == values {
		return
	}
	for _, hook := range s.hooks {
		hook(old, values)
	}
	s.changed(s.Get())
}
