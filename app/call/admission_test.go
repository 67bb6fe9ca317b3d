package call_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/app/call"
	"parley/app/client"
	"parley/shared/rest"
	"parley/shared/wire"
)

// server answers the two questions of the page before a call.
type server struct {
	admission any
	status    int
	err       error
	rtt       time.Duration
}

func (s server) Fetch(ctx context.Context, r client.Request) (client.Response, error) {
	time.Sleep(s.rtt)
	if s.err != nil {
		return client.Response{}, s.err
	}
	if r.Path == rest.PathHealth {
		return client.Response{Status: s.status}, nil
	}
	body, err := json.Marshal(s.admission)
	kind := "application/json"
	if s.status != 200 {
		kind = "application/problem+json"
	}
	return client.Response{Status: s.status, Body: body, Header: map[string]string{"Content-Type": kind}}, err
}

// changingServer answers as the server that it holds.
type changingServer struct{ atomic.Pointer[server] }

func (s *changingServer) Fetch(ctx context.Context, r client.Request) (client.Response, error) {
	return s.Load().Fetch(ctx, r)
}

func TestAdmission(t *testing.T) {
	cases := map[string]struct {
		s    server
		want func(call.Admission) bool
	}{
		"free":    {server{status: 200, admission: rest.Admission{LinesFree: 3, Cap: 5}}, func(l call.Admission) bool { return l.Answer.LinesFree == 3 && l.Problem == nil }},
		"full":    {server{status: 503, admission: rest.Problem{Code: rest.CodeCapReached}}, func(l call.Admission) bool { return l.Problem.Code == rest.CodeCapReached }},
		"offline": {server{err: errors.New("no network")}, func(l call.Admission) bool { return l.Offline }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := call.NewEngine(call.Config{Fetcher: c.s})
				defer e.Close()
				e.RefreshAdmission()
				synctest.Wait()
				if got := e.Picture().Admission; !c.want(got) {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

// Who is told before a call that they asked too often is told until when, and what the
// server says then.
func TestAdmissionIsAskedAgainAfterTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(changingServer)
		s.Store(&server{status: 429, admission: rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: 3}})
		e := call.NewEngine(call.Config{Fetcher: s})
		defer e.Close()
		e.RefreshAdmission()
		synctest.Wait()
		if got := call.RefusalWords(e.Picture()).Text; got != "You can try again in 3 s." {
			t.Errorf("says %q", got)
		}
		s.Store(&server{status: 200, admission: rest.Admission{LinesFree: 1, Cap: 1}})
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if p := e.Picture(); p.Refusal != nil || p.Admission.Problem != nil || p.Admission.Answer == nil {
			t.Errorf("got %+v", p.Admission)
		}
	})
}

// TestTheWayOfACall is told before it: which ways answered, and what that means. A page
// that can't tell says nothing.
func TestTheWayOfACall(t *testing.T) {
	servers := func(urls ...string) []wire.ICEServer { return []wire.ICEServer{{URLs: urls}} }
	own := servers("turn:192.0.2.1:8081?transport=tcp", "turn:192.0.2.1:8081?transport=udp")
	for name, test := range map[string]struct {
		servers []wire.ICEServer
		ways    map[string]bool // nil: silence
		err     error
		way     call.Way
		says    string
	}{
		"UDP":               {own, map[string]bool{"udp": true, "tls": true}, nil, call.WayUDP, ""},
		"no UDP":            {own, map[string]bool{"tcp": true, "tls": true}, nil, call.WayTCP, "No UDP gets through from here. Your call goes over TCP and may lag a little."},
		"TLS alone":         {own, map[string]bool{"tls": true}, nil, call.WayTLS, "Neither UDP nor the call's own port gets through from here. Your call goes through a relay over TLS and may lag a little."},
		"silence":           {own, nil, nil, call.WayNone, "No call traffic gets through from here. Try mobile data, or turn off the VPN. You can start anyway."},
		"no relays here":    {nil, nil, nil, call.WayUnknown, ""},
		"relays of others":  {servers("turns:turn.example.org:443?transport=tcp"), nil, nil, call.WayUnknown, ""},
		"this very machine": {servers("turn:127.0.0.1:8081?transport=udp"), nil, nil, call.WayUnknown, ""},
		"it can't look":     {own, map[string]bool{}, errors.New("no connections here"), call.WayUnknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := server{status: 200, admission: rest.Admission{ICEServers: test.servers}}
				e := call.NewEngine(call.Config{Fetcher: s, Peer: &phone{ways: test.ways, waysErr: test.err}})
				defer e.Close()
				e.RefreshAdmission()
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if got := e.Picture().Way; got != test.way {
					t.Errorf("the way is %q", got)
				}
				line, _ := treeOf(call.PageOf(e.Picture(), false, false, false)).find(func(n node) bool { return n.hasClass("check-row") && n.texts[0] == "Line" })
				if got := strings.TrimPrefix(strings.Join(line.texts, "|"), "Line|Checking…"); strings.TrimPrefix(got, "|") != test.says {
					t.Errorf("says %q", got)
				}
			})
		})
	}
}

func TestTheLineCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := call.NewEngine(call.Config{Fetcher: server{status: 200, rtt: 38 * time.Millisecond}})
		defer e.Close()
		e.CheckLine()
		if got := e.Picture().Probe.State; got != call.ProbeRunning {
			t.Fatalf("state %d", got)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := e.Picture().Probe; got.State != call.ProbeDone || got.RTTMS != 38 || got.Verdict.Level != "excellent" || got.Lost != 0 {
			t.Errorf("got %+v", got)
		}
	})
}

func TestALineCheckThatGetsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := call.NewEngine(call.Config{Fetcher: server{err: errors.New("no network")}})
		defer e.Close()
		e.CheckLine()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := e.Picture().Probe.State; got != call.ProbeFailed {
			t.Errorf("state %d", got)
		}
	})
}
