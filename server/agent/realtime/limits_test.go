package realtime_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/server/agent/realtime"
)

// padded is a message of exactly n bytes.
func padded(before, after string, n int) []byte {
	return []byte(before + strings.Repeat("x", n-len(before)-len(after)) + after)
}

func TestALargeMessagePassesWholeUpToTheLimit(t *testing.T) {
	const before, after = `{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"`, `"}]}}`
	for name, test := range map[string]struct {
		size int
		want bool
	}{
		"at the limit": {realtime.DefaultMaxFromBrowser, true},
		"a byte more":  {realtime.DefaultMaxFromBrowser + 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			message := padded(before, after, test.size)
			got, v := joined(t, realtime.NewFirewall(realtime.Policy{}).FromBrowser(noon, message))
			if passed := got == string(message); passed != test.want {
				t.Errorf("passed %v, refusal %v", passed, v.Refusal)
			}
			if !test.want && (v.Refusal.Reason != realtime.ReasonTooLarge || !strings.Contains(string(v.ToBrowser[0]), realtime.CodeTooLarge)) {
				t.Errorf("refusal %v, answered %q", v.Refusal, v.ToBrowser)
			}
		})
	}
}

func TestAnAgentsLargestMessageIsRead(t *testing.T) {
	const before, after = `{"type":"response.output_audio.delta","delta":"`, `"}`
	f := realtime.NewFirewall(realtime.Policy{})
	if v := f.FromAgent(noon, padded(before, after, realtime.DefaultMaxFromAgent)); v.Refusal != nil || v.Event == nil {
		t.Errorf("at the limit: %v", v.Refusal)
	}
	f = realtime.NewFirewall(realtime.Policy{})
	if v := f.FromAgent(noon, padded(before, after, realtime.DefaultMaxFromAgent+1)); v.Refusal == nil || v.Refusal.Reason != realtime.ReasonTooLarge {
		t.Errorf("a byte more: %v", v.Refusal)
	}
}

func TestWhatABrowserCannotTakeGoesWithoutItsWordsAndSaysSo(t *testing.T) {
	f := realtime.NewFirewall(realtime.Policy{Captions: true})
	const before, after = `{"type":"response.done","response":{"id":"r","status":"completed","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"`, `"}]}]}}`
	if v := f.FromAgent(noon, padded(before, after, realtime.DefaultMaxToBrowser)); len(v.ToBrowser) != 1 || len(v.ToBrowser[0]) != realtime.DefaultMaxToBrowser {
		t.Errorf("at the limit: %d messages", len(v.ToBrowser))
	}
	v := f.FromAgent(noon, padded(before, after, realtime.DefaultMaxToBrowser+1))
	if len(v.ToBrowser) != 2 || v.Refusal == nil || v.Refusal.Reason != realtime.ReasonTooLarge {
		t.Fatalf("a byte more: %d messages, refusal %v", len(v.ToBrowser), v.Refusal)
	}
	if got := string(v.ToBrowser[0]); !strings.HasPrefix(got, `{"type":"response.done"`) || strings.Contains(got, "xx") {
		t.Errorf("shown %s", got)
	}
	if got := string(v.ToBrowser[1]); !strings.Contains(got, realtime.CodeTooLarge) {
		t.Errorf("said %s", got)
	}
}

func TestAClientThatSendsTooFastIsDroppedThenAFlood(t *testing.T) {
	f := realtime.NewFirewall(realtime.Policy{})
	message := []byte(`{"type":"input_audio_buffer.clear"}`)
	passed, refused, at := 0, 0, noon
	for ; ; refused++ {
		v := f.FromBrowser(at, message)
		if v.IsFlood {
			break
		}
		if v.Refusal == nil {
			passed++
			refused--
		} else if v.Refusal.Reason != realtime.ReasonRate || len(v.ToBrowser) > 0 {
			t.Fatalf("refusal %v, answered %q", v.Refusal, v.ToBrowser)
		}
	}
	if passed != 2*realtime.DefaultBrowserRate || refused != 2*realtime.DefaultBrowserRate {
		t.Errorf("%d passed, %d were dropped before it was a flood", passed, refused)
	}
	if v := f.FromBrowser(noon.Add(time.Second), message); v.Refusal != nil {
		t.Errorf("a second later: %v", v.Refusal)
	}
}

func TestBytesASecondAreLimitedToo(t *testing.T) {
	f := realtime.NewFirewall(realtime.Policy{})
	message := padded(`{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"`, `"}]}}`, realtime.DefaultMaxFromBrowser)
	for i := range 3 {
		if v := f.FromBrowser(noon, message); (v.Refusal == nil) != (i < 2) {
			t.Errorf("message %d: %v", i, v.Refusal)
		}
	}
}

func TestRefusalsAreCountedByTypesThatNobodyCanInvent(t *testing.T) {
	f := realtime.NewFirewall(realtime.Policy{Limits: realtime.Limits{BrowserRate: 1000, AgentRate: 1000}})
	for i := range 500 {
		toAgent(t, f, fmt.Sprintf(`{"type":"novel.%d"}`, i))
		toBrowser(t, f, fmt.Sprintf(`{"type":"novel.%d"}`, i))
	}
	toAgent(t, f, `{"type":"conversation.item.delete","item_id":"i"}`)
	toAgent(t, f, `nothing`)
	got := f.Refused()
	for refusal, want := range map[realtime.Refusal]int64{
		{Direction: realtime.FromBrowser, Type: realtime.TypeUnknown, Reason: realtime.ReasonUnknown}:   500,
		{Direction: realtime.FromAgent, Type: realtime.TypeUnknown, Reason: realtime.ReasonUnknown}:     500,
		{Direction: realtime.FromBrowser, Type: realtime.ItemDelete, Reason: realtime.ReasonNotAllowed}: 1,
		{Direction: realtime.FromBrowser, Type: realtime.TypeUnread, Reason: realtime.ReasonMalformed}:  1,
	} {
		if got[refusal] != want {
			t.Errorf("%v: %d, want %d", refusal, got[refusal], want)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d kinds of refusals: %v", len(got), got)
	}
}
