package peer

import "sync"

// inbox brings what others have to tell to the one goroutine that keeps the
// call's state. Putting never blocks: a JavaScript callback that waits stops
// the page. What fills it is bounded elsewhere (one frame of the server, one
// sample, one job of the connection at a time, a rate of agent events).
type inbox struct {
	ready chan struct{} // one token while commands wait

	mu       sync.Mutex
	commands []command
	closed   bool // nobody reads any more
}

// command is what somebody has to tell.
type command struct {
	run func(*callState)
	// discard, if there is one, gives back what the command brings when the call
	// is over before it is read.
	discard func()
}

func newInbox() *inbox { return &inbox{ready: make(chan struct{}, 1)} }

func (b *inbox) put(run func(*callState)) { b.post(command{run: run}) }

func (b *inbox) post(c command) {
	b.mu.Lock()
	isClosed := b.closed
	if !isClosed {
		b.commands = append(b.commands, c)
	}
	b.mu.Unlock()
	if isClosed {
		discardCommands([]command{c})
		return
	}
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// close gives back what the commands bring that nobody reads any more, and what
// comes later.
func (b *inbox) close() {
	b.mu.Lock()
	b.closed = true
	commands := b.commands
	b.commands = nil
	b.mu.Unlock()
	discardCommands(commands)
}

func discardCommands(commands []command) {
	for _, c := range commands {
		if c.discard != nil {
			c.discard()
		}
	}
}

func (b *inbox) take() []command {
	b.mu.Lock()
	defer b.mu.Unlock()
	commands := b.commands
	b.commands = nil
	return commands
}
