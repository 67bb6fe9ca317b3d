package signaling_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"parley/server/session"
	"parley/server/signaling"
	"parley/shared/wire"
)

// neighbor is another node, as a node knows it.
type neighbor struct {
	house *house
	away  bool
}

func (n *neighbor) Holds(session.Caller) bool { return true }

func (n *neighbor) HoldsOnRecord(context.Context, session.Caller) bool { return false }

func (n *neighbor) Dial(ctx context.Context, _ string, c session.Caller) (net.Conn, error) {
	if n.away {
		return nil, errors.New("it can't be reached")
	}
	if c.User == "" {
		return nil, errors.New("a caller without a name")
	}
	return new(net.Dialer).DialContext(ctx, "tcp", n.house.server.Listener.Addr().String())
}

// openTwo opens two nodes that believe the same tokens; who comes back to the second is
// passed on to the first.
func openTwo(t *testing.T) (first, second *house, between *neighbor) {
	t.Helper()
	first = open(t, roomy, func(s *setup) { s.Config.Node = "first" })
	between = &neighbor{house: first}
	second = open(t, roomy, func(s *setup) {
		s.signaling.Auth, s.signaling.Elsewhere = first.auth, between
		s.signaling.Limits.ResumeWait = 200 * time.Millisecond
	})
	second.auth = first.auth
	return first, second, between
}

func TestWhoComesBackToAnotherNodeIsPassedOn(t *testing.T) {
	first, second, _ := openTwo(t)
	c, hello := first.call("a")
	if hello.Node != "first" {
		t.Errorf("the hello is of %q", hello.Node)
	}
	c.NetConn().Close()
	first.state(hello.SessionID, wire.StateReconnecting)
	c = second.dial("a")
	c.say(resumeOf(hello))
	next := read[wire.Hello](c)
	if next.SessionID != hello.SessionID || next.Node != "first" {
		t.Fatalf("hello %+v", next)
	}
	first.state(hello.SessionID, wire.StateActive)
	c.say(wire.Offer{SDP: "restart"})
	read[wire.Answer](c)
	if live, _, _ := second.sessions.Capacity(); live != 0 {
		t.Errorf("%d places taken where nobody talks", live)
	}
	// A connection that breaks keeps the place; a goodbye gives it up.
	c.NetConn().Close()
	first.state(hello.SessionID, wire.StateReconnecting)
	c = second.dial("a")
	c.say(resumeOf(next))
	read[wire.Hello](c)
	c.say(wire.Bye{})
	c.endsWith(wire.CallerLeft, wire.CloseNormalClosure)
}

func TestWhoComesBackForANodeThatIsGoneIsTold(t *testing.T) {
	first, second, between := openTwo(t)
	c, hello := first.call("a")
	c.NetConn().Close()
	first.state(hello.SessionID, wire.StateReconnecting)
	between.away = true
	c = second.dial("a")
	c.say(resumeOf(hello))
	if refused := read[wire.Error](c); refused.Code != wire.ErrUnknownResume {
		t.Errorf("refused with %q", refused.Code)
	}
	// And calls anew, here.
	c.say(wire.Ping{ID: 1})
	if next := read[wire.Hello](c); next.SessionID == hello.SessionID {
		t.Errorf("hello %+v", next)
	}
	c.say(wire.Bye{})
	first.sessions.EndWhere(func(session.Caller) bool { return true }, wire.AdminEnded, "")
}

func TestACallOfAnotherNodeEndsForTheCaller(t *testing.T) {
	first, second, _ := openTwo(t)
	c, hello := first.call("a")
	c.NetConn().Close()
	first.state(hello.SessionID, wire.StateReconnecting)
	c = second.dial("a")
	c.say(resumeOf(hello))
	read[wire.Hello](c)
	c.say(wire.Offer{SDP: "restart"})
	read[wire.Answer](c)
	if err := first.sessions.End(hello.SessionID, wire.AdminEnded, ""); err != nil {
		t.Fatal(err)
	}
	c.endsWith(wire.AdminEnded, wire.AdminEnded.CloseCode())
}

func TestOnlyNodesSayThatACallerIsSecure(t *testing.T) {
	isSecure := make(chan bool, 2)
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { isSecure <- r.TLS != nil })
	r, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Parley-Secure", "1")
	handler.ServeHTTP(nil, r)
	signaling.FromNodes(handler).ServeHTTP(nil, r)
	if byCaller, byNode := <-isSecure, <-isSecure; byCaller || !byNode {
		t.Errorf("by a caller %v, by a node %v", byCaller, byNode)
	}
}
