package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"parley/shared/wire"
)

// AgentEvents are what passes on wire.EventChannel, for the description.
type AgentEvents struct {
	FromClient []string            // what a client may send by default
	FromServer map[string][]string // by its type, the fields of what it may get
}

// channel is a data channel of a call, as the description tells of it.
type channel struct {
	Label, About string
	AgentEvents  // none where a channel carries none
}

func (a *API) channels() []channel {
	return []channel{
		{Label: wire.PingChannel, About: "Latency pings, unordered and without retransmits (ordered: false, maxRetransmits: 0). The server echoes each text of at most 64 bytes as it came."},
		{
			Label: wire.EventChannel, AgentEvents: a.AgentEvents,
			About: "The agent's own events, where it has any: JSON text, as OpenAI's Realtime API documents them. What was said comes from agents with captions, calls of functions from those that show them.",
		},
	}
}

// frameWords say when a message of the socket is sent. Its fields say the rest.
var frameWords = map[wire.Type]string{
	wire.TypeHello:     "The first on a socket, new or resumed",
	wire.TypeAnswer:    "Answers the newest offer",
	wire.TypeCandidate: "An ICE candidate, either way; of a negotiation 20 at most",
	wire.TypeState:     "When it changes, at most once a second",
	wire.TypeWarning:   "The session ends soon unless something happens",
	wire.TypeEnded:     "The last of a session; the close frame follows",
	wire.TypeError:     "A frame was refused; the socket stays open unless a close follows",
	wire.TypePong:      "Answers ping",
	wire.TypeOffer:     "The first of a new call; a later one renegotiates, or restarts ICE",
	wire.TypeReport:    "What the client measured, each 5 s; the first with one sample, as soon as media flows",
	wire.TypeActivity:  "A sign of life, beside speaking",
	wire.TypeResume:    "The first on a socket that takes up a session within its grace",
	wire.TypePing:      "Asks for pong: a browser can't send pings of its own",
	wire.TypeBye:       "Ends the session, caller_left",
}

// frameSets are the values that fields of these types can have.
func frameSets() map[reflect.Type][]any {
	sets := map[reflect.Type][]any{}
	addSet(sets, wire.SessionStates())
	addSet(sets, wire.AgentStates())
	addSet(sets, wire.WarningCodes())
	addSet(sets, wire.ActivityKinds())
	addSet(sets, wire.EndCauses())
	addSet(sets, wire.ErrorCodes())
	return sets
}

func addSet[T any](sets map[reflect.Type][]any, values []T) {
	for _, v := range values {
		sets[reflect.TypeFor[T]()] = append(sets[reflect.TypeFor[T]()], v)
	}
}

// frameNamer names the schema of a message after its type and what it is: others have
// an Activity and a Ping, too.
func frameNamer(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if t.Implements(reflect.TypeFor[wire.Message]()) {
		return name + "Frame"
	}
	return name
}

// describeFrames adds the schema of each message to the description, and gives where
// they stand, as the socket's own operation tells it.
func (a *API) describeFrames() map[string]any {
	return map[string]any{
		"subprotocol": wire.Subprotocol, "max_frame_bytes": wire.MaxFrame,
		"from_server": a.frameRefs(wire.ServerMessages()), "from_client": a.frameRefs(wire.ClientMessages()),
	}
}

func (a *API) frameRefs(messages []wire.Message) map[string]any {
	refs := make([]*huma.Schema, len(messages))
	for i, m := range messages {
		refs[i] = a.frameSchema(m)
	}
	return map[string]any{"oneOf": refs}
}

// frameSchema describes a message by its Go type, and gives the way to it.
func (a *API) frameSchema(m wire.Message) *huma.Schema {
	schemas, t := a.huma.OpenAPI().Components.Schemas, reflect.TypeOf(m)
	ref := schemas.Schema(t, true, "")
	s := schemas.SchemaFromRef(ref.Ref)
	s.Description = frameWords[m.Type()]
	if s.Properties["type"] == nil {
		s.Properties["type"] = &huma.Schema{Type: huma.TypeString, Enum: []any{m.Type()}, Description: "which message this is"}
		s.Required = append(s.Required, "type")
	}
	sets := frameSets()
	for i := range t.NumField() {
		if values := sets[t.Field(i).Type]; values != nil {
			s.Properties[jsonName(t.Field(i))].Enum = values
		}
	}
	return ref
}

// docsFrames are the messages of one side, on the page.
type docsFrames struct {
	From   string
	Frames []docsFrame
}

type docsFrame struct {
	Type         wire.Type
	Schema, When string
}

func framesOf(from string, messages []wire.Message) docsFrames {
	frames := docsFrames{From: from}
	for _, m := range messages {
		frames.Frames = append(frames.Frames, docsFrame{m.Type(), frameNamer(reflect.TypeOf(m), ""), frameWords[m.Type()]})
	}
	return frames
}

// describeChannels is what the description has of the data channels.
func describeChannels(channels []channel) []map[string]any {
	described := make([]map[string]any, len(channels))
	for i, c := range channels {
		described[i] = map[string]any{"label": c.Label, "description": c.About}
		if len(c.FromServer) > 0 {
			described[i]["from_client"], described[i]["from_server"] = c.FromClient, c.FromServer
		}
	}
	return described
}
