package double

import (
	"crypto/rand"
	"maps"
	"strings"
	"time"
)

// sessionLife is the longest that a session lasts: the vendor's.
const sessionLife = 60 * time.Minute

// newSession is a session as session.created tells it, with what was asked for.
func newSession(asked map[string]any) map[string]any {
	return merge(map[string]any{
		"object": "realtime.session", "id": "sess_" + strings.ToLower(rand.Text()[:20]), "type": "realtime",
		"model": "gpt-realtime-2.1", "output_modalities": []any{"audio"}, "instructions": "Be helpful.",
		"tools": []any{}, "tool_choice": "auto", "max_output_tokens": "inf", "tracing": nil, "truncation": "auto", "prompt": nil,
		"expires_at": time.Now().Add(sessionLife).Unix(), "include": nil,
		"audio": map[string]any{
			"input": map[string]any{
				"format": map[string]any{"type": "audio/pcm", "rate": 24000}, "transcription": nil, "noise_reduction": nil,
				"turn_detection": map[string]any{
					"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": nil,
					"idle_timeout_ms": nil, "create_response": true, "interrupt_response": true,
				},
			},
			"output": map[string]any{"format": map[string]any{"type": "audio/pcm", "rate": 24000}, "voice": "alloy", "speed": 1.0},
		},
	}, asked)
}

// merge sets what is in from, objects field by field.
func merge(to, from map[string]any) map[string]any {
	for name, value := range from {
		if inner, ok := value.(map[string]any); ok {
			into, _ := to[name].(map[string]any)
			value = merge(maps.Clone(orEmpty(into)), inner)
		}
		to[name] = value
	}
	return to
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// at returns what is in objects inside of each other, nil if there is none.
func at(in map[string]any, names ...string) any {
	var value any = in
	for _, name := range names {
		m, _ := value.(map[string]any)
		value = m[name]
	}
	return value
}

// milliseconds is a number as a time, 0 if it is none.
func milliseconds(value any) time.Duration {
	n, _ := value.(float64)
	return time.Duration(n) * time.Millisecond
}
