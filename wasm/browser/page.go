//go:build js

package browser

import (
	"context"
	"sync"
	"syscall/js"
)

// Online is false when the browser is sure that there is no network.
func Online() bool {
	online := property(navigator(), "onLine")
	return online.Type() != js.TypeBoolean || online.Bool()
}

// WatchNetwork calls hint, which must not wait, whenever the network may have
// changed or the page may have slept. The function it returns ends that.
func WatchNetwork(hint func()) (stop func()) {
	var listeners cleanups
	add := func(target js.Value, events ...string) {
		for _, event := range events {
			listeners.add(listen(target, event, func(js.Value) { hint() }))
		}
	}
	add(window(), "online", "offline")
	document := window().Get("document")
	add(document, "resume") // of https://wicg.github.io/page-lifecycle/
	listeners.add(listen(document, "visibilitychange", func(js.Value) {
		if isVisible() {
			hint()
		}
	}))
	if c := property(navigator(), "connection"); isPresent(c) {
		add(c, "change")
	}
	return listeners.runAll
}

func isVisible() bool {
	return stringOrEmpty(window().Get("document").Get("visibilityState")) == "visible"
}

// GuardLeaving has the browser ask before the page is left, until the function
// that it returns is called.
func GuardLeaving() (stop func()) {
	return listen(window(), "beforeunload", func(ev js.Value) {
		ev.Call("preventDefault")
		ev.Set("returnValue", "leave") // older browsers ask by this alone
	})
}

// KeepAwake keeps the screen on while the page is seen, where the browser can
// and will. Browsers let go when the page is hidden; it is asked again when it
// is seen. refused, which must not wait, is called when the browser won't. The function
// it returns ends that and waits for what it started.
func KeepAwake(refused func()) (stop func()) {
	locks := property(navigator(), "wakeLock")
	if !isPresent(locks) {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	seen := make(chan struct{}, 1)
	seen <- struct{}{}
	remove := listen(window().Get("document"), "visibilitychange", func(js.Value) {
		select {
		case seen <- struct{}{}:
		default:
		}
	})
	var wg sync.WaitGroup
	wg.Go(func() { holdAwake(ctx, locks, seen, refused) })
	return func() {
		remove()
		cancel()
		wg.Wait()
	}
}

func holdAwake(ctx context.Context, locks js.Value, seen <-chan struct{}, refused func()) {
	var lock js.Value
	defer func() { releaseLock(lock) }()
	for {
		select {
		case <-ctx.Done():
			return
		case <-seen:
		}
		if !isVisible() {
			continue
		}
		releaseLock(lock)
		if lock = requestWakeLock(ctx, locks); !isPresent(lock) && ctx.Err() == nil && isVisible() {
			refused()
		}
	}
}

// requestWakeLock asks for a lock. A refusal (an empty battery, a policy) only means
// that the screen may dim.
func requestWakeLock(ctx context.Context, locks js.Value) (lock js.Value) {
	var err error
	defer recoverJSError(&err)
	lock, err = awaitOr(ctx, locks.Call("request", "screen"), releaseLock)
	return lock
}

func releaseLock(lock js.Value) {
	var err error
	defer recoverJSError(&err)
	if isPresent(lock) {
		lock.Call("release")
	}
}
