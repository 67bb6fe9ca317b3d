//go:build js

package browser

import (
	"context"
	"sync"
	"syscall/js"
)

// await waits for a promise until ctx ends. Some promises never settle, such as
// those of a closed RTCPeerConnection: nothing is kept for one that was given up.
func await(ctx context.Context, promise js.Value) (js.Value, error) {
	return awaitOr(ctx, promise, nil)
}

// awaitOr is await that calls late, which must not wait, with the value of a
// promise that is fulfilled after ctx has ended: what it brings is given back.
func awaitOr(ctx context.Context, promise js.Value, late func(js.Value)) (js.Value, error) {
	p := pending()
	id, settled := p.add()
	if err := p.subscribe(promise, id); err != nil {
		p.abandon(id, nil)
		return js.Undefined(), err
	}
	select {
	case o := <-settled:
		return o.value, o.err
	case <-ctx.Done():
	}
	if p.abandon(id, late) {
		return js.Undefined(), context.Cause(ctx)
	}
	o := <-settled // in this very moment
	return o.value, o.err
}

// outcome is what became of a promise.
type outcome struct {
	value js.Value
	err   error
}

// promises are those that are waited for. All share two functions given to
// JavaScript, bound to a number for each promise: a function of its own could
// never be released for a promise that doesn't settle.
type promises struct {
	fulfilled, rejected js.Func

	mu      sync.Mutex
	next    int
	waiting map[int]func(outcome)
}

// pending is the page's one set; its two functions are never released.
var pending = sync.OnceValue(newPromises)

func newPromises() *promises {
	p := &promises{waiting: make(map[int]func(outcome))}
	p.fulfilled = js.FuncOf(func(_ js.Value, args []js.Value) any {
		p.settle(args[0].Int(), outcome{value: firstArg(args[1:])})
		return nil
	})
	p.rejected = js.FuncOf(func(_ js.Value, args []js.Value) any {
		p.settle(args[0].Int(), outcome{err: errorOf(firstArg(args[1:]))})
		return nil
	})
	return p
}

func (p *promises) add() (id int, settled <-chan outcome) {
	c := make(chan outcome, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	p.waiting[p.next] = func(o outcome) { c <- o }
	return p.next, c
}

// subscribe fails for what is no promise: not every browser gives one where the
// standard does.
func (p *promises) subscribe(promise js.Value, id int) (err error) {
	defer recoverJSError(&err)
	promise.Call("then", p.fulfilled.Call("bind", nil, id), p.rejected.Call("bind", nil, id))
	return nil
}

func (p *promises) settle(id int, o outcome) {
	p.mu.Lock()
	take := p.waiting[id]
	delete(p.waiting, id)
	p.mu.Unlock()
	if take != nil {
		take(o)
	}
}

// abandon gives a promise up, unless it has settled. late, if there is one,
// still takes its value.
func (p *promises) abandon(id int, late func(js.Value)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting[id] == nil {
		return false
	}
	delete(p.waiting, id)
	if late != nil {
		p.waiting[id] = func(o outcome) {
			if o.err == nil {
				late(o.value)
			}
		}
	}
	return true
}
