//go:build js

package browser

import (
	"context"
	"reflect"
	"testing"
	"time"

	"parley/shared/wire"
)

// Silence is no way, and no error: how long it may last is the caller's to say.
func TestRelaysThatNobodyAnswersFor(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	ways, err := FindRelays(ctx, []wire.ICEServer{{URLs: []string{"turn:127.0.0.1:9?transport=udp"}, Username: "u", Credential: "c"}})
	if err != nil || len(ways) != 0 {
		t.Errorf("%v, %v", ways, err)
	}
	if _, err := FindRelays(t.Context(), []wire.ICEServer{{URLs: []string{"http://example.org"}}}); err == nil {
		t.Error("what is no TURN server was asked")
	}
}

// TestEachWayIsAskedByItself, with the name and the word that open its servers.
func TestEachWayIsAskedByItself(t *testing.T) {
	got := splitByWay([]wire.ICEServer{
		{URLs: []string{"turn:192.0.2.1:8081?transport=tcp", "turn:192.0.2.1:8081?transport=udp"}, Username: "u", Credential: "c"},
		{URLs: []string{"turns:voice.example.org:443?transport=tcp", "turn:192.0.2.2?transport=udp"}, Username: "v", Credential: "d"},
	})
	want := map[string][]wire.ICEServer{
		"tcp": {{URLs: []string{"turn:192.0.2.1:8081?transport=tcp"}, Username: "u", Credential: "c"}},
		"udp": {{URLs: []string{"turn:192.0.2.1:8081?transport=udp"}, Username: "u", Credential: "c"},
			{URLs: []string{"turn:192.0.2.2?transport=udp"}, Username: "v", Credential: "d"}},
		"tls": {{URLs: []string{"turns:voice.example.org:443?transport=tcp"}, Username: "v", Credential: "d"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatARelayLeadsOver(t *testing.T) {
	for url, want := range map[string]string{
		"turns:voice.example.org:443?transport=tcp": "tls", "turn:192.0.2.1:8081?transport=tcp": "tcp",
		"turn:192.0.2.1:8081?transport=udp": "udp", "turn:192.0.2.1": "udp",
	} {
		if got := wayOf(url); got != want {
			t.Errorf("%s leads over %s", url, got)
		}
	}
}
