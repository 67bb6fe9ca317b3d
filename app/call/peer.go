// Package call owns the caller's pages and the call behind them: the engine
// that outlives a page, the picture that the pages draw, and what it needs of
// a WebRTC client (Peer). It knows neither browser nor server.
package call

import (
	"context"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// Peer makes calls. The browser's is wired in by the wasm main; the server
// prerenders with none.
type Peer interface {
	// Devices lists audio inputs and outputs. Labels are empty until the
	// microphone was allowed once.
	Devices(ctx context.Context) ([]Device, error)
	// Microphone opens the microphone (deviceID "" is the default one) and
	// reports its level in dBFS about 20 times a second until Close. Errors are
	// *MediaError.
	Microphone(ctx context.Context, deviceID string, level func(dBFS float64)) (Microphone, error)
	// Dial starts a call with the microphone and returns at once; all that
	// happens is told to on, in order, from one goroutine, the last being Ended.
	Dial(ctx context.Context, d Dial, on func(Event)) Line
}

// Dial says what to call and how.
type Dial struct {
	Agent      string // "" is the server's default
	Microphone Microphone
	Muted      bool
}

// Microphone is an open microphone.
type Microphone interface {
	Label() string
	Close()
}

// Line is a call under way. Every method returns at once.
type Line interface {
	Mute(on bool)
	KeepAlive()
	PlaySound() // after SoundBlocked, in the user's click
	Hangup()
}

// Device is an audio input or output.
type Device struct {
	ID, Label string
	Output    bool
}

// MediaError is why there is no microphone; Code is a key of the copy file:
// mic_denied, mic_denied_system, mic_none, mic_busy, insecure, unsupported.
type MediaError struct{ Code string }

func (e *MediaError) Error() string { return "microphone: " + e.Code }

// Event is what a Peer tells of a call. The set is closed.
type Event interface{ event() }

// Step is one of the four named steps of setting up.
type Step int

// The steps, in order.
const (
	StepServer Step = iota // Asking the server…
	StepPath               // Finding a path…
	StepSecure             // Securing the line…
	StepAgent              // Waiting for the agent…
)

// Reached tells that a step has begun.
type Reached struct{ Step Step }

// Opened tells that the server took the call (its hello).
type Opened struct{ Hello wire.Hello }

// Connected tells that audio can flow, SetupMS after the click.
type Connected struct{ SetupMS float64 }

// Stated is the server's view of session, agent and line.
type Stated struct{ State wire.State }

// Measured is this end's own figures, each second, by direction, over 10 s.
type Measured struct {
	At        time.Time
	Metrics   map[quality.Direction]rest.Metrics
	Quality   quality.Verdict // own rating, shown only while the server can't be asked
	Path      string          // direct, relay
	Protocol  string          // udp, tcp
	MicDBFS   float64         // caller's level over the last second; -100 is silence
	AgentDBFS float64         // agent's level over the last second
}

// Warned is a warning, or (zero EndsAt) one taken back.
type Warned struct{ Warning wire.Warning }

// Dropped tells that socket or path is gone; the place is kept until Until.
type Dropped struct{ Until time.Time }

// Recovered tells that the call is whole again.
type Recovered struct{}

// SoundBlocked tells that the browser wants a click before it plays.
type SoundBlocked struct{}

// SoundPlaying tells that the agent can be heard.
type SoundPlaying struct{}

// MicrophoneLost tells that the device is gone.
type MicrophoneLost struct{}

// Ended is the last event. Problem is set when the server refused the call, and
// Failure (a key of the copy file, such as ice_failed) when it broke.
type Ended struct {
	Ended   wire.Ended
	Problem *rest.Problem
	Failure string
}

func (Reached) event()        {}
func (Opened) event()         {}
func (Connected) event()      {}
func (Stated) event()         {}
func (Measured) event()       {}
func (Warned) event()         {}
func (Dropped) event()        {}
func (Recovered) event()      {}
func (SoundBlocked) event()   {}
func (SoundPlaying) event()   {}
func (MicrophoneLost) event() {}
func (Ended) event()          {}
