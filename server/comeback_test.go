package main

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
	"parley/wasm/peer/native"
)

// comesBack calls as another page of the user would: with a place that an earlier one
// has left behind, or one that is taken over.
func (p *program) comesBack(t *testing.T, token string, takeover bool, change func(*peer.Config)) *talker {
	t.Helper()
	k := &talker{end: make(chan peer.CallEnded, 1)}
	k.Caller = native.New(native.Config{Server: p.base, Token: token, Agent: "echo", Takeover: takeover, Heard: k.heard})
	cfg := k.Peer(k.saw)
	change(&cfg)
	k.call = peer.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { k.end <- k.call.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-k.end
	})
	return k
}

// leavesBehind calls as a page that never comes back once its socket is gone.
func (p *program) leavesBehind(t *testing.T, token string) *talker {
	t.Helper()
	return p.comesBack(t, token, false, func(c *peer.Config) {
		dial, isFirst := c.Dial, true
		c.Dial = func(ctx context.Context) (peer.Socket, error) {
			if !isFirst {
				return nil, errors.New("the page is gone")
			}
			isFirst = false
			return dial(ctx)
		}
		c.EndSession = nil
	})
}

// place is what the talker's page would have kept of its call.
func (k *talker) place() *peer.HeldPlace {
	h := events[peer.CallAccepted](k)[0].Hello
	return &peer.HeldPlace{SessionID: h.SessionID, ResumeToken: h.ResumeToken, Ends: time.Now().Add(time.Duration(h.Limits.ReconnectGraceS) * time.Second)}
}

// hears says something and waits until the echo brings it back.
func (k *talker) hears(t *testing.T) {
	t.Helper()
	eventually(t, "audio comes back", func() bool {
		k.say(t, 5*frame, true)
		return len(k.back()) > 0
	})
}

// A call goes on from another page, over another connection, after the page before it
// is gone: the session is the same, and the newer token carries it.
func TestACallIsResumedOverRealSockets(t *testing.T) {
	t.Parallel()
	p := start(t)
	oldToken, newToken := p.token(t, "ann"), p.token(t, "ann")
	first := p.leavesBehind(t, oldToken)
	eventually(t, "the first page is connected", func() bool { return has[peer.CallConnected](first) })
	first.hears(t)
	id := first.session()
	first.Cut()

	second := p.comesBack(t, newToken, false, func(c *peer.Config) { c.Resume = first.place() })
	eventually(t, "the second page is connected", func() bool { return has[peer.CallConnected](second) })
	second.hears(t)
	if got := second.session(); got != id {
		t.Errorf("it is session %s, want %s", got, id)
	}
	if got := p.send(t, oldToken, http.MethodDelete, rest.PathAuthSession, nil).StatusCode; got != http.StatusNoContent {
		t.Fatalf("signing out of the old token gets %d", got)
	}
	second.hears(t)
	if live := p.active(t); len(live) != 1 || live[0].ID != id {
		t.Fatalf("live: %+v", live)
	}
	if got := p.send(t, newToken, http.MethodDelete, rest.PathAuthSession, nil).StatusCode; got != http.StatusNoContent {
		t.Fatalf("signing out of the new token gets %d", got)
	}
	second.over(t)
	eventually(t, "the call is over", func() bool { return len(p.active(t)) == 0 })
}

// Who has no place left takes over that of their own older call.
func TestACallIsTakenOverOverRealSockets(t *testing.T) {
	t.Parallel()
	p := start(t)
	first := p.talking(t, "ann", "echo")
	second := p.comesBack(t, p.token(t, "ann"), true, func(*peer.Config) {})
	eventually(t, "the second page is connected", func() bool { return has[peer.CallConnected](second) })
	second.hears(t)
	if end := first.over(t); end.Ended.Cause != wire.Replaced {
		t.Errorf("the first page ended by %+v", end)
	}
	if live := p.active(t); len(live) != 1 || live[0].ID != second.session() {
		t.Errorf("live: %+v", live)
	}
}

// A page that gives up coming back before its socket is ready gives the place back.
func TestAResumeThatIsCanceledEndsTheSession(t *testing.T) {
	t.Parallel()
	p := start(t)
	first := p.talking(t, "ann", "echo")
	second := p.comesBack(t, p.token(t, "ann"), false, func(c *peer.Config) {
		c.Resume = first.place()
		c.Dial = func(context.Context) (peer.Socket, error) { return nil, errors.New("no network for sockets") }
	})
	second.call.Hangup()
	second.over(t)
	if end := first.over(t); end.Ended.Cause != wire.CallerLeft {
		t.Errorf("the session ended by %+v", end)
	}
	if live := p.active(t); len(live) != 0 {
		t.Errorf("live: %+v", live)
	}
}
