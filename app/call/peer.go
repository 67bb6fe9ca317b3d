// Package call owns the caller's pages and the call behind them: the engine
// that outlives a page, the picture that the pages draw, and what it needs of
// a WebRTC client (Peer), whose events are those of package peer. It knows
// neither browser nor server.
package call

import (
	"context"

	"parley/shared/wire"
	"parley/wasm/peer"
)

// Peer makes calls. The browser's is wired in by the wasm main; the server
// prerenders with none.
type Peer interface {
	// Devices lists audio inputs and outputs. Labels are empty until the
	// microphone was allowed once.
	Devices(ctx context.Context) ([]Device, error)
	// Microphone opens the microphone (deviceID "" is the default one), and tells l of
	// it until Close. Errors are *MediaError.
	Microphone(ctx context.Context, deviceID string, l MicrophoneListener) (Microphone, error)
	// CanChooseSpeaker reports whether sound can be sent to another output than the
	// default one.
	CanChooseSpeaker() bool
	// PlaySound plays a short sound, a WAV, to its end. speaker is an output's id (""
	// is the default one), volume goes from 0 to 1.
	PlaySound(ctx context.Context, wav []byte, speaker string, volume float64) error
	// FindRelays gives the ways by which TURN servers answer until ctx ends: "udp",
	// "tcp", "tls"; once UDP is among them, the others need not be.
	FindRelays(ctx context.Context, servers []wire.ICEServer) (map[string]bool, error)
	// Dial starts a call with the microphone and returns at once.
	Dial(ctx context.Context, d Dial) Line
}

// Dial says what to call and how, and who is told. The callbacks return at once.
type Dial struct {
	Agent      string // "" is the server's default
	Microphone Microphone
	Muted      bool
	Speaker    string // an output's id; "" is the default one
	// HasCaptions: the agent may send what is said as text.
	HasCaptions bool
	// Resume is the place of a call to go on with; nil makes a new call.
	Resume *peer.HeldPlace
	// TakesOver ends the oldest of the caller's calls if there is no place else.
	TakesOver bool

	// On is told all that happens to the call, in order and from one goroutine;
	// the last event is peer.CallEnded.
	On func(peer.Event)
	// OnSound is told that the agent can be heard, or (false) that the browser
	// wants a click before it plays.
	OnSound func(isPlaying bool)
	// OnScreenDims is told that the browser doesn't keep the screen on.
	OnScreenDims func()
}

// Offline is the failure of a call that was begun without a network. The peer
// itself can't tell that from a server that doesn't answer.
const Offline peer.Failure = "offline"

// MicrophoneListener is told of an open microphone. None may wait.
type MicrophoneListener struct {
	Level  func(dBFS float64) // about 20 times a second
	Lost   func()             // the device is gone
	Paused func(on bool)      // the device gives no sound: a page in the background, another call
}

// Microphone is an open microphone.
type Microphone interface {
	Label() string
	HasLevel() bool // its level is told
	Close()
}

// Line is a call under way. Every method but UseMicrophone returns at once.
type Line interface {
	Mute(on bool)
	KeepAlive()
	PlaySound() // after SoundBlocked, in the user's click
	Hangup()
	// Renew has the server take up a newer sign-in, without a break.
	Renew()
	DeviceSwitch
}

// DeviceSwitch changes devices in mid-call, without a break in it.
type DeviceSwitch interface {
	// UseMicrophone sends another microphone, as muted as the one before, which stays
	// open.
	UseMicrophone(ctx context.Context, m Microphone) error
	UseSpeaker(id string) // "" is the default one
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
