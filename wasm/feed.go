//go:build js

package main

import (
	"sync"

	"parley/app/call"
)

// feed brings the events of call, sound and microphone to the page in order and
// from one goroutine. Putting never blocks, because callbacks of the browser
// put; a call has a few events a second.
type feed struct {
	ready chan struct{} // one token while events wait

	mu     sync.Mutex
	events []call.Event
}

func newFeed() *feed { return &feed{ready: make(chan struct{}, 1)} }

func (f *feed) put(e call.Event) {
	f.mu.Lock()
	f.events = append(f.events, e)
	f.mu.Unlock()
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

func (f *feed) take() []call.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	events := f.events
	f.events = nil
	return events
}

// pump tells on until the last event, Ended.
func (f *feed) pump(on func(call.Event)) {
	for range f.ready {
		for _, e := range f.take() {
			on(e)
			if _, last := e.(call.Ended); last {
				return
			}
		}
	}
}
