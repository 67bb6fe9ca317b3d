//go:build linux

package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"parley/shared/wire"
	"parley/wasm/peer"
	"parley/wasm/peer/native"
)

// between is how long a caller waits before the next call, at least; up to twice that.
const between = 500 * time.Millisecond

// crowd is many callers, each of whom calls again and again, at another node whenever one
// doesn't take the call or loses it.
type crowd struct {
	of     *deployment
	calls  sync.WaitGroup
	hangUp context.CancelFunc

	mu       sync.Mutex
	inCall   map[string]bool // by sub
	accepted int
	ends     map[wire.EndCause]int // of calls that were accepted
	refused  int
}

// call has so many people call, spread over the nodes.
func (d *deployment) call(ctx context.Context, people int) *crowd {
	ctx, cancel := context.WithCancel(ctx)
	c := &crowd{of: d, hangUp: cancel, inCall: make(map[string]bool), ends: make(map[wire.EndCause]int)}
	for i := range people {
		sub := fmt.Sprintf("caller%03d", i)
		token := d.token(sub)
		c.calls.Go(func() {
			for at := i; ctx.Err() == nil; {
				if !c.one(ctx, sub, token, d.nodes[at%len(d.nodes)]) {
					at++
				}
				pause(ctx, between+rand.N(between))
			}
		})
	}
	return c
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// one makes one call and reports whether it ended by somebody's will.
func (c *crowd) one(ctx context.Context, sub, token string, at *node) bool {
	caller := native.New(native.Config{Server: at.base(), Token: token, Agent: "echo"})
	taken := false
	end := peer.New(caller.Peer(func(e peer.Event) {
		if _, is := e.(peer.CallAccepted); is && !taken {
			taken = true
			c.note(func() { c.inCall[sub] = true; c.accepted++ })
		}
	})).Run(ctx)
	c.note(func() {
		delete(c.inCall, sub)
		if taken {
			c.ends[end.Ended.Cause]++
		} else {
			c.refused++
		}
	})
	return end.Ended.Cause == wire.CallerLeft
}

func (c *crowd) note(what func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	what()
}

// now is how many are in a call.
func (c *crowd) now() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.inCall)
}

// leave has all hang up, and waits until they have.
func (c *crowd) leave() {
	c.hangUp()
	c.calls.Wait()
}
