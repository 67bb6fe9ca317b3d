package realtime

import (
	"fmt"
	"slices"
	"strings"
)

// Policy says what passes between one agent and those who call it. The zero
// value is the strictest for what the agent says, with DefaultGrants for what a
// caller does.
type Policy struct {
	// Grants are what a client may do; nil is DefaultGrants.
	Grants []Grant
	// Captions pass on what was said, by either side, as text.
	Captions bool
	// ToolCalls pass on which functions the model calls, with arguments and results.
	ToolCalls bool
	// Operator says that the other end is no caller but the operator's own backend: it
	// sees the session whole, and with Captions every event. Grants bind it all the same.
	Operator bool
	Limits   Limits // zero fields are the defaults
}

// Grant is one thing that a client may do: an event's type and, after a colon,
// what of it.
type Grant string

// Grants. What changes what the agent is, says on its behalf or costs more than
// speech does has to be granted by name.
const (
	GrantCancel   Grant = "response.cancel"
	GrantRespond  Grant = "response.create"
	GrantTruncate Grant = "conversation.item.truncate"
	GrantText     Grant = "conversation.item.create:text" // typed by the caller
	GrantCommit   Grant = "input_audio_buffer.commit"
	GrantClear    Grant = "input_audio_buffer.clear"
	GrantHush     Grant = "output_audio_buffer.clear"

	GrantResponseInstructions Grant = "response.create:instructions" // and a prompt's id
	GrantResponseTools        Grant = "response.create:tools"
	GrantResponseInput        Grant = "response.create:input" // another conversation than the call's
	GrantResponseOutput       Grant = "response.create:output"
	GrantSystemItem           Grant = "conversation.item.create:system"
	GrantAssistantItem        Grant = "conversation.item.create:assistant"
	GrantAudioItem            Grant = "conversation.item.create:audio"
	GrantImageItem            Grant = "conversation.item.create:image"
	GrantToolResult           Grant = "conversation.item.create:tool_result"
	GrantDelete               Grant = "conversation.item.delete"
	GrantRetrieve             Grant = "conversation.item.retrieve"
	GrantAppend               Grant = "input_audio_buffer.append"
	GrantInstructions         Grant = "session.update:instructions"
	GrantTools                Grant = "session.update:tools"
	GrantVoice                Grant = "session.update:voice"
	GrantTurnDetection        Grant = "session.update:turn_detection"
)

// DefaultGrants are what leaves the agent what it is: to speak, to type, to
// interrupt, to ask for an answer, and to look again at what was shown: clients do
// after each interruption.
func DefaultGrants() []Grant {
	return []Grant{GrantCancel, GrantRespond, GrantTruncate, GrantText, GrantCommit, GrantClear, GrantHush, GrantRetrieve}
}

// AllGrants are what may be granted at all.
func AllGrants() []Grant {
	return append(DefaultGrants(),
		GrantResponseInstructions, GrantResponseTools, GrantResponseInput, GrantResponseOutput,
		GrantSystemItem, GrantAssistantItem, GrantAudioItem, GrantImageItem, GrantToolResult,
		GrantDelete, GrantAppend, GrantInstructions, GrantTools, GrantVoice, GrantTurnDetection)
}

// ParseGrant reads a grant of a configuration.
func ParseGrant(text string) (Grant, error) {
	if slices.Contains(AllGrants(), Grant(text)) {
		return Grant(text), nil
	}
	var known []string
	for _, g := range AllGrants() {
		known = append(known, string(g))
	}
	return "", fmt.Errorf("%q can't be granted; write one of %s", text, strings.Join(known, ", "))
}

// Limits bound what each side may send on one call's channel.
type Limits struct {
	// MaxFromBrowser is the bytes of a client's message. What a browser takes by
	// default is what it may send.
	MaxFromBrowser int
	// MaxFromAgent is the bytes of an agent's message, as large as any known server
	// lets its own become.
	MaxFromAgent int
	// MaxToBrowser is what the caller's side said that it takes (max-message-size of
	// its description). A larger event goes without its words, and an error event
	// says so.
	MaxToBrowser int
	// BrowserRate and AgentRate are messages a second, with twice as many at once.
	// Clients send a few a turn; agents a transcript word by word.
	BrowserRate, AgentRate int
	// BrowserByteRate and AgentByteRate are bytes a second; the largest message and
	// a second's worth may come at once.
	BrowserByteRate, AgentByteRate int
}

// Defaults of Limits.
const (
	DefaultMaxFromBrowser  = 256 << 10
	DefaultMaxFromAgent    = 16 << 20
	DefaultMaxToBrowser    = 256 << 10
	DefaultBrowserRate     = 50
	DefaultAgentRate       = 500
	DefaultBrowserByteRate = 256 << 10
	DefaultAgentByteRate   = 4 << 20
)

// withDefaults fills in what is zero.
func (l Limits) withDefaults() Limits {
	for _, of := range []struct {
		limit *int
		value int
	}{
		{&l.MaxFromBrowser, DefaultMaxFromBrowser}, {&l.MaxFromAgent, DefaultMaxFromAgent}, {&l.MaxToBrowser, DefaultMaxToBrowser},
		{&l.BrowserRate, DefaultBrowserRate}, {&l.AgentRate, DefaultAgentRate},
		{&l.BrowserByteRate, DefaultBrowserByteRate}, {&l.AgentByteRate, DefaultAgentByteRate},
	} {
		if *of.limit <= 0 {
			*of.limit = of.value
		}
	}
	return l
}
