package api_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"parley/server/relay"
)

// mediaPort is of all rigs: its reader waits for a network, and would keep the
// time of a bubble from passing.
var mediaPort *relay.Relay

func TestMain(m *testing.M) { goleak.VerifyTestMain(tests{m}) }

// tests run while the media port is open.
type tests struct{ *testing.M }

func (m tests) Run() int {
	var err error
	if mediaPort, err = relay.Listen(relay.Config{Addr: "127.0.0.1:0", AllowPrivate: true}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.M.Run()
	if err := mediaPort.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
