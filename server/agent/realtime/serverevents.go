package realtime

import (
	"maps"
	"slices"
)

// serverEvents are the documented events of an agent, and what of each a caller's
// side is shown. The set is closed: what is not in it does not pass. What is in
// it with nil is the server's own business.
func serverEvents(p Policy) map[Type]*shape {
	shown := map[Type]*shape{}
	show := func(s shape, types ...Type) {
		for _, t := range types {
			shown[t] = &s
		}
	}
	show(shape{}, hidden()...)
	for t := range shown {
		shown[t] = nil
	}
	head := of("type", "event_id")
	at := head.and("response_id", "item_id", "output_index", "content_index")
	item := shownItem(p)
	show(head.with("session", shownSession(p)), SessionCreated, SessionUpdated)
	show(head.with("conversation", of("id", "object")), ConversationCreated)
	show(head.and("item_id", "previous_item_id", "audio_start_ms", "audio_end_ms"),
		SpeechStarted, SpeechStopped, InputCommitted, InputCleared, TimeoutTriggered)
	show(head.and("item_id", "content_index", "audio_end_ms"), ItemDeleted, ItemTruncated)
	show(head.and("previous_item_id").with("item", item), ItemAdded, ItemDone, ItemRetrieved)
	show(head.with("response", shownResponse(item)), ResponseCreated, ResponseDone)
	show(at.with("item", item), OutputItemAdded, OutputItemDone)
	show(at.with("part", shownPart(p)), ContentPartAdded, ContentPartDone)
	show(at, AudioDone)
	show(head.and("response_id"), OutputStarted, OutputStopped, OutputCleared)
	if p.Captions {
		show(at.and("delta", "text", "transcript"), OutputTextDelta, OutputTextDone, AudioTranscriptDelta, AudioTranscriptDone)
		show(head.and("item_id", "content_index", "delta", "transcript", "text", "id", "speaker", "start", "end"),
			TranscriptionDelta, TranscriptionSegment, TranscriptionCompleted)
		show(head.and("item_id", "content_index").with("error", of("type", "code")), TranscriptionFailed)
	}
	if p.ToolCalls {
		show(at.and("call_id", "name", "delta", "arguments"), FunctionArgumentsPart, FunctionArgumentsDone)
		show(at.and("delta", "arguments"), MCPArgumentsDelta, MCPArgumentsDone, MCPCallInProgress, MCPCallCompleted, MCPCallFailed)
	}
	return shown
}

// ShownEvents are the events of an agent that a caller's side gets, with the names of
// the fields of each.
func ShownEvents(p Policy) map[string][]string {
	shown := map[string][]string{}
	for name, s := range serverEvents(p) {
		if s != nil {
			shown[string(name)] = slices.Sorted(maps.Keys(s.fields))
		}
	}
	return shown
}

// hidden are documented events that a caller's side is not shown without leave, or
// not at all: rate limits are the operator's account, audio comes by RTP.
func hidden() []Type {
	return []Type{
		ErrorEvent, RateLimitsUpdated, DTMFReceived, AudioDelta,
		OutputTextDelta, OutputTextDone, AudioTranscriptDelta, AudioTranscriptDone,
		TranscriptionDelta, TranscriptionSegment, TranscriptionCompleted, TranscriptionFailed,
		FunctionArgumentsPart, FunctionArgumentsDone, MCPArgumentsDelta, MCPArgumentsDone,
		MCPCallInProgress, MCPCallCompleted, MCPCallFailed, MCPListInProgress, MCPListCompleted, MCPListFailed,
	}
}

// documented are all types of the vocabulary: those that are counted by name.
func documented() map[Type]bool {
	all := map[Type]bool{SessionUpdate: true, TranscriptionUpdate: true, TypeUnknown: true, TypeUnread: true}
	for t := range maps.Keys(clientEvents()) {
		all[t] = true
	}
	for t := range maps.Keys(serverEvents(Policy{})) {
		all[t] = true
	}
	return all
}

// shownSession is what a caller's side sees of the session: how it sounds and when
// turns end, never what the agent is told, may do, or is watched by.
func shownSession(p Policy) shape {
	detection := of("type", "threshold", "prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms",
		"create_response", "interrupt_response", "eagerness")
	format := of("type", "rate")
	input := of().with("format", format).with("turn_detection", detection).with("noise_reduction", of("type"))
	session := of("id", "object", "type", "model", "expires_at", "output_modalities", "modalities", "voice", "speed",
		"input_audio_format", "output_audio_format", "max_output_tokens", "max_response_output_tokens").
		with("turn_detection", detection)
	if p.Captions {
		input = input.with("transcription", of("model", "language"))
	}
	return session.with("audio", of().with("input", input).with("output", of("voice", "speed").with("format", format)))
}

func shownPart(p Policy) shape {
	if p.Captions {
		return of("type", "text", "transcript")
	}
	return of("type")
}

func shownItem(p Policy) shape {
	item := of("id", "object", "type", "status", "role").with("content", listOf(shownPart(p)))
	if p.ToolCalls {
		item = item.and("call_id", "name", "arguments", "output")
	}
	return item
}

func shownResponse(item shape) shape {
	input := of("text_tokens", "audio_tokens", "image_tokens", "cached_tokens")
	input = input.with("cached_tokens_details", input)
	usage := of("total_tokens", "input_tokens", "output_tokens").
		with("input_token_details", input).with("output_token_details", of("text_tokens", "audio_tokens"))
	return of("id", "object", "status", "conversation_id", "output_modalities", "modalities", "max_output_tokens", "voice").
		with("status_details", of("type", "reason").with("error", of("type", "code"))).
		with("audio", of().with("output", of("voice").with("format", of("type", "rate")))).
		with("output", listOf(item)).with("usage", usage)
}

// isShownItem reports whether a caller's side may know of an item: those of tools
// only by leave.
func (p Policy) isShownItem(item object) bool {
	return p.ToolCalls || item == nil || item.string("type") == "message"
}

// withoutSecrets takes out of an agent's event what no shape tells apart: the
// words of the operator among the items, and items of tools.
func (p Policy) withoutSecrets(o object) object {
	if item := o.object("item"); item != nil {
		o = o.with("item", withoutOperatorsWords(item))
	}
	response := o.object("response")
	if output := response.list("output"); output != nil {
		kept := slices.DeleteFunc(slices.Clone(output), func(v node) bool {
			item, ok := v.(object)
			return !ok || !p.isShownItem(item)
		})
		for i := range kept {
			kept[i] = withoutOperatorsWords(kept[i].(object))
		}
		o = o.with("response", response.with("output", kept))
	}
	return o
}

// withoutOperatorsWords empties an item that only the operator can have written.
func withoutOperatorsWords(item object) object {
	switch item.string("role") {
	case "user", "assistant", "":
		return item
	}
	return item.with("content", list{})
}

// withEmptyWords gives the parts of items whose words aren't shown empty ones: clients
// look for them, and OpenAI's own breaks off at a part without.
func withEmptyWords(o object) object {
	items := []object{o.object("item")}
	for _, v := range o.object("response").list("output") {
		item, _ := v.(object)
		items = append(items, item)
	}
	for _, item := range items {
		content := item.list("content")
		for i, v := range content {
			if part, ok := v.(object); ok {
				content[i] = withEmptyWord(part)
			}
		}
	}
	return o
}

// withEmptyWord gives a part its words, if it has none: null where they would be of
// its audio.
func withEmptyWord(part object) object {
	switch part.string("type") {
	case "input_audio", "output_audio", "audio":
		if !part.has("transcript") {
			return part.with("transcript", nil)
		}
	case "input_text", "output_text", "text":
		if !part.has("text") {
			return part.with("text", "")
		}
	}
	return part
}
