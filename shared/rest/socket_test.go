package rest_test

import (
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
