package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/agent/double"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// settingUp is how many calls come at once: what is tried is that many are there.
const settingUp = 10

// callsAtOnce is how many are on at the same time; PARLEY_TEST_PARALLEL_CALLS asks for
// more, for which a machine has to have the time.
func callsAtOnce(t *testing.T) int {
	t.Helper()
	n := settingUp
	if text := os.Getenv("PARLEY_TEST_PARALLEL_CALLS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n%settingUp != 0 {
			t.Fatalf("PARLEY_TEST_PARALLEL_CALLS=%s: want a multiple of %d", text, settingUp)
		}
	}
	return n
}

// Many callers talk to a service through the whole server at the same time: each is heard
// and answered, the admin sees them all, and nothing of them is left.
func TestManyCallsOfBothLegs(t *testing.T) {
	n := callsAtOnce(t)
	s := newService(t, double.Config{})
	p := start(t, "--agents="+s.file, fmt.Sprintf("--max-sessions=%d", n), fmt.Sprintf("--max-sessions-per-user=%d", n))
	token := p.token(t, "ann")
	callers := make([]*talker, n)
	began := time.Now()
	for from := 0; from < n; from += settingUp {
		wave := callers[from : from+settingUp]
		for i := range wave {
			wave[i] = p.ringWith(t, token, "polly")
		}
		for _, k := range wave {
			eventually(t, "both legs are connected", func() bool {
				return has[peer.CallConnected](k) && sawAgent(stateEvents(k), wire.AgentListening)
			})
		}
	}
	t.Logf("%d calls are there after %v", n, time.Since(began).Round(time.Millisecond))
	var all sync.WaitGroup
	for _, k := range callers {
		all.Go(func() {
			for end := time.Now().Add(patience); len(k.back()) <= 10 && time.Now().Before(end); {
				k.say(t, 400*time.Millisecond, true)
				k.say(t, 1200*time.Millisecond, false)
			}
		})
	}
	all.Wait()
	for i, k := range callers {
		if heard := len(k.back()); heard <= 10 {
			t.Errorf("caller %d hears %d packets: %s", i, heard, k.session())
		}
	}
	if live := p.active(t); len(live) != n {
		t.Errorf("the admin sees %d calls", len(live))
	}
	p.ask(t, "demo-admin", http.MethodPost, strings.Replace(rest.PathRevokeUser, "{sub}", "ann", 1), rest.RevokeRequest{Reason: "enough"}, nil)
	for _, k := range callers {
		k.over(t)
	}
	eventually(t, "the service has none anymore", func() bool { return s.Live() == 0 })
	for _, call := range s.Calls() {
		if packets, voiced := call.Heard(); voiced < 10 || !call.WasHungUp() {
			t.Errorf("call %s: %d packets were heard, %d of them speech; hung up: %v", call.ID, packets, voiced, call.WasHungUp())
		}
	}
}
