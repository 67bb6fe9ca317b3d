package double

import (
	"crypto/rand"
	"strings"
	"time"
)

// response is an answer that is under way.
type response struct{ id, item string }

func newID(kind string) string { return kind + "_" + strings.ToLower(rand.Text()[:20]) }

// respond begins an answer, unless one is under way.
func (c *Call) respond() {
	if c.isSaying {
		c.send("error", map[string]any{"error": map[string]any{
			"type": "invalid_request_error", "code": "conversation_already_has_active_response", "message": "Conversation already has an active response.",
		}})
		return
	}
	c.response = response{newID("resp"), newID("item")}
	c.send("response.created", map[string]any{"response": c.shown("in_progress", "")})
	if c.faults.IsEndless {
		return
	}
	if c.server.cfg.Tool != "" && !c.calledOn {
		c.calledOn = true
		c.callTool()
		return
	}
	c.announce()
	c.isSaying, c.isGenerated, c.spoken = true, false, 0
	if c.faults.ChangesNumbers && c.answered > 0 {
		c.voice.jump()
	}
	c.answered++
}

// announce tells of the answer that is about to be heard. The words are there long
// before the voice has said them.
func (c *Call) announce() {
	of := map[string]any{"response_id": c.response.id, "item_id": c.response.item, "output_index": 0, "content_index": 0}
	item := c.messageItem("in_progress")
	c.send("response.output_item.added", map[string]any{"response_id": c.response.id, "output_index": 0, "item": item})
	c.send("conversation.item.added", map[string]any{"previous_item_id": nil, "item": item})
	c.send("response.content_part.added", with(of, "part", map[string]any{"type": "audio", "transcript": ""}))
	for _, word := range strings.SplitAfter(sentence, " ") {
		c.send("response.output_audio_transcript.delta", with(of, "delta", word))
	}
	c.send("output_audio_buffer.started", map[string]any{"response_id": c.response.id})
}

// generated tells that the answer is complete: long before all of it was heard.
func (c *Call) generated() {
	of := map[string]any{"response_id": c.response.id, "item_id": c.response.item, "output_index": 0, "content_index": 0}
	c.isGenerated = true
	c.send("response.output_audio.done", of)
	c.send("response.output_audio_transcript.done", with(of, "transcript", sentence))
	c.send("response.content_part.done", with(of, "part", map[string]any{"type": "audio", "transcript": sentence}))
	item := c.messageItem("completed")
	c.send("response.output_item.done", map[string]any{"response_id": c.response.id, "output_index": 0, "item": item})
	c.send("conversation.item.done", map[string]any{"previous_item_id": nil, "item": item})
	c.send("response.done", map[string]any{"response": c.shown("completed", "")})
	c.send("rate_limits.updated", rateLimits())
}

// callTool has the model call a function instead of speaking.
func (c *Call) callTool() {
	call, arguments := newID("call"), `{"query":"of the double"}`
	of := map[string]any{"response_id": c.response.id, "item_id": c.response.item, "output_index": 0, "call_id": call}
	item := map[string]any{"id": c.response.item, "type": "function_call", "status": "completed", "name": c.server.cfg.Tool, "call_id": call, "arguments": arguments}
	c.send("response.output_item.added", map[string]any{"response_id": c.response.id, "output_index": 0, "item": item})
	c.send("response.function_call_arguments.delta", with(of, "delta", arguments))
	c.send("response.function_call_arguments.done", with(with(of, "name", c.server.cfg.Tool), "arguments", arguments))
	c.send("response.output_item.done", map[string]any{"response_id": c.response.id, "output_index": 0, "item": item})
	c.send("response.done", map[string]any{"response": c.shown("completed", "")})
}

// sayNext says the next frame of the answer, and tells when all was said.
func (c *Call) sayNext() {
	if !c.isSaying {
		c.voice.pass()
		return
	}
	if c.spoken == len(c.server.speech) {
		c.isSaying = false
		c.send("output_audio_buffer.stopped", map[string]any{"response_id": c.response.id})
		return
	}
	if c.spoken == len(c.server.speech)/2 && !c.isGenerated {
		c.generated()
	}
	if c.spoken == 0 {
		c.mu.Lock()
		c.answers = append(c.answers, Answer{c.voicedAt, time.Now()})
		c.mu.Unlock()
	}
	if !c.faults.IsSilent {
		c.voice.say(c.server.speech[c.spoken], c.spoken == 0)
	}
	c.spoken++
}

// interrupt stops the answer that is heard, and the one that is due.
func (c *Call) interrupt(reason string) {
	c.answerAt = time.Time{}
	if !c.isSaying {
		return
	}
	c.isSaying = false
	c.send("output_audio_buffer.cleared", map[string]any{"response_id": c.response.id})
	c.send("conversation.item.truncated", map[string]any{
		"item_id": c.response.item, "content_index": 0, "audio_end_ms": c.spoken * int(frameEach.Milliseconds()),
	})
	if !c.isGenerated {
		c.send("response.done", map[string]any{"response": c.shown("cancelled", reason)})
	}
}

// shown is the answer as events tell it.
func (c *Call) shown(status, reason string) map[string]any {
	r := map[string]any{
		"object": "realtime.response", "id": c.response.id, "status": status, "status_details": nil, "output": []any{},
		"conversation_id": "conv_" + c.ID, "output_modalities": []any{"audio"}, "metadata": nil, "usage": nil,
	}
	if reason != "" {
		r["status_details"] = map[string]any{"type": status, "reason": reason}
	}
	if status != "in_progress" && !c.faults.WithoutUsage {
		r["usage"] = usage(c.answered)
	}
	return r
}

func (c *Call) messageItem(status string) map[string]any {
	return map[string]any{"id": c.response.item, "object": "realtime.item", "type": "message", "status": status, "role": "assistant", "content": []any{}}
}

// usage grows with each answer, as the whole conversation is sent with each.
func usage(answers int) map[string]any {
	text, audio := 100*(answers+1), 50*(answers+1)
	return map[string]any{
		"total_tokens": text + audio + 80, "input_tokens": text + audio, "output_tokens": 80,
		"input_token_details": map[string]any{
			"text_tokens": text, "audio_tokens": audio, "image_tokens": 0, "cached_tokens": 64,
			"cached_tokens_details": map[string]any{"text_tokens": 64, "audio_tokens": 0, "image_tokens": 0},
		},
		"output_token_details": map[string]any{"text_tokens": 20, "audio_tokens": 60},
	}
}

func rateLimits() map[string]any {
	return map[string]any{"rate_limits": []any{
		map[string]any{"name": "requests", "limit": 1000, "remaining": 999, "reset_seconds": 60},
		map[string]any{"name": "tokens", "limit": 50000, "remaining": 49950, "reset_seconds": 60},
	}}
}

// with is an event's fields with one more.
func with(fields map[string]any, name string, value any) map[string]any {
	more := make(map[string]any, len(fields)+1)
	for n, v := range fields {
		more[n] = v
	}
	more[name] = value
	return more
}
