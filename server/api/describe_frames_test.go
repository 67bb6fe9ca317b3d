package api_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"parley/server/api"
	"parley/shared/rest"
	"parley/shared/wire"
)

// TestDescriptionHasTheSocketsFrames: each message that either side may send, with all
// of its fields and what they may be.
func TestDescriptionHasTheSocketsFrames(t *testing.T) {
	type schema struct {
		Ref         string `json:"$ref"`
		Description string
		Properties  map[string]struct {
			Description string
			Enum        []string
		}
		Required []string
	}
	var spec struct {
		Paths map[string]map[string]struct {
			Frames struct {
				FromServer struct{ OneOf []schema } `json:"from_server"`
				FromClient struct{ OneOf []schema } `json:"from_client"`
			} `json:"x-frames"`
			Channels []struct {
				Label      string
				FromServer map[string][]string `json:"from_server"`
			} `json:"x-data-channels"`
		}
		Components struct{ Schemas map[string]schema }
	}
	events := api.AgentEvents{FromClient: []string{"ask"}, FromServer: map[string][]string{"told": {"type", "what"}}}
	r := newRig(t, func(c *api.Config) { c.AgentEvents = events })
	if err := json.Unmarshal(r.do("GET", rest.PathOpenAPI, "").body, &spec); err != nil {
		t.Fatal(err)
	}
	page := string(r.do("GET", rest.PathDocs, "").body)
	socket := spec.Paths[rest.PathSocket]["get"]
	for from, side := range map[string]struct {
		messages []wire.Message
		told     []schema
	}{"server": {wire.ServerMessages(), socket.Frames.FromServer.OneOf}, "client": {wire.ClientMessages(), socket.Frames.FromClient.OneOf}} {
		if len(side.told) != len(side.messages) {
			t.Fatalf("from the %s: %d frames are told of %d", from, len(side.told), len(side.messages))
		}
		for i, m := range side.messages {
			name := strings.TrimPrefix(side.told[i].Ref, "#/components/schemas/")
			s := spec.Components.Schemas[name]
			if !slices.Equal(s.Properties["type"].Enum, []string{string(m.Type())}) || s.Description == "" || !slices.Contains(s.Required, "type") {
				t.Errorf("%s: %+v", m.Type(), s)
			}
			for f := range reflect.TypeOf(m).Fields() {
				field, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				if s.Properties[field].Description == "" {
					t.Errorf("%s: nothing is said of %s", m.Type(), field)
				}
			}
			if row := "<code>" + string(m.Type()) + `</code></th><td><a href="#type-` + name + `">`; !strings.Contains(page, row) {
				t.Errorf("the page has no %s", row)
			}
		}
	}
	if got := spec.Components.Schemas["EndedFrame"].Properties["cause"].Enum; len(got) != len(wire.EndCauses()) {
		t.Errorf("the causes are %v", got)
	}
	if got := socket.Channels; len(got) != 2 || got[0].Label != wire.PingChannel || len(got[1].FromServer["told"]) != 2 {
		t.Errorf("the channels are %+v", got)
	}
	for _, want := range []string{"<h3><code>parley</code></h3>", "<code>ask</code>", "<code>told</code></b> <code>type</code>, <code>what</code>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}
