// Package peer owns the caller's side of a call: asking for a place, the
// signaling socket and its resumption, negotiation and ICE restart, latency
// pings, sampling, and telling what happens. It is plain Go against the small
// interfaces below: it knows no browser, no WebSocket library, no page, and
// plays no sound. Import it to build a client of your own.
//
//	call := peer.New(peer.Config{Admit: ask, Dial: dial, Connect: connect, On: show})
//	end := call.Run(ctx) // until the call is over
package peer

import (
	"context"
	"fmt"
	"time"

	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// Config is what a call needs of the world. Admit may be nil, the other
// functions may not.
type Config struct {
	// Admit asks whether a call may start now. A browser can't read why a
	// WebSocket was refused, so the refusal is asked for beforehand; its error
	// ends the call unchanged, as CallEnded.Err.
	Admit func(ctx context.Context) error
	// Dial opens a signaling socket that speaks wire.Subprotocol.
	Dial func(ctx context.Context) (Socket, error)
	// Connect makes the WebRTC connection, its audio track added and its
	// data channel wire.PingChannel created, ready to offer. It tells to l.
	Connect func(ctx context.Context, servers []wire.ICEServer, l Listener) (Connection, error)
	// On is told all that happens, in order and from the goroutine of Run. It
	// must not block, and must not call Run.
	On func(Event)
	// Resume goes on with a call that an earlier page has left behind; nil makes
	// a new one. Nobody is asked for admission: the place is held already.
	Resume *HeldPlace
	// EndSession ends a session of the caller's by POST /api/v1/sessions/{id}/end,
	// when the caller leaves one that no socket is ready to say good-bye to. nil: the
	// server keeps the place for its grace.
	EndSession func(ctx context.Context, id string) error
	// Muted starts the call with the microphone off.
	Muted bool
	// Start is when the caller pressed the button; CallConnected counts from here.
	// Zero is the start of Run.
	Start time.Time
}

// HeldPlace is a place on a server whose page is gone: what the newest
// wire.Hello said of it.
type HeldPlace struct {
	SessionID   string // the session that goes on
	ResumeToken string // the newest: each opens the session once
	// Ends is how long the server keeps the place. A call that isn't taken up
	// again by then is lost.
	Ends time.Time
}

// Socket is an open signaling WebSocket. Send and Receive may run at the same
// time; each has one caller at a time.
type Socket interface {
	// Send sends one text frame.
	Send(ctx context.Context, frame []byte) error
	// Receive waits for one text frame. When the socket was closed its error is
	// a *CloseError.
	Receive(ctx context.Context) ([]byte, error)
	// Close closes the socket with code (1000 or 4000–4999) once what was sent
	// is on its way. Receive returns then. It may be called twice.
	Close(code wire.CloseCode) error
}

// CloseError says how a socket was closed.
type CloseError struct {
	Code   wire.CloseCode // 1006 where no close frame came
	Reason string         // of the close frame: the cause, or ""
}

// Error implements error.
func (e *CloseError) Error() string {
	return fmt.Sprintf("socket closed: %d %s", e.Code, e.Reason)
}

// Connection is one WebRTC connection with one audio track each way and the
// sendPing channel. It survives ICE restarts. Whatever waits gives up when its
// context ends, and when the connection is closed.
type Connection interface {
	Negotiator
	// Sample reads the counters, Ping left nil.
	Sample(ctx context.Context) (rtcstats.Sample, error)
	// Ping sends text on the ping channel; it fails while that isn't open.
	Ping(text string) error
	// Mute turns the microphone's track off and on.
	Mute(on bool)
	// Close ends the connection. Its listener is not told.
	Close() error
}

// Negotiator is the part of a connection that makes descriptions.
type Negotiator interface {
	// Offer makes an offer, with new ICE credentials when restart is true, and
	// sets it as the local description.
	Offer(ctx context.Context, restart bool) (sdp string, err error)
	// Answer sets the far end's answer to the newest offer.
	Answer(ctx context.Context, sdp string) error
	// AddCandidate adds a candidate of the far end.
	AddCandidate(ctx context.Context, c wire.CandidateInit) error
}

// Listener is told what happens on a connection. No method blocks, and any
// may be called from any goroutine.
type Listener interface {
	// Candidate tells of a local candidate as the browser gives it; an empty
	// candidate string is the end of them.
	Candidate(c wire.CandidateInit)
	// State tells that the connection's state has changed.
	State(s ConnectionState)
	// Pong tells of a text that came on the ping channel.
	Pong(text string)
	// AgentEvent tells of a text that came on the channel wire.EventChannel, which
	// a connection may have.
	AgentEvent(text string)
}

// ConnectionState is RTCPeerConnectionState, with the way to connected told
// apart in its two halves, and failed by what failed.
type ConnectionState int

// The states of a connection.
const (
	ConnectionNew          ConnectionState = iota
	ConnectionChecking                     // ICE looks for a path
	ConnectionSecuring                     // a path is found, DTLS is at work
	ConnectionConnected                    // media can flow
	ConnectionDisconnected                 // ICE gets no answers just now
	ConnectionFailed                       // ICE gave up; a restart may help
	ConnectionInsecure                     // DTLS failed: nothing helps
)

// Figures of a call that has to notice and mend what breaks.
const (
	// DropAfter: no ping answered and no packet for so long is a drop that a
	// caller hears.
	DropAfter = 1500 * time.Millisecond
	// RestartAfter: so long, and ICE is restarted. ICE itself would take 5 s to
	// notice and 15 s to give up.
	RestartAfter = 3 * time.Second
	// RestartEvery: a restart that helped nothing by then is done again.
	RestartEvery = 5 * time.Second
	// ProbeTimeout: after a hint or a sleep, a line that stays silent for so
	// long is taken as dead.
	ProbeTimeout = time.Second
	// HelloTimeout bounds a dial together with the server's hello.
	HelloTimeout = 8 * time.Second
	// SetupTimeout bounds the way from hello to connected; browsers give up
	// after about 15 s by themselves.
	SetupTimeout = 25 * time.Second
	// FirstRetry and MaxRetry bound the back-off between dials: it doubles, and
	// each wait is drawn from its upper half so that callers don't come in step.
	FirstRetry = 200 * time.Millisecond
	MaxRetry   = 4 * time.Second
	// DefaultGrace is how long a place is kept when the hello names no grace.
	DefaultGrace = 30 * time.Second
	// PingLifetime: a ping without an answer by then is lost.
	PingLifetime = 3 * time.Second
	// FreezeFactor: timers that come later than so many intervals tell that the
	// page was frozen or the device slept; what was measured across is no truth.
	FreezeFactor = 3
	// AdmitTimeout bounds the question whether a call may start.
	AdmitTimeout = 8 * time.Second
	// NegotiateTimeout bounds one step of a negotiation on this end, which takes
	// milliseconds; a step that hangs must not keep the next restart from it.
	NegotiateTimeout = 5 * time.Second
	// FirstNegotiateTimeout bounds a step while nothing is connected, and nothing waits
	// behind it: a device that has much else to do needs seconds to load its WebRTC. It
	// ends before the server stops waiting for an offer, which doesn't know why.
	FirstNegotiateTimeout = wire.OfferTimeout - 3*time.Second
	// CleanupTimeout bounds what Run does after CallEnded was told.
	CleanupTimeout = time.Second
	// FarewellTimeout bounds the last sample and the last frames.
	FarewellTimeout = 500 * time.Millisecond
)

// Call is one call. Its methods may be called from any goroutine, before,
// while and after Run; each returns at once.
type Call struct {
	cfg   Config
	inbox *inbox
}

// New makes a call that Run will run.
func New(cfg Config) *Call {
	return &Call{cfg: cfg, inbox: newInbox()}
}

// Run makes the call and returns when it is over and put away; the same
// CallEnded was the last event, told as soon as it was known. Canceling ctx
// hangs up. No goroutine of the call outlives Run, unless a socket or a
// connection ignores its context or its Close for CleanupTimeout. A Call runs
// once.
func (c *Call) Run(ctx context.Context) CallEnded {
	return newCallState(ctx, c.cfg, c.inbox).run()
}

// Mute turns the microphone off and on.
func (c *Call) Mute(on bool) { c.inbox.put(func(cs *callState) { cs.setMuted(on) }) }

// KeepAlive tells the server that the caller is still there.
func (c *Call) KeepAlive() {
	c.inbox.put(func(cs *callState) { cs.send(wire.Activity{Kind: wire.ActivityKeepAlive}) })
}

// Hint says that the network may have changed (online, offline, a new
// connection, a page that comes back): the line is probed at once.
func (c *Call) Hint() { c.inbox.put((*callState).handleNetworkHint) }

// Renew opens the socket anew, so that the server takes up a sign-in that lasts longer
// than the one that the call began with. Sound flows on.
func (c *Call) Renew() { c.inbox.put((*callState).renewSocket) }

// Hangup ends the call from the caller's side.
func (c *Call) Hangup() { c.inbox.put((*callState).hangUp) }
