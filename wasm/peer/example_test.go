package peer_test

import (
	"context"
	"errors"
	"fmt"

	"parley/shared/wire"
	"parley/wasm/peer"
)

// A call that finds all lines in use: what happens is told in order, and the last event
// is what Run gives.
func ExampleCall_Run() {
	call := peer.New(peer.Config{
		Admit: func(context.Context) error { return errors.New("cap_reached: all lines are in use") },
		Dial:  func(context.Context) (peer.Socket, error) { return nil, errors.New("not reached") },
		Connect: func(context.Context, []wire.ICEServer, peer.Listener) (peer.Connection, error) {
			return nil, errors.New("not reached")
		},
		On: func(e peer.Event) { fmt.Printf("%T\n", e) },
	})
	end := call.Run(context.Background())
	fmt.Println(end.Err)
	// Output:
	// peer.StepStarted
	// peer.CallEnded
	// cap_reached: all lines are in use
}

func ExampleReadCaption() {
	for _, event := range []string{
		`{"type":"response.output_audio_transcript.delta","item_id":"item_1","delta":"Good "}`,
		`{"type":"response.output_audio_transcript.done","item_id":"item_1","transcript":"Good morning."}`,
		`{"type":"rate_limits.updated"}`,
	} {
		if c, ok := peer.ReadCaption(event); ok {
			fmt.Printf("%s, %s: %q, whole: %t\n", c.By, c.Turn, c.Text, c.IsWhole)
		}
	}
	// Output:
	// agent, item_1: "Good ", whole: false
	// agent, item_1: "Good morning.", whole: true
}
