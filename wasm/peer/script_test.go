package peer_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/shared/rtcstats"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// latency is the scripted path's round trip.
const latency = 20 * time.Millisecond

// script plays the server and the connection of a call, to the nanosecond, and
// writes down what the call does and when.
type script struct {
	t     *testing.T
	start time.Time

	mu       sync.Mutex
	events   []note[peer.Event]
	frames   []note[wire.Message]
	dials    []time.Duration
	sockets  []*socket
	conn     *connection
	admit    []error         // answers of the next admissions; nil when used up
	noDial   error           // dials fail with it while it is set
	mute     bool            // the server takes frames and says nothing
	noAnswer bool            // the server answers no offer
	deadPath bool            // neither pings nor packets come through
	isCut    bool            // nothing comes through, and nothing is refused: see cutFor
	heals    bool            // a restart mends the path
	resumed  *wire.Error     // refuses to resume
	place    *peer.HeldPlace // the call goes on with it
	greets   bool            // with another session, before it has read the resume
	hang     *hang           // of the connection's methods
	spoil    func(*rtcstats.Sample)
	endedBy  []note[string] // sessions that were ended without a socket

	configure   func(*peer.Config) // changes what the call is made of
	isGraceless bool               // the server names no grace
	refusal     wire.ErrorCode     // refuses offers while it is set
	isStuck     bool               // sockets take no frame and give none back
	// spoilConnection changes a new connection.
	spoilConnection func(*connection)
}

func (s *script) endSession(_ context.Context, id string) error {
	s.set(func() { s.endedBy = append(s.endedBy, note[string]{s.since(), id}) })
	return nil
}

// note is something that happened at a time since the start.
type note[T any] struct {
	at   time.Duration
	what T
}

// play runs f in a bubble beside a call that follows the script.
func play(t *testing.T, s *script, f func(c *peer.Call, done <-chan peer.CallEnded)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.t, s.start = t, time.Now()
		config := peer.Config{Admit: s.ask, Dial: s.dial, Connect: s.connect, On: s.on, Resume: s.place, EndSession: s.endSession}
		if s.configure != nil {
			s.configure(&config)
		}
		c := peer.New(config)
		done := make(chan peer.CallEnded, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { done <- c.Run(ctx) }()
		f(c, done)
		cancel()
		synctest.Wait()
	})
}

// wait lets the bubble's time pass, and everybody come to rest.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (s *script) since() time.Duration { return time.Since(s.start) }

func (s *script) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *script) on(e peer.Event) {
	s.set(func() { s.events = append(s.events, note[peer.Event]{s.since(), e}) })
}

func (s *script) ask(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.admit) == 0 {
		return nil
	}
	err := s.admit[0]
	s.admit = s.admit[1:]
	return err
}

func (s *script) dial(ctx context.Context) (peer.Socket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials = append(s.dials, s.since())
	// A lost SYN is sent again after one second, and then after twice as long (RFC 6298).
	for again := time.Second; s.isCut; again *= 2 {
		s.mu.Unlock()
		select {
		case <-time.After(again):
		case <-ctx.Done():
		}
		s.mu.Lock()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	if s.noDial != nil {
		return nil, s.noDial
	}
	k := &socket{script: s, in: make(chan []byte, 256), gone: make(chan struct{})}
	s.sockets = append(s.sockets, k)
	if s.greets {
		k.say(wire.Hello{SessionID: "another", ResumeToken: "of another", Agent: "parrot", StatsIntervalMS: 1000})
	}
	if len(s.sockets) == 1 && s.place == nil {
		k.say(s.hello())
		k.say(wire.State{Session: wire.StateConnecting, Agent: wire.AgentConnecting})
	}
	return k, nil
}

func (s *script) hello() wire.Hello {
	limits := wire.Limits{IdleTimeoutS: 1800, IdleWarningS: 120, ReconnectGraceS: 30}
	if s.isGraceless {
		limits.ReconnectGraceS = 0
	}
	return wire.Hello{
		SessionID: "session-one", ResumeToken: "token-" + strconv.Itoa(len(s.sockets)),
		Agent: "parrot", StatsIntervalMS: 1000,
		Limits: limits,
	}
}

// socket is one scripted WebSocket.
type socket struct {
	script *script
	in     chan []byte // to the call
	once   sync.Once
	gone   chan struct{}
	code   wire.CloseCode
	held   []wire.Message // on their way while all is cut
}

func (k *socket) say(m wire.Message) {
	frame, err := wire.Encode(m)
	if err != nil {
		k.script.t.Errorf("script: %v", err)
		return
	}
	k.in <- frame
}

func (k *socket) drop(code wire.CloseCode) {
	k.once.Do(func() {
		k.code = code
		close(k.gone)
	})
}

// Send implements peer.Socket: it is the server's side of every frame.
func (k *socket) Send(ctx context.Context, frame []byte) error {
	if k.script.socketsAreStuck() {
		<-ctx.Done()
		return ctx.Err()
	}
	m, err := wire.DecodeClient(frame)
	if err != nil {
		k.script.t.Errorf("the call sent a frame that is none: %v", err)
		return err
	}
	s := k.script
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames = append(s.frames, note[wire.Message]{s.since(), m})
	switch {
	case s.isCut:
		k.held = append(k.held, m)
	case !s.mute:
		k.serveLocked(m)
	}
	return nil
}

// serveLocked is the server's answer to a frame. script.mu must be held.
func (k *socket) serveLocked(m wire.Message) {
	s := k.script
	switch m := m.(type) {
	case wire.Resume:
		if s.resumed != nil {
			k.say(*s.resumed)
			return
		}
		k.say(s.hello())
	case wire.Offer:
		switch {
		case s.refusal != "":
			k.say(wire.Error{Code: s.refusal, Field: "sdp"})
		case !s.noAnswer:
			k.say(wire.Answer{SDP: "answer to " + m.SDP})
		}
	case wire.Ping:
		k.say(wire.Pong(m))
	case wire.Bye:
		k.say(wire.Ended{Cause: wire.CallerLeft})
		k.drop(wire.CloseNormalClosure)
	}
}

func (s *script) socketsAreStuck() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isStuck
}

// Receive implements peer.Socket.
func (k *socket) Receive(ctx context.Context) ([]byte, error) {
	select {
	case frame := <-k.in:
		return frame, nil
	default:
	}
	select {
	case frame := <-k.in:
		return frame, nil
	case <-k.gone:
		return nil, &peer.CloseError{Code: k.code}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close implements peer.Socket.
func (k *socket) Close(code wire.CloseCode) error {
	k.drop(code)
	return nil
}

func (s *script) connect(_ context.Context, _ []wire.ICEServer, l peer.Listener) (peer.Connection, error) {
	c := &connection{script: s, on: l, born: time.Now()}
	s.set(func() { s.conn = c })
	if s.spoilConnection != nil {
		s.spoilConnection(c)
	}
	if s.hang != nil {
		return &hangingConnection{connection: c, hang: s.hang}, nil
	}
	return c, nil
}

// connection is a scripted WebRTC connection with 50 packets a second.
type connection struct {
	script *script
	on     peer.Listener
	born   time.Time

	mu         sync.Mutex
	offers     int
	packets    int64
	muted      bool
	closed     bool
	candidates []string      // to tell with the next offer
	freeze     time.Duration // the next ping stops the world for so long
	offerErr   error
	answerErr  error
	answers    int             // that were set
	sdp        string          // is offered in place of the next offer
	added      []string        // candidates of the server
	opensAfter time.Duration   // when the ping channel opens, since the connection stands
	pings      []time.Duration // that it took
}

func (c *connection) Offer(_ context.Context, restart bool) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.offerErr != nil {
		return "", c.offerErr
	}
	c.offers++
	if sdp := c.sdp; sdp != "" {
		c.sdp = ""
		return sdp, nil
	}
	for _, text := range c.candidates {
		c.on.Candidate(wire.CandidateInit{Candidate: text})
	}
	return fmt.Sprintf("offer %d restart %t", c.offers, restart), nil
}

func (c *connection) Answer(_ context.Context, sdp string) error {
	s := c.script
	s.mu.Lock()
	defer s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if want := "answer to offer " + strconv.Itoa(c.offers); len(sdp) < len(want) || sdp[:len(want)] != want {
		s.t.Errorf("Answer(%q) for offer %d", sdp, c.offers)
	}
	c.answers++
	if c.answerErr != nil {
		return c.answerErr
	}
	if s.heals {
		s.deadPath = false
	}
	if !s.deadPath {
		c.on.State(peer.ConnectionChecking)
		time.AfterFunc(latency, func() { c.on.State(peer.ConnectionSecuring) })
		time.AfterFunc(2*latency, func() { c.on.State(peer.ConnectionConnected) })
	}
	return nil
}

func (c *connection) AddCandidate(_ context.Context, init wire.CandidateInit) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.added = append(c.added, init.Candidate)
	return errors.New("one bad candidate is no reason to end")
}

func (c *connection) Sample(context.Context) (rtcstats.Sample, error) {
	dead := c.script.pathIsDead()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !dead {
		c.packets += 50
	}
	sample := rtcstats.Sample{
		Timestamp: float64(time.Now().UnixMilli()),
		Inbound:   &rtcstats.Inbound{ID: "in", SSRC: 1, PacketsReceived: c.packets},
	}
	if c.script.spoil != nil {
		c.script.spoil(&sample)
	}
	return sample, nil
}

func (s *script) pathIsDead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deadPath
}

func (c *connection) Ping(text string) error {
	c.mu.Lock()
	freeze := c.freeze
	c.freeze = 0
	c.mu.Unlock()
	if !c.takesPing() {
		return errNoNetwork
	}
	if c.script.pathIsDead() {
		return nil
	}
	time.AfterFunc(latency, func() {
		if !c.script.pathIsDead() {
			c.on.Pong(text)
		}
	})
	time.Sleep(freeze)
	return nil
}

// set changes the connection's answers from now on.
func (c *connection) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *connection) Mute(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.muted = on
}

func (c *connection) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

// happened gives the events of one type so far.
func happened[E peer.Event](s *script) []note[E] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var of []note[E]
	for _, n := range s.events {
		if e, ok := n.what.(E); ok {
			of = append(of, note[E]{n.at, e})
		}
	}
	return of
}

// sent gives the frames of one type so far.
func sent[M wire.Message](s *script) []note[M] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var of []note[M]
	for _, n := range s.frames {
		if m, ok := n.what.(M); ok {
			of = append(of, note[M]{n.at, m})
		}
	}
	return of
}

// live waits until the call stands, the agent listening.
func (s *script) live() {
	s.t.Helper()
	wait(time.Second)
	s.newest().say(wire.State{Session: wire.StateActive, Agent: wire.AgentListening})
	synctest.Wait()
	if len(happened[peer.CallConnected](s)) != 1 {
		s.t.Fatalf("the call doesn't stand: %v", s.events)
	}
}

func (s *script) newest() *socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sockets[len(s.sockets)-1]
}

var errNoNetwork = errors.New("no network")
