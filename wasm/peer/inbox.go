package peer

import "sync"

// inbox brings what others have to tell to the one goroutine that keeps the
// call's state. Putting never blocks: a JavaScript callback that waits stops
// the page. What fills it is bounded elsewhere (one frame of the server, one
// sample, one job of the connection at a time).
type inbox struct {
	ready chan struct{} // one token while letters wait

	mu      sync.Mutex
	letters []letter
	closed  bool // nobody reads any more
}

// letter is what somebody has to tell.
type letter struct {
	read func(*line)
	// unread, if there is one, gives back what the letter brings when the call
	// is over before it is read.
	unread func()
}

func newInbox() *inbox { return &inbox{ready: make(chan struct{}, 1)} }

func (b *inbox) put(read func(*line)) { b.post(letter{read: read}) }

func (b *inbox) post(l letter) {
	b.mu.Lock()
	isClosed := b.closed
	if !isClosed {
		b.letters = append(b.letters, l)
	}
	b.mu.Unlock()
	if isClosed {
		giveBack([]letter{l})
		return
	}
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// close gives back what the letters bring that nobody reads any more, and what
// comes later.
func (b *inbox) close() {
	b.mu.Lock()
	b.closed = true
	letters := b.letters
	b.letters = nil
	b.mu.Unlock()
	giveBack(letters)
}

func giveBack(letters []letter) {
	for _, l := range letters {
		if l.unread != nil {
			l.unread()
		}
	}
}

func (b *inbox) take() []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	letters := b.letters
	b.letters = nil
	return letters
}
