// Package double is a realtime voice service for tests and for a developer's
// laptop: an HTTP server with a real WebRTC peer behind each call, that speaks the
// dialects as their vendors document them, hears when its caller speaks, answers
// with a spoken sentence, sends the documented events, and misbehaves if it is told
// to. It understands nothing, and keeps of what it hears only whether it was speech.
package double

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"parley/server/leg/peerconn"
)

// Dialect is how calls are asked for.
type Dialect string

// The dialects.
const (
	// OpenAI takes multipart/form-data (sdp, session) or application/sdp with a key of
	// client_secrets, answers 201 with Location, and hangs up by POST …/hangup.
	OpenAI Dialect = "openai"
	// RawSDP takes application/sdp, answers 201 with Location, and hangs up by DELETE.
	RawSDP Dialect = "raw-sdp"
	// JSONSDP takes and answers JSON, and hangs up by nothing but the connection.
	JSONSDP Dialect = "json-sdp"
)

// CallsPath is where calls are asked for.
const CallsPath = "/v1/realtime/calls"

// SidebandPath is where a call, ?call_id=, is steered by a WebSocket in the dialect OpenAI.
const SidebandPath = "/v1/realtime"

// Config says how a service behaves. Zero durations are the defaults.
type Config struct {
	Dialect Dialect // OpenAI, if it is empty
	// Key is the only one that is taken; "" takes any, but not none.
	Key string
	// Silence ends the caller's turn, where the session has no silence_duration_ms of
	// its own.
	Silence time.Duration
	// Think is how long an answer takes from the end of the caller's turn.
	Think time.Duration
	// Faults is what goes wrong from the start; SetFaults changes it.
	Faults Faults
	// Path, if it is set, puts each call's socket behind a path of the tests' own.
	Path func(net.PacketConn) net.PacketConn
	// Tool, if it is set, is the function that the model calls once in each call,
	// instead of its first answer.
	Tool string
	// IsEcho has it send each packet back at once, and take no turns: what is measured then
	// is the way, not the service.
	IsEcho bool
}

// Defaults of Config.
const (
	DefaultSilence = 500 * time.Millisecond // server_vad's
	DefaultThink   = 200 * time.Millisecond
)

// Server is a service. It is an http.Handler.
type Server struct {
	cfg    Config
	mux    *http.ServeMux
	media  *webrtc.MediaEngine
	speech []frame

	mu      sync.Mutex
	closed  bool
	faults  Faults
	calls   []*Call
	secrets map[string]secret
	running sync.WaitGroup
}

// New makes a service. It starts nothing until somebody calls.
func New(cfg Config) (*Server, error) {
	if cfg.Dialect == "" {
		cfg.Dialect = OpenAI
	}
	if cfg.Silence == 0 {
		cfg.Silence = DefaultSilence
	}
	if cfg.Think == 0 {
		cfg.Think = DefaultThink
	}
	media, err := peerconn.NewMediaEngine()
	if err != nil {
		return nil, fmt.Errorf("double: %w", err)
	}
	s := &Server{cfg: cfg, media: media, speech: speech(), faults: cfg.Faults, secrets: map[string]secret{}}
	s.mux, err = s.routes()
	return s, err
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// SetFaults has this go wrong from now on, in calls that begin.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

func (s *Server) currentFaults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// Calls returns all calls that there were, in the order they came in.
func (s *Server) Calls() []*Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Call(nil), s.calls...)
}

// Live returns how many calls are on.
func (s *Server) Live() (n int) {
	for _, c := range s.Calls() {
		if !c.IsOver() {
			n++
		}
	}
	return n
}

var errClosed = errors.New("double: closed")

// add has the service know a call, and run it until it is over.
func (s *Server) add(c *Call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.calls = append(s.calls, c)
	s.running.Go(c.run)
	return nil
}

func (s *Server) find(id string) *Call {
	for _, c := range s.Calls() {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// Close ends all calls and waits until nothing of them runs.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, c := range s.Calls() {
		c.end()
	}
	s.running.Wait()
	return nil
}
