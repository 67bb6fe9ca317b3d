//go:build linux

package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

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

	sent, heard atomic.Int64 // packets of those who speak
}

// speakEach is of how many callers one speaks all the time: audio of all would take the
// machine, not the deployment, to its end.
const speakEach = 10

// call has so many people call, spread over the nodes.
func (d *deployment) call(ctx context.Context, people int) *crowd {
	ctx, cancel := context.WithCancel(ctx)
	c := &crowd{of: d, hangUp: cancel, inCall: make(map[string]bool), ends: make(map[wire.EndCause]int)}
	for i := range people {
		sub := fmt.Sprintf("caller%03d", i)
		token := d.token(sub)
		c.calls.Go(func() {
			for at := i; ctx.Err() == nil; {
				if !c.one(ctx, sub, token, d.nodes[at%len(d.nodes)], i%speakEach == 0) {
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
func (c *crowd) one(ctx context.Context, sub, token string, at *node, speaks bool) bool {
	caller := native.New(native.Config{Server: at.base(), Token: token, Agent: "echo", Heard: func(*rtp.Packet) { c.heard.Add(1) }})
	var speaking sync.WaitGroup
	defer speaking.Wait()
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	taken := false
	end := peer.New(caller.Peer(func(e peer.Event) {
		if _, is := e.(peer.CallAccepted); is && !taken {
			taken = true
			c.note(func() { c.inCall[sub] = true; c.accepted++ })
			if speaks {
				speaking.Go(func() { c.speak(ctx, caller) })
			}
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

// speak sends a frame of 20 ms after the other until ctx is over.
func (c *crowd) speak(ctx context.Context, caller *native.Caller) {
	const frame = 20 * time.Millisecond
	tick := time.NewTicker(frame)
	defer tick.Stop()
	payload := append([]byte{0x78}, make([]byte, 59)...) // TOC of one 20 ms fullband frame, RFC 6716 §3.1
	for n := uint32(0); ctx.Err() == nil; n++ {
		packet := &rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(n), Timestamp: n * 960}, Payload: payload}
		if caller.Send(packet, native.Level{DBOV: 20, Voice: true}) == nil {
			c.sent.Add(1)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// tally is what a crowd has come to so far.
type tally struct{ accepted, nodeLost, connectionLost, refused int }

func (c *crowd) tally() (of tally) {
	c.note(func() { of = tally{c.accepted, c.ends[wire.NodeLost], c.ends[wire.ConnectionLost], c.refused} })
	return of
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
