//go:build js

package browser

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strconv"
	"syscall/js"
	"time"
)

const (
	// takeoverEvery is how often a page that reads another's stream asks whether that
	// page has gone: it must have taken over within two seconds.
	takeoverEvery = time.Second
	// takeoverSoon is the same while nothing was heard: the page before this one, in the
	// same tab, may be about to let go.
	takeoverSoon = 100 * time.Millisecond
	// aliveWithin is how long it may say nothing until another page makes the stream in its
	// place: a page that hangs, or that its browser has frozen, keeps its lock.
	aliveWithin = 30 * time.Second
	// aliveTold is how often it says so within that time: each two seconds, since hidden
	// pages may run a timer each second.
	aliveTold = 15
	// maxHeard is how many messages of other pages may wait for a page that is busy.
	maxHeard = 1024
)

// What pages tell each other of a stream, by the first letter.
const (
	tellsNew   = '?' // a page that needs the stream from its beginning
	tellsBegin = '!' // the stream begins
	tellsText  = '+' // whole events of it
	tellsAlive = '.' // whoever makes it is there
)

var (
	errNewReader = errors.New("browser: another page reads the stream from its beginning")
	errBehind    = errors.New("browser: the page fell behind the stream that it shares")
	errReplaced  = errors.New("browser: another page makes the stream since this one stood still")
)

// sharedStream is one page's part in a stream of events that all pages of the origin
// read, and one of them opens: the one that holds the lock (W3C Web Locks).
type sharedStream struct {
	channel js.Value // BroadcastChannel
	heard   chan string
	behind  context.CancelCauseFunc
	open    func()
	chunk   func([]byte)
	begun   bool
	alive   time.Time // when the page that makes it was last heard of
	// place counts those who made it and stood still while they had the lock: the next
	// page has the next lock.
	place int
	// aliveWithin is aliveWithin, but in tests.
	aliveWithin time.Duration
}

// OpenShared is Open of a stream of events that the other pages of the origin read, too:
// one request serves all. Who comes later lets it begin again, and reads from there; when
// the page that made it goes, another one makes it. A browser that can't share opens a
// stream for each page.
func OpenShared(ctx context.Context, r Request, open func(), chunk func([]byte)) (Response, error) {
	return openShared(ctx, r, open, chunk, aliveWithin)
}

func openShared(ctx context.Context, r Request, open func(), chunk func([]byte), aliveWithin time.Duration) (Response, error) {
	locks, channels := property(navigator(), "locks"), property(window(), "BroadcastChannel")
	if !isPresent(locks) || !isPresent(channels) {
		return Open(ctx, r, open, chunk)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	name := "stream " + r.URL
	s := &sharedStream{channel: channels.New(name), heard: make(chan string, maxHeard), behind: cancel, open: open, chunk: chunk, alive: time.Now(), aliveWithin: aliveWithin}
	defer s.channel.Call("close")
	defer listen(s.channel, "message", s.hear)()
	for isFirst := true; ; isFirst = false {
		unlock, isLeader, err := tryLock(locks, s.lockName(name))
		switch {
		case err != nil && !s.begun:
			return Open(ctx, r, open, chunk)
		case err == nil && isLeader:
			if !isFirst {
				r = fromBeginning(r)
			}
			res, err := s.lead(ctx, r)
			unlock()
			if !errors.Is(err, errReplaced) {
				return res, err
			}
			s.alive = time.Now()
			s.tell(tellsNew, nil) // what was told meanwhile, it has missed
		case time.Since(s.alive) > aliveWithin:
			s.place++
			s.alive = time.Now() // the next one has as long
			continue
		case isFirst:
			s.tell(tellsNew, nil)
		}
		wait := takeoverEvery
		if !s.begun {
			wait = takeoverSoon
		}
		if err := s.follow(ctx, time.After(wait)); err != nil {
			return Response{}, err
		}
	}
}

// lockName is that of the lock that lets a page make the stream.
func (s *sharedStream) lockName(stream string) string {
	if s.place == 0 {
		return stream
	}
	return stream + " " + strconv.Itoa(s.place)
}

// fromBeginning asks for the whole, which all who read need, rather than for what one
// of them has missed.
func fromBeginning(r Request) Request {
	r.Header = maps.Clone(r.Header)
	delete(r.Header, "Last-Event-ID")
	return r
}

func (s *sharedStream) tell(what byte, text []byte) {
	s.channel.Call("postMessage", string(what)+string(text))
}

// hear takes a message of another page. It runs inside the event and must not wait.
func (s *sharedStream) hear(ev js.Value) {
	text := stringOrEmpty(ev.Get("data"))
	if text == "" {
		return
	}
	select {
	case s.heard <- text:
	default:
		s.behind(errBehind)
	}
}

// follow reads what another page reads, until it is time to ask whether that has gone.
func (s *sharedStream) follow(ctx context.Context, until <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-until:
			return nil
		case text := <-s.heard:
			if text[0] != tellsNew {
				s.alive = time.Now()
			}
			if place, ok := placeTold(text); ok {
				s.place = max(s.place, place)
			}
			switch {
			case text[0] == tellsBegin:
				s.begin()
			case text[0] == tellsText && s.begun:
				s.chunk([]byte(text[1:]))
			}
		}
	}
}

func (s *sharedStream) begin() {
	if !s.begun {
		s.begun = true
		s.open()
	}
}

// lead opens the stream for all, and again for each that comes later.
func (s *sharedStream) lead(ctx context.Context, r Request) (Response, error) {
	for {
		res, err := s.leadOnce(ctx, r)
		if ctx.Err() != nil || !errors.Is(err, errNewReader) {
			return res, err
		}
		r = fromBeginning(r)
	}
}

func (s *sharedStream) leadOnce(ctx context.Context, r Request) (Response, error) {
	ctx, stop := context.WithCancelCause(ctx)
	begins, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		s.restartForNew(ctx, stop, begins)
	}()
	defer func() { stop(nil); <-done }()
	var rest []byte // of an event that is not whole yet: others could not begin with it
	return Open(ctx, r, func() {
		close(begins)
		s.tell(tellsBegin, nil)
		s.begin()
	}, func(chunk []byte) {
		rest = append(rest, chunk...)
		end := bytes.LastIndex(rest, []byte("\n\n")) + len("\n\n")
		if end < len("\n\n") {
			if len(rest) > MaxAnswer {
				stop(errBehind)
			}
			return
		}
		s.tell(tellsText, rest[:end])
		s.chunk(bytes.Clone(rest[:end]))
		rest = append(rest[:0], rest[end:]...)
	})
}

// restartForNew ends a stream that has begun when a page comes that needs its beginning.
// Meanwhile it tells the others that this page is there.
func (s *sharedStream) restartForNew(ctx context.Context, stop context.CancelCauseFunc, begins <-chan struct{}) {
	hasBegun := false
	alive := time.NewTicker(s.aliveWithin / aliveTold)
	defer alive.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-alive.C:
			s.tell(tellsAlive, []byte(strconv.Itoa(s.place)))
		case <-begins:
			hasBegun, begins = true, nil
		case text := <-s.heard:
			if text[0] == tellsNew && hasBegun {
				stop(errNewReader)
				return
			}
			if place, ok := placeTold(text); ok && place > s.place {
				s.place = place
				stop(errReplaced)
				return
			}
		}
	}
}

// placeTold reads from a message that a page makes the stream, in whose place.
func placeTold(text string) (place int, ok bool) {
	if text[0] != tellsAlive {
		return 0, false
	}
	place, err := strconv.Atoi(text[1:])
	return place, err == nil
}
