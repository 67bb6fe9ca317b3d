package realtime_test

import (
	"encoding/json"
	"strings"
	"testing"

	"parley/server/agent/realtime"
)

// FuzzFirewall holds that whatever comes, what is passed on is what was judged: it
// is one JSON object that this package reads alike, that a reader which folds case
// or takes the last of two names reads alike, and that passes again as it is.
func FuzzFirewall(f *testing.F) {
	for _, message := range agentEvents {
		f.Add([]byte(message))
	}
	for _, message := range []string{
		`{"type":"response.create","response":{"instructions":"x"}}`,
		`{"type":"session.update","session":{"instructions":"x"}}`,
		`{"type":"response.cancel","Type":"session.update"}`,
		`{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"\ud800"}]}}`,
	} {
		f.Add([]byte(message))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		browser := realtime.NewFirewall(realtime.Policy{})
		for _, out := range browser.FromBrowser(noon, message).ToAgent {
			checkToAgent(t, out)
			again := realtime.NewFirewall(realtime.Policy{}).FromBrowser(noon, out)
			if len(again.ToAgent) != 1 || string(again.ToAgent[0]) != string(out) {
				t.Errorf("%s passes the second time as %q (%v)", out, again.ToAgent, again.Refusal)
			}
		}
		for _, out := range browser.FromAgent(noon, message).ToBrowser {
			if _, err := realtime.Read(out); err != nil {
				t.Errorf("%s: %v", out, err)
			}
		}
	})
}

// checkToAgent reads as the standard library does, which folds case.
func checkToAgent(t *testing.T, out []byte) {
	t.Helper()
	var read struct {
		Type     string
		Session  any
		Audio    any
		Response struct{ Instructions, Tools, Input, Prompt, Conversation any }
		Item     struct{ Type, Role string }
	}
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	granted := false
	for _, g := range realtime.DefaultGrants() {
		name, _, _ := strings.Cut(string(g), ":")
		granted = granted || name == read.Type
	}
	r := read.Response
	if !granted || read.Session != nil || read.Audio != nil || read.Item.Role != "" && read.Item.Role != "user" ||
		r.Instructions != nil || r.Tools != nil || r.Input != nil || r.Prompt != nil || r.Conversation != nil {
		t.Errorf("passed on: %s", out)
	}
}
