package realtime_test

import (
	"strings"
	"testing"

	"parley/server/agent/realtime"
)

const createdEvent = `{"type":"session.created","event_id":"ev_1","session":{"id":"sess_1","object":"realtime.session","type":"realtime",
	"model":"gpt-realtime-2.1","expires_at":1790000000,"instructions":"SECRET prompt","tools":[{"type":"mcp","server_url":"https://SECRET"}],
	"tool_choice":"auto","tracing":{"workflow_name":"SECRET"},"prompt":{"id":"SECRET"},"client_secret":{"value":"ek_SECRET"},"include":null,
	"audio":{"input":{"format":{"type":"audio/pcm","rate":24000},"transcription":{"model":"w","prompt":"SECRET"},
	"turn_detection":{"type":"server_vad","silence_duration_ms":500}},"output":{"voice":"marin","speed":1}}}}`

// The agent's events with SECRET where the operator's things are, WORDS where
// callers' and agent's words are, and TOOL where those of tools are.
var agentEvents = map[string]string{
	"created":            createdEvent,
	"updated, of beta":   `{"type":"session.updated","session":{"id":"s","instructions":"SECRET","tools":[{"name":"SECRET"}],"voice":"alloy","input_audio_transcription":{"model":"w"}}}`,
	"a system item":      `{"type":"conversation.item.added","item":{"id":"i","type":"message","role":"system","content":[{"type":"input_text","text":"SECRET"}]}}`,
	"a developer's item": `{"type":"conversation.item.done","item":{"id":"i","type":"message","role":"developer","content":[{"type":"input_text","text":"SECRET"}]}}`,
	"an item":            `{"type":"conversation.item.added","item":{"id":"i","type":"message","role":"user","content":[{"type":"input_audio","transcript":"WORDS"}]}}`,
	"an item, of beta":   `{"type":"conversation.item.created","item":{"id":"i","type":"message","role":"assistant","content":[{"type":"text","text":"WORDS"}]}}`,
	"an item of a tool":  `{"type":"conversation.item.added","item":{"id":"i","type":"function_call","call_id":"c","name":"TOOL","arguments":"TOOL"}}`,
	"a result of a tool": `{"type":"conversation.item.added","item":{"id":"i","type":"function_call_output","call_id":"c","output":"TOOL"}}`,
	"a response":         `{"type":"response.created","response":{"id":"r","status":"in_progress","instructions":"SECRET","tools":["SECRET"],"metadata":{"a":"SECRET"},"prompt":{"id":"SECRET"}}}`,
	"a response, done": `{"type":"response.done","response":{"id":"r","status":"completed","instructions":"SECRET","output":[
		{"id":"i","type":"message","role":"assistant","content":[{"type":"output_audio","transcript":"WORDS"}]},
		{"id":"f","type":"function_call","name":"TOOL","arguments":"TOOL"}],"usage":{"total_tokens":5}}}`,
	"an output item":  `{"type":"response.output_item.done","response_id":"r","item":{"id":"f","type":"function_call","name":"TOOL","arguments":"TOOL"}}`,
	"a part":          `{"type":"response.content_part.done","response_id":"r","part":{"type":"audio","transcript":"WORDS"}}`,
	"a word":          `{"type":"response.output_audio_transcript.delta","response_id":"r","delta":"WORDS"}`,
	"a word, of beta": `{"type":"response.audio_transcript.done","response_id":"r","transcript":"WORDS"}`,
	"a text":          `{"type":"response.output_text.done","response_id":"r","text":"WORDS"}`,
	"a transcript":    `{"type":"conversation.item.input_audio_transcription.completed","item_id":"i","transcript":"WORDS"}`,
	"arguments":       `{"type":"response.function_call_arguments.done","response_id":"r","call_id":"c","name":"TOOL","arguments":"TOOL"}`,
	"rate limits":     `{"type":"rate_limits.updated","rate_limits":[{"name":"SECRET","limit":1}]}`,
	"tools of others": `{"type":"mcp_list_tools.completed","item_id":"SECRET"}`,
	"an error":        `{"type":"error","event_id":"e","error":{"type":"server_error","code":"x","message":"SECRET key sk-1","event_id":null}}`,
	"our own error":   `{"type":"error","event_id":"e","error":{"type":"invalid_request_error","code":"SECRET","event_id":"parley_a1"}}`,
	"a novelty":       `{"type":"session.secrets","SECRET":"SECRET"}`,
}

func TestACallersSideIsShownNothingOfTheOperators(t *testing.T) {
	for name, p := range map[string]struct {
		policy realtime.Policy
		words  []string // that may be shown
	}{
		"strict":            {realtime.Policy{}, nil},
		"captions":          {realtime.Policy{Captions: true}, []string{"WORDS"}},
		"tools":             {realtime.Policy{ToolCalls: true}, []string{"TOOL"}},
		"captions and tool": {realtime.Policy{Captions: true, ToolCalls: true}, []string{"WORDS", "TOOL"}},
	} {
		shown := map[string]int{}
		for event, message := range agentEvents {
			got, _ := toBrowser(t, realtime.NewFirewall(p.policy), message)
			for _, word := range []string{"SECRET", "WORDS", "TOOL"} {
				n := strings.Count(got, word)
				shown[word] += n
				if n > 0 && !strings.Contains(strings.Join(p.words, " "), word) {
					t.Errorf("%s: %s shows %s: %s", name, event, word, got)
				}
			}
		}
		for _, word := range p.words {
			if shown[word] < 5 {
				t.Errorf("%s: %s was shown %d times only", name, word, shown[word])
			}
		}
	}
}

// A backend that may not see what is said sees the session whole, and what tools do.
func TestTheOperatorsBackendWithoutWords(t *testing.T) {
	f := realtime.NewFirewall(realtime.Policy{Operator: true, ToolCalls: true})
	for event, message := range agentEvents {
		got, _ := toBrowser(t, f, message)
		if strings.Contains(got, "WORDS") {
			t.Errorf("%s: %s", event, got)
		}
		if isSession := strings.Contains(message, `"type":"session.created"`) || strings.Contains(message, `"type":"session.updated"`); isSession && strings.Count(got, "SECRET") != strings.Count(message, "SECRET") {
			t.Errorf("%s: %s", event, got)
		}
	}
}

func TestTheOperatorsBackendIsShownAll(t *testing.T) {
	f := realtime.NewFirewall(realtime.Policy{Operator: true, Captions: true})
	for event, message := range agentEvents {
		got, _ := toBrowser(t, f, message)
		if ours := event == "our own error"; ours != (got == "") {
			t.Errorf("%s: shows %q", event, got)
		}
		for _, word := range []string{"SECRET", "WORDS", "TOOL"} {
			if strings.Count(got, word) != strings.Count(message, word) && got != "" {
				t.Errorf("%s: %s", event, got)
			}
		}
	}
}

func TestWhatClientsCountOnPassesInOrder(t *testing.T) {
	f := realtime.NewFirewall(realtime.Policy{})
	for _, message := range []string{
		`{"type":"input_audio_buffer.speech_started","event_id":"a","audio_start_ms":100,"item_id":"i"}`,
		`{"type":"input_audio_buffer.speech_stopped","event_id":"a","audio_end_ms":900,"item_id":"i"}`,
		`{"type":"response.created","event_id":"a","response":{"id":"r","status":"in_progress","output":[]}}`,
		`{"type":"output_audio_buffer.started","event_id":"a","response_id":"r"}`,
		`{"type":"response.done","event_id":"a","response":{"id":"r","status":"completed","usage":{"total_tokens":5,"input_token_details":{"cached_tokens":1,"cached_tokens_details":{"audio_tokens":1}}}}}`,
		`{"type":"output_audio_buffer.stopped","event_id":"a","response_id":"r"}`,
		`{"type":"conversation.item.truncated","item_id":"i","content_index":0,"audio_end_ms":1500}`,
	} {
		if got, v := toBrowser(t, f, message); got != message || v.Refusal != nil {
			t.Errorf("%s\nbecame %s (%v)", message, got, v.Refusal)
		}
	}
}

// A transcript may be cut in the middle of an emoji.
func TestHalfAnEmojiIsNoReasonToLoseAnEvent(t *testing.T) {
	got, v := toBrowser(t, realtime.NewFirewall(realtime.Policy{Captions: true}), `{"type":"response.output_text.delta","delta":"\ud83d"}`)
	if v.Refusal != nil || got != `{"type":"response.output_text.delta","delta":"`+"\ufffd"+`"}` {
		t.Errorf("shown %s, refusal %v", got, v.Refusal)
	}
}

func TestAnErrorAboutTheClientsEventIsTold(t *testing.T) {
	got, _ := toBrowser(t, realtime.NewFirewall(realtime.Policy{}),
		`{"type":"error","event_id":"e","error":{"type":"invalid_request_error","code":"c","message":"no such item","param":null,"event_id":"mine","internal":"x"}}`)
	want := `{"type":"error","event_id":"e","error":{"type":"invalid_request_error","code":"c","param":null,"event_id":"mine","message":"no such item"}}`
	if got != want {
		t.Errorf("shown %s", got)
	}
}

// A part whose words aren't shown has empty ones: clients that look for them go on.
func TestPartsWithoutWordsHaveEmptyOnes(t *testing.T) {
	for message, want := range map[string]string{
		`{"type":"conversation.item.added","item":{"id":"i","type":"message","role":"user","content":[{"type":"input_audio","transcript":"WORDS"},{"type":"input_text","text":"WORDS"}]}}`: `{"type":"conversation.item.added","item":{"id":"i","type":"message","role":"user","content":[{"type":"input_audio","transcript":null},{"type":"input_text","text":""}]}}`,
		`{"type":"response.done","response":{"id":"r","output":[{"type":"message","role":"assistant","content":[{"type":"output_audio","transcript":"WORDS"}]}]}}`:                         `{"type":"response.done","response":{"id":"r","output":[{"type":"message","role":"assistant","content":[{"type":"output_audio","transcript":null}]}]}}`,
	} {
		if got, _ := toBrowser(t, realtime.NewFirewall(realtime.Policy{}), message); got != want {
			t.Errorf("%s\nis shown as %s", message, got)
		}
	}
}
