// Package upstream is the agent that is a realtime voice service of somebody
// else's: it asks the service for a call in one of the known dialects, holds the
// WebRTC connection to it, passes Opus on both ways without decoding, lets pass of
// the events what the firewall lets pass, and hangs up, whatever happens. What a
// service answers is not trusted, and its key leaves this package in requests only.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"parley/server/agent"
	"parley/server/agent/realtime"
	"parley/server/agent/tool"
	"parley/server/outbound"
)

// Key is a service's key. It is printed by nothing.
type Key string

// String implements fmt.Stringer.
func (Key) String() string { return "[key]" }

// GoString implements fmt.GoStringer.
func (Key) GoString() string { return "[key]" }

// LogValue implements slog.LogValuer.
func (Key) LogValue() slog.Value { return slog.StringValue("[key]") }

// MarshalText implements encoding.TextMarshaler.
func (Key) MarshalText() ([]byte, error) { return []byte("[key]"), nil }

// Config is one agent at a service.
type Config struct {
	Name    string
	Dialect Dialect
	URL     string // where calls are asked for
	Key     Key    // sent as Authorization: Bearer; "": not at all
	// Headers are sent with each request, and may hold a key, too.
	Headers map[string]Key
	// AllowPrivate allows loopback and private addresses for requests and media: a
	// service of the operator's own.
	AllowPrivate bool
	Session      Session
	Tools        *tool.Set // nil: none
	Policy       realtime.Policy
	Sideband     *Sideband // nil: nobody steers its calls
	Prices       realtime.Prices
	// CallBudget and UserDayBudget are what a call and a user's day may cost; 0: anything.
	CallBudget, UserDayBudget realtime.Micros
	Watch                     realtime.WatchLimits // nil: the defaults
	// MaxCalls is how many calls at the same time the service is asked for; 0: any number.
	MaxCalls int
	// MaxDuration is how long a call may last; 0: as long as its session.
	MaxDuration time.Duration
	// Timeouts; zero ones are the defaults.
	Timeouts Timeouts
}

// definitions are the tools as the service is told of them.
func (c *Config) definitions() []tool.Definition {
	if c.Tools == nil {
		return nil
	}
	return c.Tools.Definitions()
}

// Timeouts bound what is waited for.
type Timeouts struct {
	Exchange time.Duration // of one request, from the connection to the last byte of the answer
	Connect  time.Duration // of ICE and DTLS, from the answer on
	Check    time.Duration // of each thing that a check looks for on a connection that stands
}

// Defaults of Timeouts. A caller who hears nothing hangs up after some ten seconds.
const (
	DefaultExchange = 10 * time.Second
	DefaultConnect  = 10 * time.Second
	// Reports on audio may be 7.5 s apart (RFC 3550 §6.2).
	DefaultCheck = 8 * time.Second
)

// Agent answers calls by a service. New makes it.
type Agent struct {
	cfg     Config
	dialect dialect
	url     *url.URL
	client  *http.Client
	reach   outbound.Addresses
	hangups *Hangups
	log     *slog.Logger
	live    atomic.Int64
}

// New makes an agent whose calls are hung up by hangups. It asks nobody.
func New(cfg Config, hangups *Hangups, log *slog.Logger) (*Agent, error) {
	d, ok := dialects()[cfg.Dialect]
	if !ok {
		return nil, fmt.Errorf("upstream: no dialect %q", cfg.Dialect)
	}
	reach := outbound.Addresses{AllowPrivate: cfg.AllowPrivate, Setting: "allow_private"}
	if err := reach.CheckURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("upstream: url: %w", err)
	}
	to, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, errors.New("upstream: url: not a web address")
	}
	if cfg.Timeouts.Exchange == 0 {
		cfg.Timeouts.Exchange = DefaultExchange
	}
	if cfg.Timeouts.Connect == 0 {
		cfg.Timeouts.Connect = DefaultConnect
	}
	if cfg.Timeouts.Check == 0 {
		cfg.Timeouts.Check = DefaultCheck
	}
	if cfg.Watch == nil {
		cfg.Watch = realtime.DefaultWatchLimits()
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Agent{
		cfg: cfg, dialect: d, url: to, client: outbound.NewClient(reach, cfg.Timeouts.Exchange), reach: reach,
		hangups: hangups, log: log,
	}, nil
}

// MaxDuration implements agent.Limited.
func (a *Agent) MaxDuration() time.Duration { return a.cfg.MaxDuration }

// Live returns how many calls are on.
func (a *Agent) Live() int { return int(a.live.Load()) }

// Open implements agent.Agent. The service is asked while the caller connects.
func (a *Agent) Open(ctx context.Context, call agent.Call, on agent.Events) (agent.Leg, error) {
	l, err := a.open(ctx, call, on, nil)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// open is Open. trial, if it isn't nil, takes note of what the call gets to.
func (a *Agent) open(ctx context.Context, call agent.Call, on agent.Events, trial *trial) (*upstreamLeg, error) {
	if n := a.live.Add(1); a.cfg.MaxCalls > 0 && n > int64(a.cfg.MaxCalls) {
		a.live.Add(-1)
		return nil, a.problem(Busy, fmt.Sprintf("all its %d calls are taken; raise max_calls, or let callers wait", a.cfg.MaxCalls))
	}
	if err := a.askGuard(call); err != nil {
		a.live.Add(-1)
		return nil, fmt.Errorf("%w: %w", agent.ErrForbidden, err)
	}
	l := newLeg(ctx, a, call, on, trial)
	if err := l.connect(); err != nil {
		l.release()
		return nil, a.problem(Broken, err.Error())
	}
	l.running.Go(l.run)
	return l, nil
}
