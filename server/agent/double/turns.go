package double

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
)

const (
	// frameEach is how long a frame plays.
	frameEach = 20 * time.Millisecond
	// leastVoiced is how many frames of speech begin the caller's turn, not further
	// apart than voicedWithin.
	leastVoiced  = 3
	voicedWithin = 200 * time.Millisecond
	// sentence is what the recorded voice says.
	sentence = "Hello, this is the recorded voice of a service that understands nothing."
	// heardText is what a caller is said to have said.
	heardText = "Something that nobody understood."
)

// turns is whose turn it is.
type turns struct {
	begun time.Time // of the call, by its first event

	isSpeaking bool // the caller
	voicedRow  int
	voicedAt   time.Time // newest
	item       string    // of the caller's turn

	answerAt time.Time // when an answer is due; zero: none is
	response response
	spoken   int // frames of the answer that were said
	isSaying bool
	// isGenerated is set once all of the answer was told; its voice goes on.
	isGenerated bool
	answered    int
	calledOn    bool // the tool was called
}

// run is the call.
func (c *Call) run() {
	defer c.close()
	tick := time.NewTicker(frameEach)
	defer tick.Stop()
	setup := time.NewTimer(setupTimeout)
	defer setup.Stop()
	var messages <-chan []byte // none is read before the session was told
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.opened:
			c.begin(time.Now())
			messages = c.messages
		case message := <-messages:
			c.take(message, time.Now())
		case isVoice := <-c.frames:
			c.listenTo(isVoice, time.Now())
		case now := <-tick.C:
			c.step(now)
		case <-setup.C:
			if c.pc.ConnectionState() != webrtc.PeerConnectionStateConnected {
				return
			}
		}
	}
}

// begin tells of the session, and then goes wrong as it shall.
func (c *Call) begin(now time.Time) {
	c.begun = now
	c.send("session.created", map[string]any{"session": c.Session()})
	if c.faults.EventSize > 0 {
		c.send("conversation.item.added", map[string]any{"item": map[string]any{"type": "message", "padding": strings.Repeat("x", c.faults.EventSize)}})
	}
	for range c.faults.Flood {
		c.send("rate_limits.updated", rateLimits())
	}
}

// take takes an event of the caller.
func (c *Call) take(message []byte, now time.Time) {
	var event map[string]any
	kind, _ := event["type"].(string)
	if json.Unmarshal(message, &event) == nil {
		kind, _ = event["type"].(string)
	}
	c.mu.Lock()
	c.received = append(c.received, kind)
	c.mu.Unlock()
	switch kind {
	case "session.update":
		asked, _ := event["session"].(map[string]any)
		c.mu.Lock()
		merge(c.session, asked)
		c.mu.Unlock()
		c.send("session.updated", map[string]any{"session": c.Session()})
	case "response.create":
		c.respond()
	case "response.cancel", "output_audio_buffer.clear":
		c.interrupt("client_cancelled")
	case "conversation.item.create":
		item, _ := event["item"].(map[string]any)
		c.send("conversation.item.added", map[string]any{"previous_item_id": nil, "item": item})
		c.send("conversation.item.done", map[string]any{"previous_item_id": nil, "item": item})
	case "conversation.item.retrieve":
		item := map[string]any{"id": event["item_id"], "object": "realtime.item", "type": "message", "status": "completed", "role": "user", "content": []any{}}
		c.send("conversation.item.retrieved", map[string]any{"item": item})
	case "conversation.item.truncate":
		c.send("conversation.item.truncated", map[string]any{"item_id": event["item_id"], "content_index": 0, "audio_end_ms": event["audio_end_ms"]})
	case "input_audio_buffer.clear":
		c.send("input_audio_buffer.cleared", nil)
	case "input_audio_buffer.commit":
		c.commit(now)
	default:
		c.send("error", map[string]any{"error": map[string]any{
			"type": "invalid_request_error", "code": "invalid_value", "message": "Invalid event.", "param": "type", "event_id": event["event_id"],
		}})
	}
}

// listenTo hears a frame of the caller.
func (c *Call) listenTo(isVoice bool, now time.Time) {
	if !isVoice {
		return
	}
	if now.Sub(c.voicedAt) > voicedWithin {
		c.voicedRow = 0
	}
	c.voicedRow, c.voicedAt = c.voicedRow+1, now
	if c.faults.IsDeaf || c.isSpeaking || c.voicedRow < leastVoiced || at(c.Session(), "audio", "input", "turn_detection") == nil {
		return
	}
	c.isSpeaking, c.item = true, newID("item")
	c.send("input_audio_buffer.speech_started", map[string]any{"audio_start_ms": c.elapsed(now), "item_id": c.item})
	if at(c.Session(), "audio", "input", "turn_detection", "interrupt_response") != false {
		c.interrupt("turn_detected")
	}
}

// step does what is due.
func (c *Call) step(now time.Time) {
	silence := milliseconds(at(c.Session(), "audio", "input", "turn_detection", "silence_duration_ms"))
	if silence == 0 {
		silence = c.server.cfg.Silence
	}
	if c.isSpeaking && now.Sub(c.voicedAt) >= silence {
		c.isSpeaking, c.voicedRow = false, 0
		c.send("input_audio_buffer.speech_stopped", map[string]any{"audio_end_ms": c.elapsed(now), "item_id": c.item})
		c.commit(now)
	}
	if !c.answerAt.IsZero() && !now.Before(c.answerAt) {
		c.answerAt = time.Time{}
		c.respond()
	}
	c.sayNext()
	c.misbehave(now)
}

func (c *Call) misbehave(now time.Time) {
	since := now.Sub(c.begun)
	switch {
	case c.begun.IsZero():
	case c.faults.VanishAfter > 0 && since >= c.faults.VanishAfter:
		c.line.isCut.Store(true)
	case c.faults.LeaveAfter > 0 && since >= c.faults.LeaveAfter:
		c.end()
	}
}

// commit ends the caller's turn, and has it answered.
func (c *Call) commit(now time.Time) {
	if c.item == "" {
		c.item = newID("item")
	}
	item := c.item
	c.item = ""
	c.send("input_audio_buffer.committed", map[string]any{"previous_item_id": nil, "item_id": item})
	user := map[string]any{"id": item, "type": "message", "object": "realtime.item", "status": "completed", "role": "user",
		"content": []any{map[string]any{"type": "input_audio", "transcript": nil}}}
	c.send("conversation.item.added", map[string]any{"previous_item_id": nil, "item": user})
	c.send("conversation.item.done", map[string]any{"previous_item_id": nil, "item": user})
	session := c.Session()
	if at(session, "audio", "input", "transcription") != nil {
		c.send("conversation.item.input_audio_transcription.completed", map[string]any{
			"item_id": item, "content_index": 0, "transcript": heardText, "usage": map[string]any{"type": "duration", "seconds": 2},
		})
	}
	if at(session, "audio", "input", "turn_detection", "create_response") != false {
		c.answerAt = now.Add(c.server.cfg.Think)
	}
}

func (c *Call) elapsed(now time.Time) int64 { return now.Sub(c.begun).Milliseconds() }
