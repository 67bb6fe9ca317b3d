package realtime

import (
	"strconv"
	"time"
)

// maxID is the longest identifier that is read: providers' are under 100 bytes.
const maxID = 256

// Event is what one message says, as far as the server acts on it. What a message
// lacks, or has in another form than is documented, is zero: a provider's novelty
// is no reason to lose a call.
type Event struct {
	Type Type
	// Name is how the message calls its type: the beta's name, perhaps.
	Name string
	ID   string // event_id

	ItemID     string
	ResponseID string
	CallID     string // of a function call
	Function   string // the function's name
	Arguments  string // of FunctionArgumentsDone: what the model wrote, no JSON as yet
	// AudioStart and AudioEnd are positions in the caller's audio; AudioEnd includes
	// the silence by which its end was noticed.
	AudioStart, AudioEnd time.Duration

	Session    *Session
	Response   *Response
	Item       *Item
	Usage      *Usage // of ResponseDone and of TranscriptionCompleted
	RateLimits []RateLimit
	Error      *Error
}

// Session is the provider's view of the conversation's settings. Its
// instructions and tools are not read: they are the server's own.
type Session struct {
	ID, Type, Model, Voice string
	ExpiresAt              time.Time // zero: not told
	// TurnDetection is server_vad or semantic_vad; empty: turned off or not told.
	TurnDetection string
	SilenceWindow time.Duration // of server_vad
	// Transcription and Tracing tell what the provider does with what it hears.
	Transcription, Tracing bool
}

// Response is one answer of the model.
type Response struct {
	ID, ConversationID string
	Status             string // in_progress, completed, cancelled, failed, incomplete
	Reason             string // of the status: turn_detected, client_cancelled, …
	ErrorCode          string // of a failed one
}

// Item is one entry of the conversation, without its words.
type Item struct {
	ID, Type, Role, Status string
	CallID, Function       string
}

// RateLimit is what the provider still allows.
type RateLimit struct {
	Name             string // requests or tokens
	Limit, Remaining int64
	Reset            time.Duration
}

// Error is what the provider complains of. Most leave the conversation open.
type Error struct {
	Type, Code, Message, Param string
	EventID                    string // of the client's event that it is about
}

// Read reads one message of an agent or a client.
func Read(message []byte) (*Event, error) {
	o, err := parse(message)
	if err != nil {
		return nil, err
	}
	return newEvent(o)
}

func newEvent(o object) (*Event, error) {
	name := o.string("type")
	if name == "" || len(name) > maxID {
		return nil, errMalformed
	}
	e := &Event{
		Type: generalName(name), Name: name, ID: o.id("event_id"),
		ItemID: o.id("item_id"), ResponseID: o.id("response_id"), CallID: o.id("call_id"), Function: o.id("name"),
		AudioStart: o.milliseconds("audio_start_ms"), AudioEnd: o.milliseconds("audio_end_ms"),
		Session: newSession(o.object("session")), Response: newResponse(o.object("response")), Item: newItem(o.object("item")),
		RateLimits: newRateLimits(o.list("rate_limits")),
	}
	switch e.Type {
	case FunctionArgumentsDone:
		e.Arguments = o.string("arguments")
	case TranscriptionCompleted:
		e.Usage = newTranscriptUsage(o.object("usage"))
	case ResponseDone:
		e.Usage = newUsage(o.object("response").object("usage"))
	case ErrorEvent:
		e.Error = newError(o.object("error"))
	}
	if e.Response != nil && e.ResponseID == "" {
		e.ResponseID = e.Response.ID
	}
	if e.Item != nil && e.ItemID == "" {
		e.ItemID = e.Item.ID
	}
	return e, nil
}

func newSession(o object) *Session {
	if o == nil {
		return nil
	}
	input, output := o.object("audio").object("input"), o.object("audio").object("output")
	s := &Session{
		ID: o.id("id"), Type: o.id("type"), Model: o.id("model"), Voice: first(output.id("voice"), o.id("voice")),
		Transcription: input.object("transcription") != nil || o.object("input_audio_transcription") != nil,
		Tracing:       isSet(o.get("tracing")),
	}
	if at := o.integer("expires_at"); at > 0 {
		s.ExpiresAt = time.Unix(at, 0).UTC()
	}
	detection := input.object("turn_detection")
	if detection == nil {
		detection = o.object("turn_detection")
	}
	s.TurnDetection, s.SilenceWindow = detection.id("type"), detection.milliseconds("silence_duration_ms")
	return s
}

func newResponse(o object) *Response {
	if o == nil {
		return nil
	}
	details := o.object("status_details")
	return &Response{
		ID: o.id("id"), ConversationID: o.id("conversation_id"), Status: o.id("status"),
		Reason: details.id("reason"), ErrorCode: details.object("error").id("code"),
	}
}

func newItem(o object) *Item {
	if o == nil {
		return nil
	}
	return &Item{
		ID: o.id("id"), Type: o.id("type"), Role: o.id("role"), Status: o.id("status"),
		CallID: o.id("call_id"), Function: o.id("name"),
	}
}

// maxRateLimits is how many rate limits are read: two are documented.
const maxRateLimits = 16

func newRateLimits(l list) (limits []RateLimit) {
	for _, of := range l[:min(len(l), maxRateLimits)] {
		if o, ok := of.(object); ok {
			limits = append(limits, RateLimit{
				Name: o.id("name"), Limit: o.integer("limit"), Remaining: o.integer("remaining"),
				Reset: time.Duration(o.decimal("reset_seconds", maxSeconds) * float64(time.Second)),
			})
		}
	}
	return limits
}

func newError(o object) *Error {
	return &Error{
		Type: o.id("type"), Code: o.id("code"), Message: o.string("message"), Param: o.id("param"), EventID: o.id("event_id"),
	}
}

// id returns a short text, empty where there is none or a longer one.
func (o object) id(name string) string {
	if s := o.string(name); len(s) <= maxID {
		return s
	}
	return ""
}

const (
	// maxInteger is beyond any count, and any time in seconds, of a real call.
	maxInteger = int64(1) << 40
	// maxSeconds is a day: longer than any conversation.
	maxSeconds = 24 * 60 * 60
)

// integer returns a count; what is negative, too large or no number is 0.
func (o object) integer(name string) int64 { return int64(o.decimal(name, float64(maxInteger))) }

func (o object) milliseconds(name string) time.Duration {
	return time.Duration(o.decimal(name, maxSeconds*1000)) * time.Millisecond
}

// decimal returns a number between 0 and most, else 0.
func (o object) decimal(name string, most float64) float64 {
	if f := o.float(name); f >= 0 && f <= most {
		return f
	}
	return 0
}

func (o object) float(name string) float64 {
	n, _ := o.get(name).(number)
	f, _ := strconv.ParseFloat(string(n), 64) // out of range: an infinity
	return f
}

func isSet(v node) bool { return v != nil && v != false }

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}
