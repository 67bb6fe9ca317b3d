package upstream_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/server/agent"
	"parley/server/agent/double"
	"parley/server/agent/upstream"
	"parley/shared/rest"
)

var _ agent.Checker = (*upstream.Agent)(nil)

// allSteps are a check's, in order.
var allSteps = []string{"exchange", "connection", "channel", "first_event", "audio_out", "audio_in", "hang_up"}

// stepsWith returns the steps of a check that have a result.
func stepsWith(c rest.AgentCheck, result rest.CheckResult) (names []string) {
	for _, s := range c.Steps {
		if s.Result == result {
			names = append(names, s.Name)
		}
	}
	return names
}

func detailOf(c rest.AgentCheck, step string) string {
	i := slices.IndexFunc(c.Steps, func(s rest.AgentCheckStep) bool { return s.Name == step })
	if i < 0 {
		return ""
	}
	return c.Steps[i].Detail
}

// checkPatience is a check's in tests: a service's reports come each second.
const checkPatience = 4 * time.Second

// checked is what a check of the agent finds. It holds what goes for each: all steps in
// order, nothing secret, and nothing left behind but a call whose hang-up is refused.
func (r *rig) checked() rest.AgentCheck {
	r.t.Helper()
	c := r.agent.Check(context.Background())
	var names []string
	for _, s := range c.Steps {
		names = append(names, s.Name)
		if s.TookMS < 0 || s.Result == rest.CheckUntried && s.TookMS != 0 {
			r.t.Errorf("%s took %v ms", s.Name, s.TookMS)
		}
		if (s.Detail == "") != (s.Result == rest.CheckOK || s.Result == rest.CheckUntried) {
			r.t.Errorf("%s is %s: %q", s.Name, s.Result, s.Detail)
		}
		if strings.Contains(s.Detail, key) || strings.Contains(s.Detail, prompt) {
			r.t.Errorf("%s tells a secret: %s", s.Name, s.Detail)
		}
	}
	if c.Agent != "pirate" || !slices.Equal(names, allSteps) {
		r.t.Errorf("%s: %v", c.Agent, names)
	}
	if r.agent.Live() != 0 {
		r.t.Error("the check's call is still counted")
	}
	return c
}

func TestACheckOfAServiceThatWorks(t *testing.T) {
	for _, dialect := range []double.Dialect{double.OpenAI, double.RawSDP, double.JSONSDP} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, double.Config{Dialect: dialect}, nil)
			got := r.checked()
			want, lacks := rest.CheckOK, []string(nil)
			if dialect == double.JSONSDP {
				want, lacks = rest.CheckMissing, []string{"hang_up"}
			}
			if missing := stepsWith(got, rest.CheckMissing); got.Result != want || !slices.Equal(missing, lacks) {
				t.Errorf("%s, missing %v: %+v", got.Result, missing, got.Steps)
			}
			if n := len(stepsWith(got, rest.CheckOK)); n != len(allSteps)-len(lacks) {
				t.Errorf("%d steps work: %+v", n, got.Steps)
			}
			call := r.service.Calls()[0]
			if packets, voiced := call.Heard(); packets == 0 || voiced != 0 {
				t.Errorf("the service heard %d packets, %d of them speech", packets, voiced)
			}
			if !slices.Contains(call.Received(), "response.create") {
				t.Errorf("the service got %v", call.Received())
			}
			if call.WasHungUp() != (dialect != double.JSONSDP) {
				t.Errorf("hung up: %v", call.WasHungUp())
			}
			eventually(t, "the service's call is over", func() bool { return r.service.Live() == 0 })
			eventually(t, "the disk forgets it", func() bool { return r.ledger.len() == 0 })
			if r.ledger.writes() == 0 {
				t.Error("the call never stood on disk")
			}
			if !strings.Contains(r.log.String(), "agent checked") {
				t.Error("the log doesn't tell of the check")
			}
		})
	}
}

// What a service does wrong is told by the step that it goes wrong at; what can be tried
// after it is.
func TestACheckOfAServiceThatMisbehaves(t *testing.T) {
	afterExchange := allSteps[1:]
	for name, test := range map[string]struct {
		service double.Config
		change  func(*upstream.Config)
		result  rest.CheckResult
		step    string // at which it goes wrong
		untried []string
		says    string
	}{
		"takes another key": {
			change: func(c *upstream.Config) { c.Key = "sk-wrong" },
			result: rest.CheckFailed, step: "exchange", untried: afterExchange, says: "key_refused: HTTP 401",
		},
		"is slow": {
			service: double.Config{Faults: double.Faults{Delay: time.Minute}}, change: impatient,
			result: rest.CheckFailed, step: "exchange", untried: afterExchange, says: "timed_out",
		},
		"answers no description": {
			service: double.Config{Faults: double.Faults{IsMalformed: true}},
			result:  rest.CheckFailed, step: "exchange", untried: afterExchange[:5], says: "bad_answer",
		},
		"isn't there": {
			change: func(c *upstream.Config) { c.URL = "http://127.0.0.1:1/" },
			result: rest.CheckFailed, step: "exchange", untried: afterExchange, says: "unreachable",
		},
		"sends no audio": {
			service: double.Config{Faults: double.Faults{IsSilent: true}},
			result:  rest.CheckFailed, step: "audio_in", says: "no audio",
		},
		"sends no events": {
			service: double.Config{Faults: double.Faults{IsMute: true}},
			result:  rest.CheckFailed, step: "first_event", says: "no event comes",
		},
		"refuses the hang-up": {
			service: double.Config{Faults: double.Faults{HangUpStatus: http.StatusInternalServerError}},
			result:  rest.CheckFailed, step: "hang_up", says: "HTTP 500",
		},
		"tells nothing to hang up by": {
			service: double.Config{Faults: double.Faults{Location: "none"}},
			result:  rest.CheckMissing, step: "hang_up", says: "Location",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, test.service, func(c *upstream.Config) {
				if test.change != nil {
					test.change(c)
				}
				c.Timeouts.Check = checkPatience
			})
			got := r.checked()
			if wrong := stepsWith(got, test.result); got.Result != test.result || !slices.Equal(wrong, []string{test.step}) {
				t.Errorf("%s at %v, want %s at %s: %+v", got.Result, wrong, test.result, test.step, got.Steps)
			}
			if said := detailOf(got, test.step); !strings.Contains(said, test.says) {
				t.Errorf("it says %q, want %q", said, test.says)
			}
			if untried := stepsWith(got, rest.CheckUntried); !slices.Equal(untried, test.untried) {
				t.Errorf("untried are %v, want %v", untried, test.untried)
			}
		})
	}
}

// A service that leaves is noticed at whatever step it is; nothing after that is tried.
func TestACheckOfAServiceThatLeaves(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{Faults: double.Faults{LeaveAfter: 200 * time.Millisecond, IsSilent: true}}, nil)
	got := r.checked()
	failed := stepsWith(got, rest.CheckFailed)
	if len(failed) != 1 || !strings.Contains(detailOf(got, failed[0]), "the service hung up") {
		t.Fatalf("failed at %v: %+v", failed, got.Steps)
	}
	at := slices.Index(allSteps, failed[0])
	if untried := stepsWith(got, rest.CheckUntried); !slices.Equal(untried, allSteps[at+1:len(allSteps)-1]) {
		t.Errorf("failed at %v, untried are %v", failed, untried)
	}
}

// A check takes one of the agent's calls: there is none while callers have them all.
func TestACheckKeepsToTheAgentsLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{}, func(c *upstream.Config) { c.MaxCalls = 1 })
	c := r.open("sess_1")
	got := r.agent.Check(context.Background())
	if failed := stepsWith(got, rest.CheckFailed); !slices.Equal(failed, []string{"exchange"}) || !strings.Contains(detailOf(got, "exchange"), "busy") {
		t.Errorf("beside a call: %+v", got.Steps)
	}
	if untried := stepsWith(got, rest.CheckUntried); !slices.Equal(untried, allSteps[1:]) {
		t.Errorf("untried are %v", untried)
	}
	c.hangUp()
	if got = r.checked(); got.Result != rest.CheckOK {
		t.Errorf("after it: %+v", got.Steps)
	}
}

// A tool may do something for a caller; in a check there is none.
func TestACheckCallsNoTool(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{Tool: "opening_hours"}, func(c *upstream.Config) {
		withNoTools(c)
		c.Timeouts.Check = checkPatience
	})
	got := r.checked()
	if failed := stepsWith(got, rest.CheckFailed); !slices.Equal(failed, []string{"audio_in"}) {
		t.Errorf("failed at %v: %+v", failed, got.Steps)
	}
	if asked := r.service.Calls()[0].Received(); !slices.Equal(asked, []string{"response.create"}) {
		t.Errorf("the service got %v, no result of a function among it", asked)
	}
}

// Who asked for a check and goes leaves no call behind.
func TestACheckThatIsBrokenOff(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{Faults: double.Faults{IsSilent: true}}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan rest.AgentCheck)
	go func() { done <- r.agent.Check(ctx) }()
	eventually(t, "the service is asked to speak", func() bool {
		calls := r.service.Calls()
		return len(calls) == 1 && slices.Contains(calls[0].Received(), "response.create")
	})
	cancel()
	got := <-done
	if got.Result != rest.CheckFailed || !r.service.Calls()[0].WasHungUp() || len(stepsWith(got, rest.CheckUntried)) > 1 {
		t.Errorf("hung up: %v, %+v", r.service.Calls()[0].WasHungUp(), got.Steps)
	}
	eventually(t, "the service's call is over", func() bool { return r.service.Live() == 0 })
	eventually(t, "the disk forgets it", func() bool { return r.ledger.len() == 0 })
}
