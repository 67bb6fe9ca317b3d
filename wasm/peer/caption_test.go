package peer_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"parley/shared/rtcstats"
	"parley/wasm/peer"
)

func TestReadCaption(t *testing.T) {
	agent := peer.CaptionReceived{By: rtcstats.LegAgent, Turn: "item_1"}
	caller := peer.CaptionReceived{By: rtcstats.LegCaller, Turn: "item_1"}
	said := func(c peer.CaptionReceived, text string) peer.CaptionReceived { c.Text = text; return c }
	whole := func(c peer.CaptionReceived, text string) peer.CaptionReceived {
		c.Text, c.IsWhole = text, true
		return c
	}
	cut := agent
	cut.IsCut = true
	second := said(agent, "a")
	second.Turn = "item_1/1"
	for name, test := range map[string]struct {
		event string
		want  peer.CaptionReceived
	}{
		"a word of the agent's":       {`{"type":"response.output_audio_transcript.delta","item_id":"item_1","content_index":0,"delta":"Hel"}`, said(agent, "Hel")},
		"of its second part":          {`{"type":"response.output_audio_transcript.delta","item_id":"item_1","content_index":1,"delta":"a"}`, second},
		"all of the agent's":          {`{"type":"response.output_audio_transcript.done","item_id":"item_1","transcript":"Hello."}`, whole(agent, "Hello.")},
		"an answer in writing":        {`{"type":"response.output_text.delta","item_id":"item_1","delta":"Hel"}`, said(agent, "Hel")},
		"all of it":                   {`{"type":"response.output_text.done","item_id":"item_1","text":"Hello."}`, whole(agent, "Hello.")},
		"a beta's word":               {`{"type":"response.audio_transcript.delta","item_id":"item_1","delta":"Hel"}`, said(agent, "Hel")},
		"all of a beta's":             {`{"type":"response.audio_transcript.done","item_id":"item_1","transcript":"Hello."}`, whole(agent, "Hello.")},
		"a beta's writing":            {`{"type":"response.text.done","item_id":"item_1","text":"Hello."}`, whole(agent, "Hello.")},
		"a word of the caller's":      {`{"type":"conversation.item.input_audio_transcription.delta","item_id":"item_1","delta":"Hi"}`, said(caller, "Hi")},
		"all of the caller's":         {`{"type":"conversation.item.input_audio_transcription.completed","item_id":"item_1","transcript":"Hi."}`, whole(caller, "Hi.")},
		"nothing was made out":        {`{"type":"conversation.item.input_audio_transcription.completed","item_id":"item_1","transcript":""}`, caller},
		"an end without the words":    {`{"type":"response.output_audio_transcript.done","item_id":"item_1"}`, agent},
		"the caller's turn begins":    {`{"type":"input_audio_buffer.committed","item_id":"item_1"}`, caller},
		"an item of the caller's":     {`{"type":"conversation.item.added","item":{"id":"item_1","type":"message","role":"user"}}`, caller},
		"an item of the agent's":      {`{"type":"conversation.item.added","item":{"id":"item_1","type":"message","role":"assistant"}}`, agent},
		"a beta's item":               {`{"type":"conversation.item.created","item":{"id":"item_1","type":"message","role":"assistant"}}`, agent},
		"the agent is interrupted":    {`{"type":"conversation.item.truncated","item_id":"item_1","audio_end_ms":20}`, cut},
		"a text at the limit":         {delta(strings.Repeat("a", peer.MaxCaption)), said(agent, strings.Repeat("a", peer.MaxCaption))},
		"a text over it":              {delta(strings.Repeat("a", peer.MaxCaption+1)), said(agent, strings.Repeat("a", peer.MaxCaption))},
		"one that is cut in a letter": {delta("a" + strings.Repeat("é", peer.MaxCaption/2)), said(agent, "a"+strings.Repeat("é", peer.MaxCaption/2-1))},
		"an event at the limit":       {padded(peer.MaxEvent), said(agent, "a")},
	} {
		if got, ok := peer.ReadCaption(test.event); !ok || got != test.want {
			t.Errorf("%s: %+v %t, want %+v", name, got, ok, test.want)
		}
	}
}

func delta(text string) string {
	return `{"type":"response.output_audio_transcript.delta","item_id":"item_1","delta":"` + text + `"}`
}

// padded is an event of a size.
func padded(size int) string {
	event := delta("a")
	return event[:len(event)-1] + strings.Repeat(" ", size-len(event)) + "}"
}

func TestWhatIsNoCaption(t *testing.T) {
	for name, event := range map[string]string{
		"nothing":             ``,
		"no JSON":             `{"type":`,
		"no object":           `[]`,
		"another event":       `{"type":"response.done","item_id":"item_1"}`,
		"another type of one": `{"type":7,"item_id":"item_1"}`,
		"a text that is none": `{"type":"response.output_audio_transcript.delta","item_id":"item_1","delta":{}}`,
		"of no turn":          `{"type":"response.output_audio_transcript.delta","delta":"a"}`,
		"of too long a turn":  `{"type":"response.output_audio_transcript.delta","delta":"a","item_id":"` + strings.Repeat("i", 129) + `"}`,
		"a tool's item":       `{"type":"conversation.item.added","item":{"id":"item_1","type":"function_call"}}`,
		"the operator's item": `{"type":"conversation.item.added","item":{"id":"item_1","type":"message","role":"system"}}`,
		"over the limit":      padded(peer.MaxEvent + 1),
	} {
		if c, ok := peer.ReadCaption(event); ok {
			t.Errorf("%s is read as %+v", name, c)
		}
	}
}

// A call tells what was said, and nothing else of the agent's events.
func TestCaptionsAreTold(t *testing.T) {
	s := &script{}
	play(t, s, func(*peer.Call, <-chan peer.CallEnded) {
		s.live()
		s.conn.on.AgentEvent(`{"type":"session.created"}`)
		s.conn.on.AgentEvent(delta("Hello"))
		synctest.Wait()
		if told := happened[peer.CaptionReceived](s); len(told) != 1 || told[0].what.Text != "Hello" {
			t.Errorf("told %+v", told)
		}
	})
}
