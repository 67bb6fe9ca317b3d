//go:build !js

package native_test

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/goleak"

	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
	"parley/wasm/peer/native"
)

// call is a call under test.
type call struct {
	*peer.Call
	t      *testing.T
	caller *native.Caller
	done   chan peer.CallEnded

	mu     sync.Mutex
	events []peer.Event
	news   chan struct{}
}

func start(t *testing.T, f *far) *call {
	return startWith(t, native.Config{Server: f.http.URL, Token: "token"}, nil)
}

// startWith makes a call, or goes on with the one of a place.
func startWith(t *testing.T, cfg native.Config, place *peer.HeldPlace) *call {
	c := &call{t: t, done: make(chan peer.CallEnded, 1), news: make(chan struct{}, 1)}
	c.caller = native.New(cfg)
	config := c.caller.Peer(c.on)
	config.Resume = place
	c.Call = peer.New(config)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { c.done <- c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-c.done; close(c.done) })
	return c
}

func (c *call) on(e peer.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, e)
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// await waits for an event of type E that fits.
func await[E peer.Event](c *call, fits func(E) bool) E {
	c.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		c.mu.Lock()
		for i, e := range c.events {
			if want, ok := e.(E); ok && fits(want) {
				c.events = c.events[i+1:]
				c.mu.Unlock()
				return want
			}
		}
		c.mu.Unlock()
		select {
		case <-c.news:
		case <-limit:
			c.t.Fatalf("no %s came: %v", reflect.TypeFor[E](), c.events)
		}
	}
}

func all[E peer.Event](E) bool { return true }

// talk sends 20 ms packets until the returned function is called.
func (c *call) talk() (stop func()) {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := uint16(0); ; n++ {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			p := &rtp.Packet{Header: rtp.Header{SequenceNumber: n, Timestamp: uint32(n) * 960}, Payload: []byte{0xf8, 1, 2, 3}}
			if err := c.caller.Send(p, native.Level{DBOV: 30, Voice: true}); err != nil {
				c.t.Errorf("send: %v", err)
				return
			}
		}
	})
	return func() { close(quit); wg.Wait() }
}

func TestCallOverRealSockets(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("call", func(t *testing.T) {
		f := newFar(t)
		c := start(t, f)
		await(c, all[peer.CallConnected])
		defer c.talk()()
		last := await(c, func(m peer.SampleMeasured) bool {
			return m.Sample.Ping.ResponsesReceived > 2 && m.Sample.Inbound != nil && m.Sample.Inbound.PacketsReceived > 20
		})
		if f.voiced.Load() < 20 {
			t.Errorf("%d packets came with their level", f.voiced.Load())
		}
		if got := c.caller.Counts(); got.Received < 20 || got.Sent < 20 { // what is under way is counted by one alone
			t.Errorf("counts %+v", got)
		}
		if pair := last.Sample.CandidatePair; pair == nil || pair.Protocol != "udp" {
			t.Errorf("candidate pair %+v", pair)
		}
	})
}

func TestHangupIsAGoodbye(t *testing.T) {
	f := newFar(t)
	c := start(t, f)
	await(c, all[peer.CallConnected])
	c.Hangup()
	if end := await(c, all[peer.CallEnded]); end.Ended.Cause != wire.CallerLeft {
		t.Errorf("ended %+v", end)
	}
}

func TestCutSocketIsResumedWhileMediaFlows(t *testing.T) {
	f := newFar(t)
	c := start(t, f)
	await(c, all[peer.CallConnected])
	defer c.talk()()
	await(c, func(m peer.SampleMeasured) bool { return m.Sample.Inbound != nil })
	before := c.caller.Counts().Received
	c.caller.Cut()
	await(c, func(m peer.SampleMeasured) bool {
		return f.resumed.Load() > 0 && c.caller.Counts().Received > before+50
	})
	if f.resumed.Load() != 1 || f.offers.Load() != 1 {
		t.Errorf("%d resumes, %d offers, want one each", f.resumed.Load(), f.offers.Load())
	}
}

func TestSilenceRestartsICE(t *testing.T) {
	f := newFar(t)
	c := start(t, f)
	await(c, all[peer.CallConnected])
	defer c.talk()()
	await(c, func(m peer.SampleMeasured) bool { return m.Sample.Inbound != nil })
	f.deaf.Store(true)
	await(c, all[peer.ConnectionDropped])
	for f.offers.Load() < 2 {
		await(c, all[peer.SampleMeasured])
	}
	f.deaf.Store(false)
	await(c, all[peer.ConnectionRecovered])
	before := c.caller.Counts().Received
	await(c, func(m peer.SampleMeasured) bool { return c.caller.Counts().Received > before+20 })
}

func TestRefusalIsTold(t *testing.T) {
	f := newFar(t)
	f.refuse = &rest.Problem{Status: 503, Title: "Busy", Code: rest.CodeCapReached, RetryAfterS: 15}
	end := await(start(t, f), all[peer.CallEnded])
	var problem *rest.Problem
	if !errors.As(end.Err, &problem) || problem.Code != rest.CodeCapReached {
		t.Errorf("ended %+v", end)
	}
}
