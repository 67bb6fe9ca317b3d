// Package privacy owns what may be known of callers: it masks people before
// anything about them is written or sent, and it is the guard that every
// operation on audio has to ask. It lets a call hold one turn in memory, and
// refuses all that outlives the call. It writes nothing.
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

// Buffer is to hold audio in memory within a call: what Hold asks for.
const Buffer Operation = "buffer"

// What is allowed within a call, beside Buffer: words that nobody keeps.
const (
	// Caption is to show what is said, as text, on the caller's own screen.
	Caption Operation = "caption"
	// TranscribeInCall is to have a service turn what the caller says into text for
	// the caller's own screen.
	TranscribeInCall Operation = "transcribe_in_call"
)

// Operations lists what is always refused.
func Operations() []Operation { return []Operation{Record, Persist, Tap, Transcribe, Export} }

// ErrRefused is the guard's answer to what isn't allowed.
var ErrRefused = errors.New("privacy: this operation on audio is not allowed")

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

	mu        sync.Mutex
	allowed   int64
	byKind    map[string]int64        // refused
	blocked   []rest.BlockedOperation // newest last
	bySession map[string]*callAudio   // of live calls
	holds     map[audioHold]bool      // true once the call has ended
	checkedAt time.Time
	failure   error // of the newest validation
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
	p := &Privacy{cfg: cfg, key: cfg.Key, byKind: make(map[string]int64), bySession: make(map[string]*callAudio), holds: make(map[audioHold]bool)}
	p.on.Store(cfg.On)
	_ = p.Validate() // Protected says it
	return p, nil
}

// On tells whether people are masked.
func (p *Privacy) On() bool { return p.on.Load() }

// Set turns masking on or off. Audio stays guarded either way.
func (p *Privacy) Set(on bool) { p.on.Store(on) }

// Validate checks that nothing says otherwise than what is promised: no call that
// is over has left audio in memory, and the evidence holds. The outcome is what
// Protected tells until the next check.
func (p *Privacy) Validate() error {
	var evidence error
	if p.cfg.Evidence != nil {
		evidence = p.cfg.Evidence()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checkedAt, p.failure = p.cfg.Now().UTC(), p.leftoverAudioLocked()
	if p.failure == nil && evidence != nil {
		p.failure = fmt.Errorf("%w: %w", ErrUnprotected, evidence)
	}
	return p.failure
}

// Protected tells whether the newest validation held: nil, or ErrUnprotected.
func (p *Privacy) Protected() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failure
}
