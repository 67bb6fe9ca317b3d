package realtime

import (
	"fmt"
	"strconv"
	"strings"
)

// ownPrefix begins the ids of events that the server itself sends, to either side.
const ownPrefix = "parley_"

func isOwn(eventID string) bool { return strings.HasPrefix(eventID, ownPrefix) }

// Codes of the errors that the firewall itself tells the caller's side.
const (
	CodeNotAllowed = "event_not_allowed"
	CodeTooLarge   = "event_too_large"
	CodeMalformed  = "event_malformed"
)

// nextIDLocked names the next event of our own to the caller's side. mu must be
// held.
func (f *Firewall) nextIDLocked() string {
	f.answers++
	return ownPrefix + strconv.Itoa(f.answers)
}

// updatedLocked is the answer to a session.update that the agent never sees: the
// session as it is. mu must be held.
func (f *Firewall) updatedLocked() []byte {
	session := f.session
	if session == nil {
		session = object{{"type", "realtime"}, {"object", "realtime.session"}}
	}
	return object{{"type", string(SessionUpdated)}, {"event_id", f.nextIDLocked()}, {"session", session}}.encode()
}

// refusalLocked tells a client that its event did not pass: clients that count on
// an answer get one. mu must be held.
func (f *Firewall) refusalLocked(r Refusal, eventID string) []byte {
	code, text := CodeNotAllowed, "This server does not let callers send "+string(r.Type)+" events of this content."
	switch r.Reason {
	case ReasonMalformed, ReasonTooComplex:
		code, text = CodeMalformed, "The message is no event: send one JSON object with a type, each name once, in UTF-8."
	case ReasonTooLarge:
		code, text = CodeTooLarge, fmt.Sprintf("The message is larger than %d bytes.", f.policy.Limits.MaxFromBrowser)
	case ReasonUnknown:
		text = "This server does not know this event."
	}
	return f.errorLocked(code, text, eventID)
}

// tooLargeLocked tells the caller's side that an event of the agent came without
// its words, or not at all. mu must be held.
func (f *Firewall) tooLargeLocked(t Type, size int) []byte {
	return f.errorLocked(CodeTooLarge, fmt.Sprintf("An event of the agent (%s, %d bytes) is larger than this connection takes.", t, size), "")
}

// errorLocked writes an error event. mu must be held.
func (f *Firewall) errorLocked(code, text, eventID string) []byte {
	about := node(nil)
	if eventID != "" {
		about = eventID
	}
	return object{
		{"type", string(ErrorEvent)}, {"event_id", f.nextIDLocked()},
		{"error", object{{"type", "invalid_request_error"}, {"code", code}, {"message", text}, {"param", nil}, {"event_id", about}}},
	}.encode()
}

// shownError is what a caller's side sees of an agent's error. Its text is shown
// only if it is about an event of the client's: others may quote what the agent
// was told, or the operator's account.
func shownError(o object) object {
	inner := o.object("error")
	shown := of("type", "code", "param", "event_id").takeObject(inner)
	text := "The agent reported an error."
	if inner.id("event_id") != "" {
		text = first(inner.string("message"), text)
	}
	return of("type", "event_id").takeObject(o).with("error", shown.with("message", text))
}

// ToolResult is the message that gives the agent what a function returned.
// number tells the server's own messages of a call apart.
func ToolResult(number int, callID, output string) []byte {
	item := object{{"type", "function_call_output"}, {"call_id", callID}, {"output", output}}
	return object{{"type", string(ItemCreate)}, {"event_id", ownID(number)}, {"item", item}}.encode()
}

// AskForResponse is the message that has the agent go on, after ToolResult.
func AskForResponse(number int) []byte {
	return object{{"type", string(ResponseCreate)}, {"event_id", ownID(number)}}.encode()
}

// AskForSpeech is the message that has the agent speak without being spoken to, and call
// no function for it.
func AskForSpeech() []byte {
	return object{{"type", string(ResponseCreate)}, {"event_id", ownPrefix + "check"}, {"response", object{{"tool_choice", "none"}}}}.encode()
}

// ownID names a message of the server's to the agent.
func ownID(number int) string { return ownPrefix + "a" + strconv.Itoa(number) }
