package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
)

func TestJanusIsARivalWhereItIsAskedFor(t *testing.T) {
	for _, isAsked := range []bool{true, false} {
		if got := slices.Contains(options{janus: isAsked}.rivals(), janusRole); got != isAsked {
			t.Errorf("asked for: %v, compared: %v", isAsked, got)
		}
	}
}

// Janus is asked for a session, a handle, and the answer to an offer, which an event brings
// after others; and to hang up.
func TestJanusIsAsked(t *testing.T) {
	var asked []string
	events := []string{`{"janus":"keepalive"}`, `{"janus":"event","jsep":{"type":"answer","sdp":"v=0 answer"}}`}
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Write([]byte(events[0]))
			events = events[1:]
			return
		}
		var body struct {
			Janus string
			JSEP  struct{ Type, SDP string }
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		asked = append(asked, body.Janus+" "+r.URL.Path+" "+body.JSEP.SDP)
		w.Write([]byte(`{"janus":"success","data":{"id":9007199254740993}}`)) // more than a float64 holds
	}))
	defer far.Close()
	j := &janusDialer{base: far.URL + "/janus"}
	defer j.client.CloseIdleConnections()
	got, call, err := j.dial(t.Context(), 0, "v=0 offer")
	if err != nil || got != "v=0 answer" {
		t.Fatalf("%q, %v", got, err)
	}
	call.hangUp()
	const session = "/janus/9007199254740993"
	want := []string{"create /janus ", "attach " + session + " ", "message " + session + "/9007199254740993 v=0 offer", "destroy " + session + " "}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
}

func TestARefusalOfJanusIsAnError(t *testing.T) {
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`{"janus":"error","error":{"code":458,"reason":"No such session"}}`))
	}))
	defer far.Close()
	j := &janusDialer{base: far.URL}
	defer j.client.CloseIdleConnections()
	if _, _, err := j.dial(t.Context(), 0, "v=0"); err == nil || err.Error() != "janus: No such session" {
		t.Errorf("%v", err)
	}
}

func TestWhatAnotherProcessHasUsed(t *testing.T) {
	_, rss, err := usedBy(os.Getpid())
	if err != nil || rss < 1<<20 {
		t.Errorf("%d bytes, %v", rss, err)
	}
}
