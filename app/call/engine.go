package call

import (
	"context"
	"sync"
	"time"

	"parley/app/client"
	"parley/wasm/peer"
)

// Config is what an Engine needs of the world. The zero value prerenders:
// without a Peer nothing can be started.
type Config struct {
	Peer    Peer
	Fetcher client.Fetcher
	Storage Storage // nil: a reload ends the call
	// Settings remember what the caller chose; nil: they choose anew each time.
	Settings Storage
	Locks    Locks // nil: tabs don't know of each other
}

// Engine is the caller's side of a call as the pages see it. It outlives them:
// go-app takes a page down on navigation, and the call must go on. Its methods
// return at once and may be called from any goroutine.
type Engine struct {
	peer    Peer
	fetcher client.Fetcher
	client  *client.Client
	storage Storage
	chosen  settings
	locks   Locks

	storing sync.Mutex // held while storage is written; taken before mu
	stored  string     // what storage has of the place

	// work ends with Close, and running waits for what was started.
	work    context.Context
	stop    context.CancelFunc
	running sync.WaitGroup

	switching sync.Mutex // held while one microphone takes another's place; taken before mu

	mu       sync.Mutex
	picture  Picture
	speech   speechDetector
	sent     meanLevel
	mic      *openedMic
	line     Line
	attempt  int // counts calls: events of an older one are dropped
	cancel   context.CancelFunc
	watchers map[int]func()
	meters   map[int]func(dBFS float64)
	nextID   int
}

// NewEngine makes an engine at rest.
func NewEngine(c Config) *Engine {
	work, stop := context.WithCancel(context.Background())
	e := &Engine{
		peer: c.Peer, fetcher: c.Fetcher, storage: c.Storage, locks: c.Locks, work: work, stop: stop,
		watchers: map[int]func(){}, meters: map[int]func(float64){},
	}
	e.chosen.storage = c.Settings
	e.picture.Choice = e.chosen.load()
	if c.Fetcher != nil {
		e.client = client.New(c.Fetcher, nil)
	}
	return e
}

// Close hangs up and waits for all that was started.
func (e *Engine) Close() {
	e.Hangup()
	e.stop()
	e.running.Wait()
	e.CloseMicrophone()
}

// Picture is how things stand.
func (e *Engine) Picture() Picture {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.picture
}

// Watch calls changed after each change, from any goroutine, until remove.
// What has changed is asked for by Picture: so nobody ever draws an older one.
func (e *Engine) Watch(changed func()) (remove func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := e.nextID
	e.nextID++
	e.watchers[id] = changed
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.watchers, id)
	}
}

// Meter calls level with the microphone's level, about 20 times a second,
// until remove. It goes around Picture: a meter must not redraw the page.
func (e *Engine) Meter(level func(dBFS float64)) (remove func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := e.nextID
	e.nextID++
	e.meters[id] = level
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.meters, id)
	}
}

// updatePicture makes the next picture and tells the watchers, without the lock.
func (e *Engine) updatePicture(next func(p Picture) Picture) {
	e.mu.Lock()
	before := e.picture
	e.picture = next(e.picture)
	sound := chimeOf(before, e.picture)
	tell := make([]func(), 0, len(e.watchers))
	for _, w := range e.watchers {
		tell = append(tell, w)
	}
	e.mu.Unlock()
	e.keepPlace()
	for _, w := range tell {
		w()
	}
	e.play(sound)
}

// Choose keeps what the caller wants of the next call.
func (e *Engine) Choose(next func(Choice) Choice) {
	e.updatePicture(func(p Picture) Picture {
		p.Choice = next(p.Choice)
		return p
	})
	e.chosen.save(e.Picture().Choice)
	if e.Picture().Choice.ForgetsCalls {
		forgetLastCall(e.chosen.storage)
	}
}

// callEntry is how a call gets its place. The zero value asks for a new one.
type callEntry struct {
	place     *heldPlace // held since before a reload
	takesOver bool       // of the oldest of the caller's own calls, if it must be
}

// Start calls. It does nothing while a call is under way.
func (e *Engine) Start() { e.start(callEntry{}) }

// TakeOver calls, and ends the caller's call in another tab or device for it.
func (e *Engine) TakeOver() { e.start(callEntry{takesOver: true}) }

func (e *Engine) start(by callEntry) {
	if e.peer == nil {
		return
	}
	e.mu.Lock()
	if e.picture.Phase == Connecting || e.picture.Phase == Live || e.work.Err() != nil {
		e.mu.Unlock()
		return
	}
	if e.cancel != nil { // an older try waits for a line
		e.cancel()
	}
	e.attempt++
	attempt := e.attempt
	ctx, cancel := context.WithCancel(e.work)
	e.cancel = cancel
	e.running.Add(1)
	e.mu.Unlock()
	e.updatePicture(func(p Picture) Picture { return applyStart(p, by) })
	go func() {
		defer e.running.Done()
		defer cancel()
		e.runCall(ctx, attempt, by)
	}()
}

func applyStart(p Picture, by callEntry) Picture {
	now := time.Now()
	p.Phase, p.Now = Connecting, now
	p.Setup = Setup{Step: peer.StepServer, Since: now}
	chosen, _ := p.agent(p.agentToCall())
	p.Talk = Talk{Muted: p.Choice.Muted, HasCaptions: chosen.Captions}
	if h := by.place; h != nil {
		p.Talk = Talk{SessionID: h.SessionID, ResumeToken: h.ResumeToken, StartedAt: h.StartedAt, Until: h.Ends, Muted: h.IsMuted, HasCaptions: h.HasCaptions}
	}
	p.Refusal, p.End = nil, End{}
	return p
}

// runCall is one press of Start: the microphone, then lines until one is given,
// the caller gives up, or the call was made.
func (e *Engine) runCall(ctx context.Context, attempt int, by callEntry) {
	lock := &callLock{locks: e.locks}
	defer func() { lock.release() }()
	if h := by.place; h != nil && !lock.take(ctx, h.SessionID) {
		e.updateCall(attempt, applyHeldByTab)
		e.findHeldCall(ctx)
		return
	}
	mic, err := e.openMicrophone(ctx)
	if err != nil {
		e.updatePicture(func(p Picture) Picture {
			if attempt == e.attempt && p.Phase == Connecting {
				p.Phase, p.Talk = Ready, Talk{}
			}
			return p
		})
		e.giveUpPlace(by.place)
		return
	}
	for {
		e.dial(ctx, attempt, mic, by, lock)
		if e.movesOn(ctx, attempt) {
			lock.release()
			by, lock = callEntry{}, &callLock{locks: e.locks}
			continue
		}
		e.findHeldCall(ctx)
		if !e.waitForRetry(ctx) {
			return
		}
		e.updatePicture(func(p Picture) Picture { return applyStart(p, by) })
	}
}

// movesOn reports whether a call that ended goes on at another server.
func (e *Engine) movesOn(ctx context.Context, attempt int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return ctx.Err() == nil && attempt == e.attempt && e.picture.Phase == Connecting
}

// dial makes one call and returns when it is over, or when it was hung up.
func (e *Engine) dial(ctx context.Context, attempt int, mic Microphone, by callEntry, lock *callLock) {
	over := make(chan struct{})
	p := e.Picture()
	line := e.peer.Dial(ctx, Dial{
		Agent: p.agentToCall(), Microphone: mic, Muted: p.Talk.Quiet(), Speaker: p.Choice.SpeakerID,
		HasCaptions: by.place != nil || p.mayHaveCaptions(),
		Resume:      by.resume(), TakesOver: by.takesOver,
		On: func(ev peer.Event) {
			ev = e.withOwnLevel(ev)
			e.updateCall(attempt, func(p Picture) Picture { return apply(p, ev, time.Now()) })
			switch ev := ev.(type) {
			case peer.CallAccepted:
				e.runInBackground(func(context.Context) { lock.take(ctx, ev.Hello.SessionID) })
				e.runInBackground(func(context.Context) { e.watchSignIn(ctx, attempt) })
			case peer.CallEnded:
				close(over)
			}
		},
		OnScreenDims: func() { e.tell(Notice{Code: noticeDims}) },
		OnSound: func(isPlaying bool) {
			e.updateCall(attempt, func(p Picture) Picture { p.Talk.Blocked = !isPlaying; return p })
		},
	})
	e.mu.Lock()
	e.line = line
	e.mu.Unlock()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-over:
			e.releaseLine(attempt)
			return
		case <-ctx.Done():
			line.Hangup()
			e.releaseLine(attempt)
			return
		case now := <-tick.C:
			e.updatePicture(func(p Picture) Picture { return applyTick(p, now) })
		}
	}
}

// resume is the place for the peer; nil for a new call.
func (by callEntry) resume() *peer.HeldPlace {
	if by.place == nil {
		return nil
	}
	return &peer.HeldPlace{SessionID: by.place.SessionID, ResumeToken: by.place.ResumeToken, Ends: by.place.Ends}
}

// waitForRetry waits until a busy server is asked again. It reports false when there
// is nothing to wait for, or nothing but that the caller may ask again.
func (e *Engine) waitForRetry(ctx context.Context) bool {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		p := e.Picture()
		if p.Phase != Ready || p.Refusal == nil || p.Refusal.until().IsZero() {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case now := <-tick.C:
			e.updatePicture(func(p Picture) Picture { p.Now = now; return p })
			if now.Before(p.Refusal.until()) {
				continue
			}
			if p.Refusal.RetryAt.IsZero() {
				e.DismissRefusal()
			}
			return !p.Refusal.RetryAt.IsZero()
		}
	}
}

// updateCall changes the picture for a call, unless a newer one has taken its place.
func (e *Engine) updateCall(attempt int, next func(Picture) Picture) {
	e.updatePicture(func(p Picture) Picture {
		if attempt != e.attempt {
			return p
		}
		return next(p)
	})
}

// releaseLine forgets the line, and the microphone once a call was made: its light
// goes out when the call ends, not when the page is left.
func (e *Engine) releaseLine(attempt int) {
	e.mu.Lock()
	over := false
	if attempt == e.attempt {
		e.line = nil
		over = e.picture.Phase == Over
	}
	e.mu.Unlock()
	if over {
		e.keepRibbon(e.Picture())
		e.keepLastCall(reviewOfPicture(e.Picture()))
		e.CloseMicrophone()
	}
}

// Hangup ends the call, gives up one that is being set up, or stops waiting
// for a line. The page shows it at once; the peer finishes on its own.
func (e *Engine) Hangup() {
	e.mu.Lock()
	line, phase := e.line, e.picture.Phase
	cancel := e.cancel
	e.mu.Unlock()
	if phase == Live && line != nil {
		line.Hangup()
		return
	}
	if cancel != nil {
		cancel()
	}
	e.updatePicture(func(p Picture) Picture {
		if p.Phase == Connecting {
			e.attempt++ // what the old line still tells is dropped
			e.line = nil
			p.Phase, p.Talk = Ready, Talk{}
		}
		if p.Refusal != nil {
			stopped := *p.Refusal
			stopped.RetryAt = time.Time{}
			p.Refusal = &stopped
		}
		return p
	})
}

// Reset leaves the end of a call behind.
func (e *Engine) Reset() {
	e.updatePicture(func(p Picture) Picture {
		if p.Phase == Over {
			p.Phase, p.Talk, p.End = Ready, Talk{}, End{}
		}
		return p
	})
}

// Online takes the browser's word that it lost or found its network.
func (e *Engine) Online(on bool) {
	e.updatePicture(func(p Picture) Picture {
		p.Admission.Offline, p.Admission.ServerDown = !on, false
		return p
	})
	if on && e.Picture().Phase == Ready {
		e.RefreshAdmission()
		e.CheckLine()
	}
}

// runInBackground runs work that ends with the engine.
func (e *Engine) runInBackground(work func(ctx context.Context)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.work.Err() != nil {
		return
	}
	e.running.Go(func() { work(e.work) })
}
