package peer

import (
	"time"

	"parley/shared/quality"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// Event is what is told of a call. The set is closed.
type Event interface{ event() }

// Step is one of the four steps of setting up.
type Step int

// The steps, in order.
const (
	StepServer Step = iota // the server is asked
	StepPath               // ICE looks for a path
	StepSecure             // DTLS is at work
	StepAgent              // the agent is awaited
)

// StepStarted tells that a step has begun. Each is told once.
type StepStarted struct {
	Step Step // the one that began
}

// CallAccepted tells that the server took the call, or (Config.Resume) that the
// place is held again.
type CallAccepted struct {
	Hello wire.Hello // session, agent and limits
}

// SessionResumed tells that another socket holds the place. Its hello has a new
// resume token; the one before is void.
type SessionResumed struct {
	Hello wire.Hello // of the same session
}

// CallConnected tells that audio can flow, and how long that took.
type CallConnected struct {
	Setup time.Duration // since Config.Start
}

// StateReceived is the server's view of session, agent and line.
type StateReceived struct {
	State wire.State // comes when it changes, at most once a second
}

// SampleMeasured is one look at the counters, each wire.SampleInterval, and what this
// end makes of it.
type SampleMeasured struct {
	At     time.Time       // by this end's clock
	Sample rtcstats.Sample // absolute counters, with the pings of this end
	// Gap: what lies between this and the sample before can't be measured,
	// because the page was frozen meanwhile.
	Gap bool
	// IsSilent: since the sample before there was no sign of the far end.
	IsSilent bool
	isUnsure bool // there was none, and none is known to have been due
	// Ratings has both directions, by this end's own samples.
	Ratings map[quality.Direction]Rating
	// Quality is that of the worse direction, shown while the server can't be asked.
	Quality quality.Verdict
	// MicDBFS and AgentDBFS are levels since the sample before; -100 is silence.
	MicDBFS, AgentDBFS float64
}

// WarningReceived is a warning, or (zero EndsAt) one taken back.
type WarningReceived struct {
	Warning wire.Warning // which end is near, and when it comes
}

// FrameRefused tells that the server refused something this end sent.
type FrameRefused struct {
	Error wire.Error // what was wrong with it
}

// ConnectionDropped tells that the path, or for longer than DropAfter the socket,
// is gone. It is told again when the path joins the socket, or comes back alone.
type ConnectionDropped struct {
	// Until is how long the place is kept. It never moves while the call is in
	// pieces.
	Until time.Time
	// HasMedia: only the socket is gone, the agent can be heard.
	HasMedia bool
}

// ConnectionRecovered tells that the call is whole again.
type ConnectionRecovered struct{}

// CallEnded is the last event. Ended.Cause is always set once the server took the
// call; before, it may be empty.
type CallEnded struct {
	Ended wire.Ended // why, and what the server says of it
	// Failure says what broke, if something did.
	Failure Failure
	// Err is the error behind it; Admit's, if that refused.
	Err error
}

// Failure is what broke a call. The words are keys of a client's copy.
type Failure string

// The failures.
const (
	Unreachable Failure = "unreachable"  // the server can't be reached at the start
	ICEFailed   Failure = "ice_failed"   // no path was found
	DTLSFailed  Failure = "dtls_failed"  // the line couldn't be secured
	Lost        Failure = "lost"         // the line broke and stayed so
	ServerError Failure = "server_error" // the server said what it may not, or failed
	LocalError  Failure = "unsupported"  // this end's WebRTC couldn't
	LocalSlow   Failure = "device_busy"  // this end's WebRTC didn't come to it in time
)

func (StepStarted) event()         {}
func (CallAccepted) event()        {}
func (SessionResumed) event()      {}
func (CallConnected) event()       {}
func (StateReceived) event()       {}
func (SampleMeasured) event()      {}
func (WarningReceived) event()     {}
func (FrameRefused) event()        {}
func (ConnectionDropped) event()   {}
func (ConnectionRecovered) event() {}
func (CaptionReceived) event()     {}
func (CallEnded) event()           {}
