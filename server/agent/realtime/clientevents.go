package realtime

// clientEvent is one event that a client may send: what it takes, and what of it
// is passed on.
type clientEvent struct {
	// needs returns the grants without which it is refused; not ok is what nobody is
	// granted.
	needs func(object) (grants []Grant, ok bool)
	takes shape
}

// needing is a fixed need.
func needing(g Grant) func(object) ([]Grant, bool) {
	return func(object) ([]Grant, bool) { return []Grant{g}, true }
}

// clientEvents are the events that clients may send, SessionUpdate aside. The
// set is closed.
func clientEvents() map[Type]clientEvent {
	head := of("type", "event_id")
	format := of("type", "rate")
	content := of("type", "text", "transcript", "audio", "image_url", "detail")
	item := of("id", "object", "type", "status", "role", "call_id", "output").with("content", listOf(content))
	output := of("voice", "speed").with("format", format)
	response := of("instructions", "conversation", "output_modalities", "modalities", "max_output_tokens", "voice").
		with("prompt", anything()).with("metadata", anything()).with("input", listOf(item)).
		with("tools", anything()).with("tool_choice", anything()).with("audio", of().with("output", output))
	return map[Type]clientEvent{
		ResponseCancel: {needing(GrantCancel), head.and("response_id")},
		ResponseCreate: {responseNeeds, head.with("response", response)},
		ItemCreate:     {func(o object) ([]Grant, bool) { return itemNeeds(o.object("item")) }, head.and("previous_item_id").with("item", item)},
		ItemTruncate:   {needing(GrantTruncate), head.and("item_id", "content_index", "audio_end_ms")},
		ItemDelete:     {needing(GrantDelete), head.and("item_id")},
		ItemRetrieve:   {needing(GrantRetrieve), head.and("item_id")},
		InputAppend:    {needing(GrantAppend), head.and("audio")},
		InputCommit:    {needing(GrantCommit), head},
		InputClear:     {needing(GrantClear), head},
		OutputClear:    {needing(GrantHush), head},
	}
}

// responseNeeds says what an asked for answer takes: what it lays down by itself
// instead of what the agent is has to be granted.
func responseNeeds(o object) (grants []Grant, ok bool) {
	grants = []Grant{GrantRespond}
	for _, m := range o.object("response") {
		switch m.name {
		case "instructions", "prompt":
			grants = append(grants, GrantResponseInstructions)
		case "tools", "tool_choice":
			grants = append(grants, GrantResponseTools)
		case "input", "conversation":
			grants = append(grants, GrantResponseInput)
			more, ok := itemsNeed(m.value)
			if !ok {
				return nil, false
			}
			grants = append(grants, more...)
		default:
			grants = append(grants, GrantResponseOutput)
		}
	}
	return grants, true
}

// itemsNeed says what the items of an answer's own input take.
func itemsNeed(v node) (grants []Grant, ok bool) {
	items, _ := v.(list)
	for _, each := range items {
		item, _ := each.(object)
		if item.string("type") == "item_reference" {
			continue // one of the call's own
		}
		more, ok := itemNeeds(item)
		if !ok {
			return nil, false
		}
		grants = append(grants, more...)
	}
	return grants, true
}

// itemNeeds says what adding an item to the conversation takes.
func itemNeeds(item object) (grants []Grant, ok bool) {
	switch kind := item.string("type"); {
	case kind == "function_call_output":
		return []Grant{GrantToolResult}, true
	case kind != "message":
		return nil, false
	}
	switch item.string("role") {
	case "user":
	case "system", "developer":
		grants = append(grants, GrantSystemItem)
	case "assistant":
		grants = append(grants, GrantAssistantItem)
	default:
		return nil, false
	}
	for _, each := range item.list("content") {
		part, _ := each.(object)
		g, ok := partNeeds(part.string("type"))
		if !ok {
			return nil, false
		}
		grants = append(grants, g)
	}
	return grants, len(grants) > 0 // an empty one of the caller's is nobody's need
}

// partNeeds says what a part of an item takes.
func partNeeds(kind string) (g Grant, ok bool) {
	switch kind {
	case "input_text", "text", "output_text":
		return GrantText, true
	case "input_audio", "audio", "output_audio":
		return GrantAudioItem, true
	case "input_image":
		return GrantImageItem, true
	}
	return "", false
}

// updateShape is what of a session.update is passed on under grants.
func updateShape(granted func(Grant) bool) shape {
	session, input, output := of(), of(), of()
	if granted(GrantInstructions) {
		session = session.and("instructions")
	}
	if granted(GrantTools) {
		session = session.with("tools", anything()).with("tool_choice", anything())
	}
	if granted(GrantVoice) {
		session, output = session.and("voice"), output.and("voice", "speed")
	}
	if granted(GrantTurnDetection) {
		session, input = session.with("turn_detection", anything()), input.with("turn_detection", anything())
	}
	return session.with("audio", of().with("input", input).with("output", output))
}

// isEmpty reports whether an object holds nothing but empty objects.
func isEmpty(o object) bool {
	for _, m := range o {
		if inner, ok := m.value.(object); !ok || !isEmpty(inner) {
			return false
		}
	}
	return true
}
