package main

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"parley/wasm/peer"
	"parley/wasm/peer/native"
)

// The environment by which a copy of the test binary is told to be a caller.
const (
	callServer = "PARLEY_TEST_CALL_SERVER"
	callToken  = "PARLEY_TEST_CALL_TOKEN"
)

// TestMain lets this binary be a caller of its own, so that one can be killed.
func TestMain(m *testing.M) {
	if server := os.Getenv(callServer); server != "" {
		caller := native.New(native.Config{Server: server, Token: os.Getenv(callToken), Agent: "echo"})
		peer.New(caller.Peer(func(peer.Event) {})).Run(context.Background())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// callFromAnotherProcess starts a call that kill ends as a crash does: without
// a word.
func (p *program) callFromAnotherProcess(t *testing.T, sub string) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), callServer+"="+p.base, callToken+"="+p.token(t, sub))
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
