package rest_test

import (
	"net/url"
	"testing"

	"parley/shared/rest"
)

func TestSocketQuery(t *testing.T) {
	for want, q := range map[string]rest.SocketQuery{
		"/api/v1/realtime/ws":                             {},
		"/api/v1/realtime/ws?agent=echo":                  {Agent: "echo"},
		"/api/v1/realtime/ws?takeover=1":                  {Takeover: true},
		"/api/v1/realtime/ws?agent=a+b%26c%3D&takeover=1": {Agent: "a b&c=", Takeover: true},
	} {
		if got := q.Path(); got != want {
			t.Errorf("%+v: %s, want %s", q, got, want)
		}
	}
}

// TestASocketQueryIsReadAsItWasWritten, whatever an agent is called.
func TestASocketQueryIsReadAsItWasWritten(t *testing.T) {
	for _, agent := range []string{"", "echo", "a b", "a&takeover=1", "a#b", "a%20b", "a;b", "ünï/cödé", "+", "?", "\x00\n", "🎧"} {
		for _, takeover := range []bool{false, true} {
			q := rest.SocketQuery{Agent: agent, Takeover: takeover}
			u, err := url.Parse(q.Path())
			if err != nil {
				t.Fatalf("%+v: %v", q, err)
			}
			values := u.Query()
			if u.Path != rest.PathSocket || values.Get("agent") != agent || values.Has("agent") != (agent != "") || (values.Get("takeover") == "1") != takeover || u.Fragment != "" {
				t.Errorf("%+v is read as %s", q, u)
			}
		}
	}
}
