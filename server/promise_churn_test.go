package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"parley/shared/wire"
)

// A thousand calls come and go, half of them without a word; nothing of them
// stays. Forty are real ones with media, of which twenty are killed with their
// process; the others are sockets whose offer is answered by all that a call
// costs here, with nobody behind it.
func TestChurnLeavesNothingBehind(t *testing.T) {
	const total, real, warmUp = 1000, 40, 60
	p := spawn(t, "--max-sessions=500", "--reconnect-grace=1s")
	tokens := p.crowd(t, total-real)
	p.churn(t, tokens[:warmUp]) // what is made once: pools, connections to the store
	p.realChurn(t, "warm", 4)
	p.empty(t)
	before := p.weigh(t)

	began := time.Now()
	p.churn(t, tokens)
	p.realChurn(t, "real", real)
	p.empty(t)
	t.Logf("%d calls in %v", total, time.Since(began).Round(time.Second))
	var after weight
	defer func() { t.Logf("before: %v; after: %v", before, after) }()
	within(t, "it weighs what it did", 2*time.Minute, func() bool {
		after = p.weigh(t)
		return after.goroutines <= before.goroutines+20 && after.files <= before.files+10 &&
			after.bytes <= before.bytes+40<<20
	})
	if ended := int(p.metrics(t)["parley_sessions_ended_total"]); ended < total {
		t.Errorf("%d calls ended, want %d", ended, total)
	}
}

// empty waits until no call is left.
func (p *program) empty(t *testing.T) {
	t.Helper()
	within(t, "every place is free", time.Minute, func() bool { return len(p.active(t)) == 0 })
}

// churn has each caller call once, some at a time; every other one vanishes.
func (p *program) churn(t *testing.T, tokens []string) {
	t.Helper()
	const atOnce = 20
	var all sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for i, token := range tokens {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			conn, _, err := p.knock(token)
			if err != nil {
				t.Errorf("caller %d: %v", i, err)
				return
			}
			s := &socket{conn, t}
			defer s.Close()
			if err := s.call(anOffer()); err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
			if i%2 == 0 {
				s.vanish()
				return
			}
			s.say(wire.Bye{})
			s.closes(patience)
		})
	}
	all.Wait()
}

// realChurn makes real calls from two processes: one hangs up in order, the
// other is killed.
func (p *program) realChurn(t *testing.T, name string, n int) {
	t.Helper()
	var polite, killed []string
	for i := range n / 2 {
		polite = append(polite, fmt.Sprint(name, "-polite", i))
		killed = append(killed, fmt.Sprint(name, "-killed", i))
	}
	var talkers []*talker
	kill := p.callFromAnotherProcess(t, killed...)
	for _, sub := range polite {
		talkers = append(talkers, p.ring(t, sub, "echo"))
	}
	eventually(t, "all real calls are on", func() bool {
		on := 0
		for _, s := range p.active(t) {
			if s.State == wire.StateActive {
				on++
			}
		}
		return on == n/2*2
	})
	kill()
	for _, k := range talkers {
		k.call.Hangup()
		k.over(t)
	}
}
