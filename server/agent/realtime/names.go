package realtime

// Type is an event's type, by its name of the general release; the beta's other
// names for the same are read as these.
type Type string

// Events that a client sends.
const (
	SessionUpdate       Type = "session.update"
	ItemCreate          Type = "conversation.item.create"
	ItemDelete          Type = "conversation.item.delete"
	ItemRetrieve        Type = "conversation.item.retrieve"
	ItemTruncate        Type = "conversation.item.truncate"
	InputAppend         Type = "input_audio_buffer.append"
	InputCommit         Type = "input_audio_buffer.commit"
	InputClear          Type = "input_audio_buffer.clear"
	OutputClear         Type = "output_audio_buffer.clear"
	ResponseCreate      Type = "response.create"
	ResponseCancel      Type = "response.cancel"
	TranscriptionUpdate Type = "transcription_session.update"
)

// How messages count that are no documented event: by kind, so that nobody can
// make a name of their own count.
const (
	TypeUnknown Type = "unknown" // an event, but not a documented one
	TypeUnread  Type = "unread"  // no event at all, too large, or too many
)

// Events that the agent sends.
const (
	SessionCreated    Type = "session.created"
	SessionUpdated    Type = "session.updated"
	ErrorEvent        Type = "error"
	RateLimitsUpdated Type = "rate_limits.updated"

	SpeechStarted    Type = "input_audio_buffer.speech_started"
	SpeechStopped    Type = "input_audio_buffer.speech_stopped"
	InputCommitted   Type = "input_audio_buffer.committed"
	InputCleared     Type = "input_audio_buffer.cleared"
	TimeoutTriggered Type = "input_audio_buffer.timeout_triggered"
	DTMFReceived     Type = "input_audio_buffer.dtmf_event_received"

	ConversationCreated    Type = "conversation.created"
	ItemAdded              Type = "conversation.item.added"
	ItemDone               Type = "conversation.item.done"
	ItemRetrieved          Type = "conversation.item.retrieved"
	ItemDeleted            Type = "conversation.item.deleted"
	ItemTruncated          Type = "conversation.item.truncated"
	TranscriptionDelta     Type = "conversation.item.input_audio_transcription.delta"
	TranscriptionSegment   Type = "conversation.item.input_audio_transcription.segment"
	TranscriptionCompleted Type = "conversation.item.input_audio_transcription.completed"
	TranscriptionFailed    Type = "conversation.item.input_audio_transcription.failed"

	ResponseCreated       Type = "response.created"
	ResponseDone          Type = "response.done"
	OutputItemAdded       Type = "response.output_item.added"
	OutputItemDone        Type = "response.output_item.done"
	ContentPartAdded      Type = "response.content_part.added"
	ContentPartDone       Type = "response.content_part.done"
	OutputTextDelta       Type = "response.output_text.delta"
	OutputTextDone        Type = "response.output_text.done"
	AudioDelta            Type = "response.output_audio.delta"
	AudioDone             Type = "response.output_audio.done"
	AudioTranscriptDelta  Type = "response.output_audio_transcript.delta"
	AudioTranscriptDone   Type = "response.output_audio_transcript.done"
	FunctionArgumentsPart Type = "response.function_call_arguments.delta"
	FunctionArgumentsDone Type = "response.function_call_arguments.done"

	OutputStarted Type = "output_audio_buffer.started"
	OutputStopped Type = "output_audio_buffer.stopped"
	OutputCleared Type = "output_audio_buffer.cleared"

	MCPArgumentsDelta Type = "response.mcp_call_arguments.delta"
	MCPArgumentsDone  Type = "response.mcp_call_arguments.done"
	MCPCallInProgress Type = "response.mcp_call.in_progress"
	MCPCallCompleted  Type = "response.mcp_call.completed"
	MCPCallFailed     Type = "response.mcp_call.failed"
	MCPListInProgress Type = "mcp_list_tools.in_progress"
	MCPListCompleted  Type = "mcp_list_tools.completed"
	MCPListFailed     Type = "mcp_list_tools.failed"
)

// generalName returns the general release's name of a beta's, or the name itself.
func generalName(name string) Type {
	switch name {
	case "response.audio.delta":
		return AudioDelta
	case "response.audio.done":
		return AudioDone
	case "response.audio_transcript.delta":
		return AudioTranscriptDelta
	case "response.audio_transcript.done":
		return AudioTranscriptDone
	case "response.text.delta":
		return OutputTextDelta
	case "response.text.done":
		return OutputTextDone
	case "conversation.item.created":
		return ItemAdded
	case "transcription_session.created":
		return SessionCreated
	case "transcription_session.updated":
		return SessionUpdated
	}
	return Type(name)
}
