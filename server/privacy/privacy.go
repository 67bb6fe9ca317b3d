// Package privacy owns what may be known of callers: it masks people before
// anything about them is written or sent, and it is the guard that every
// operation on audio has to ask, which refuses them all. It writes nothing.
package privacy

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"parley/shared/rest"
)

// MinKey is the size of the hash that the key feeds: a shorter one is weaker.
const MinKey = 32

// MaxBlocked is how many refused operations are remembered one by one.
const MaxBlocked = 100

// Operation is something that could be done with a caller's audio.
type Operation string

// The operations that are refused, in privacy mode and out of it.
const (
	Record     Operation = "record"     // keep audio in a file or a store
	Persist    Operation = "persist"    // keep it in memory beyond the call
	Tap        Operation = "tap"        // give it to a third party
	Transcribe Operation = "transcribe" // turn it into text that is kept
	Export     Operation = "export"     // hand it out
)

// Operations lists the closed set.
func Operations() []Operation { return []Operation{Record, Persist, Tap, Transcribe, Export} }

// ErrRefused is the guard's one answer.
var ErrRefused = errors.New("privacy: no operation on audio is allowed")

// ErrUnprotected says that protection could not be validated: no call may start.
var ErrUnprotected = errors.New("privacy: protection is not active")

// Config is what a Privacy needs.
type Config struct {
	On  bool
	Key []byte // of user keys, MinKey bytes at least; nil: one for this run only
	// Evidence looks for audio where none may be, such as in the data directory.
	// Its error blocks new calls. May be nil.
	Evidence func() error
	// OnBlocked is told of each refused operation. May be nil.
	OnBlocked func(rest.BlockedOperation)
	Now       func() time.Time // default time.Now
}

// Privacy masks and guards. It is safe for concurrent use.
type Privacy struct {
	cfg Config
	key []byte
	on  atomic.Bool

	mu      sync.Mutex
	byKind  map[string]int64
	blocked []rest.BlockedOperation // newest last
	checked time.Time
	failure error // of the newest validation
}

// New makes a Privacy that has validated itself once.
func New(cfg Config) (*Privacy, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Key == nil {
		cfg.Key = make([]byte, MinKey)
		rand.Read(cfg.Key) // never fails, by its contract
	}
	if len(cfg.Key) < MinKey {
		return nil, fmt.Errorf("privacy: key of %d bytes, at least %d are needed", len(cfg.Key), MinKey)
	}
	p := &Privacy{cfg: cfg, key: cfg.Key, byKind: make(map[string]int64)}
	p.on.Store(cfg.On)
	_ = p.Validate() // Protected says it
	return p, nil
}

// On tells whether people are masked.
func (p *Privacy) On() bool { return p.on.Load() }

// Set turns masking on or off. Audio stays guarded either way.
func (p *Privacy) Set(on bool) { p.on.Store(on) }

// Ask is what a component that would keep, record, tap, transcribe or hand out
// audio has to call first. It refuses, counts, remembers and tells, whatever
// the mode.
func (p *Privacy) Ask(op Operation, by, session string) error {
	blocked := rest.BlockedOperation{At: p.cfg.Now().UTC(), Operation: string(op), By: by, Session: session}
	p.mu.Lock()
	p.byKind[string(op)]++
	p.blocked = append(p.blocked, blocked)
	if extra := len(p.blocked) - MaxBlocked; extra > 0 {
		p.blocked = append([]rest.BlockedOperation(nil), p.blocked[extra:]...)
	}
	p.mu.Unlock()
	if p.cfg.OnBlocked != nil {
		p.cfg.OnBlocked(blocked)
	}
	return decide(op)
}

// decide is the whole policy.
func decide(op Operation) error { return fmt.Errorf("%w: %s", ErrRefused, op) }

// Validate checks that the policy refuses every operation, and that nothing
// says otherwise. The outcome is what Protected tells until the next check.
func (p *Privacy) Validate() error {
	var err error
	for _, op := range Operations() {
		if !errors.Is(decide(op), ErrRefused) {
			err = fmt.Errorf("%w: %s is not refused", ErrUnprotected, op)
		}
	}
	if err == nil && p.cfg.Evidence != nil {
		if found := p.cfg.Evidence(); found != nil {
			err = fmt.Errorf("%w: %w", ErrUnprotected, found)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checked, p.failure = p.cfg.Now().UTC(), err
	return err
}

// Protected tells whether the newest validation held: nil, or ErrUnprotected.
func (p *Privacy) Protected() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failure
}

// Attempts is how often the guard was asked.
func (p *Privacy) Attempts() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.attempts()
}

func (p *Privacy) attempts() int64 {
	var n int64
	for _, of := range p.byKind {
		n += of
	}
	return n
}
