package upstream

import (
	"encoding/json"

	"parley/server/agent/tool"
)

// Session is what the agent is: the server's, and no caller's.
type Session struct {
	Model, Voice, Instructions string
	// TurnDetection is the vendor's object, as it was written; nil: the service's own.
	TurnDetection json.RawMessage
	// Transcription is the model that writes down what callers say; "": none does.
	Transcription string
	// Speed of the voice; 0: the service's own.
	Speed float64
}

// whole is the session as a request for a call carries it.
func (s Session) whole(tools []tool.Definition) map[string]any {
	session := s.update(tools)
	if s.Model != "" {
		session["model"] = s.Model
	}
	return session
}

// update is the session as session.update carries it: all but the model.
func (s Session) update(tools []tool.Definition) map[string]any {
	input, output := map[string]any{}, map[string]any{}
	setIf(output, "voice", s.Voice, s.Voice != "")
	setIf(output, "speed", s.Speed, s.Speed != 0)
	setIf(input, "turn_detection", s.TurnDetection, s.TurnDetection != nil)
	setIf(input, "transcription", map[string]any{"model": s.Transcription}, s.Transcription != "")
	audio := map[string]any{}
	setIf(audio, "input", input, len(input) > 0)
	setIf(audio, "output", output, len(output) > 0)
	session := map[string]any{"type": "realtime"}
	setIf(session, "instructions", s.Instructions, s.Instructions != "")
	setIf(session, "audio", audio, len(audio) > 0)
	setIf(session, "tools", tools, len(tools) > 0)
	return session
}

func setIf(to map[string]any, name string, value any, is bool) {
	if is {
		to[name] = value
	}
}
