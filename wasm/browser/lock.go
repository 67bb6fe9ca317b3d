//go:build js

package browser

import (
	"context"
	"sync"
	"syscall/js"
	"time"
)

const (
	// lockRetry is how often a lock is asked for that another page has.
	lockRetry = 50 * time.Millisecond
	// lockAnswer bounds the wait for the browser's answer, yes or no. Its process
	// is another one and may be busy, as when a page has just been loaded.
	lockAnswer = 5 * time.Second
)

// Lock waits until ctx ends for a name that one page of the origin can hold at a
// time (W3C Web Locks). ok is false if another page holds it. What a page had that
// is gone is unlocked by the browser; one without locks has every one to give.
func Lock(ctx context.Context, name string) (unlock func(), ok bool) {
	locks := property(navigator(), "locks")
	if !isPresent(locks) {
		return func() {}, true
	}
	for {
		unlock, held, err := tryLock(locks, name)
		switch {
		case err != nil:
			return func() {}, true
		case held:
			return unlock, true
		}
		select {
		case <-ctx.Done():
			return func() {}, false
		case <-time.After(lockRetry):
		}
	}
}

// tryLock asks once, and reports false for held while another page has the lock.
func tryLock(locks js.Value, name string) (unlock func(), held bool, err error) {
	defer recoverJSError(&err)
	ctx, cancel := context.WithTimeout(context.Background(), lockAnswer)
	defer cancel()
	answered, refused := make(chan func(), 1), make(chan error, 1)
	callback := js.FuncOf(func(_ js.Value, args []js.Value) any {
		if ctx.Err() != nil { // nobody waits for it any more: it is given back
			return nil
		}
		if !isPresent(firstArg(args)) {
			answered <- nil
			return nil
		}
		whileHeld, resolve := newPromise()
		answered <- resolve
		return whileHeld
	})
	isAsked := false
	defer func() {
		if !isAsked {
			callback.Release()
		}
	}()
	request := locks.Call("request", name, map[string]any{"ifAvailable": true}, callback)
	isAsked = true
	go func() {
		if _, err := await(ctx, request); err != nil {
			refused <- err
		}
	}()
	select {
	case unlock := <-answered:
		callback.Release()
		return unlock, unlock != nil, nil
	case err := <-refused:
		if ctx.Err() == nil { // else the browser may still call it
			callback.Release()
		}
		return nil, false, err
	}
}

// newPromise makes a promise that resolve fulfils.
func newPromise() (promise js.Value, resolve func()) {
	var fulfil js.Value
	executor := js.FuncOf(func(_ js.Value, args []js.Value) any {
		fulfil = args[0]
		return nil
	})
	defer executor.Release()
	promise = js.Global().Get("Promise").New(executor)
	return promise, sync.OnceFunc(func() { fulfil.Invoke() })
}
