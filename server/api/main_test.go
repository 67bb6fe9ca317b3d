package api_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"parley/server/relay"
	"parley/server/store"
)

var (
	// mediaPort is of all rigs: its reader waits for a network, and would keep the
	// time of a bubble from passing.
	mediaPort *relay.Relay
	// emptyStore is a directory with a store that was opened once. A rig has a copy:
	// making the tables takes most of the time of opening one.
	emptyStore string
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(tests{m}) }

// tests run while there is what all rigs share.
type tests struct{ *testing.M }

func (m tests) Run() (code int) {
	var err error
	if emptyStore, err = makeEmptyStore(); err == nil {
		mediaPort, err = relay.Listen(relay.Config{Addr: "127.0.0.1:0", AllowPrivate: true})
	}
	if err == nil {
		code = m.M.Run()
		err = mediaPort.Close()
	}
	if err = errors.Join(err, os.RemoveAll(emptyStore)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func makeEmptyStore() (string, error) {
	dir, err := os.MkdirTemp("", "parley-api-")
	if err != nil {
		return "", err
	}
	s, err := store.Open(context.Background(), dir, store.Options{Node: "a"})
	if err != nil {
		return dir, err
	}
	return dir, s.Close()
}
