// Package quality owns how a call is rated: the E-model for Opus, the four
// levels, the hysteresis between them, and the causes with their directions.
// It is the one implementation for browser and server, and does no I/O.
package quality

// Level is how good a line is. The zero value means None, too.
type Level string

// The levels, by the bands of ITU-T G.109. None: fewer than three samples, or
// no stats for five seconds.
const (
	None      Level = "none"
	Poor      Level = "poor"      // R < 60
	Fair      Level = "fair"      // R 60–69.9
	Good      Level = "good"      // R 70–79.9
	Excellent Level = "excellent" // R ≥ 80
)

// Direction is the way audio flows.
type Direction string

// The two directions of a call.
const (
	ToAgent  Direction = "to_agent"  // you → agent
	ToCaller Direction = "to_caller" // agent → you
)

// Cause is the main thing that is wrong with a line that isn't excellent.
type Cause string

// The causes. Their sentences are the client's.
const (
	CauseNone      Cause = ""
	CauseLoss      Cause = "loss"       // Value in %
	CauseDelay     Cause = "delay"      // Value in ms, mouth to ear, one way
	CauseJitter    Cause = "jitter"     // Value in ms
	CauseCPU       Cause = "cpu"        // the caller's device is busy; Value in % of the time
	CauseAgentSlow Cause = "agent_slow" // Value in ms, time to first word; never sets the level
)

// Verdict is a rating with its reason.
type Verdict struct {
	Level     Level     `json:"level"`
	R         float64   `json:"r"`   // 0–100, smoothed for display
	MOS       float64   `json:"mos"` // estimated, 1–4.5; 0 with level none
	Cause     Cause     `json:"cause,omitempty"`
	Direction Direction `json:"direction,omitempty"` // of the cause
	Value     float64   `json:"value,omitempty"`     // of the cause, in its unit
	Quiet     bool      `json:"quiet,omitempty"`     // too little audio to rate: the last level stands
}
