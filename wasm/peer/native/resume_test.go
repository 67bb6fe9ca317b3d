//go:build !js

package native_test

import (
	"slices"
	"testing"
	"time"

	"parley/wasm/peer"
	"parley/wasm/peer/native"
)

// Another process goes on with the call: by its own socket, connection and DTLS
// certificate.
func TestAnotherProcessGoesOnWithTheCall(t *testing.T) {
	f := newFar(t)
	first := start(t, f)
	hello := await(first, all[peer.CallAccepted]).Hello
	await(first, all[peer.CallConnected])
	first.caller.Cut()
	token := await(first, all[peer.SessionResumed]).Hello.ResumeToken
	if token == hello.ResumeToken {
		t.Fatal("the token didn't change with the socket")
	}

	second := startWith(t, native.Config{Server: f.http.URL, Token: "token"},
		&peer.HeldPlace{SessionID: hello.SessionID, ResumeToken: token, Ends: time.Now().Add(30 * time.Second)})
	if got := await(second, all[peer.CallAccepted]).Hello; got.SessionID != hello.SessionID || got.ResumeToken == token {
		t.Errorf("accepted %+v, want session %s with a new token", got, hello.SessionID)
	}
	await(second, all[peer.CallConnected])
	defer second.talk()()
	await(second, func(m peer.SampleMeasured) bool {
		return m.Sample.Inbound != nil && m.Sample.Inbound.PacketsReceived > 20
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	if last := f.resumes[len(f.resumes)-1]; last.SessionID != hello.SessionID || last.ResumeToken != token {
		t.Errorf("resumed with %+v", last)
	}
}

// A call takes over once: its later sockets come back to its own place.
func TestOnlyTheFirstSocketTakesOver(t *testing.T) {
	f := newFar(t)
	c := startWith(t, native.Config{Server: f.http.URL, Token: "token", Agent: "echo", Takeover: true}, nil)
	await(c, all[peer.CallConnected])
	c.caller.Cut()
	await(c, all[peer.SessionResumed])
	f.mu.Lock()
	defer f.mu.Unlock()
	if want := []string{"agent=echo&takeover=1", "agent=echo"}; !slices.Equal(f.queries, want) {
		t.Errorf("queries %q, want %q", f.queries, want)
	}
}
