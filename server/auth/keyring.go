package auth

import (
	"context"
	"crypto"
	"log/slog"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// KeyHealth is how the keys of an issuer do.
type KeyHealth struct {
	Keys     int       // that check tokens now
	LoadedAt time.Time // when they were last read; zero: never
	Fault    string    // why the newest load failed; the keys of the last good one are kept
}

// OK tells whether the keys are those of the issuer as of a refresh ago.
func (h KeyHealth) OK() bool { return h.Fault == "" }

// KeyHealth tells how the keys do. Without Config.Keys all is well.
func (a *Auth) KeyHealth() KeyHealth {
	if a.keys == nil {
		return KeyHealth{}
	}
	a.keys.mu.Lock()
	defer a.keys.mu.Unlock()
	return a.keys.health
}

// Run loads the issuer's keys, again and again, until ctx is over: all loads are
// its own. Without it, keys by URL are never known.
func (a *Auth) Run(ctx context.Context) {
	if a.keys != nil {
		a.keys.run(ctx)
	}
}

// ReloadKeys reads a changed file of keys at once; keys by URL have their rhythm.
func (a *Auth) ReloadKeys(ctx context.Context) {
	if a.keys != nil && a.keys.source.File != "" {
		_ = a.keys.reload(ctx) // told to the log, and by KeyHealth
	}
}

// keyRing holds an issuer's keys.
type keyRing struct {
	source        KeySource
	load          loader
	log           *slog.Logger
	loadRequested chan struct{} // a request met an unknown kid
	waiters       chan struct{} // a place for each request that waits for a load

	mu         sync.Mutex
	keys       keySet
	health     KeyHealth
	loading    bool
	nextLoadAt time.Time     // before which nobody's asking starts a load
	loaded     chan struct{} // closed when the load under way, or the next, is over
}

// newKeyRing reads a file at once, so that a wrong one is told at the start. It
// asks no URL: a server starts without its issuer.
func newKeyRing(s KeySource, log *slog.Logger) (*keyRing, error) {
	s = s.withDefaults()
	load, err := s.loader()
	if err != nil {
		return nil, err
	}
	k := &keyRing{
		source: s, load: load, log: log,
		loadRequested: make(chan struct{}, 1), waiters: make(chan struct{}, MaxKeyWaiters),
		loaded: make(chan struct{}), health: KeyHealth{Fault: "not loaded yet"},
	}
	if s.File == "" {
		return k, nil
	}
	k.log = slog.New(slog.DiscardHandler) // what is wrong with it is returned
	if err := k.reload(context.Background()); err != nil {
		return nil, err
	}
	k.log = log
	return k, nil
}

// keysFor gives the keys of that kid for that algorithm.
func (k *keyRing) keysFor(ctx context.Context, kid, alg string) (any, error) {
	if !isKeyID(kid) {
		return nil, newRefusal("no_kid")
	}
	name := keyName{kid, alg}
	keys := k.lookup(name)
	if len(keys) == 0 {
		k.waitForLoad(ctx)
		keys = k.lookup(name)
	}
	if len(keys) == 0 {
		return nil, newRefusal("unknown_key")
	}
	set := jwt.VerificationKeySet{}
	for _, key := range keys {
		set.Keys = append(set.Keys, key)
	}
	return set, nil
}

func (k *keyRing) lookup(name keyName) []crypto.PublicKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys[name]
}

// waitForLoad asks for a load, if one is due or under way, and waits for its end
// for as long as a request may.
func (k *keyRing) waitForLoad(ctx context.Context) {
	loaded, due := k.pendingLoad()
	if !due {
		return
	}
	select {
	case k.waiters <- struct{}{}:
	default:
		return
	}
	defer func() { <-k.waiters }()
	select {
	case k.loadRequested <- struct{}{}:
	default:
	}
	patience := time.NewTimer(k.source.Patience)
	defer patience.Stop()
	select {
	case <-loaded:
	case <-patience.C:
	case <-ctx.Done():
	}
}

func (k *keyRing) pendingLoad() (loaded <-chan struct{}, due bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.loaded, k.loading || !time.Now().Before(k.nextLoadAt)
}

// run loads, lets the gap pass, then waits to be asked or for the next refresh.
func (k *keyRing) run(ctx context.Context) {
	for ctx.Err() == nil {
		started := time.Now()
		rest := k.source.Refresh
		if k.reload(ctx) != nil {
			rest = k.source.Gap // which makes a retry of it
		}
		if !sleepOrWake(ctx, time.Until(started.Add(k.source.Gap)), nil) {
			return
		}
		sleepOrWake(ctx, time.Until(started.Add(rest)), k.loadRequested)
	}
}

// sleepOrWake returns early, with false, when ctx is over or wake has something.
func sleepOrWake(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-wake:
	case <-ctx.Done():
	}
	return false
}

// reload takes the set as it is now, or keeps the last good one.
func (k *keyRing) reload(ctx context.Context) error {
	k.beginLoad()
	timed, cancel := context.WithTimeout(ctx, k.source.Timeout)
	defer cancel()
	raw, err := k.load(timed)
	var keys keySet
	if err == nil {
		keys, err = parseKeySet(raw)
	}
	before, after := k.finishLoad(keys, err)
	switch {
	case ctx.Err() != nil || before.Fault == after.Fault:
	case after.OK():
		k.log.InfoContext(ctx, "keys of the issuer are loaded", "event", "keys", "keys", after.Keys)
	default:
		k.log.WarnContext(ctx, "keys of the issuer can't be loaded", "event", "keys", "keys", after.Keys, "err", err)
	}
	return err
}

func (k *keyRing) beginLoad() {
	k.mu.Lock()
	defer k.mu.Unlock()
	select {
	case <-k.loadRequested: // this load is the answer
	default:
	}
	k.loading, k.nextLoadAt = true, time.Now().Add(k.source.Gap)
}

func (k *keyRing) finishLoad(keys keySet, err error) (before, after KeyHealth) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before = k.health
	if err != nil {
		k.health.Fault = err.Error()
	} else {
		k.keys = keys
		k.health = KeyHealth{Keys: keys.size(), LoadedAt: time.Now()}
	}
	k.loading = false
	close(k.loaded)
	k.loaded = make(chan struct{})
	return before, k.health
}
