package peer

import (
	"encoding/json"
	"strconv"
	"strings"

	"parley/shared/rtcstats"
)

// Bounds of what is read of an agent's events. A longer event isn't looked at; a
// longer text is cut.
const (
	MaxEvent   = 256 << 10 // bytes: what a browser takes by default
	MaxCaption = 4 << 10   // bytes: some minutes of speech without a pause
	maxItem    = 128       // bytes: services' ids have 26
)

// CaptionReceived tells what was said, or that somebody's turn began, as the agent's
// service wrote it down. Turns come in their order; the words of the caller's may
// come after the answer to it has begun.
type CaptionReceived struct {
	By   rtcstats.Leg // who spoke: LegCaller or LegAgent
	Turn string       // names the turn within the call
	// Text follows what came of the turn before, or is all of it (IsWhole). It is
	// empty when the turn begins.
	Text    string
	IsWhole bool // Text replaces what came of the turn before
	// IsCut: the turn was interrupted, not all of its words were heard.
	IsCut bool
}

// agentEvent is what captions need of an event.
type agentEvent struct {
	Type         string `json:"type"`
	ItemID       string `json:"item_id"`
	ContentIndex int    `json:"content_index"`
	Delta        string `json:"delta"`
	Text         string `json:"text"`
	Transcript   string `json:"transcript"`
	Item         struct {
		ID   string `json:"id"`
		Type string `json:"type"`
		Role string `json:"role"`
	} `json:"item"`
}

// ReadCaption reads an event of an agent's. It reports false for one that isn't about
// what was said. Events have the names of the general release, or the beta's.
func ReadCaption(text string) (CaptionReceived, bool) {
	var e agentEvent
	if len(text) > MaxEvent || json.Unmarshal([]byte(text), &e) != nil {
		return CaptionReceived{}, false
	}
	c := CaptionReceived{By: rtcstats.LegAgent, Turn: e.turn()}
	switch e.Type {
	case "response.output_audio_transcript.delta", "response.output_text.delta",
		"response.audio_transcript.delta", "response.text.delta":
		c.Text = e.Delta
	case "response.output_audio_transcript.done", "response.output_text.done",
		"response.audio_transcript.done", "response.text.done":
		c.Text = e.Transcript + e.Text
		c.IsWhole = c.Text != ""
	case "conversation.item.input_audio_transcription.delta":
		c.By, c.Text = rtcstats.LegCaller, e.Delta
	case "conversation.item.input_audio_transcription.completed":
		c.By, c.Text, c.IsWhole = rtcstats.LegCaller, e.Transcript, e.Transcript != ""
	case "input_audio_buffer.committed":
		c.By = rtcstats.LegCaller
	case "conversation.item.added", "conversation.item.created":
		return e.begun()
	case "conversation.item.truncated":
		c.IsCut = true
	default:
		return CaptionReceived{}, false
	}
	c.Text = clip(c.Text, MaxCaption)
	return c, isTurn(c.Turn)
}

// turn is the item, and which part of it.
func (e agentEvent) turn() string {
	if e.ContentIndex == 0 {
		return e.ItemID
	}
	return e.ItemID + "/" + strconv.Itoa(e.ContentIndex)
}

// begun reads that an item was added to the conversation.
func (e agentEvent) begun() (CaptionReceived, bool) {
	c := CaptionReceived{By: rtcstats.LegAgent, Turn: e.Item.ID}
	if e.Item.Role == "user" {
		c.By = rtcstats.LegCaller
	}
	isSpoken := e.Item.Type == "message" && (e.Item.Role == "user" || e.Item.Role == "assistant")
	return c, isSpoken && isTurn(c.Turn)
}

// clip cuts to at most n bytes, between characters.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}

func isTurn(name string) bool { return name != "" && len(name) <= maxItem }
