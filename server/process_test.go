package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"parley/wasm/peer"
	"parley/wasm/peer/native"
)

// The environment by which a copy of the test binary is told to be a caller.
const (
	callServer = "PARLEY_TEST_CALL_SERVER"
	callToken  = "PARLEY_TEST_CALL_TOKEN" // one caller for each word
)

// parallelTests are the tests that run at once unless the command line has a
// number: far more than there are processors, for all that they do is wait. Those
// that measure processor, memory or answer times aren't parallel: they run before
// these, one after the other.
const parallelTests = "12"

// TestMain lets this binary be callers of its own, so that they can be killed,
// and holds that no test leaves a goroutine behind.
func TestMain(m *testing.M) {
	if server := os.Getenv(callServer); server != "" {
		var calls sync.WaitGroup
		for _, token := range strings.Fields(os.Getenv(callToken)) {
			caller := native.New(native.Config{Server: server, Token: token, Agent: "echo"})
			calls.Go(func() { peer.New(caller.Peer(func(peer.Event) {})).Run(context.Background()) })
		}
		calls.Wait()
		os.Exit(0)
	}
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", parallelTests) // its only error is that of no number
	}
	code := m.Run()
	built.remove()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "the tests left something behind:", err)
		code = 1
	}
	os.Exit(code)
}

// callFromAnotherProcess starts a call for each of the subs, and kill ends them
// as a crash does: without a word.
func (p *program) callFromAnotherProcess(t *testing.T, subs ...string) (kill func()) {
	t.Helper()
	cmd := p.callers(t, subs...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := false
	kill = func() {
		if gone {
			return
		}
		gone = true
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // its error is the kill
	}
	t.Cleanup(kill)
	return kill
}

// callers is a process that calls once for each of the subs.
func (p *program) callers(t *testing.T, subs ...string) *exec.Cmd {
	t.Helper()
	var tokens []string
	for _, sub := range subs {
		tokens = append(tokens, p.token(t, sub))
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), callServer+"="+p.base, callToken+"="+strings.Join(tokens, " "))
	return cmd
}
