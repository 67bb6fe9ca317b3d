// Package config reads the file that names the agents of a server: where each is,
// with which key, what it is and may do, who may use it, and for how much. A file that
// is wrong anywhere is refused as a whole, with line, field and what to write. A key
// is in a file or in the environment, never in here.
package config

import "time"

// File is the whole of it.
type File struct {
	Agents []Agent `yaml:"agents"`
}

// Agent is one agent at a realtime voice service.
type Agent struct {
	Name  string `yaml:"name"`
	Title string `yaml:"title"`
	About string `yaml:"about"`

	Dialect      string        `yaml:"dialect"`
	URL          string        `yaml:"url"`
	KeyFile      string        `yaml:"key_file"`
	KeyEnv       string        `yaml:"key_env"`
	Headers      []Header      `yaml:"headers"`
	AllowPrivate bool          `yaml:"allow_private"`
	Timeouts     Timeouts      `yaml:"timeouts"`
	MaxCalls     int           `yaml:"max_calls"`
	MaxDuration  time.Duration `yaml:"max_duration"`

	Model            string         `yaml:"model"`
	Voice            string         `yaml:"voice"`
	Speed            float64        `yaml:"speed"`
	Instructions     string         `yaml:"instructions"`
	InstructionsFile string         `yaml:"instructions_file"`
	TurnDetection    map[string]any `yaml:"turn_detection"`
	Transcription    string         `yaml:"transcription"`
	Tools            []Tool         `yaml:"tools"`

	Allow     []string  `yaml:"allow"`
	Sideband  *Sideband `yaml:"sideband"`
	Captions  bool      `yaml:"captions"`
	ToolCalls bool      `yaml:"tool_calls"`

	Users         []string `yaml:"users"`
	Organizations []string `yaml:"organizations"`

	Prices  Prices           `yaml:"prices"`
	Budgets Budgets          `yaml:"budgets"`
	Stuck   map[string]Stuck `yaml:"stuck"`
}

// Sideband lets backends of the operator's steer the agent's calls.
type Sideband struct {
	TokenFile string   `yaml:"token_file"`
	TokenEnv  string   `yaml:"token_env"`
	Allow     []string `yaml:"allow"`
	Words     bool     `yaml:"words"`
}

// Header is one header of the requests to a service. A value that is secret comes
// from a file or the environment.
type Header struct {
	Name      string `yaml:"name"`
	Value     string `yaml:"value"`
	ValueFile string `yaml:"value_file"`
	ValueEnv  string `yaml:"value_env"`
}

// Timeouts bound what is waited for.
type Timeouts struct {
	Exchange time.Duration `yaml:"exchange"`
	Connect  time.Duration `yaml:"connect"`
}

// Tool is a function that the model may call: an endpoint of the operator's.
type Tool struct {
	Name        string         `yaml:"name"`
	Description string         `yaml:"description"`
	Parameters  map[string]any `yaml:"parameters"`
	URL         string         `yaml:"url"`
	SecretFile  string         `yaml:"secret_file"`
	SecretEnv   string         `yaml:"secret_env"`
	Timeout     time.Duration  `yaml:"timeout"`
	MaxResult   int            `yaml:"max_result"`
}

// Prices are for a million tokens of each kind, and for a minute.
type Prices struct {
	Currency            string `yaml:"currency"`
	InputText           string `yaml:"input_text"`
	InputTextCached     string `yaml:"input_text_cached"`
	InputAudio          string `yaml:"input_audio"`
	InputAudioCached    string `yaml:"input_audio_cached"`
	InputImage          string `yaml:"input_image"`
	InputImageCached    string `yaml:"input_image_cached"`
	OutputText          string `yaml:"output_text"`
	OutputAudio         string `yaml:"output_audio"`
	Transcription       string `yaml:"transcription"`
	TranscriptionMinute string `yaml:"transcription_minute"`
	CallMinute          string `yaml:"call_minute"`
}

// Budgets end calls when they are spent, in the currency of the prices.
type Budgets struct {
	Call    string `yaml:"call"`
	UserDay string `yaml:"user_day"`
}

// Stuck is how long one way to be stuck is borne.
type Stuck struct {
	Warn time.Duration `yaml:"warn"`
	End  time.Duration `yaml:"end"`
}
