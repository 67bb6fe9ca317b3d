package rest

import (
	"time"

	"parley/shared/quality"
)

// Turn is one answer to what a caller said: when they fell silent, how long it took
// until the first of the answer came, and what that wait was made of. The parts sum
// up to the wait. All is measured at the server: the caller's own leg comes on top.
type Turn struct {
	Number int `json:"number" doc:"1 is the call's first"`
	// Started is missing where nothing told when the caller began.
	Started *time.Time `json:"started,omitempty" doc:"when the caller began to speak"`
	SpokeMS *float64   `json:"spoke_ms,omitempty" doc:"from then to the end of speech"`

	EndOfSpeech     time.Time `json:"end_of_speech" doc:"when the last of the caller's speech came in"`
	WaitMS          float64   `json:"wait_ms" doc:"from then to the first of the agent's voice: what is called time to first word"`
	SilenceWindowMS float64   `json:"silence_window_ms" doc:"of the wait: what the agent waited to be sure that the caller was done"`
	NetworkMS       float64   `json:"network_ms" doc:"of the wait: the way to the agent and back"`
	ToolsMS         float64   `json:"tools_ms" doc:"of the wait: functions that the model called before it spoke"`
	ModelMS         float64   `json:"model_ms" doc:"of the wait: the rest, which is understanding, answering and beginning to speak"`
	// Where packets don't tell, the agent's events have to be believed.
	IsSpeechMeasured bool `json:"is_speech_measured" doc:"the end of speech is by the caller's packets, not reckoned from the agent's events"`
	IsAudioMeasured  bool `json:"is_audio_measured" doc:"the first of the voice is by the agent's packets, not by its event"`
	// EventLagMS is missing where only one of the two told.
	EventLagMS *float64 `json:"event_lag_ms,omitempty" doc:"how long after the first packet of the voice its event came; negative: before"`

	AgentSpokeMS  *float64 `json:"agent_spoke_ms,omitempty" doc:"how long the agent spoke; missing while it does, and where the call ended meanwhile"`
	IsInterrupted bool     `json:"is_interrupted" doc:"the caller spoke over the agent, and it stopped"`
}

// Wait is how long the caller waited.
func (t *Turn) Wait() time.Duration { return duration(t.WaitMS) }

func duration(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Interruption is a caller who spoke while the agent did.
type Interruption struct {
	At        time.Time `json:"at" doc:"when the caller began to speak"`
	ClearedMS *float64  `json:"cleared_ms,omitempty" doc:"until the agent's event said that it stops"`
	SilentMS  *float64  `json:"silent_ms,omitempty" doc:"until no more of its voice came"`
}

// TurnSummary is how long callers waited for agents, and how fast agents stopped when
// they were spoken over.
type TurnSummary struct {
	FirstWord FirstWord `json:"first_word"`
	Silenced  Silenced  `json:"silenced"`
}

// NewFirstWord tells of waits.
func NewFirstWord(waits *quality.Durations) FirstWord {
	return FirstWord{waits.Len(), milliseconds(waits.Quantile(0.5)), milliseconds(waits.Quantile(0.95))}
}

// Silenced is how long an agent went on while its caller spoke, from the first of the
// caller's voice to the last of the agent's: of the newest 1,000 interruptions.
type Silenced struct {
	Interruptions int     `json:"interruptions"`
	P50MS         float64 `json:"p50_ms"`
	P95MS         float64 `json:"p95_ms"`
}

// NewSilenced tells how long agents went on.
func NewSilenced(lasted *quality.Durations) Silenced {
	return Silenced{lasted.Len(), milliseconds(lasted.Quantile(0.5)), milliseconds(lasted.Quantile(0.95))}
}

// Lasted is how long the agent went on; 0: nobody saw it stop.
func (i *Interruption) Lasted() time.Duration {
	if i.SilentMS == nil {
		return 0
	}
	return duration(*i.SilentMS)
}

// SessionTurns is what one session's turns were like.
type SessionTurns struct {
	TurnSummary
	Latest              []Turn         `json:"latest" doc:"the turns one by one, oldest first; of more than 1,000 the first"`
	LatestInterruptions []Interruption `json:"latest_interruptions" doc:"the interruptions, oldest first; of more than 1,000 the first"`
}

// MaxTurns bounds the turns, the interruptions and the uses of tools that are kept of one session: an
// hour's, if one comes each 3.6 s.
const MaxTurns = 1000

// TurnRecord is what the monitor hands on and the store keeps: a turn that is over, an
// interruption, or the use of a tool.
type TurnRecord struct {
	Session      string
	Turn         *Turn // or
	Interruption *Interruption
	ToolUse      *ToolUse
}
