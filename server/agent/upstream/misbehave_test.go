package upstream_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"parley/server/agent"
	"parley/server/agent/double"
	"parley/server/agent/realtime"
	"parley/server/agent/upstream"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// leaves waits until the agent's leg says why it ended.
func (c *caller) leaves() error {
	c.t.Helper()
	select {
	case err := <-c.left:
		return err
	case <-time.After(patience):
		c.t.Fatal("the agent doesn't leave")
		return nil
	}
}

// impatient has an agent give up soon.
func impatient(cfg *upstream.Config) {
	cfg.Timeouts = upstream.Timeouts{Exchange: time.Second, Connect: 2 * time.Second}
	cfg.Watch = realtime.WatchLimits{
		realtime.StuckSilentStart: {Warn: 100 * time.Millisecond, End: 3 * time.Second},
		realtime.StuckNoMedia:     {Warn: 100 * time.Millisecond, End: time.Second},
		realtime.StuckNoEvents:    {Warn: 100 * time.Millisecond, End: 3 * time.Second},
		realtime.StuckNoEnd:       {Warn: 100 * time.Millisecond, End: 3 * time.Second},
		realtime.StuckGone:        {Warn: 100 * time.Millisecond, End: 3 * time.Second},
	}
}

// A service that doesn't do as documented costs the call, for a reason of its own in
// words for the admin and others for the caller, and leaves nothing behind.
func TestAServiceThatRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		faults double.Faults
		change func(*upstream.Config)
		kind   upstream.ProblemKind
		says   string
		cause  wire.EndCause // "": agent_left
		does   func(*caller) // once the agent listens
	}{
		"takes another key":           {change: func(c *upstream.Config) { c.Key = "sk-wrong" }, kind: upstream.KeyRefused, says: "HTTP 401 invalid_api_key"},
		"has no more for us":          {faults: double.Faults{Status: http.StatusTooManyRequests}, kind: upstream.RateLimited, says: "HTTP 429 made_to_fail"},
		"has a fault":                 {faults: double.Faults{Status: http.StatusInternalServerError}, kind: upstream.Failed, says: "HTTP 500"},
		"doesn't take the request":    {faults: double.Faults{Status: http.StatusBadRequest}, kind: upstream.Refused, says: "HTTP 400"},
		"sends elsewhere":             {faults: double.Faults{Status: http.StatusTemporaryRedirect}, kind: upstream.Redirected, says: "HTTP 307"},
		"doesn't answer":              {faults: double.Faults{Delay: time.Minute}, kind: upstream.TimedOut, says: "1s"},
		"answers too much":            {faults: double.Faults{AnswerSize: 1 << 20}, kind: upstream.BadAnswer, says: "64 KiB"},
		"answers a long description":  {faults: double.Faults{AnswerSize: 40 << 10}, kind: upstream.BadAnswer, says: "32 KiB"},
		"answers no description":      {faults: double.Faults{IsMalformed: true}, kind: upstream.BadAnswer, says: "no session description"},
		"takes no Opus":               {faults: double.Faults{IsWithoutOpus: true}, kind: upstream.BadAnswer, says: "no Opus"},
		"answers another media type":  {faults: double.Faults{MediaType: "text/html"}, kind: upstream.BadAnswer, says: "application/sdp"},
		"names a call out of its way": {faults: double.Faults{Location: "/v1/realtime/calls/.."}, kind: upstream.BadAnswer, says: "names no call"},
		"names a call in its way":     {faults: double.Faults{Location: "/v1/realtime/calls/a%2F..%2Fb%3F"}, kind: upstream.BadAnswer, says: "names no call"},
		"speaks another dialect":      {change: func(c *upstream.Config) { c.Dialect = upstream.RawSDP }, kind: upstream.Refused, says: "HTTP 415"},
		"isn't there":                 {change: func(c *upstream.Config) { c.URL = "http://127.0.0.1:1/" }, kind: upstream.Unreachable, says: "127.0.0.1:1"},
		"has no address":              {change: func(c *upstream.Config) { c.URL = "http://no.such.host.invalid/" }, kind: upstream.Unreachable, says: "no address"},
		"may not be reached": {change: func(c *upstream.Config) {
			c.URL, c.AllowPrivate = strings.Replace(c.URL, "127.0.0.1", "localhost", 1), false
		}, kind: upstream.Forbidden, says: "allow_private"},
		"speaks no TLS": {change: func(c *upstream.Config) { c.URL = strings.Replace(c.URL, "http:", "https:", 1) }, kind: upstream.Insecure, says: "certificate"},
		"says nothing":  {faults: double.Faults{IsMute: true}, kind: upstream.Stuck, says: "no_first_event", cause: wire.AgentUnresponsive},
		"sends no audio": {faults: double.Faults{IsSilent: true}, kind: upstream.Stuck, says: "no_media", cause: wire.AgentSilent,
			does: func(c *caller) { c.leg.HandleMessage([]byte(`{"type":"response.create"}`)) }},
		"notices nothing": {faults: double.Faults{IsDeaf: true}, kind: upstream.Stuck, says: "no_events", cause: wire.AgentUnresponsive,
			does: func(c *caller) { c.say(5*time.Second, true) }},
		"ends no answer": {faults: double.Faults{IsEndless: true}, kind: upstream.Stuck, says: "response_without_end", cause: wire.ResponseTimeout,
			does: func(c *caller) { c.leg.HandleMessage([]byte(`{"type":"response.create"}`)) }},
		"vanishes": {faults: double.Faults{VanishAfter: 200 * time.Millisecond}, kind: upstream.Stuck, says: "upstream_gone", cause: wire.AgentLost},
		"floods": {faults: double.Faults{Flood: 5000}, kind: upstream.Flooding, says: "events",
			change: func(c *upstream.Config) { c.Policy.Limits.AgentRate = 50 }}, // a flood on a slow machine, too
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, double.Config{Faults: test.faults}, func(c *upstream.Config) {
				impatient(c)
				if test.change != nil {
					test.change(c)
				}
			})
			c := r.open("sess_1")
			if test.does != nil {
				eventually(t, "it listens", c.is(wire.AgentListening))
				test.does(c)
			}
			var problem *upstream.Problem
			if err := c.leaves(); !errors.As(err, &problem) {
				t.Fatalf("left for %v", err)
			}
			if problem.Kind != test.kind || !strings.Contains(problem.Error(), test.says) || !strings.Contains(problem.Error(), "pirate") {
				t.Errorf("for admins: %s, want %s with %q", problem, test.kind, test.says)
			}
			if said := problem.ForCaller(); said == "" || strings.Contains(said, "HTTP") || strings.Contains(said, "127.0.0.1") {
				t.Errorf("for callers: %q", said)
			}
			for _, secret := range []string{key, prompt, "sk-wrong"} {
				if strings.Contains(problem.Error(), secret) {
					t.Errorf("the problem has %q", secret)
				}
			}
			if cause := cmp.Or(test.cause, wire.AgentLeft); problem.EndCause() != cause {
				t.Errorf("the call ends for %s, want %s", problem.EndCause(), cause)
			}
			if told := c.warnings(); test.cause != "" && !test.faults.IsSilent && !slices.Contains(told, test.cause) {
				t.Errorf("the caller is warned of %q", told)
			}
			if isWarned := strings.Contains(r.log.String(), "an agent is stuck"); isWarned != (test.kind == upstream.Stuck) && !test.faults.IsSilent { // its answer is too short for two looks
				t.Errorf("warned: %v", isWarned)
			}
			c.hangUp()
			if test.faults.Location == "" { // what it lies about can't be hung up
				eventually(t, "nothing is left at the service", func() bool { return r.service.Live() == 0 })
			}
			eventually(t, "nothing is left on disk", func() bool { return r.ledger.len() == 0 })
			if r.agent.Live() != 0 {
				t.Error("the call is still counted")
			}
		})
	}
}

// A service that hangs up in order leaves; that is no problem.
func TestAServiceThatLeaves(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{Faults: double.Faults{LeaveAfter: 200 * time.Millisecond}}, nil)
	c := r.open("sess_1")
	if err := c.leaves(); err != nil {
		t.Errorf("left for %v", err)
	}
	if !c.is(wire.AgentListening)() {
		t.Error("it was never there")
	}
}

// A call that isn't hung up is tried again; what can't be in this life is on disk, and
// hung up in the next.
func TestAHangUpThatIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{}, nil)
	c := r.open("sess_1")
	eventually(t, "it listens", c.is(wire.AgentListening))
	call := r.service.Calls()[0]
	r.service.SetFaults(double.Faults{HangUpStatus: http.StatusServiceUnavailable})
	c.hangUp()
	eventually(t, "it is tried", func() bool { return strings.Contains(r.log.String(), "attempt=1") })
	if call.WasHungUp() || r.ledger.len() != 1 {
		t.Fatal("a refused hang-up counts for one")
	}
	r.service.SetFaults(double.Faults{})
	eventually(t, "it is tried again", func() bool { return r.ledger.len() == 0 })
	if !call.WasHungUp() {
		t.Error("it was not hung up")
	}
}

// What the last life of the server left open is hung up; what can't be is forgotten,
// with a line that says so.
func TestRecover(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{}, nil)
	c := r.open("sess_1")
	eventually(t, "it listens", c.is(wire.AgentListening))
	// Before that, a service that hangs up may not be heard to: its connection isn't whole.
	eventually(t, "the session is told of", func() bool { return strings.Contains(c.text(), "session.created") })
	for session, row := range map[string][2]string{"sess_2": {"gone", "rtc_1"}, "sess_3": {"pirate", ""}, "sess_4": {"pirate", "rtc_unknown"}} {
		if err := r.ledger.PutUpstreamCall(t.Context(), session, row[0], row[1], time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	next := upstream.NewHangups(r.ledger, nil)
	err := next.Recover(t.Context(), func(name string) *upstream.Agent {
		if name == "pirate" {
			return r.agent
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all are settled", func() bool { return r.ledger.len() == 0 })
	if !r.service.Calls()[0].WasHungUp() {
		t.Error("the call was not hung up")
	}
	if err := c.leaves(); err != nil {
		t.Errorf("the leg of before left for %v", err)
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
}

// A caller who goes while the service is being asked leaves no call behind there.
func TestACallerWhoGoesMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{Faults: double.Faults{Delay: 500 * time.Millisecond}}, nil)
	c := r.open("sess_1")
	eventually(t, "the service is asked", func() bool { return r.ledger.len() == 1 })
	began := time.Now()
	c.hangUp()
	if took := time.Since(began); took > 300*time.Millisecond {
		t.Errorf("the caller waited %v for the service", took)
	}
	eventually(t, "the call is hung up once it is open", func() bool {
		calls := r.service.Calls()
		return len(calls) == 1 && calls[0].WasHungUp() && calls[0].IsOver()
	})
	eventually(t, "the disk forgets it", func() bool { return r.ledger.len() == 0 })
	if len(c.left) != 0 {
		t.Errorf("a caller who is gone is told that the agent left: %v", <-c.left)
	}
}

// A call that the disk doesn't take is not opened, for words of its own; one that it knew
// of, but not by what it is hung up, is hung up at once.
func TestACallThatTheDiskDoesNotTake(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{Faults: double.Faults{Delay: 300 * time.Millisecond}}, nil)
	full := errors.New("the disk is full")
	check := func(c *caller) {
		t.Helper()
		var problem *upstream.Problem
		if err := c.leaves(); !errors.As(err, &problem) || problem.Kind != upstream.Unrecorded {
			t.Errorf("left for %v", err)
		}
		c.hangUp()
	}
	r.ledger.fill(full)
	check(r.open("sess_1"))
	if n := len(r.service.Calls()); n != 0 {
		t.Errorf("the service was asked for %d calls", n)
	}
	r.ledger.fill(nil)
	c := r.open("sess_2")
	eventually(t, "the service is asked", func() bool { return r.ledger.len() == 1 })
	r.ledger.fill(full)
	check(c)
	eventually(t, "it is hung up", func() bool {
		return len(r.service.Calls()) == 1 && r.service.Calls()[0].WasHungUp() && r.ledger.len() == 0
	})
}

// A service that traces calls unasked is told to the guard.
func TestAServiceThatTraces(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{Faults: double.Faults{IsTracing: true}}, nil)
	asked := make(chan string, 8)
	c := &caller{t: t, speech: map[rtcstats.Leg]int{}, left: make(chan error, 1)}
	far, err := r.agent.Open(context.Background(), agent.Call{Session: "sess_1", Audio: c, Messages: c, Words: telling(asked)}, c)
	if err != nil {
		t.Fatal(err)
	}
	c.leg = far
	t.Cleanup(c.hangUp)
	select {
	case what := <-asked:
		if what != "tap by pirate" {
			t.Errorf("asked %q", what)
		}
	case <-time.After(patience):
		t.Error("nobody is told")
	}
}

// telling is a guard that tells what it is asked, and refuses it.
type telling chan string

func (g telling) Caption(by, _ string) error { return g.ask("caption by " + by) }

func (g telling) Transcribe(by, _ string, _ bool) error { return g.ask("transcript by " + by) }

func (g telling) Tap(by, _ string) error { return g.ask("tap by " + by) }

func (g telling) ask(what string) error {
	g <- what
	return errors.New("no")
}

// What clients ask for after each interruption is answered.
func TestAnItemIsRetrieved(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{}, nil)
	c := r.open("sess_1")
	eventually(t, "it listens", c.is(wire.AgentListening))
	c.leg.HandleMessage([]byte(`{"type":"conversation.item.retrieve","item_id":"item_1"}`))
	eventually(t, "the item comes", func() bool {
		return strings.Contains(c.text(), `"conversation.item.retrieved"`) && strings.Contains(c.text(), `"item_1"`)
	})
}

// An agent takes no more calls than it may, and one more when one ends.
func TestMaxCalls(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{}, func(c *upstream.Config) { c.MaxCalls = 1 })
	first := r.open("sess_1")
	second := &caller{t: t, left: make(chan error, 1)}
	var problem *upstream.Problem
	if _, err := r.agent.Open(t.Context(), agent.Call{Session: "sess_2", Audio: second, Messages: second}, second); !errors.As(err, &problem) || problem.Kind != upstream.Busy {
		t.Errorf("one more: %v", err)
	}
	first.hangUp()
	eventually(t, "the next may call", func() bool { return r.agent.Live() == 0 })
	r.open("sess_3")
}

// The caller hears one stream though each answer comes by numbers and a clock of its own.
func TestAnswersOfOtherNumbers(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{Faults: double.Faults{ChangesNumbers: true}}, nil)
	c := r.open("sess_1")
	eventually(t, "it listens", c.is(wire.AgentListening))
	for range 2 {
		n := len(c.packets())
		c.leg.HandleMessage([]byte(`{"type":"response.create"}`))
		eventually(t, "an answer comes", func() bool { return len(c.packets()) > n+10 })
		c.leg.HandleMessage([]byte(`{"type":"response.cancel"}`))
		eventually(t, "it stops", c.is(wire.AgentListening))
	}
	var last rtp.Header
	for i, h := range c.packets() {
		if step := int32(h.Timestamp - last.Timestamp); i > 0 && (h.SequenceNumber != last.SequenceNumber+1 || step <= 0 || step > 20*48000) {
			t.Errorf("packet %d: number +%d, clock +%d", i, h.SequenceNumber-last.SequenceNumber, step)
		}
		last = h
	}
}

// The model's function is called on the server, and the answer goes on from it; the
// caller's side sees neither.
func TestAnAgentWithoutTheToolGoesOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{Tool: "weather"}, withNoTools)
	c := r.open("sess_1")
	eventually(t, "it listens", c.is(wire.AgentListening))
	c.leg.HandleMessage([]byte(`{"type":"response.create"}`))
	eventually(t, "it answers all the same", c.is(wire.AgentSpeaking))
	if got := strings.Join(r.service.Calls()[0].Received(), " "); got != "response.create conversation.item.create response.create" {
		t.Errorf("the service got %s", got)
	}
	for _, word := range []string{"weather", "of the double", "function_call"} {
		if strings.Contains(c.text(), word) {
			t.Errorf("the caller is told %q", word)
		}
	}
}

// Many calls at once, in each direction: each hears its own answer, and all are hung up.
// PARLEY_TEST_PARALLEL_CALLS asks for more.
func TestManyCallsAtOnce(t *testing.T) {
	n := 20
	if text := os.Getenv("PARLEY_TEST_PARALLEL_CALLS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	r := newRig(t, double.Config{}, nil)
	callers := make([]*caller, n)
	for i := range callers {
		callers[i] = r.open(fmt.Sprintf("sess_%d", i))
	}
	var all sync.WaitGroup
	for _, c := range callers {
		all.Go(func() {
			eventually(t, "it listens", c.is(wire.AgentListening))
			c.say(400*time.Millisecond, true)
			c.say(400*time.Millisecond, false)
			eventually(t, "it is answered", func() bool { return len(c.packets()) > 10 })
		})
	}
	all.Wait()
	for _, c := range callers {
		all.Go(c.hangUp)
	}
	all.Wait()
	eventually(t, "all are hung up", func() bool { return r.service.Live() == 0 && r.ledger.len() == 0 })
	for _, call := range r.service.Calls() {
		if packets, _ := call.Heard(); packets < 20 || !call.WasHungUp() {
			t.Errorf("call %s heard %d packets, hung up: %v", call.ID, packets, call.WasHungUp())
		}
	}
}

// The key is printed by nothing.
func TestAKeyIsNotPrinted(t *testing.T) {
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(format, upstream.Config{Key: key, Headers: map[string]upstream.Key{"api-key": key}}); strings.Contains(got, key) {
			t.Errorf("%s prints %s", format, got)
		}
	}
}

// What holds for requests to a service holds for its media.
func TestWhereMediaMayBe(t *testing.T) {
	for allow, want := range map[bool][]string{
		false: {"8.8.8.8", "2606:4700::1111"},
		true:  {"8.8.8.8", "2606:4700::1111", "127.0.0.1", "10.0.0.1", "fd00::1"},
	} {
		a, err := upstream.New(upstream.Config{Dialect: upstream.OpenAI, URL: "https://example.com/", AllowPrivate: allow}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{"8.8.8.8", "2606:4700::1111", "127.0.0.1", "10.0.0.1", "fd00::1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "::"} {
			if got := upstream.MayReach(a, net.ParseIP(address)); got != slices.Contains(want, address) {
				t.Errorf("%s, private allowed %v: %v", address, allow, got)
			}
		}
	}
}
